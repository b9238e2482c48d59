package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
)

// TestARemovalKilledAtEveryRequestLeavesNothingDangling stops the removal of a
// run before and after the effect of each of its requests in turn. The run is
// whole or gone, others are whole, and removing goes on where it was cut off.
func TestARemovalKilledAtEveryRequestLeavesNothingDangling(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		journaltest.Account(t, store, "kept", journal.StatusApplied, journal.Started{})
		for k := 1; ; k++ {
			for _, after := range []bool{false, true} {
				run := fmt.Sprintf("run-%d-%t", k, after)
				journaltest.Account(t, store, run, journal.StatusApplied, journal.Started{})
				if receipts := store.Receipts(); receipts != nil {
					r, _, err := receipts.Next(t.Context(), run, "1")
					must(t, err)
					_, err = receipts.Revoke(t.Context(), r)
					must(t, err)
				}
				if !p.prunedUntil(t, srv, run, k, after) {
					t.Logf("%d points", 2*(k-1))
					return
				}
				checkHalf(t, p, run)
				removed, err := journal.Prune(t.Context(), p.open(t), []journal.PruneDecision{{Run: journal.Summary{Run: run}, Prune: true}})
				if err != nil && !errors.Is(err, journal.ErrNoRun) || err == nil && !slices.Equal(removed, []string{run}) {
					t.Errorf("removed %v, error %v", removed, err)
				}
				checkGone(t, p)
			}
		}
	})
}

// prunedUntil begins to remove a run and is killed at its k-th request; false
// says that it needed fewer.
func (p project) prunedUntil(t *testing.T, srv *livetest.Server, run string, k int, after bool) bool {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	armed := false
	w := &wire{base: http.DefaultTransport, match: func(*http.Request) bool { return armed }, act: func(n int, send func() (*http.Response, error)) (*http.Response, error) {
		if n < k {
			return send()
		}
		defer kill()
		if n == k && after {
			return lost(send)
		}
		return nil, errNetwork
	}}
	store := p.via(t, srv, appwrite.WithTransport(w)).open(t)
	armed = true
	err := store.Prune(ctx, run)
	if (err != nil) != (w.count() >= k) {
		t.Errorf("killed at %d of %d: error %v", k, w.count(), err)
	}
	return w.count() >= k
}

// checkHalf looks at a run whose removal was cut off somewhere.
func checkHalf(t *testing.T, p project, run string) {
	t.Helper()
	store := p.open(t, remote.ReadOnly())
	pruning, err := store.Pruning(t.Context())
	must(t, err)
	_, verified := journal.Verify(t.Context(), store, run)
	if verified != nil && !errors.Is(verified, journal.ErrNoRun) {
		t.Errorf("run %s is neither whole nor gone: %v", run, verified)
	}
	runs, err := store.Runs(t.Context())
	must(t, err)
	listed := slices.ContainsFunc(runs, func(s journal.Summary) bool { return s.Run == run })
	if whole := verified == nil; listed != whole || whole && len(pruning) > 0 {
		t.Errorf("run %s: whole %t, listed %t, being removed %v", run, whole, listed, pruning)
	}
	for _, summary := range runs {
		if summary.Err != nil {
			t.Error(summary.Err)
		}
	}
	next := journaltest.Chain(t, run, 1)
	if len(pruning) > 0 {
		if err := p.open(t).Append(t.Context(), next...); !errors.Is(err, journal.ErrNoRun) {
			t.Errorf("append to a run that is being removed: error %v, want ErrNoRun", err)
		}
	}
}

// checkGone looks for what is left of any run but "kept".
func checkGone(t *testing.T, p project) {
	t.Helper()
	for collection, want := range map[string]int{"records": 4, "chunks": 2, "receipts": 0} {
		if left := p.documents(t, collection); len(left) != want {
			t.Errorf("%d documents in %s, want %d: %v", len(left), collection, want, left)
		}
	}
	if _, err := journal.Verify(t.Context(), p.open(t), "kept"); err != nil {
		t.Error(err)
	}
}

// TestTwoRemoveARunAtOnce has two processes remove the same run.
func TestTwoRemoveARunAtOnce(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		journaltest.Account(t, p.open(t), "kept", journal.StatusApplied, journal.Started{})
		journaltest.Account(t, p.open(t), "run", journal.StatusApplied, journal.Started{})
		results := make(chan error, 2)
		for range cap(results) {
			store := p.open(t)
			go func() { results <- store.Prune(context.WithoutCancel(t.Context()), "run") }()
		}
		for range cap(results) {
			if err := <-results; err != nil && !errors.Is(err, journal.ErrNoRun) {
				t.Error(err)
			}
		}
		_, err := journal.Prune(t.Context(), p.open(t), nil) // what one of them left, if it did
		must(t, err)
		checkGone(t, p)
	})
}
