package steptest

import (
	"context"
	"sync"
	"time"
)

// clock is a clock on which waiting takes no time. Each wait first lets happen
// what would have happened meanwhile.
type clock struct {
	mu      sync.Mutex
	skipped time.Duration
	during  func()
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.during != nil && d >= quarantine {
		c.during()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	return nil
}
