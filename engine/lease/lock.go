package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Lock is one record of the lease: somebody's claim to be the one runner. Only
// the lock with the highest fence counts, and only until it is released or
// superseded by the next.
type Lock struct {
	Fence int64  // from 1; every claim has a higher one than all before it
	Token string // drawn for each claim, so that a holder knows its own
	// Counter grows with every renewal. One that stands still for a whole TTL
	// tells that the holder has stopped changing anything.
	Counter  int64
	TTL      time.Duration // how long the holder goes on after a renewal, at the most
	Released bool
	Holder   Holder
	// CreatedAt and RenewedAt are times of the store's clock, for people. No
	// decision rests on them.
	CreatedAt time.Time
	RenewedAt time.Time
}

// Holder says who holds a lock, for people and for [WithDead].
type Holder struct {
	Host        string
	Actor       string
	Environment string
	Command     string // what was typed, such as "up"
	Run         string // the run under way, "" before the first
	Process     string // how the holder's own machine finds the process; "" where it cannot
}

// Locks is where locks are kept. Reads must show every write that was answered
// before they were sent. An error that trying again may cure wraps
// ErrUnavailable; after it, a write may have happened, or may still.
type Locks interface {
	// Newest gives the lock with the numerically highest fence; found is false
	// when there is none at all.
	Newest(ctx context.Context) (lock Lock, found bool, err error)
	// Create makes the record of lock.Fence. The error wraps ErrTaken when that
	// fence has one already: this is what excludes two holders.
	Create(ctx context.Context, lock Lock) error
	// Renew writes the counter and the run of lock.Fence's record, nothing else.
	Renew(ctx context.Context, lock Lock) error
	// Release marks the record of a fence as released, and nothing else. It never
	// deletes one: the next fence grows from it.
	Release(ctx context.Context, fence int64) error
	// Prune deletes the records with a lower fence than below.
	Prune(ctx context.Context, below int64) error
}

// The conditions that callers tell apart with errors.Is.
var (
	// ErrTaken: the fence has a record already.
	ErrTaken = errors.New("the fence is taken")
	// ErrUnavailable: the locks could not be reached; trying again may help.
	ErrUnavailable = errors.New("the locks cannot be reached")
	// ErrHeld: another runner holds the lease. errors.As gives the *HeldError.
	ErrHeld = errors.New("the lease is held")
	// ErrLost: this holder has lost the lease, for good. errors.As gives the
	// *LostError.
	ErrLost = errors.New("the lease is lost")
	// ErrInvalid: terms that make no sense.
	ErrInvalid = errors.New("invalid lease")
)

// HeldError tells who holds the lease: somebody who was seen to live.
type HeldError struct{ Lock Lock }

// Error names the holder.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%v by %s", ErrHeld, e.Lock.Holder)
}

// Unwrap gives ErrHeld.
func (e *HeldError) Unwrap() error { return ErrHeld }

// String names the holder for people: "anna on ci-7 (up to production, run 0197e1c2)".
func (h Holder) String() string {
	s := "somebody"
	switch {
	case h.Actor != "" && h.Host != "":
		s = h.Actor + " on " + h.Host
	case h.Actor != "" || h.Host != "":
		s = h.Actor + h.Host
	}
	about := h.Command
	if h.Environment != "" {
		about += " in " + h.Environment
	}
	if h.Run != "" {
		about += ", run " + h.Run
	}
	if about != "" {
		s += " (" + about + ")"
	}
	return s
}
