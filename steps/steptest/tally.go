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
	twice  int
	hits   map[string]map[boundary]int
}

// NewTally makes an empty one.
func NewTally() *Tally { return &Tally{hits: make(map[string]map[boundary]int)} }

func (y *Tally) hit(kind string, what boundary) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.hits[kind] == nil {
		y.hits[kind] = make(map[boundary]int)
	}
	y.hits[kind][what]++
}

// crashedTwice counts a crash of the process that had taken over.
func (y *Tally) crashedTwice() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.twice++
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

// Twice is in how many of them the process that took over was stopped, too.
func (y *Tally) Twice() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.twice
}

// Missing names, for a kind of step, the boundaries at which nothing went wrong
// in any trial: those of journal writes, and, where they count, those of the
// requests that the kind sends and those that its journal does.
func (y *Tally) Missing(kind string, requests, journal bool) []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	boundaries := noteCrashes()
	if requests {
		boundaries = slices.Concat(boundaries, requestCrashes(), requestFaults())
	}
	if journal {
		boundaries = slices.Concat(boundaries, mailCrashes(), mailFaults())
	}
	var missing []string
	for _, boundary := range boundaries {
		if y.hits[kind][boundary] == 0 {
			missing = append(missing, string(boundary))
		}
	}
	return missing
}

// mailed reports whether anything went wrong with a request of a journal.
func (y *Tally) mailed() bool {
	for _, hits := range y.hits {
		for what := range hits {
			if what.ofMail() {
				return true
			}
		}
	}
	return false
}

// String is a table of how many times each thing went wrong with each kind.
func (y *Tally) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	columns := slices.Concat(requestFaults(), requestCrashes(), noteCrashes())
	if y.mailed() {
		columns = slices.Concat(columns, mailFaults(), mailCrashes())
	}
	var b strings.Builder
	for i, what := range columns {
		fmt.Fprintf(&b, "%2d  %s\n", i+1, what)
	}
	fmt.Fprintf(&b, "%-22s", "")
	for i := range columns {
		fmt.Fprintf(&b, "%6d", i+1)
	}
	for _, kind := range slices.Sorted(maps.Keys(y.hits)) {
		name := kind
		if name == "" {
			name = "(begin and end)"
		}
		fmt.Fprintf(&b, "\n%-22s", name)
		for _, what := range columns {
			fmt.Fprintf(&b, "%6d", y.hits[kind][what])
		}
	}
	fmt.Fprintf(&b, "\n%d points tried, at %d of them the process that took over was stopped as well\n", y.points, y.twice)
	return b.String()
}
