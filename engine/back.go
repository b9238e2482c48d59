package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/journal"
)

// goBack undoes what the intents say may have been done, in reverse order,
// proves it and ends the run. It works under a context of its own: a caller
// that has gone does not stop it, unless the run is to be left where it is.
func (x *execution) goBack(ctx context.Context) (Report, error) {
	x.emit(Event{Kind: EventUndo, Undoing: true, Err: x.err})
	own, stop := x.detached(ctx)
	defer stop()
	for i, operation := range slices.Backward(x.state.Operations) {
		if operation.Phase == journal.PhasePlanned || operation.Phase == journal.PhaseUndone {
			continue
		}
		if reason := x.leaving(ctx, own); reason != nil {
			x.undoErr = reason
			return x.close(OutcomeInterrupted)
		}
		err := x.back(ctx, own, i)
		if err == nil {
			err = x.proveInTurn(own, i)
		}
		if err != nil {
			x.undoErr, x.reports[i].UndoErr = err, err
			if x.left.Operation == "" {
				x.left = journal.Leftover{Operation: x.state.Operations[i].ID, Detail: err.Error()}
			}
			event := x.backAct(i).event(EventOperation)
			event.Phase, event.Err = DoingFailed, err
			x.emit(event)
			if x.passes(err) {
				return x.close(OutcomeInterrupted)
			}
			return x.halt(ctx)
		}
	}
	if err := x.prove(own); err != nil {
		x.undoErr = err
		if x.passes(err) {
			return x.close(OutcomeInterrupted)
		}
		return x.halt(ctx)
	}
	finished := journal.Finished{Status: journal.StatusRolledBack, Reason: x.reason(), Proof: x.proof}
	if err := x.append(ctx, journal.RunFinished, "", finished); err != nil {
		x.undoErr = err
		return x.close(OutcomeInterrupted)
	}
	return x.close(OutcomeRolledBack)
}

// passes reports whether the undo stops without a person being needed: it was
// stopped, or what stands in its way passes by itself, such as a network that is
// gone.
func (x *execution) passes(err error) bool {
	return stops(err) || x.class(err) != ClassPermanent
}

// leaving gives the reason to stop the undo at this safe point, nil for none.
func (x *execution) leaving(ctx, own context.Context) error {
	if own.Err() != nil {
		return interruption(own)
	}
	if ctx.Err() != nil && x.mustLeave(ctx) {
		return interruption(ctx)
	}
	return nil
}

// backAct is operation i looked at on the way back.
func (x *execution) backAct(i int) *act {
	a := x.forwardAct(i)
	a.undoing, a.before, a.site.OnConflict, a.site.Doubtful = true, x.state.Operations[i].Before, x.conflict, x.doubt[i]
	a.receipted = x.state.Operations[i].Receipted
	return a
}

// back undoes one operation.
func (x *execution) back(ctx, own context.Context, i int) error {
	if x.state.Operations[i].Phase == journal.PhaseUndoing {
		return x.finishUndo(ctx, own, i)
	}
	a := x.backAct(i)
	x.phase(a, DoingUndo)
	if a.receipted && x.state.Operations[i].Phase == journal.PhaseIntended {
		acted, err := x.actedUnderReceipt(own, a)
		if err != nil {
			return err
		}
		if !acted {
			return x.closeOperation(own, a, journal.UndoObserved{Reason: "it has not acted: its receipt is revoked"})
		}
	}
	after := x.state.Operations[i].After
	inverse, inverseErr := a.step.Inverse(a.before, after)
	if inverseErr == nil && len(inverse) == 0 {
		return x.closeOperation(own, a, journal.UndoObserved{Reason: "it changes nothing"})
	}
	finding, err := x.probeForUndo(own, a)
	if err != nil {
		return err
	}
	switch finding.State {
	case StateBefore:
		return x.closeOperation(own, a, journal.UndoObserved{Reason: "the object is as it was before"})
	case StateForeign:
		policy, err := x.settleConflict(a, finding)
		if err != nil {
			return err
		}
		if policy == ConflictSkip && (inverseErr != nil || !x.sparing(i, inverse)) {
			return x.closeOperation(own, a, journal.UndoObserved{Skipped: true, Conflict: finding.Detail})
		}
	case StateAfter, StatePartial:
		if x.state.Operations[i].Phase == journal.PhaseIntended {
			inverse, inverseErr = a.step.Inverse(a.before, finding.After)
		}
	}
	if inverseErr != nil {
		return a.fail(DoingUndo, inverseErr)
	}
	return x.beginUndo(ctx, own, a, inverse, finding)
}

