package livetest

import (
	"sync"
	"time"
)

// clock gives the time, never the same millisecond twice. Servers keep
// $updatedAt in milliseconds, and two writes within one look like one to every
// guard. A real server takes longer for a request; the embedded one does not,
// and a test that follows one write by another would pass or fail by chance.
// It may run ahead of the machine's clock by as many milliseconds as it was
// asked.
func clock() func() time.Time {
	var (
		mu   sync.Mutex
		last time.Time
	)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now().Truncate(time.Millisecond)
		if !now.After(last) {
			now = last.Add(time.Millisecond)
		}
		last = now
		return now
	}
}
