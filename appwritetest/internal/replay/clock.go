package replay

import (
	"sync"
	"time"
)

// Clock is a clock that moves only when told. The server under test has to run
// on it, because some answers hold the date of the recording.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at the day of the recordings.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)}
}

// Now returns the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
