package appwritetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Delay draws the duration of one wait: of a request, or of a job behind which
// waiting other jobs are queued. It must be safe for concurrent use.
type Delay func(waiting int) time.Duration

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

// Realistic is what the worker of a self-hosted server was measured to take: 27
// to 72 ms for an attribute on its own, about 700 ms for a burst of 30.
func Realistic(seed uint64) Delay {
	alone := Uniform(27*time.Millisecond, 72*time.Millisecond, seed)
	burst := Uniform(18*time.Millisecond, 28*time.Millisecond, seed)
	return func(waiting int) time.Duration {
		if waiting > 0 {
			return burst(waiting)
		}
		return alone(waiting)
	}
}
