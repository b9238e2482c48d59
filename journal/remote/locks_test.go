package remote_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal/remote"
)

// onEach runs a test with prepared locks on every version.
func onEach(t *testing.T, test func(t *testing.T, srv *livetest.Server, c *appwrite.Client, database string)) {
	t.Helper()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			database := livetest.NewSpace(t).ID("backstep")
			c := client(t, srv)
			must(t, remote.NewLocks(c, database).Prepare(t.Context()))
			test(t, srv, c, database)
		})
	}
}

// acquire gets a lease that no busy machine loses.
func acquire(t *testing.T, c *appwrite.Client, database, host string, opts ...lease.Option) *lease.Lease {
	t.Helper()
	l, err := lease.Acquire(t.Context(), remote.NewLocks(c, database), lease.Holder{Host: host, Command: "up"}, opts...)
	must(t, err)
	t.Cleanup(func() { _ = l.Release(context.WithoutCancel(t.Context())) })
	return l
}

func newest(t *testing.T, c *appwrite.Client, database string) lease.Lock {
	t.Helper()
	lock, found, err := remote.NewLocks(c, database).Newest(t.Context())
	must(t, err)
	if !found {
		t.Fatal("there is no lock")
	}
	return lock
}

func TestLocksAreKeptAsTheLeaseExpects(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ *livetest.Server, c *appwrite.Client, database string) {
		t.Helper()
		locks, ctx := remote.NewLocks(c, database), t.Context()
		if _, found, err := locks.Newest(ctx); found || err != nil {
			t.Fatalf("found %v, %v before there is one", found, err)
		}
		for _, fence := range []int64{1, 2, 9, 10, 11} {
			must(t, locks.Create(ctx, lease.Lock{Fence: fence, Token: "t", TTL: time.Minute, Holder: lease.Holder{Host: "h"}}))
		}
		if err := locks.Create(ctx, lease.Lock{Fence: 9, Token: "u"}); !errors.Is(err, lease.ErrTaken) {
			t.Errorf("a fence was taken twice: %v", err)
		}
		must(t, locks.Renew(ctx, lease.Lock{Fence: 11, Counter: 5, Holder: lease.Holder{Run: "r"}}))
		lock := newest(t, c, database)
		if lock.Fence != 11 || lock.Counter != 5 || lock.Holder.Run != "r" || lock.Holder.Host != "h" || lock.TTL != time.Minute || lock.Released {
			t.Errorf("the numerically highest lock is read as %+v", lock)
		}
		if lock.CreatedAt.IsZero() || lock.RenewedAt.IsZero() {
			t.Errorf("no times: %+v", lock)
		}
		must(t, locks.Release(ctx, 11))
		must(t, locks.Prune(ctx, 11))
		if lock = newest(t, c, database); !lock.Released || lock.Fence != 11 || lock.Counter != 5 {
			t.Errorf("released: %+v", lock)
		}
		page, err := c.ListDocuments(ctx, database, "locks", query.Limit(100))
		must(t, err)
		if len(page.Documents) != 1 {
			t.Errorf("%d locks are left, want the newest alone", len(page.Documents))
		}
	})
}

func TestLocksOfNoProjectAreNone(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "")
	if _, found, err := remote.NewLocks(client(t, srv), livetest.NewSpace(t).ID("backstep")).Newest(t.Context()); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestADocumentThatIsNoLockStopsEverybody(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "")
	database := livetest.NewSpace(t).ID("backstep")
	c := client(t, srv)
	must(t, remote.NewLocks(c, database).Prepare(t.Context()))
	_, err := c.CreateDocument(t.Context(), database, "locks", appwrite.Document{ID: "lock-7", Data: map[string]any{"fence": 70, "token": "x"}})
	must(t, err)
	if _, err := lease.Acquire(t.Context(), remote.NewLocks(c, database), lease.Holder{}); !errors.Is(err, remote.ErrForeign) {
		t.Errorf("%v, want ErrForeign", err)
	}
}

