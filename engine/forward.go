package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// goForward does what is left of the plan and ends the run.
func (x *execution) goForward(ctx context.Context) (Report, error) {
	for i := range x.state.Operations {
		if x.state.Operations[i].Phase == journal.PhaseApplied {
			continue
		}
		if ctx.Err() != nil {
			return x.fail(ctx, interruption(ctx))
		}
		since := x.clock.Now()
		err := x.forward(ctx, i)
		x.reports[i].Duration += x.clock.Now().Sub(since)
		if err != nil {
			x.reports[i].Err = err
			event := x.forwardAct(i).event(EventOperation)
			event.Phase, event.Err = DoingFailed, err
			x.emit(event)
			return x.fail(ctx, err)
		}
	}
	if err := x.append(ctx, journal.RunFinished, "", journal.Finished{Status: journal.StatusApplied}); err != nil {
		x.err = err
		return x.close(OutcomeInterrupted)
	}
	return x.close(OutcomeApplied)
}

// forward does one operation: capture, intent, apply, settle, applied.
func (x *execution) forward(ctx context.Context, i int) error {
	a := x.forwardAct(i)
	ready := x.intend
	if x.state.Operations[i].Phase == journal.PhaseIntended {
		ready = x.taken
	}
	if err := ready(ctx, a); err != nil {
		return err
	}
	own, stop := x.detached(ctx)
	defer stop()
	after, adopted, err := x.perform(ctx, own, a)
	x.doubt[i] = a.site.Doubtful
	if err != nil {
		return err
	}
	return x.applied(ctx, a, after, adopted)
}

// intend captures the before-image and makes the intent durable.
func (x *execution) intend(ctx context.Context, a *act) error {
	before, err := x.capture(ctx, a)
	if err != nil {
		return err
	}
	if a.receipted, err = x.receiptable(a, before); err != nil {
		return err
	}
	if err := x.ownable(ctx, a, before); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return interruption(ctx)
	}
	x.phase(a, DoingIntent)
	if err := x.append(ctx, journal.Intent, a.id, journal.Intended{Before: before, Receipted: a.receipted}); err != nil {
		return err
	}
	a.before = x.state.Operations[a.index].Before
	return nil
}

// ownable refuses, while nothing has been changed, to take back what somebody
// else has changed since, unless the policy lets it.
func (x *execution) ownable(ctx context.Context, a *act, before Memento) error {
	if x.state.Started.Direction != DirectionDown {
		return nil
	}
	a.before = before
	finding, err := x.probe(ctx, a)
	if errors.Is(err, ErrUnknownOutcome) {
		return nil // nothing can tell, and the step was asked for
	}
	if err != nil || finding.State != StateForeign {
		return err
	}
	x.meet(a, a.site.OnConflict, finding.Detail)
	if goesOver(a) {
		return nil
	}
	return a.fail(DoingCapture, foreign(finding))
}

// taken prepares an operation whose intent another process, or an earlier
// call, has recorded: it may have acted. An object that its write was refused
// for stays somebody else's.
func (x *execution) taken(ctx context.Context, a *act) error {
	operation := x.state.Operations[a.index]
	x.takeOver(a, operation.Before, operation.Promise)
	if !operation.Refused {
		return nil
	}
	a.site.Doubtful = false
	finding, err := x.probe(ctx, a)
	if err != nil {
		return err
	}
	if finding.State != StateBefore {
		return a.fail(DoingProbe, foreign(Finding{Detail: "the write was refused before, and the object is still there"}))
	}
	return nil
}

// checkLast looks at the operation that was applied last before the run was
// cut off: its effect must still be there for the rest to build on.
func (x *execution) checkLast(ctx context.Context) error {
	last := -1
	for i, operation := range x.state.Operations {
		switch operation.Phase {
		case journal.PhaseApplied:
			last = i
		case journal.PhaseIntended:
			return nil // it is looked at instead
		case journal.PhasePlanned, journal.PhaseUndoing, journal.PhaseUndone:
		}
	}
	if last < 0 {
		return nil
	}
	a := x.forwardAct(last)
	a.before = x.state.Operations[last].Before
	if inverse, err := a.step.Inverse(a.before, x.state.Operations[last].After); err == nil && len(inverse) == 0 {
		return nil // it changes nothing
	}
	finding, err := x.probe(ctx, a)
	switch {
	case errors.Is(err, ErrUnknownOutcome):
		return nil // the journal is all there is, and it says applied
	case err != nil:
		return err
	}
	switch finding.State {
	case StateBefore:
		return a.fail(DoingProbe, fmt.Errorf("%w: what the run had done is gone", ErrForeign))
	case StateForeign:
		x.meet(a, ConflictSkip, finding.Detail)
		x.reports[last].Notice = finding.Detail
	case StateAfter, StatePartial:
	}
	return nil
}

// fail decides what becomes of a run that cannot go on: it stops where it is,
// halts, or goes back.
func (x *execution) fail(ctx context.Context, err error) (Report, error) {
	x.err = err
	switch {
	case errors.Is(err, errCancelled) && !x.mustLeave(ctx):
		x.emit(Event{Kind: EventStop, Detail: "compensating, as configured", Err: err})
	case stops(err):
		x.emit(Event{Kind: EventStop, Detail: "left as it is, resumable", Err: err})
		return x.close(OutcomeInterrupted)
	case x.halting(err):
		return x.halt(ctx)
	}
	x.cause = err.Error()
	return x.goBack(ctx)
}

// halting reports whether a person must look before anything else is changed:
// the operation may have acted and the object is not as the run knows it.
func (x *execution) halting(err error) bool {
	if !errors.Is(err, ErrForeign) && !errors.Is(err, ErrUnknownOutcome) {
		return false
	}
	failed, ok := errors.AsType[*OperationError](err)
	if !ok || failed.Phase == DoingCapture {
		return false
	}
	x.left = journal.Leftover{
		Operation: failed.Operation, Found: StateForeign.String(), Detail: failed.Err.Error(),
		Refused: failed.Phase == DoingApply && !x.inDoubt(failed.Operation) && errors.Is(err, ErrForeign),
	}
	return true
}

func (x *execution) inDoubt(operation string) bool {
	for i := range x.state.Operations {
		if x.state.Operations[i].ID == operation {
			return x.doubt[i]
		}
	}
	return false
}

// mustLeave reports whether a run whose context is done stays where it is.
func (x *execution) mustLeave(ctx context.Context) bool {
	return x.interrupt == Leave || errors.Is(context.Cause(ctx), context.DeadlineExceeded) ||
		errors.Is(context.Cause(ctx), errAborted)
}

// meet notes a foreign change and what is done about it.
func (x *execution) meet(a *act, policy ConflictPolicy, detail string) {
	x.conflicts = append(x.conflicts, Conflict{
		Operation: a.id, Target: a.step.Target(), Undoing: a.undoing, Policy: policy, Detail: detail,
	})
	event := a.event(EventConflict)
	event.Policy, event.Detail = policy, detail
	x.emit(event)
}
