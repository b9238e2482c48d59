package lease_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstep-dev/backstep/engine/lease"
)

// TestALeaseCountsFromWhenItsRenewalWasSent lets the answer to a renewal take
// its time, and everything after it fail: a rival may have seen the renewal when
// it was sent, and counts from there.
func TestALeaseCountsFromWhenItsRenewalWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		const late = 10 * time.Second
		sent := make(chan time.Time, 1)
		s.mu.Lock()
		s.before = func(what string) error {
			if what != "renew" {
				return nil
			}
			select {
			case sent <- time.Now():
				pass(late)
				return nil
			default:
				return lease.ErrUnavailable
			}
		}
		s.mu.Unlock()
		pass(lease.DefaultTTL / 2)
		valid := (<-sent).Add(lease.DefaultTTL - lease.DefaultTTL/6)
		sent <- time.Now()
		pass(time.Until(valid) - time.Millisecond)
		allowed(t, l)
		pass(2 * time.Millisecond)
		if err := l.Guard(t.Context()); err == nil {
			t.Errorf("it may still act %s after its renewal was sent", lease.DefaultTTL-lease.DefaultTTL/6)
		}
	})
}
