package lease

import (
	"context"
	"time"
)

// Reading is what the two clocks of a machine show. Neither can be trusted
// alone: the wall clock can be set, the monotonic one stands still while a
// machine sleeps.
type Reading struct {
	Wall time.Duration // since 1970
	Mono time.Duration // since some moment of this process
}

// Clock reads both clocks and waits.
type Clock interface {
	Now() Reading
	// Wait returns nil after d, or the context's error as soon as it is done.
	Wait(ctx context.Context, d time.Duration) error
}

// SystemClock gives the clocks of this machine.
func SystemClock() Clock { return systemClock{started: time.Now()} }

type systemClock struct{ started time.Time }

func (c systemClock) Now() Reading {
	now := time.Now()
	return Reading{Wall: time.Duration(now.UnixNano()), Mono: now.Sub(c.started)}
}

func (c systemClock) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// atMost is how much time has passed since an earlier reading, at the most: a
// holder counts with that.
func (now Reading) atMost(since Reading) time.Duration {
	return max(now.Wall-since.Wall, now.Mono-since.Mono, 0)
}

// atLeast is how much time has passed since an earlier reading, at the least: a
// rival counts with that.
func (now Reading) atLeast(since Reading) time.Duration {
	return max(min(now.Wall-since.Wall, now.Mono-since.Mono), 0)
}

// setBack tells by how much the wall clock was set back since an earlier
// reading. A machine that also slept meanwhile shows it on neither clock.
func (now Reading) setBack(since Reading) time.Duration {
	return max((now.Mono-since.Mono)-(now.Wall-since.Wall), 0)
}
