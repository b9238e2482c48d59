package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/journal"
)

// Engine runs plans and accounts for them in a journal. It holds no state of
// any run, so one value may serve several runs at once.
type Engine struct {
	store        journal.Store
	codec        Codec
	clock        Clock
	observer     Observer
	retry        RetryPolicy
	classify     func(error) Class
	quarantine   time.Duration
	conflict     ConflictPolicy
	guard        func(context.Context) error
	watch        Watch
	receipts     journal.Receipts // nil: none
	unrivalled   bool             // what needs a receipt is done without
	interrupt    Interrupt
	abort        <-chan struct{}
	undoTimeout  time.Duration
	capabilities map[string]string
	logger       *slog.Logger
}

// DirectionDown is the Direction of runs that take an earlier run back.
const DirectionDown = "down"

// Request says what to run and on whose behalf.
type Request struct {
	Run          string // id of the run; drawn when empty
	Migration    string
	Version      string
	Checksum     string
	Direction    string // "up" or "down"
	Environment  string
	Actor        string
	Host         string
	Tool         string
	Server       string            // the server's version
	Capabilities map[string]string // what the run relies on; see journal.Started
	Plan         Plan
}

// Run carries out a plan. It returns a nil error when the run was applied;
// otherwise a *RunError, for which errors.Is tells ErrRolledBack, ErrHalted or
// ErrInterrupted and the original error. The report is complete either way.
// An error without a run, such as ErrInvalid, means that nothing was begun.
//
// The steps that act are the ones the codec decodes from what it encoded, so
// that a resume cannot differ from the run it goes on with.
//
// Cancelling ctx stops the run at the next safe point, after the attempt that
// is under way; what happens then is WithInterrupt's choice.
func (e *Engine) Run(ctx context.Context, request Request) (Report, error) {
	started, steps, err := e.record(request)
	if err != nil {
		return Report{}, err
	}
	run := request.Run
	if run == "" {
		id, err := uuid.NewRandom()
		if err != nil {
			return Report{}, fmt.Errorf("draw a run id: %w", err)
		}
		run = id.String()
	}
	ctx, stop := e.attended(ctx)
	defer stop()
	x := e.execution(journal.State{Run: run}, steps)
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("%w before the run began: %w", ErrInterrupted, context.Cause(ctx))
	}
	if err := x.append(ctx, journal.RunStarted, "", started); errors.Is(err, journal.ErrTail) {
		return Report{}, fmt.Errorf("%w: a run %s exists already: %w", ErrInvalid, run, err)
	} else if err != nil {
		x.err = err
		return x.close(OutcomeInterrupted)
	}
	x.begin()
	x.emit(x.beginning(EventRunStarted))
	return x.goForward(ctx)
}

// Resume goes on with a run that was interrupted or halted, with the recorded
// steps, in the direction in which it was going. The error is as Run's;
// ErrRefused and ErrFinished mean that nothing was touched.
func (e *Engine) Resume(ctx context.Context, run string) (Report, error) {
	x, err := e.takeUp(ctx, run)
	if err != nil {
		return Report{}, err
	}
	ctx, stop := e.attended(ctx)
	defer stop()
	x.emit(x.beginning(EventRunResumed))
	if err := x.settleOpen(ctx); err != nil {
		x.err = err
		return x.close(OutcomeInterrupted)
	}
	if x.state.Undoing {
		x.err = errors.New(cmp.Or(x.state.Cause, "the undo had begun"))
		return x.goBack(ctx)
	}
	if err := x.checkLast(ctx); err != nil {
		if x.halting(err) {
			return x.fail(ctx, err)
		}
		// Nothing has been done by this call; the run is as resumable as it was.
		x.err = err
		return x.close(OutcomeInterrupted)
	}
	return x.goForward(ctx)
}

// Rollback undoes a run that was interrupted or halted. The error is nil when
// the run is rolled back; otherwise as Resume's.
func (e *Engine) Rollback(ctx context.Context, run string) (Report, error) {
	x, err := e.takeUp(ctx, run)
	if err != nil {
		return Report{}, err
	}
	ctx, stop := e.attended(ctx)
	defer stop()
	x.cause = "the undo was asked for"
	event := x.beginning(EventRunResumed)
	event.Undoing = true
	x.emit(event)
	if err := x.settleOpen(ctx); err != nil {
		x.undoErr = err
		return x.close(OutcomeInterrupted)
	}
	return x.goBack(ctx)
}

// Resolution is how a person closes a run by hand.
type Resolution struct {
	Outcome Outcome // OutcomeApplied or OutcomeRolledBack
	Reason  string  // required: it is recorded
	Actor   string
	Host    string
}

// Resolve closes a halted or interrupted run that a person has mended. It
// believes the person and looks at nothing but the journal.
func (e *Engine) Resolve(ctx context.Context, run string, resolution Resolution) error {
	status := journal.Status(resolution.Outcome)
	if !status.Final() || resolution.Reason == "" {
		return fmt.Errorf("%w: a run is resolved as %s or %s, with a reason", ErrInvalid, OutcomeApplied, OutcomeRolledBack)
	}
	state, err := e.State(ctx, run)
	if err != nil {
		return err
	}
	if state.Status.Final() {
		return fmt.Errorf("%w: run %s is %s", ErrFinished, run, state.Status)
	}
	x := e.execution(state, nil)
	if err := x.revokeOpen(ctx); err != nil {
		return err
	}
	return x.append(ctx, journal.RunFinished, "", journal.Finished{
		Status: status, Reason: resolution.Reason,
		Resolved: &journal.Resolution{Actor: resolution.Actor, Host: resolution.Host},
	})
}

// Inverse gives the steps that take an applied run back, from the mementos in
// its journal, in the order to run them. The error wraps ErrIrreversible when
// an operation has no undo, in an *OperationError that names it.
func (e *Engine) Inverse(ctx context.Context, run string) ([]Step, error) {
	state, err := e.State(ctx, run)
	if err != nil {
		return nil, err
	}
	if state.Status != journal.StatusApplied {
		return nil, fmt.Errorf("%w: run %s is %s, not applied", ErrInvalid, run, state.Status)
	}
	steps, err := e.decode(state)
	if err != nil {
		return nil, err
	}
	var inverse []Step
	for i, step := range slices.Backward(steps) {
		operation := state.Operations[i]
		undo, err := step.Inverse(operation.Before, operation.After)
		if operation.Phase != journal.PhaseApplied {
			err = fmt.Errorf("%w: the run was closed by hand with this operation %s", ErrIrreversible, operation.Phase)
		}
		if err != nil {
			return nil, &OperationError{Operation: operation.ID, Kind: step.Kind(), Target: step.Target(), Phase: DoingUndo, Err: err}
		}
		inverse = append(inverse, undo...)
	}
	return inverse, nil
}

// State gives where a run stands, from its verified records.
func (e *Engine) State(ctx context.Context, run string) (journal.State, error) {
	records, err := e.store.Records(ctx, run)
	if err != nil {
		return journal.State{}, refusal(err)
	}
	state, err := journal.Fold(records)
	if err != nil {
		return journal.State{}, refusal(err)
	}
	return state, nil
}

// refusal marks records of a newer release as refused.
func refusal(err error) error {
	if errors.Is(err, journal.ErrVersion) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrJournal, err)
}
