package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// act is one step being done: an operation's effect or one inverse step.
type act struct {
	id      string // "3" or "3/undo/1"
	index   int    // of the operation
	step    Step
	before  Memento
	site    Site
	undoing bool
	// receipted says that the step commits with a receipt, as its intent tells;
	// revoking, that this process may have revoked the one in the site.
	receipted, revoking bool
	// generation is that of the receipt for the attempt; taken, that another
	// process, or an earlier call, may have revoked it.
	generation int
	taken      bool
	attempt    *int           // counters of the report
	waited     *time.Duration //
}

// event is the beginning of every event about a.
func (a *act) event(kind EventKind) Event {
	return Event{Kind: kind, Operation: a.id, Step: a.step.Kind(), Target: a.step.Target(), Index: a.index + 1, Undoing: a.undoing}
}

// fail puts the context around an error, once.
func (a *act) fail(phase OperationPhase, err error) error {
	if _, wrapped := errors.AsType[*OperationError](err); wrapped {
		return err
	}
	return &OperationError{Operation: a.id, Kind: a.step.Kind(), Target: a.step.Target(), Phase: phase, Err: err}
}

func (x *execution) phase(a *act, phase OperationPhase) {
	event := a.event(EventOperation)
	event.Phase = phase
	x.emit(event)
}

// retry is the one place where anything is tried again. It refuses a context
// that is done, repeats what is transient or ambiguous after a wait that grows,
// has jitter and honours Retry-After, and gives up when the step's budget is
// spent. Waiting ends early when ctx does.
func (x *execution) retry(ctx context.Context, a *act, phase OperationPhase, work func() error) error {
	policy, err := x.policy(a.step)
	if err != nil {
		return a.fail(phase, err)
	}
	waits := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(policy.Initial), backoff.WithMaxInterval(policy.Max),
		backoff.WithMultiplier(policy.Multiplier), backoff.WithRandomizationFactor(policy.Jitter),
		backoff.WithMaxElapsedTime(0), backoff.WithClockProvider(x.clock))
	since := x.clock.Now()
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return a.fail(phase, following(interruption(ctx), err))
		}
		if err = work(); err == nil || stops(err) {
			return err
		}
		if x.class(err) == ClassForbidden {
			return fmt.Errorf("%w: %w", ErrGuard, err)
		}
		if ctx.Err() != nil && !errors.Is(err, ErrForeign) { // the error may be no more than the cancelling
			return a.fail(phase, following(interruption(ctx), err))
		}
		class := x.class(err)
		event := a.event(EventAttempt)
		event.Phase, event.Attempt, event.Class, event.Err = phase, attempt, class, err
		x.emit(event)
		if class == ClassPermanent {
			return a.fail(phase, err)
		}
		wait, reason := pause(waits.NextBackOff(), err)
		if spent := x.clock.Now().Sub(since); spent+wait > policy.Budget || (policy.Attempts > 0 && attempt >= policy.Attempts) {
			return a.fail(phase, fmt.Errorf("given up after attempt %d and %s: %w", attempt, spent.Round(time.Millisecond), err))
		}
		if waitErr := x.wait(ctx, a, wait, reason); waitErr != nil {
			return a.fail(phase, following(waitErr, err))
		}
	}
}

// following gives the reason for stopping together with the error before it.
func following(stop, last error) error {
	if last == nil {
		return stop
	}
	return fmt.Errorf("%w; the last error was: %w", stop, last)
}

// pause is the longer of the backoff and what the server asked for.
func pause(wait time.Duration, err error) (time.Duration, string) {
	var asked interface{ RetryAfter() time.Duration }
	if errors.As(err, &asked) && asked.RetryAfter() > wait {
		return asked.RetryAfter(), WaitRetryAfter
	}
	return wait, WaitBackoff
}

// wait waits and tells so; it returns the interruption when ctx is done first.
func (x *execution) wait(ctx context.Context, a *act, d time.Duration, reason string) error {
	event := a.event(EventWait)
	event.Wait, event.Reason = d, reason
	x.emit(event)
	since := x.clock.Now()
	err := x.clock.Wait(ctx, d)
	*a.waited += x.clock.Now().Sub(since)
	if err != nil {
		return interruption(ctx)
	}
	return nil
}

func (x *execution) policy(step Step) (RetryPolicy, error) {
	if budgeted, ok := step.(Budgeted); ok {
		return x.Engine.retry.overlaid(budgeted.Retry())
	}
	return x.Engine.retry, nil
}

// class says what an error means; the engine's own conditions are settled.
func (x *execution) class(err error) Class {
	if errors.Is(err, ErrForeign) || errors.Is(err, ErrIrreversible) || errors.Is(err, ErrUnknownOutcome) {
		return ClassPermanent
	}
	return x.classify(err)
}
