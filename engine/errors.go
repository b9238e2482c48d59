package engine

import (
	"errors"
	"fmt"
)

// The conditions that callers tell apart with errors.Is.
var (
	// ErrForeign: an object is as neither the run nor its before-image left
	// it. Steps wrap it when a write is refused because somebody else holds
	// what it wanted to make.
	ErrForeign = errors.New("changed by somebody else")
	// ErrIrreversible: a step cannot be undone.
	ErrIrreversible = errors.New("cannot be undone")
	// ErrRolledBack: the run could not finish and everything it did was undone.
	ErrRolledBack = errors.New("rolled back")
	// ErrHalted: the run stands still and needs a person.
	ErrHalted = errors.New("halted: a person is needed")
	// ErrInterrupted: the run was stopped and can be resumed or rolled back.
	ErrInterrupted = errors.New("interrupted, resumable")
	// ErrUnknownOutcome: a request may have acted and nothing tells whether it did.
	ErrUnknownOutcome = errors.New("unknown whether the request acted")
	// ErrJournal: the journal could not be written or read, so the run stopped.
	ErrJournal = errors.New("journal failed")
	// ErrGuard: the guard forbade the next request, so the run stopped.
	ErrGuard = errors.New("the right to change anything was lost")
	// ErrRefused: a recorded run cannot be taken up by this engine or on this server.
	ErrRefused = errors.New("refused")
	// ErrFinished: the run has ended; there is nothing to resume or roll back.
	ErrFinished = errors.New("the run has ended")
	// ErrInvalid: a plan, request or option that makes no sense.
	ErrInvalid = errors.New("invalid")
)

// OperationError says what was being done to what when an error came up.
type OperationError struct {
	Operation string // "3", or "3/undo/1" for an inverse step
	Kind      string // the step's kind
	Target    Ref
	Phase     OperationPhase
	Err       error
}

// Error gives the target first, then what was being done.
func (e *OperationError) Error() string {
	return fmt.Sprintf("operation %s (%s, %s): %s: %v", e.Operation, e.Kind, e.Target, e.Phase, e.Err)
}

// Unwrap gives the reason.
func (e *OperationError) Unwrap() error { return e.Err }

// RunError is the error of a run that did not end as asked.
type RunError struct {
	Run     string
	Outcome Outcome
	Err     error // the original error, nil when the undo was asked for
	UndoErr error // what stopped the undo, nil when nothing did
}

// Error gives the outcome, the original error, and the undo's after it.
func (e *RunError) Error() string {
	s := "run " + e.Run + ": " + e.sentinel().Error()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.UndoErr != nil {
		s += "; the undo then failed: " + e.UndoErr.Error()
	}
	return s
}

// Unwrap gives the outcome's sentinel and both errors.
func (e *RunError) Unwrap() []error {
	errs := []error{e.sentinel()}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	if e.UndoErr != nil {
		errs = append(errs, e.UndoErr)
	}
	return errs
}

func (e *RunError) sentinel() error {
	switch e.Outcome {
	case OutcomeRolledBack:
		return ErrRolledBack
	case OutcomeHalted:
		return ErrHalted
	default:
		return ErrInterrupted
	}
}
