package lease

import (
	"fmt"
	"log/slog"
	"time"
)

// Option refines Acquire.
type Option func(*options) error

type options struct {
	terms    Terms
	clock    Clock
	patience time.Duration
	budget   time.Duration
	former   string
	dead     func(Lock) bool
	blocked  func(Lock, bool)
	logger   *slog.Logger
}

func optionsOf(opts []Option) (options, error) {
	terms, err := TermsOf(DefaultTTL)
	if err != nil {
		return options{}, err
	}
	o := options{
		terms: terms, clock: SystemClock(), budget: DefaultTTL,
		dead:    func(Lock) bool { return false },
		blocked: func(Lock, bool) {},
		logger:  slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return options{}, err
		}
	}
	return o, nil
}

// WithTTL sets how long the lease holds without a renewal; the default is
// DefaultTTL. Rivals go by what the holder's lock says, so runners with
// different values get along.
func WithTTL(ttl time.Duration) Option {
	return func(o *options) (err error) {
		o.terms, err = TermsOf(ttl)
		return err
	}
}

// WithClock sets the clock; the default is SystemClock.
func WithClock(clock Clock) Option {
	return func(o *options) error {
		if clock == nil {
			return fmt.Errorf("%w: no clock", ErrInvalid)
		}
		o.clock = clock
		return nil
	}
}

// WithPatience sets how long to wait for a holder that lives. By default Acquire
// gives up as soon as it has seen that it does, which takes up to a third of the
// holder's TTL.
func WithPatience(d time.Duration) Option {
	return func(o *options) error {
		if d < 0 {
			return fmt.Errorf("%w: patience %s", ErrInvalid, d)
		}
		o.patience = d
		return nil
	}
}

// WithBudget sets for how long Acquire tries to reach locks that are
// unavailable; the default is DefaultTTL.
func WithBudget(d time.Duration) Option {
	return func(o *options) error {
		if d < 0 {
			return fmt.Errorf("%w: budget %s", ErrInvalid, d)
		}
		o.budget = d
		return nil
	}
}

// WithFormer names a lease that this very process has lost because the locks
// were out of reach. Acquire then follows that lease at once, without watching
// it, since whatever held it is done with it for good; where somebody else has
// held the lease since, the error is a *LostError.
func WithFormer(former *Lease) Option {
	return func(o *options) error {
		if former == nil {
			return nil
		}
		if former.Err() == nil {
			return fmt.Errorf("%w: the former lease is still held", ErrInvalid)
		}
		o.former = former.Lock().Token
		return nil
	}
}

// WithDead sets a way to know that the holder of a lock is dead, such as that
// its process on this machine has ended; its lock is then superseded at once.
// It must never say so of one that might still send anything.
func WithDead(dead func(Lock) bool) Option {
	return func(o *options) error {
		if dead == nil {
			return fmt.Errorf("%w: no way to know the dead", ErrInvalid)
		}
		o.dead = dead
		return nil
	}
}

// WithBlocked has blocked called each time another's lock was found in the way;
// alive says that its holder has been seen to live.
func WithBlocked(blocked func(lock Lock, alive bool)) Option {
	return func(o *options) error {
		if blocked == nil {
			return fmt.Errorf("%w: nobody to tell", ErrInvalid)
		}
		o.blocked = blocked
		return nil
	}
}

// WithLogger sets where details are logged; the default is nowhere.
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) error {
		if logger == nil {
			return fmt.Errorf("%w: no logger", ErrInvalid)
		}
		o.logger = logger
		return nil
	}
}
