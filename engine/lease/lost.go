package lease

import (
	"fmt"

	"github.com/backstep-dev/backstep/engine"
)

// Reason says why a lease was lost.
type Reason string

// The reasons.
const (
	Lapsed     Reason = "lapsed"     // it was not renewed in time: the process was paused, or the machine slept
	CutOff     Reason = "cut_off"    // it could not be renewed in time: the locks were out of reach
	Superseded Reason = "superseded" // another holds it
	Revoked    Reason = "revoked"    // a person released it
	Gone       Reason = "gone"       // its record is no longer there
	SetBack    Reason = "set_back"   // the clock was set back: nothing tells how long it was
	Given      Reason = "given_back" // the holder itself released it
)

// LostError is what the guard answers once the lease is lost. It is
// [engine.ErrGuard], so that a run stops and neither goes on nor compensates.
type LostError struct {
	Reason Reason
	Lock   Lock // the lock that was lost
	By     Lock // for Superseded: the one that came after it
}

// Error says what happened to the lease.
func (e *LostError) Error() string {
	switch e.Reason {
	case Superseded:
		return fmt.Sprintf("%v: lock %d was taken over by lock %d of %s", ErrLost, e.Lock.Fence, e.By.Fence, e.By.Holder)
	case Revoked:
		return fmt.Sprintf("%v: somebody released lock %d", ErrLost, e.Lock.Fence)
	case Gone:
		return fmt.Sprintf("%v: the record of lock %d is no longer there", ErrLost, e.Lock.Fence)
	case SetBack:
		return fmt.Sprintf("%v: the clock was set back, so nothing tells how long lock %d has been held", ErrLost, e.Lock.Fence)
	case Given:
		return fmt.Sprintf("%v: lock %d was given back", ErrLost, e.Lock.Fence)
	case CutOff:
		return fmt.Sprintf("%v: the server could not be reached to renew lock %d within %s", ErrLost, e.Lock.Fence, e.Lock.TTL)
	default:
		return fmt.Sprintf("%v: lock %d was not renewed within %s: the process was paused or the machine slept", ErrLost, e.Lock.Fence, e.Lock.TTL)
	}
}

// Unwrap gives ErrLost and engine.ErrGuard.
func (e *LostError) Unwrap() []error { return []error{ErrLost, engine.ErrGuard} }
