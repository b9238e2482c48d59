package lease_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstep-dev/backstep/engine/lease"
)

func TestALeaseIsRenewedAsLongAsItIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		for range 20 {
			pass(lease.DefaultTTL / 2)
			allowed(t, l)
		}
	})
}

func TestAReleaseMarksTheLockAndTheNextFenceIsHigher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		for want := int64(1); want <= 3; want++ {
			l := acquire(t, s, "a")
			if got := l.Lock().Fence; got != want {
				t.Errorf("fence %d, want %d", got, want)
			}
			if err := l.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			refused(t, l, lease.Given)
		}
		if got := s.fences(); !slices.Equal(got, []int64{3}) {
			t.Errorf("locks %v are left, want the newest alone", got)
		}
	})
}

func TestALivingHolderIsReportedAsSoonAsItIsSeenToLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		l.Working("run-7")
		began := time.Now()
		_, err := lease.Acquire(t.Context(), s, lease.Holder{Host: "b"})
		var held *lease.HeldError
		if !errors.As(err, &held) || !errors.Is(err, lease.ErrHeld) || held.Lock.Holder.Host != "a" || held.Lock.Holder.Run != "run-7" {
			t.Errorf("%v does not say who holds the lease with what run", err)
		}
		if waited := time.Since(began); waited > lease.DefaultTTL/2 {
			t.Errorf("it took %s to see that the holder lives", waited)
		}
		allowed(t, l)
	})
}

func TestPatienceWaitsForALivingHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		time.AfterFunc(3*time.Minute, func() { _ = l.Release(context.Background()) })
		_, err := lease.Acquire(t.Context(), s, lease.Holder{Host: "b"}, lease.WithPatience(2*time.Minute))
		if !errors.Is(err, lease.ErrHeld) {
			t.Errorf("after two minutes: %v", err)
		}
		next := acquire(t, s, "b", lease.WithPatience(2*time.Minute))
		if got := next.Lock().Fence; got != 2 {
			t.Errorf("fence %d, want 2", got)
		}
	})
}

func TestAHolderThatVanishedIsTakenOverAfterOneTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{locks: []lease.Lock{{Fence: 7, Token: "gone", Counter: 12, TTL: lease.DefaultTTL}}}
		began := time.Now()
		l := acquire(t, s, "b")
		if waited := time.Since(began); waited < lease.DefaultTTL || waited > lease.DefaultTTL+lease.DefaultTTL/10 {
			t.Errorf("taken over after %s", waited)
		}
		if l.Lock().Fence != 8 {
			t.Errorf("fence %d, want 8", l.Lock().Fence)
		}
	})
}

func TestTheRivalGoesByTheTTLOfTheHoldersLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{locks: []lease.Lock{{Fence: 1, Token: "slow", TTL: 10 * time.Minute}}}
		began := time.Now()
		acquire(t, s, "b", lease.WithTTL(time.Second))
		if waited := time.Since(began); waited < 10*time.Minute {
			t.Errorf("taken over after %s", waited)
		}
	})
}

func TestADeadHolderIsTakenOverAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{locks: []lease.Lock{{Fence: 1, Token: "dead", TTL: time.Hour}}}
		began := time.Now()
		acquire(t, s, "b", lease.WithDead(func(l lease.Lock) bool { return l.Token == "dead" }))
		if waited := time.Since(began); waited != 0 {
			t.Errorf("taken over after %s", waited)
		}
	})
}

func TestALostAnswerToTheClaimDoesNotLoseTheLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := false
		s := &shelf{after: func(what string) error {
			if what == "create" && !failed {
				failed = true
				return lease.ErrUnavailable
			}
			return nil
		}}
		l := acquire(t, s, "a")
		if l.Lock().Fence != 1 {
			t.Errorf("fence %d, want 1", l.Lock().Fence)
		}
		allowed(t, l)
	})
}

func TestALockThatIsNotTheNewestDoesNotRule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{locks: []lease.Lock{{Fence: 1, Token: "x", Released: true}}}
		s.before = func(what string) error {
			if what == "create" { // while this one is on its way, others come and go
				s.mu.Lock()
				s.locks, s.before = []lease.Lock{{Fence: 9, Token: "y", Released: true}}, nil
				s.mu.Unlock()
			}
			return nil
		}
		if l := acquire(t, s, "a"); l.Lock().Fence != 10 {
			t.Errorf("fence %d rules, want 10", l.Lock().Fence)
		}
	})
}

func TestAHolderThatCannotRenewStopsBeforeAnotherMayStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		s.away(true)
		pass(lease.DefaultTTL - lease.DefaultTTL/6 - time.Millisecond)
		allowed(t, l)
		pass(time.Millisecond)
		refused(t, l, lease.CutOff)
		s.away(false)
		pass(lease.DefaultTTL)
		refused(t, l, lease.CutOff) // for good
		<-l.Lost()
	})
}

