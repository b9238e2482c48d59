package steps

import (
	"errors"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// What can stop a step before it changes anything, or in the middle of it.
// All of them are permanent: repeating the step as it stands does not help.
var (
	// ErrExists: what the step would create is there already.
	ErrExists = errors.New("exists already")
	// ErrMissing: what the step would change, or what contains it, is not there.
	ErrMissing = errors.New("does not exist")
	// ErrRefused: the server cannot do this, or not without harm.
	ErrRefused = errors.New("cannot be done as asked")
	// ErrDuplicates: stored values are not unique where they must be.
	ErrDuplicates = errors.New("stored values are not unique")
	// ErrUnfit: stored values do not fit the narrower definition.
	ErrUnfit = errors.New("stored values do not fit")
	// ErrLateWrite: data changed between its archiving and its destruction.
	ErrLateWrite = errors.New("written to after it was archived")
)

// StepError says which object stopped a step, why, and what to do about it.
type StepError struct {
	Target    engine.Ref
	Reason    string   // for people, with advice; may be ""
	Documents []string // ids of the documents in the way, the first few of them
	Err       error    // one of the sentinels of this package, or what the server said
}

// Error gives target, condition, reason and documents, in this order.
func (e *StepError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Target, e.Err)
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if len(e.Documents) > 0 {
		b.WriteString(" (documents: " + strings.Join(e.Documents, ", ") + ")")
	}
	return b.String()
}

// Unwrap gives the condition.
func (e *StepError) Unwrap() error { return e.Err }

// stopped makes a StepError with a formatted reason.
func stopped(target engine.Ref, err error, format string, args ...any) error {
	return &StepError{Target: target, Reason: fmt.Sprintf(format, args...), Err: err}
}
