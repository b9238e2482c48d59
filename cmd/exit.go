package cmd

import (
	"context"
	"errors"
)

// Exit codes of every command. They are part of the interface: scripts rely on
// them, so a code never changes its meaning.
const (
	ExitDone        = 0 // done
	ExitFailed      = 1 // failed, nothing changed
	ExitUsage       = 2 // wrong arguments or flags
	ExitRolledBack  = 3 // failed and rolled back
	ExitHalted      = 4 // halted, a person is needed
	ExitLeaseHeld   = 5 // another run holds the lease
	ExitDiffers     = 6 // differences found, with --exit-code
	ExitRefused     = 7 // refused by policy
	ExitInterrupted = 8 // interrupted, resumable
	ExitDeadline    = 9 // stopped for --deadline, with more to do; the next run goes on
)

// ExitError is an error with the exit code that it means and the command to
// type next.
type ExitError struct {
	Code int
	Err  error
	Next string // "" or a command line, such as "backstep resume"
	// Reported says that the command has already printed everything that
	// there is to say; only the code remains.
	Reported bool
}

// Error gives the wrapped error's text.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap gives the wrapped error.
func (e *ExitError) Unwrap() error { return e.Err }

// errUsage marks mistakes in arguments and flags.
var errUsage = errors.New("usage")

func usageError(err error, next string) error {
	return &ExitError{Code: ExitUsage, Err: errors.Join(err), Next: next}
}

// exitCode maps an error to its code. This is the only place that does.
func exitCode(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &exit):
		return exit.Code
	case errors.Is(err, errUsage):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	default:
		return ExitFailed
	}
}
