package engine

import (
	"context"
	"log/slog"
	"time"

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
	interrupt    Interrupt
	abort        <-chan struct{}
	undoTimeout  time.Duration
	capabilities map[string]string
	logger       *slog.Logger
}

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
//
// Cancelling ctx stops the run at the next safe point, after the attempt that
// is under way; what happens then is WithInterrupt's choice.
func (e *Engine) Run(ctx context.Context, request Request) (Report, error) {
	return Report{}, ErrInvalid
}

// Resume goes on with a run that was interrupted or halted, with the recorded
// steps, in the direction in which it was going.
func (e *Engine) Resume(ctx context.Context, run string) (Report, error) {
	return Report{}, ErrInvalid
}

// Rollback undoes a run that was interrupted or halted. The error is nil when
// the run is rolled back.
func (e *Engine) Rollback(ctx context.Context, run string) (Report, error) {
	return Report{}, ErrInvalid
}

// Resolution is who closes a halted run by hand, and how.
type Resolution struct {
	Outcome Outcome // OutcomeApplied or OutcomeRolledBack
	Reason  string  // required: it is recorded
	Actor   string
	Host    string
}

// Resolve closes a halted or interrupted run that a person has mended.
func (e *Engine) Resolve(ctx context.Context, run string, resolution Resolution) error {
	return ErrInvalid
}

// Inverse gives the steps that take an applied run back, from the mementos in
// its journal, in the order to run them. The error wraps ErrIrreversible when
// an operation has no undo.
func (e *Engine) Inverse(ctx context.Context, run string) ([]Step, error) {
	return nil, ErrInvalid
}

// State gives where a run stands.
func (e *Engine) State(ctx context.Context, run string) (journal.State, error) {
	return journal.State{}, ErrInvalid
}