// Many runners that begin at once, on a project that has no locks yet: each
// makes what is missing, one gets the lease, and each other one after it.
func TestRunnersThatBootstrapAndAcquireAtOnceHoldOneAfterAnother(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			database := livetest.NewSpace(t).ID("backstep")
			var mu sync.Mutex
			var inside int
			fences := map[int64]bool{}
			var runners sync.WaitGroup
			for range 4 {
				runners.Go(func() {
					locks := remote.NewLocks(client(t, srv), database)
					if err := locks.Prepare(t.Context()); err != nil {
						t.Error(err)
						return
					}
					l, err := lease.Acquire(t.Context(), locks, lease.Holder{}, lease.WithPatience(time.Hour), lease.WithClock(hasty{lease.SystemClock()}))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					inside++
					if inside != 1 || fences[l.Lock().Fence] {
						t.Errorf("%d hold at once, fence %d", inside, l.Lock().Fence)
					}
					fences[l.Lock().Fence] = true
					inside--
					mu.Unlock()
					if err := l.Release(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			runners.Wait()
			if len(fences) != 4 {
				t.Errorf("fences %v", fences)
			}
		})
	}
}

// hasty is a clock whose short waits are shorter still, for rivals that look
// often.
type hasty struct{ lease.Clock }

func (h hasty) Wait(ctx context.Context, d time.Duration) error {
	if d < 5*time.Second {
		d = 20 * time.Millisecond
	}
	return h.Clock.Wait(ctx, d)
}

func TestALockWhoseAnswerIsLostIsFoundByTheList(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, srv *livetest.Server, c *appwrite.Client, database string) {
		t.Helper()
		lost := srv.Inject(appwritetest.Fault{
			Match: appwritetest.Match{Method: http.MethodPost, Path: "/*/" + database + "/*/locks/*"}, Times: 1, Action: appwritetest.DropAfter(),
		})
		l := acquire(t, c, database, "a", lease.WithClock(hasty{lease.SystemClock()}))
		must(t, l.Guard(t.Context()))
		if lost.Hits() != 1 || l.Lock().Fence != 1 {
			t.Errorf("%d answers lost, fence %d rules", lost.Hits(), l.Lock().Fence)
		}
	})
}

func TestAClaimThatArrivesLateDoesNotRule(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, srv *livetest.Server, c *appwrite.Client, database string) {
		t.Helper()
		late := srv.Inject(appwritetest.Fault{
			Match: appwritetest.Match{Method: http.MethodPost, Path: "/*/" + database + "/*/locks/*"}, Times: 1, Action: appwritetest.HoldThenAct(),
		})
		claimed := make(chan *lease.Lease, 1)
		var first sync.WaitGroup
		first.Go(func() {
			// A claim that was given up meanwhile would be made again among the others.
			patient := client(t, srv, appwrite.WithTimeout(time.Hour))
			l, err := lease.Acquire(t.Context(), remote.NewLocks(patient, database), lease.Holder{Host: "late"}, lease.WithTTL(24*time.Hour), lease.WithPatience(time.Hour))
			if err != nil {
				t.Error(err)
			}
			claimed <- l
		})
		must(t, late.AwaitHits(t.Context(), 1))
		for want := int64(1); want <= 3; want++ { // while it is on its way, others come and go
			l := acquire(t, c, database, "other")
			if l.Lock().Fence != want {
				t.Errorf("fence %d, want %d", l.Lock().Fence, want)
			}
			must(t, l.Release(t.Context()))
		}
		late.Release()
		l := <-claimed
		first.Wait()
		if l == nil {
			return
		}
		if got := l.Lock().Fence; got != 4 {
			t.Errorf("the late claim rules with fence %d, want 4", got)
		}
		must(t, l.Release(t.Context()))
	})
}

func TestALostReleaseIsTriedAgain(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "")
	database := livetest.NewSpace(t).ID("backstep")
	c := client(t, srv)
	must(t, remote.NewLocks(c, database).Prepare(t.Context()))
	l := acquire(t, c, database, "a")
	srv.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Method: http.MethodPatch, Path: "/*/" + database + "/*/locks/*"}, Times: 2, Action: appwritetest.RefuseBefore(),
	})
	must(t, l.Release(t.Context()))
	if lock := newest(t, c, database); !lock.Released {
		t.Errorf("not released: %+v", lock)
	}
}

func TestARunnerOfAnotherVersionOfTheAPISeesTheSameLocks(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "1.9.6")
	database := livetest.NewSpace(t).ID("backstep")
	old, current := client(t, srv, appwrite.WithDialect(appwrite.DialectDatabases)), client(t, srv, appwrite.WithDialect(appwrite.DialectTablesDB))
	for n, c := range []*appwrite.Client{old, current, old} {
		must(t, remote.NewLocks(c, database).Prepare(t.Context()))
		l := acquire(t, c, database, "a")
		if got := l.Lock().Fence; got != int64(n+1) {
			t.Errorf("fence %d, want %d", got, n+1)
		}
		must(t, l.Release(t.Context()))
	}
}
