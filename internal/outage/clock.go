package outage

import (
	"context"
	"sync"
	"time"
)

// Clock is a clock on which waiting takes no time. Each long wait first lets
// happen what would have happened meanwhile.
type Clock struct {
	long   time.Duration
	during func()

	mu      sync.Mutex
	skipped time.Duration
}

// NewClock makes a clock that calls during, unless it is nil, at the beginning
// of every wait of at least long.
func NewClock(long time.Duration, during func()) *Clock {
	return &Clock{long: long, during: during}
}

// Now is the real time and all that was waited.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

// Wait advances the clock.
func (c *Clock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.advance(d)
	return nil
}

// After advances the clock and gives the time in a channel, as clocks do that
// are waited for together with something else.
func (c *Clock) After(d time.Duration) (<-chan time.Time, func()) {
	c.advance(d)
	fired := make(chan time.Time, 1)
	fired <- c.Now()
	return fired, func() {}
}

func (c *Clock) advance(d time.Duration) {
	if c.during != nil && d >= c.long {
		c.during()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
}
