// Package remote keeps a journal in the Appwrite project that it tells of: in
// collections of a reserved database, so that any machine with a key for the
// project can read it and go on with what another one began.
package remote

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/backstep-dev/backstep/appwrite"
)

// DefaultPatience is for how long requests of the journal are repeated by
// default, from the first attempt to the start of the last one. A run stops when
// its journal cannot be written, so it outlives a server's restart.
const DefaultPatience = 5 * time.Minute

// The waits between two attempts.
const (
	firstPause  = 100 * time.Millisecond
	longPause   = 5 * time.Second
	pauseGrowth = 2
	pauseJitter = 0.5
)

// openPatience bounds it while the journal is being opened: nothing has been
// begun then, and a server that cannot be reached should be told of soon.
const openPatience = 15 * time.Second

// patience repeats requests that failed for the moment.
type patience struct {
	clock  appwrite.Clock
	budget time.Duration
	logger *slog.Logger // nil logs nothing
}

// do repeats op, which must be safe to repeat, until it succeeds, fails for
// good, or the budget is used up.
func (p patience) do(ctx context.Context, op func(context.Context) error) error {
	waits := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstPause), backoff.WithMaxInterval(longPause),
		backoff.WithMultiplier(pauseGrowth), backoff.WithRandomizationFactor(pauseJitter),
		backoff.WithMaxElapsedTime(0), backoff.WithClockProvider(p.clock))
	begun := p.clock.Now()
	for {
		err := op(ctx)
		if err == nil || appwrite.Classify(err) == appwrite.Permanent || ctx.Err() != nil {
			return err
		}
		pause := waits.NextBackOff()
		var asked interface{ RetryAfter() time.Duration }
		if errors.As(err, &asked) {
			pause = max(pause, asked.RetryAfter())
		}
		if p.clock.Now().Add(pause).Sub(begun) > p.budget {
			return err
		}
		if p.logger != nil {
			p.logger.WarnContext(ctx, "the journal has to wait", slog.Duration("pause", pause), slog.Any("error", err))
		}
		if p.pause(ctx, pause) != nil {
			return err // what went wrong says more than that the wait was ended
		}
	}
}

// pause waits, and gives the context's error when that ends the wait.
func (p patience) pause(ctx context.Context, d time.Duration) error {
	fired, stop := p.clock.After(d)
	defer stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-fired:
		return nil
	}
}

// wallClock is the time as it is.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
