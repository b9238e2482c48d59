package appwrite_test

import (
	"sync"
	"time"
)

// quickClock is a clock on which every wait is over at once. It remembers them.
type quickClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newQuickClock() *quickClock {
	return &quickClock{now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *quickClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired, func() {}
}
