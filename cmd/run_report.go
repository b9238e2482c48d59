package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// runResult is what --format json tells of one run.
type runResult struct {
	Run        string             `json:"run"`
	Version    string             `json:"version"`
	Migration  string             `json:"migration"`
	Direction  string             `json:"direction"`
	Outcome    engine.Outcome     `json:"outcome"`
	Operations []operationResult  `json:"operations"`
	Error      string             `json:"error,omitempty"`
	UndoError  string             `json:"undo_error,omitempty"`
	Proof      *journal.Proof     `json:"proof,omitempty"`
	Left       []journal.Leftover `json:"left,omitempty"`
	DurationMS int64              `json:"duration_ms"`
	Attempts   int                `json:"attempts"`
}

type operationResult struct {
	ID      string        `json:"id"`
	Kind    string        `json:"kind"`
	Target  string        `json:"target"`
	Phase   journal.Phase `json:"phase"`
	Adopted bool          `json:"adopted,omitempty"`
	Skipped bool          `json:"skipped,omitempty"`
	Notice  string        `json:"notice,omitempty"`
	Error   string        `json:"error,omitempty"`
}

func resultOf(r engine.Report) runResult {
	out := runResult{
		Run: r.Run, Version: r.Started.Version, Migration: r.Started.Migration, Direction: r.Started.Direction,
		Outcome: r.Outcome, Operations: []operationResult{}, Proof: r.Proof, Left: r.Left,
		DurationMS: r.Duration.Milliseconds(), Attempts: r.Attempts,
		Error: text(r.Err), UndoError: text(r.UndoErr),
	}
	for _, op := range r.Operations {
		out.Operations = append(out.Operations, operationResult{
			ID: op.ID, Kind: op.Kind, Target: op.Target.String(), Phase: op.Phase, Adopted: op.Adopted,
			Skipped: op.Skipped, Notice: op.Notice, Error: text(errors.Join(op.Err, op.UndoErr)),
		})
	}
	return out
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// concluded prints the results of runs and gives the error that their command
// ends with.
func (s *session) concluded(command string, reports []engine.Report, err error) error {
	s.progress.close()
	reports = slices.DeleteFunc(reports, func(r engine.Report) bool { return r.Run == "" }) // stopped before it began
	results := make([]runResult, 0, len(reports))
	for _, r := range reports {
		results = append(results, resultOf(r))
	}
	if perr := s.app.result(command, results, func(w io.Writer) { s.printReports(w, reports) }); perr != nil {
		return perr
	}
	if err == nil {
		for _, r := range reports {
			if r.Proof != nil {
				tellProof(s.app.streams.Err, r.Proof)
			}
		}
		return nil
	}
	last, ran := endedBy(reports, err)
	if !ran && s.due() && errors.Is(err, context.DeadlineExceeded) {
		return &ExitError{Code: ExitDeadline, Err: fmt.Errorf("stopped for --deadline before a run began: %w", err), Next: s.app.name + " " + s.command}
	}
	if !ran {
		return s.refused(err)
	}
	s.tell(last)
	code, next := codeOf(err, last), s.next(last)
	if code == ExitInterrupted && s.due() {
		code, next = ExitDeadline, s.app.name+" up, which goes on with it"
	}
	return &ExitError{Code: code, Err: err, Next: next, Reported: true}
}

// endedBy is the run that err tells of. There is none when something else kept
// a command from going on.
func endedBy(reports []engine.Report, err error) (engine.Report, bool) {
	var ended *engine.RunError
	if len(reports) == 0 || !errors.As(err, &ended) {
		return engine.Report{}, false
	}
	last := reports[len(reports)-1]
	return last, last.Run == ended.Run
}

func (s *session) printReports(w io.Writer, reports []engine.Report) {
	p := s.app.paint()
	rows := make([][]string, 0, len(reports))
	for _, r := range reports {
		word := string(r.Outcome)
		switch r.Outcome {
		case engine.OutcomeApplied:
			word = p.good("applied")
			if r.Started.Direction == string(migrations.Down) {
				word = p.good("taken down")
			}
		case engine.OutcomeRolledBack:
			word = p.bad("rolled back")
			if r.Proof != nil && r.Proof.Verified {
				word += ", verified"
			}
		case engine.OutcomeHalted:
			word = p.bad("HALTED")
		case engine.OutcomeInterrupted:
			word = p.warn("interrupted")
		}
		rows = append(rows, []string{
			r.Started.Version, r.Started.Migration, r.Started.Direction, word,
			fmt.Sprint(userSteps(r)), shortDuration(r.Duration), s.app.runInTable(r.Run),
		})
	}
	if len(rows) > 0 {
		s.app.grid(w, []string{"VERSION", "MIGRATION", "WAY", "OUTCOME", "STEPS", "TOOK", "RUN"}, rows)
	}
}

// userSteps counts the operations that are not the history's own.
func userSteps(r engine.Report) int {
	n := 0
	for _, op := range r.Operations {
		if !historyKind(op.Kind) {
			n++
		}
	}
	return n
}

// codeOf maps how a run ended to an exit code. Assertions and the history's own
// operations change nothing that would have to be rolled back.
func codeOf(err error, r engine.Report) int {
	switch {
	case errors.Is(err, engine.ErrHalted):
		return ExitHalted
	case errors.Is(err, engine.ErrInterrupted):
		return ExitInterrupted
	case errors.Is(err, engine.ErrRolledBack):
		for _, op := range r.Operations {
			if op.Phase != journal.PhasePlanned && !historyKind(op.Kind) && op.Kind != (steps.Assert{}).Kind() {
				return ExitRolledBack
			}
		}
	}
	return ExitFailed
}

// next is the command to type after a run that did not end as asked.
func (s *session) next(r engine.Report) string {
	name, run := s.app.name, shortRun(r.Run)
	switch r.Outcome {
	case engine.OutcomeHalted:
		rollback := run
		if len(r.Conflicts) > 0 {
			rollback += " --on-conflict merge|overwrite|skip"
		}
		return fmt.Sprintf(`mend what is named above, then one of
      %s resume %s
      %s rollback %s
      %s resolve %s --applied|--rolled-back --reason …`, name, run, name, rollback, name, run)
	case engine.OutcomeInterrupted:
		var lost *lease.LostError
		if errors.As(errors.Join(r.Err, r.UndoErr), &lost) && lost.Reason == lease.Superseded {
			return "see what the runner that took over has made of it: " + name + " status"
		}
		first := ""
		if errors.Is(r.Err, engine.ErrJournal) && !s.place.remote() {
			first = "see to the disk that holds the journal, then: "
		}
		return fmt.Sprintf("%s%s resume %s, or %s rollback %s", first, name, run, name, run)
	case engine.OutcomeRolledBack:
		return nextAfterUndo(name, r)
	default:
		return ""
	}
}

// nextAfterUndo is the command to type after a run that undid itself.
func nextAfterUndo(name string, r engine.Report) string {
	var failed *engine.OperationError
	down := r.Started.Direction == engine.DirectionDown
	switch {
	case errors.As(r.Err, &failed) && strings.HasSuffix(failed.Kind, "_history"):
		return "another run has taken this migration up: " + name + " status"
	case down && errors.Is(r.Err, engine.ErrForeign):
		return fmt.Sprintf("%s down --on-conflict overwrite archives what others wrote and goes on", name)
	case down:
		return fmt.Sprintf("see to what is named above, then: %s down", name)
	case errors.Is(r.Err, steps.ErrAssertion): // by its version, which it may be on hold for
		return fmt.Sprintf("see to what is named above, then: %s up --to %s", name, r.Started.Version)
	default:
		return fmt.Sprintf("mend the migration, then: %s up", name)
	}
}

// shortRun is as much of a run's id as tells it from others.
func shortRun(id string) string { return id[:min(8, len(id))] }

// runInTable is a run's id in a table: short on a terminal, where room is scarce
// and every command takes the short form too.
func (a *app) runInTable(id string) string {
	if a.streams.OutTerminal {
		return shortRun(id)
	}
	return id
}

// refused gives the exit code and the next command for an error that kept a
// command from running anything.
func (s *session) refused(err error) error {
	var exit *ExitError
	if errors.As(err, &exit) {
		return err
	}
	name := s.app.name
	var unfinished *migrations.UnfinishedError
	switch {
	case errors.As(err, &unfinished):
		return unfinishedError(name, unfinished, err)
	case errors.Is(err, migrations.ErrEdited):
		return &ExitError{Code: ExitRefused, Err: err, Next: "put the file back as it was applied, and write the change as a new migration: " + name + " new NAME"}
	case errors.Is(err, migrations.ErrMissing):
		return &ExitError{Code: ExitRefused, Err: err, Next: "bring the file back from version control, then: " + name + " status"}
	case errors.Is(err, migrations.ErrOutOfOrder):
		return &ExitError{Code: ExitRefused, Err: err, Next: name + " up --allow-out-of-order, or give it a new version"}
	case errors.Is(err, migrations.ErrPartly):
		return &ExitError{Code: ExitRefused, Err: err, Next: "bring the old files back from version control, then: " + name + " up"}
	case errors.Is(err, migrations.ErrNoDown):
		return &ExitError{Code: ExitRefused, Err: err, Next: "write what takes it back as a new migration: " + name + " new NAME"}
	case errors.Is(err, migrations.ErrUnknownVersion):
		return &ExitError{Code: ExitUsage, Err: err, Next: name + " status"}
	default:
		return s.explain(err)
	}
}

func unfinishedError(name string, u *migrations.UnfinishedError, err error) error {
	run := shortRun(u.Run)
	switch u.Status {
	case journal.StatusOpen:
		return &ExitError{Code: ExitInterrupted, Err: err, Next: fmt.Sprintf("%s resume %s, or %s rollback %s", name, run, name, run)}
	case journal.StatusHalted:
		return &ExitError{Code: ExitHalted, Err: err, Next: fmt.Sprintf("%s journal show %s, then %s resume, rollback or resolve", name, run, name)}
	default:
		next := "run it where the journal is: " + u.Journal
		if strings.HasPrefix(u.Journal, journalRemote+":") {
			next = "the same command with --journal remote"
		}
		return &ExitError{Code: ExitHalted, Err: err, Next: next}
	}
}
