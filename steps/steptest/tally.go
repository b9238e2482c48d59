package steptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Tally counts what was tried.
type Tally struct {
	mu     sync.Mutex
	points int
	hits   map[string]map[fault]int
}

// NewTally makes an empty one.
func NewTally() *Tally { return &Tally{hits: make(map[string]map[fault]int)} }

func (y *Tally) hit(kind string, what fault) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.hits[kind] == nil {
		y.hits[kind] = make(map[fault]int)
	}
	y.hits[kind][what]++
}

func (y *Tally) point() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.points++
}

// Points is how many runs with something going wrong were tried.
func (y *Tally) Points() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.points
}

// Missing names, for a kind of step, the boundaries at which nothing went wrong
// in any trial. Kinds that send no requests have boundaries in the journal only.
func (y *Tally) Missing(kind string, requests bool) []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	boundaries := noteCrashes()
	if requests {
		boundaries = slices.Concat(boundaries, requestCrashes(), requestFaults())
	}
	var missing []string
	for _, boundary := range boundaries {
		if y.hits[kind][boundary] == 0 {
			missing = append(missing, string(boundary))
		}
	}
	return missing
}

// String lists each kind with the number of times that each thing went wrong.
func (y *Tally) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(y.hits)) {
		fmt.Fprintf(&b, "%-22s", kind)
		total := 0
		for _, what := range slices.Concat(requestFaults(), requestCrashes(), noteCrashes()) {
			total += y.hits[kind][what]
			fmt.Fprintf(&b, " %s %d,", what, y.hits[kind][what])
		}
		fmt.Fprintf(&b, " together %d\n", total)
	}
	fmt.Fprintf(&b, "%d points tried\n", y.points)
	return b.String()
}
