package engine

import (
	"cmp"
	"fmt"
	"time"
)

// Class says what an error means for the request that met it.
type Class int

// The classes of errors.
const (
	// ClassPermanent: the request was refused and will be again.
	ClassPermanent Class = iota + 1
	// ClassTransient: the request has not acted and may succeed later.
	ClassTransient
	// ClassAmbiguous: the request may have acted, or may still.
	ClassAmbiguous
	// ClassForbidden: the guard of the client that a step acts through forbade
	// the request. The run stops as if its own guard had failed, with ErrGuard.
	ClassForbidden
)

// String gives the class's name.
func (c Class) String() string {
	switch c {
	case ClassPermanent:
		return "permanent"
	case ClassTransient:
		return "transient"
	case ClassAmbiguous:
		return "ambiguous"
	case ClassForbidden:
		return "forbidden"
	default:
		return "unknown"
	}
}

// RetryPolicy says how long and how often an attempt is repeated.
type RetryPolicy struct {
	Initial    time.Duration // wait before the second attempt; default 200 ms
	Max        time.Duration // longest wait between two attempts, Retry-After aside; default 15 s
	Multiplier float64       // growth of the wait; default 2
	Jitter     float64       // share of the wait that is random, 0 to 1; default 0.5
	// Budget bounds the time from a step's first attempt to the start of its
	// last one; 0 means the default of 5 minutes.
	Budget time.Duration
	// Attempts bounds their number; 0 means that only the budget does.
	Attempts int
}

// Budgeted is implemented by steps with a retry policy of their own. Fields
// that are zero fall back to the engine's policy.
type Budgeted interface {
	Retry() RetryPolicy
}

// overlaid gives p with every field of over that is not zero.
func (p RetryPolicy) overlaid(over RetryPolicy) (RetryPolicy, error) {
	if over.Initial < 0 || over.Max < 0 || over.Budget < 0 || over.Attempts < 0 ||
		over.Jitter < 0 || over.Jitter > 1 || (over.Multiplier != 0 && over.Multiplier < 1) {
		return p, fmt.Errorf("%w: retry policy %+v", ErrInvalid, over)
	}
	p.Initial = cmp.Or(over.Initial, p.Initial)
	p.Max = max(cmp.Or(over.Max, p.Max), p.Initial)
	p.Multiplier = cmp.Or(over.Multiplier, p.Multiplier)
	p.Jitter = cmp.Or(over.Jitter, p.Jitter)
	p.Budget = cmp.Or(over.Budget, p.Budget)
	p.Attempts = cmp.Or(over.Attempts, p.Attempts)
	return p, nil
}