func TestALeaseThatWasCutOffCanBeFollowedAtOnceUnlessAnotherHasHeldItSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		if _, err := lease.Acquire(t.Context(), s, lease.Holder{}, lease.WithFormer(l)); !errors.Is(err, lease.ErrInvalid) {
			t.Errorf("a lease that is held was followed: %v", err)
		}
		s.away(true)
		pass(lease.DefaultTTL)
		refused(t, l, lease.CutOff)
		s.away(false)
		began := time.Now()
		next := acquire(t, s, "a", lease.WithFormer(l))
		if next.Lock().Fence != 2 || time.Since(began) != 0 {
			t.Errorf("fence %d after %s, want 2 at once", next.Lock().Fence, time.Since(began))
		}
		var lost *lease.LostError
		if _, err := lease.Acquire(t.Context(), s, lease.Holder{}, lease.WithFormer(l)); !errors.As(err, &lost) || lost.Reason != lease.Superseded || lost.By.Fence != 2 {
			t.Errorf("%v, want that lock 2 came in between", err)
		}
		allowed(t, next)
	})
}

func TestOneFailedRenewalCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		var renewals atomic.Int64
		s.mu.Lock()
		s.after = func(what string) error {
			if what == "renew" && renewals.Add(1)%2 == 0 {
				return lease.ErrUnavailable
			}
			return nil
		}
		s.mu.Unlock()
		for range 30 {
			pass(10 * time.Second)
			allowed(t, l)
		}
		if n := renewals.Load(); n < 10 {
			t.Errorf("%d renewals, every second of which failed", n)
		}
	})
}

func TestASleepingMachineHasLostItsLeaseWhenItWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &skew{Clock: lease.SystemClock()}
		l := acquire(t, &shelf{}, "a", lease.WithClock(clock))
		allowed(t, l)
		clock.set(time.Hour, 0) // the wall clock saw the night, the monotonic one did not
		refused(t, l, lease.Lapsed)
	})
}

func TestAWallClockSetBackHidesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &skew{Clock: lease.SystemClock()}
		s := &shelf{}
		l := acquire(t, s, "a", lease.WithClock(clock))
		clock.set(-time.Second, 0) // as time servers do
		allowed(t, l)
		clock.set(-time.Hour, 0)
		refused(t, l, lease.SetBack)
	})
}

func TestARivalsClockThatJumpsDoesNotShortenTheWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{locks: []lease.Lock{{Fence: 1, Token: "x", TTL: time.Minute}}}
		clock := &skew{Clock: lease.SystemClock()}
		time.AfterFunc(10*time.Second, func() { clock.set(time.Hour, 0) })
		time.AfterFunc(20*time.Second, func() { clock.set(-time.Hour, 0) })
		began := time.Now()
		acquire(t, s, "b", lease.WithClock(clock))
		if waited := time.Since(began); waited < time.Minute || waited > 80*time.Second {
			t.Errorf("taken over after %s", waited)
		}
	})
}

func TestAHolderThatWasPausedLearnsWhoTookOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		s.mu.Lock()
		s.locks = append(s.locks, lease.Lock{Fence: 2, Token: "b", Holder: lease.Holder{Host: "b"}})
		s.mu.Unlock()
		pass(lease.DefaultTTL / 2)
		refused(t, l, lease.Superseded)
		var lost *lease.LostError
		if errors.As(l.Err(), &lost) && (lost.By.Fence != 2 || lost.By.Holder.Host != "b") {
			t.Errorf("%v does not say who", lost)
		}
	})
}

func TestAForcedReleaseEndsTheHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		l := acquire(t, s, "a")
		if err := s.Release(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		pass(lease.DefaultTTL / 2)
		refused(t, l, lease.Revoked)
	})
}

func TestAcquiringGivesUpOnWhatTryingAgainCannotCure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		no := errors.New("not allowed")
		s := &shelf{before: func(what string) error {
			if what == "create" {
				return no
			}
			return nil
		}}
		if _, err := lease.Acquire(t.Context(), s, lease.Holder{}); !errors.Is(err, no) {
			t.Errorf("%v, want %v", err, no)
		}
		s.before = func(string) error { return lease.ErrUnavailable }
		began := time.Now()
		if _, err := lease.Acquire(t.Context(), s, lease.Holder{}, lease.WithBudget(time.Minute)); !errors.Is(err, lease.ErrUnavailable) {
			t.Errorf("%v, want %v", err, lease.ErrUnavailable)
		}
		if waited := time.Since(began); waited < time.Minute || waited > 2*time.Minute {
			t.Errorf("gave up after %s", waited)
		}
	})
}

func TestACancelledClaimLeavesNoLockBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &shelf{}
		s.after = func(what string) error {
			if what == "create" {
				cancel()
			}
			return nil
		}
		if _, err := lease.Acquire(ctx, s, lease.Holder{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want a cancelled context", err)
		}
		if len(s.locks) != 1 || !s.locks[0].Released {
			t.Errorf("locks %+v are left", s.locks)
		}
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]lease.Option{
		"ttl": lease.WithTTL(0), "clock": lease.WithClock(nil), "patience": lease.WithPatience(-1), "budget": lease.WithBudget(-1),
		"dead": lease.WithDead(nil), "blocked": lease.WithBlocked(nil), "logger": lease.WithLogger(nil),
	} {
		if _, err := lease.Acquire(t.Context(), &shelf{}, lease.Holder{}, opt); !errors.Is(err, lease.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
