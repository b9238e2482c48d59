package engine

import (
	"context"
	"slices"

	"github.com/backstep-dev/backstep/journal"
)

// halt records that a person is needed, and what is left for them.
func (x *execution) halt(ctx context.Context) (Report, error) {
	finished := journal.Finished{Status: journal.StatusHalted, Reason: x.reason(), Proof: x.proof, Left: x.remains()}
	if x.undoErr != nil {
		finished.UndoReason = x.undoErr.Error()
	}
	if err := x.append(ctx, journal.RunFinished, "", finished); err != nil {
		// The journal must not stay silent about why: both errors are shown.
		x.undoErr = following(err, x.undoErr)
		return x.close(OutcomeInterrupted)
	}
	return x.close(OutcomeHalted)
}

// reason is why the run did not end applied, for the journal.
func (x *execution) reason() string {
	if x.err != nil {
		return x.err.Error()
	}
	return x.cause
}

// remains lists the operations whose effect may still be there.
func (x *execution) remains() []journal.Leftover {
	var left []journal.Leftover
	for i, operation := range x.state.Operations {
		stands := operation.Phase == journal.PhaseIntended || operation.Phase == journal.PhaseApplied || operation.Phase == journal.PhaseUndoing
		if !stands && operation.ID != x.left.Operation {
			continue
		}
		leftover := journal.Leftover{
			Operation: operation.ID, Kind: x.steps[i].Kind(), Target: x.steps[i].Target().String(), Phase: operation.Phase,
		}
		if operation.ID == x.left.Operation {
			leftover.Found, leftover.Detail, leftover.Refused = x.left.Found, x.left.Detail, x.left.Refused
		}
		left = append(left, leftover)
	}
	return left
}

// close makes the report and the error that goes with it.
func (x *execution) close(outcome Outcome) (Report, error) {
	report := Report{
		Run: x.state.Run, Started: x.state.Started, Outcome: outcome, Resumed: x.resumed, Undoing: x.state.Undoing,
		Operations: x.reports, Err: x.err, UndoErr: x.undoErr, Proof: x.proof, Conflicts: slices.Clip(x.conflicts),
		StartedAt: x.state.StartedAt, Duration: x.clock.Now().Sub(x.since),
	}
	for i := range report.Operations {
		x.complete(i, &report)
	}
	if outcome == OutcomeHalted || outcome == OutcomeInterrupted {
		report.Left = x.remains()
	}
	event := Event{Kind: EventRunFinished, Outcome: outcome, Err: x.err}
	x.emit(event)
	if outcome == OutcomeApplied || (outcome == OutcomeRolledBack && x.err == nil) {
		return report, nil
	}
	return report, &RunError{Run: report.Run, Outcome: outcome, Err: x.err, UndoErr: x.undoErr}
}

// complete fills an operation's report from the state.
func (x *execution) complete(i int, report *Report) {
	operation, entry := x.state.Operations[i], &report.Operations[i]
	entry.Phase, entry.Adopted, entry.Skipped = operation.Phase, operation.Adopted, operation.Skipped
	if operation.Notice != "" {
		entry.Notice = operation.Notice
	}
	report.Attempts += entry.Attempts
	report.Waited += entry.Waited
	for _, undo := range entry.Undo {
		report.Attempts += undo.Attempts
		report.Waited += undo.Waited
	}
	entry.Undo = x.undoReports(i, entry.Undo)
}

// undoReports tells of every recorded inverse step, with what this call did.
func (x *execution) undoReports(i int, done []UndoReport) []UndoReport {
	operation := x.state.Operations[i]
	reports := make([]UndoReport, 0, len(operation.Undo))
	for n, recorded := range operation.Undo {
		report := UndoReport{Operation: journal.UndoID(operation.ID, n+1)}
		if at := slices.IndexFunc(done, func(r UndoReport) bool { return r.Operation == report.Operation }); at >= 0 {
			report = done[at]
		} else if step, err := x.codec.Decode(recorded.Step); err == nil {
			report.Kind, report.Target = step.Kind(), step.Target()
		}
		report.Phase, report.Adopted, report.Conflict = recorded.Phase, recorded.Adopted, recorded.Conflict
		reports = append(reports, report)
	}
	return reports
}
