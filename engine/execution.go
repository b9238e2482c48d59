package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstep-dev/backstep/journal"
)

// journalTimeout bounds one write to the journal. It runs under a context of
// its own: what has been done is recorded even when the caller has gone.
const journalTimeout = 30 * time.Second

// The reasons for stopping without compensating.
var (
	errAborted   = errors.New("stopped at once")
	errCancelled = errors.New("stopped at a safe point")
)

// execution is one call of Run, Resume or Rollback: the state as recorded, and
// what this call adds for the report.
type execution struct {
	*Engine
	state     journal.State
	steps     []Step // by operation
	doubt     []bool // by operation: a request may have acted, or may still
	decided   held
	reports   []OperationReport
	conflicts []Conflict
	left      journal.Leftover // what stopped the run, for Left
	since     time.Time
	resumed   bool
	cause     string // of the undo, recorded once
	err       error  // what stopped the way forward
	undoErr   error
	turns     journal.Proof  // collected while undoing, see proveInTurn
	proof     *journal.Proof // the whole of it, once taken
}

func (e *Engine) execution(state journal.State, steps []Step) *execution {
	return &execution{Engine: e, state: state, steps: steps, doubt: make([]bool, len(steps)), since: e.clock.Now()}
}

// begin prepares the report, once the operations are known.
func (x *execution) begin() {
	x.reports = make([]OperationReport, len(x.steps))
	for i, step := range x.steps {
		x.reports[i] = OperationReport{ID: x.state.Operations[i].ID, Kind: step.Kind(), Target: step.Target()}
	}
}

// attended gives a context that also ends when the engine is told to abort.
// The caller calls stop, which waits for the watcher.
func (e *Engine) attended(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if e.abort == nil {
		return ctx, func() { cancel(nil) }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-e.abort:
			cancel(errAborted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// detached gives a context that outlives its parent's cancellation and ends
// only when the engine is told to abort.
func (e *Engine) detached(ctx context.Context) (_ context.Context, stop func()) {
	return e.attended(context.WithoutCancel(ctx))
}

// append makes a record durable. Whatever the caller's context says, it is
// written: not knowing what was done is worse than being late.
func (x *execution) append(ctx context.Context, typ journal.Type, operation string, body any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	record, err := journal.NewRecord(x.state.Tail, x.state.Run, x.clock.Now(), typ, operation, body)
	if err == nil {
		err = x.state.Add(record)
	}
	if err == nil {
		err = x.store.Append(ctx, record)
	}
	if err != nil {
		return fmt.Errorf("%w: record %s of run %s: %w", ErrJournal, typ, x.state.Run, err)
	}
	return nil
}

// beginning is the event that a run begins or is taken up with.
func (x *execution) beginning(kind EventKind) Event {
	event := Event{Kind: kind}
	for i, operation := range x.state.Operations {
		event.Kinds = append(event.Kinds, x.steps[i].Kind())
		if operation.Phase == journal.PhaseApplied {
			event.Done++
		}
	}
	return event
}

// emit tells the observer and the log.
func (x *execution) emit(event Event) {
	event.Time, event.Run, event.Total = x.clock.Now(), x.state.Run, len(x.steps)
	event.Undoing = event.Undoing || x.state.Undoing
	x.observer.Observe(event)
	arguments := []any{"run", event.Run, "undoing", event.Undoing}
	for _, pair := range [][2]string{
		{"operation", event.Operation},
		{"step", event.Step},
		{"phase", string(event.Phase)},
		{"reason", event.Reason},
		{"detail", event.Detail},
	} {
		if pair[1] != "" {
			arguments = append(arguments, pair[0], pair[1])
		}
	}
	if event.Err != nil {
		arguments = append(arguments, "error", event.Err)
	}
	if event.Err != nil || event.Kind == EventConflict {
		x.logger.Warn(string(event.Kind), arguments...)
		return
	}
	x.logger.Debug(string(event.Kind), arguments...)
}

// stops reports whether err ends the run where it stands: no way on, no undo.
func stops(err error) bool {
	return errors.Is(err, ErrJournal) || errors.Is(err, ErrGuard) || errors.Is(err, errAborted) || errors.Is(err, errCancelled)
}

// interruption gives the reason why ctx is done, for a run that stops there.
func interruption(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errAborted) {
		return errAborted
	}
	return fmt.Errorf("%w: %w", errCancelled, cause)
}
