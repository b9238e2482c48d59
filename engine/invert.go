package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// backStep runs inverse step n of operation i. done tells that the policy has
// closed the whole operation.
func (x *execution) backStep(own context.Context, i, n int, step Step, intended journal.UndoIntended) (done bool, err error) {
	own, cancel := context.WithTimeoutCause(own, x.undoTimeout, fmt.Errorf("the undo of one step took longer than %s", x.undoTimeout))
	defer cancel()
	report := UndoReport{Operation: journal.UndoID(x.state.Operations[i].ID, n), Kind: step.Kind(), Target: step.Target()}
	a := &act{id: report.Operation, index: i, step: step, undoing: true, attempt: &report.Attempts, waited: &report.Waited}
	a.site = x.site(a, x.conflict)
	since := x.clock.Now()
	done, err = x.invert(own, a, n, intended)
	report.Duration = x.clock.Now().Sub(since)
	x.reports[i].Undo = append(x.reports[i].Undo, report)
	return done, err
}

// invert runs one inverse step: intent, apply, settle, undone. skipped tells
// that the policy has closed the whole operation.
func (x *execution) invert(own context.Context, a *act, n int, intended journal.UndoIntended) (skipped bool, err error) {
	undo := x.state.Operations[a.index].Undo
	if n <= len(undo) && undo[n-1].Phase == journal.PhaseIntended {
		x.takeOver(a, undo[n-1].Before, undo[n-1].Promise)
	} else if ended, skipped, err := x.intendUndo(own, a, n, intended); ended || err != nil {
		return skipped, err
	}
	after, adopted, err := x.perform(own, own, a)
	if err != nil {
		return x.refusedUndo(own, a, err)
	}
	return false, x.undone(own, a, after, adopted)
}

// intendUndo captures the inverse step's own before-image and makes its intent
// durable. ended tells that there is nothing more to do: what the step would
// do is done, or the policy leaves the object alone (skipped).
func (x *execution) intendUndo(own context.Context, a *act, n int, intended journal.UndoIntended) (ended, skipped bool, err error) {
	if a.before, err = x.capture(own, a); err != nil {
		skipped, err = x.refusedUndo(own, a, err)
		return true, skipped, err
	}
	finding, err := x.probe(own, a)
	if err != nil && !errors.Is(err, ErrUnknownOutcome) {
		return true, false, err
	}
	if finding.State == StateForeign {
		if !goesOver(a) {
			skipped, err = x.refusedUndo(own, a, a.fail(DoingProbe, foreign(finding)))
			return true, skipped, err
		}
		x.meet(a, x.conflict, finding.Detail)
		intended.Conflict, intended.Policy = foreign(finding).Error(), string(x.conflict)
	}
	if finding.State != StateAfter {
		if a.receipted, err = x.receiptable(a, a.before); err != nil {
			return true, false, err
		}
	}
	intended.Before, intended.Receipted = a.before, a.receipted
	x.phase(a, DoingIntent)
	if err := x.append(own, journal.UndoIntent, a.id, intended); err != nil {
		return true, false, err
	}
	a.before = x.state.Operations[a.index].Undo[n-1].Before
	if finding.State == StateAfter {
		return true, false, x.undone(own, a, finding.After, true)
	}
	return false, false, nil
}

// undone records that an inverse step is in effect.
func (x *execution) undone(own context.Context, a *act, after Observation, adopted bool) error {
	x.phase(a, DoingRecord)
	receipt, err := a.hash()
	if err != nil {
		return a.fail(DoingRecord, err)
	}
	if err := x.append(own, journal.Undone, a.id, journal.UndoObserved{After: after, Adopted: adopted, Receipt: receipt}); err != nil {
		return err
	}
	x.phase(a, DoingDone)
	return nil
}

// refusedUndo leaves the object alone when the step met a foreign change and
// the policy says so; any other error stays one.
func (x *execution) refusedUndo(own context.Context, a *act, err error) (skipped bool, _ error) {
	if !errors.Is(err, ErrForeign) {
		return false, err
	}
	detail := err.Error()
	if failed, ok := errors.AsType[*OperationError](err); ok {
		detail = failed.Err.Error()
	}
	x.meet(a, x.conflict, detail)
	if x.conflict != ConflictSkip {
		x.left = journal.Leftover{Operation: x.state.Operations[a.index].ID, Found: StateForeign.String(), Detail: detail}
		return false, err
	}
	return true, x.closeOperation(own, a, journal.UndoObserved{Skipped: true, Conflict: detail})
}