// probeForUndo looks where an operation stands before its undo. A request that
// may still be on its way is waited for, and an object that the operation's
// write was refused for is somebody else's, however equal.
func (x *execution) probeForUndo(own context.Context, a *act) (Finding, error) {
	x.phase(a, DoingProbe)
	var finding Finding
	err := x.retry(own, a, DoingProbe, func() (err error) {
		if a.site.Doubtful {
			finding, err = x.lookTwice(own, a)
		} else {
			finding, err = x.look(own, a)
		}
		return err
	})
	if errors.Is(err, ErrUnknownOutcome) && x.state.Operations[a.index].Phase == journal.PhaseApplied {
		return Finding{State: StateAfter}, nil // the journal is all there is, and it says applied
	}
	if err == nil && x.state.Operations[a.index].Refused && finding.State == StateAfter {
		finding = Finding{State: StateForeign, Detail: "the operation's write was refused: the equal object is somebody else's"}
	}
	return finding, err
}

// settleConflict says what to do about a foreign change; an error halts.
// An operation of which only the intent is known may not have made what is
// there, so nothing but leaving it alone is possible without a person.
func (x *execution) settleConflict(a *act, finding Finding) (ConflictPolicy, error) {
	policy := x.conflict
	if x.state.Operations[a.index].Phase == journal.PhaseIntended && policy != ConflictSkip {
		policy = ConflictHalt
	}
	x.meet(a, policy, finding.Detail)
	if policy == ConflictHalt {
		x.left = journal.Leftover{Operation: x.state.Operations[a.index].ID, Found: StateForeign.String(), Detail: finding.Detail}
		return policy, a.fail(DoingProbe, foreign(finding))
	}
	return policy, nil
}

// sparing reports whether the undo of an operation leaves alone by itself, one
// by one, what others have changed.
func (x *execution) sparing(i int, inverse []Step) bool {
	return x.state.Operations[i].Phase == journal.PhaseApplied &&
		!slices.ContainsFunc(inverse, func(step Step) bool { return !spares(step) })
}

// closeOperation records that an operation needs, or gets, no undo.
func (x *execution) closeOperation(ctx context.Context, a *act, body journal.UndoObserved) error {
	body.Cause = x.firstCause()
	if body.Skipped && body.Conflict == "" {
		body.Conflict = "changed by somebody else"
	}
	if err := x.append(ctx, journal.Undone, x.state.Operations[a.index].ID, body); err != nil {
		return err
	}
	phase := DoingDone
	if body.Skipped {
		phase = DoingSkipped
	}
	x.phase(a, phase)
	return nil
}

// firstCause is the cause of the undo, for the record that begins it.
func (x *execution) firstCause() string {
	if x.state.Undoing {
		return ""
	}
	return x.cause
}

// beginUndo runs the first inverse step, whose intent tells all of them, and
// then the rest.
func (x *execution) beginUndo(ctx, own context.Context, a *act, inverse []Step, finding Finding) error {
	steps := make([]json.RawMessage, 0, len(inverse))
	first := inverse[0]
	for n, step := range inverse {
		data, decoded, err := x.codify(step)
		if err != nil {
			return a.fail(DoingUndo, fmt.Errorf("inverse step %d (%s): %w", n+1, step.Kind(), err))
		}
		if n == 0 {
			first = decoded
		}
		steps = append(steps, data)
	}
	intended := journal.UndoIntended{Steps: steps, Cause: x.firstCause()}
	if finding.State == StateForeign {
		intended.Conflict, intended.Policy = foreign(finding).Error(), string(x.conflict)
	}
	if done, err := x.backStep(own, a.index, 1, first, intended); err != nil || done {
		return err
	}
	return x.finishUndo(ctx, own, a.index)
}

// finishUndo runs the inverse steps that are left of an operation.
func (x *execution) finishUndo(ctx, own context.Context, i int) error {
	for n := 1; x.state.Operations[i].Phase == journal.PhaseUndoing; n++ {
		recorded := x.state.Operations[i].Undo[n-1]
		if recorded.Phase == journal.PhaseUndone {
			continue
		}
		if reason := x.leaving(ctx, own); reason != nil {
			return reason
		}
		step, err := x.codec.Decode(recorded.Step)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrRefused, journal.UndoID(x.state.Operations[i].ID, n), err)
		}
		if _, err := x.backStep(own, i, n, step, journal.UndoIntended{}); err != nil {
			return err
		}
	}
	return nil
}
