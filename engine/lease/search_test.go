package lease_test

import (
	"hash/maphash"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/engine/lease"
)

// unit are terms of a few ticks.
func unit() lease.Terms {
	return lease.Terms{TTL: 3 * tick, Renew: tick, Margin: tick, Attempt: tick, Poll: 3 * tick}
}

// search goes through every world that there is within the bounds and gives
// what is wrong with the first that is broken.
func search(terms lease.Terms, b bounds) (wrong string, worlds int, superseded bool) {
	seed := maphash.MakeSeed()
	seen := map[uint64]struct{}{}
	queue := []world{start(terms, b)}
	for len(queue) > 0 && wrong == "" {
		w := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		w.successors(terms, b, func(next world, event string) {
			if wrong != "" {
				return
			}
			if wrong = next.broken(b); wrong != "" {
				wrong += ", when " + event
				return
			}
			superseded = superseded || next.ruled > 1
			next.forget(b)
			key := maphash.Comparable(seed, next)
			if _, known := seen[key]; !known {
				seen[key] = struct{}{}
				queue = append(queue, next)
			}
		})
	}
	return wrong, len(seen), superseded
}

// walk goes through worlds at random, where they are too many to visit all.
func walk(random *rand.Rand, terms lease.Terms, b bounds, steps int) (wrong string, superseded bool) {
	w := start(terms, b)
	for range steps {
		var next []world
		w.successors(terms, b, func(one world, _ string) { next = append(next, one) })
		w = next[random.IntN(len(next))]
		if wrong := w.broken(b); wrong != "" {
			return wrong, w.ruled > 1
		}
		w.forget(b)
	}
	return "", w.ruled > 1
}

func soak() bool { return os.Getenv("BACKSTEP_SOAK") != "" }

// Whatever order of events, of whatever length: two runners, late and lost
// requests, pauses, releases and second claims.
func TestNoOrderOfEventsLetsTwoHoldersAct(t *testing.T) {
	t.Parallel()
	searches := map[string]bounds{
		"pauses and takeovers":            {runners: 2, fences: 3},
		"a request or its answer is lost": {runners: 2, fences: 2, losses: 1},
		"a release":                       {runners: 2, fences: 2, releases: 1},
	}
	if soak() {
		searches["two are lost"] = bounds{runners: 2, fences: 2, losses: 2}
		searches["a clock jumps"] = bounds{runners: 2, fences: 2, jumps: 1}
		searches["a machine sleeps"] = bounds{runners: 2, fences: 2, sleeps: 2}
		searches["a second claim"] = bounds{runners: 2, fences: 3, claims: 1}
	}
	for name, b := range searches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong, worlds, superseded := search(unit(), b)
			if wrong != "" {
				t.Fatal(wrong)
			}
			if !superseded && b.releases == 0 {
				t.Error("no lock was ever superseded: the search says nothing")
			}
			t.Logf("%d worlds", worlds)
		})
	}
}

// At random, and with everything at once: three runners, clocks that jump,
// machines that sleep, claims after claims.
func TestRandomEventsLetNoTwoHoldersAct(t *testing.T) {
	t.Parallel()
	walks, seed := 200, uint64(20261122)
	if soak() {
		walks, seed = 200_000, uint64(time.Now().UnixNano())
	}
	b := bounds{runners: 3, fences: maxFence, losses: 2, jumps: 2, sleeps: 3, claims: 2, releases: 1}
	random := rand.New(rand.NewPCG(seed, seed))
	superseded := 0
	for n := range walks {
		wrong, ruled := walk(random, unit(), b, 120)
		if wrong != "" {
			t.Fatalf("seed %d, walk %d: %s", seed, n, wrong)
		}
		if ruled {
			superseded++
		}
	}
	if superseded < walks/10 {
		t.Errorf("a lock was superseded in %d walks of %d only", superseded, walks)
	}
	t.Logf("%d walks, seed %d, superseded in %d", walks, seed, superseded)
}

// The search itself has to notice what it looks for.
func TestTheSearchFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	if wrong, _, _ := search(unit(), bounds{runners: 2, fences: 2, promise: tick}); wrong == "" {
		t.Error("a holder that goes on after its time was not found out")
	}
	if wrong, _, _ := search(unit(), bounds{runners: 2, fences: 2, forgetful: true}); wrong == "" {
		t.Error("a server that makes one lock twice was not found out")
	}
}
