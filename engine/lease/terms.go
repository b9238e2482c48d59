package lease

import (
	"fmt"
	"time"
)

// DefaultTTL is how long a lease holds without being renewed. A runner that
// vanished is taken over after so long; one that lives must get a renewal
// through in five sixths of it.
const DefaultTTL = 60 * time.Second

// Terms are the times of a lease. They follow from its TTL.
type Terms struct {
	TTL     time.Duration // a lock whose counter stands still for so long is dead
	Renew   time.Duration // from one renewal to the next
	Margin  time.Duration // how long before the TTL ends the holder stops
	Attempt time.Duration // bounds each request for a lock
	Poll    time.Duration // how often a rival looks, and how soon a failure is tried again
}

// TermsOf gives the terms for a TTL.
func TermsOf(ttl time.Duration) (Terms, error) {
	if ttl < time.Millisecond {
		return Terms{}, fmt.Errorf("%w: it cannot hold for %s", ErrInvalid, ttl)
	}
	return Terms{TTL: ttl, Renew: ttl / 3, Margin: ttl / 6, Attempt: ttl / 6, Poll: max(ttl/20, time.Millisecond)}, nil
}
