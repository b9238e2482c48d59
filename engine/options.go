package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/backstep-dev/backstep/journal"
)

// Option refines New.
type Option func(*Engine) error

// The defaults of New.
const (
	// DefaultQuarantine outlives a request that may be on its way: a 30 s
	// attempt, Appwrite's statement timeout of 15 s, and a margin.
	DefaultQuarantine = 60 * time.Second
	// DefaultUndoTimeout bounds one inverse step.
	DefaultUndoTimeout = 30 * time.Minute
)

// Interrupt says what a cancelled run does at its safe point.
type Interrupt string

// What a cancelled run does.
const (
	Leave      Interrupt = "leave"      // stop there, resumable: the default
	Compensate Interrupt = "compensate" // undo what was done
)

// New makes an engine that accounts for its runs in store and writes steps
// with codec.
func New(store journal.Store, codec Codec, opts ...Option) (*Engine, error) {
	if store == nil || codec == nil {
		return nil, fmt.Errorf("%w: an engine needs a journal and a codec", ErrInvalid)
	}
	e := &Engine{
		store: store, codec: codec,
		clock:       SystemClock(),
		observer:    ObserverFunc(func(Event) {}),
		classify:    classifyDefault,
		quarantine:  DefaultQuarantine,
		conflict:    ConflictHalt,
		guard:       func(context.Context) error { return nil },
		watch:       func(ctx context.Context) (context.Context, func() bool) { return ctx, func() bool { return false } },
		interrupt:   Leave,
		undoTimeout: DefaultUndoTimeout,
		logger:      slog.New(slog.DiscardHandler),
	}
	e.retry = RetryPolicy{
		Initial: 200 * time.Millisecond, Max: 15 * time.Second,
		Multiplier: 2, Jitter: 0.5, Budget: 5 * time.Minute,
	}
	for _, opt := range opts {
		if err := opt(e); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// WithClock sets the clock; the default is SystemClock.
func WithClock(clock Clock) Option {
	return func(e *Engine) error {
		if clock == nil {
			return fmt.Errorf("%w: no clock", ErrInvalid)
		}
		e.clock = clock
		return nil
	}
}

// WithObserver sets who hears what the run does.
func WithObserver(observer Observer) Option {
	return func(e *Engine) error {
		if observer == nil {
			return fmt.Errorf("%w: no observer", ErrInvalid)
		}
		e.observer = observer
		return nil
	}
}

// WithRetry sets the retry policy. Fields that are zero keep their default.
func WithRetry(policy RetryPolicy) Option {
	return func(e *Engine) error {
		merged, err := e.retry.overlaid(policy)
		if err != nil {
			return err
		}
		e.retry = merged
		return nil
	}
}

// WithClassifier sets what errors mean. The default takes a broken context for
// ambiguous and everything else for permanent.
func WithClassifier(classify func(error) Class) Option {
	return func(e *Engine) error {
		if classify == nil {
			return fmt.Errorf("%w: no classifier", ErrInvalid)
		}
		e.classify = classify
		return nil
	}
}

// WithQuarantine sets how long a request may be on its way after its caller
// has given up: attempt timeout, the server's statement timeout and a margin.
// An unchanged object is believed only when it still is unchanged after that.
// The default is DefaultQuarantine; 0 looks again at once.
func WithQuarantine(d time.Duration) Option {
	return func(e *Engine) error {
		if d < 0 {
			return fmt.Errorf("%w: quarantine %s", ErrInvalid, d)
		}
		e.quarantine = d
		return nil
	}
}

// WithConflict sets what an undo does about foreign changes; the default is ConflictHalt.
func WithConflict(policy ConflictPolicy) Option {
	return func(e *Engine) error {
		switch policy {
		case ConflictHalt, ConflictMerge, ConflictOverwrite, ConflictSkip:
			e.conflict = policy
			return nil
		default:
			return fmt.Errorf("%w: conflict policy %q", ErrInvalid, policy)
		}
	}
}

// WithGuard sets a check that runs before every attempt to change something.
// When it fails the run stops: it neither goes on nor compensates. The lease
// holds on to this seam.
func WithGuard(guard func(context.Context) error) Option {
	return func(e *Engine) error {
		if guard == nil {
			return fmt.Errorf("%w: no guard", ErrInvalid)
		}
		e.guard = guard
		return nil
	}
}

// Watch gives a context under which one attempt is made, and a function that
// says afterwards whether anything was changed under it.
type Watch func(ctx context.Context) (watched context.Context, changed func() bool)

// WithWatch tells attempts that failed having changed nothing from those that
// failed after they had changed something, such as one whose write succeeded
// and whose read afterwards did not. The default takes the error's class as
// the whole truth.
func WithWatch(watch Watch) Option {
	return func(e *Engine) error {
		if watch == nil {
			return fmt.Errorf("%w: no watch", ErrInvalid)
		}
		e.watch = watch
		return nil
	}
}

// WithInterrupt sets what a cancelled run does; the default is Leave. A run
// whose context has passed its deadline always leaves.
func WithInterrupt(interrupt Interrupt) Option {
	return func(e *Engine) error {
		if interrupt != Leave && interrupt != Compensate {
			return fmt.Errorf("%w: interrupt %q", ErrInvalid, interrupt)
		}
		e.interrupt = interrupt
		return nil
	}
}

// WithAbort sets a channel that, once closed, stops at once whatever the
// engine does, the undo included. The run is resumable then. Cancelling the
// context is the gentle way.
func WithAbort(abort <-chan struct{}) Option {
	return func(e *Engine) error {
		e.abort = abort
		return nil
	}
}

// WithUndoTimeout bounds each inverse step; the default is DefaultUndoTimeout.
func WithUndoTimeout(d time.Duration) Option {
	return func(e *Engine) error {
		if d <= 0 {
			return fmt.Errorf("%w: undo timeout %s", ErrInvalid, d)
		}
		e.undoTimeout = d
		return nil
	}
}

// WithCapabilities says what the server can do now, as in Request. A recorded
// run that relies on a word that is missing here is refused. Without this
// option nothing is compared.
func WithCapabilities(now map[string]string) Option {
	return func(e *Engine) error {
		e.capabilities = maps.Clone(now)
		if e.capabilities == nil {
			e.capabilities = map[string]string{}
		}
		return nil
	}
}

// WithLogger sets where details are logged; the default is nowhere.
func WithLogger(logger *slog.Logger) Option {
	return func(e *Engine) error {
		if logger == nil {
			return fmt.Errorf("%w: no logger", ErrInvalid)
		}
		e.logger = logger
		return nil
	}
}

func classifyDefault(err error) Class {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return ClassAmbiguous
	}
	return ClassPermanent
}
