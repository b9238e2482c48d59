package appwritetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Delay draws the duration of one wait; queued is the number of jobs that wait
// behind this one. It must be safe for concurrent use.
type Delay func(queued int) time.Duration

// Fixed waits equally long each time.
func Fixed(d time.Duration) Delay { return func(int) time.Duration { return d } }

// Uniform draws evenly between low and high, the same sequence for a seed.
func Uniform(low, high time.Duration, seed uint64) Delay {
	if high < low {
		panic(fmt.Sprintf("appwritetest: Uniform(%v, %v): upside down", low, high))
	}
	var mu sync.Mutex
	source := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // a reproducible draw is the point
	return func(int) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return low + time.Duration(source.Int64N(int64(high-low)+1))
	}
}

// Realistic is what the worker of an idle server was measured to take for an
// attribute: 27 to 72 ms.
func Realistic(seed uint64) Delay { return Uniform(27*time.Millisecond, 72*time.Millisecond, seed) }
