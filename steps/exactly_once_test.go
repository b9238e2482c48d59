package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
	"github.com/backstep-dev/backstep/steps"
)

// exactBench is a bench whose server can lose and hold requests, with an engine
// over a journal in the project.
type exactBench struct {
	*bench
	server *livetest.Server
	store  *remote.Store
}

func onEveryTransactionalVersion(t *testing.T, test func(b *exactBench)) {
	t.Helper()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			b := &exactBench{bench: &bench{t: t, database: livetest.DatabaseID(t)}, server: livetest.Start(t, version)}
			b.bench.store = journaltest.NewMemory()
			b.endpoint, b.project, b.key = b.server.Endpoint, b.server.Project, b.server.Key
			b.connect()
			b.do(steps.CreateDatabase{ID: b.database, Name: "Shop"})
			b.stocked()
			var err error
			if b.store, err = remote.Open(t.Context(), b.client, livetest.DatabaseID(t)); err != nil {
				t.Fatal(err)
			}
			test(b)
		})
	}
}

// commits matches the request that commits a transaction.
func commits(action appwritetest.Action, times int) appwritetest.Fault {
	return appwritetest.Fault{Match: appwritetest.Match{Method: "PATCH", Path: "/*/transactions/*"}, Action: action, Times: times}
}

// leaving gives the first commit up once the server holds it, as a client does
// whose time is up.
type leaving struct {
	base http.RoundTripper
	held *appwritetest.Injection
	left atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (l *leaving) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPatch || !strings.Contains(req.URL.Path, "/transactions/") || l.left.Swap(true) {
		return l.base.RoundTrip(req)
	}
	ctx, leave := context.WithCancel(req.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		defer leave()
		_ = l.held.AwaitHits(ctx, 1)
	})
	defer watch.Wait()
	defer leave()
	resp, err := l.base.RoundTrip(req.WithContext(ctx))
	if err == nil {
		_ = resp.Body.Close()
	}
	return nil, outage.ErrTimeout
}

// engine makes one whose quarantine nobody would wait for. Where held is not nil,
// it gives the commit up that is held.
func (b *exactBench) engine(held *appwritetest.Injection, opts ...engine.Option) *engine.Engine {
	b.t.Helper()
	client := b.client
	if held != nil {
		var err error
		client, err = b.client.With(appwrite.WithWrappedTransport(func(base http.RoundTripper) http.RoundTripper {
			return &leaving{base: base, held: held}
		}))
		if err != nil {
			b.t.Fatal(err)
		}
	}
	codec, err := steps.NewCodec(client, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := engine.New(b.store, codec, append([]engine.Option{
		engine.WithClassifier(steps.Classify), engine.WithWatch(appwrite.Watch), engine.WithReceipts(b.store.Receipts()),
		engine.WithQuarantine(time.Hour), engine.WithRetry(engine.RetryPolicy{Initial: time.Millisecond}),
	}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// heldBy gives what a commit is held by, nil where it is not.
func heldBy(hit *appwritetest.Injection, held bool) *appwritetest.Injection {
	if !held {
		return nil
	}
	return hit
}

func (b *exactBench) request(list ...engine.Step) engine.Request {
	b.t.Helper()
	plan, err := engine.NewPlan(steps.Bind(b.client, list), engine.PlanOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return engine.Request{Run: "run", Direction: "up", Plan: plan}
}

// theirs adds to the counter as somebody else.
func (b *exactBench) theirs(by json.Number) {
	b.t.Helper()
	if err := b.client.Increment(b.t.Context(), b.database, "wares", "ware", "count", by); err != nil {
		b.t.Fatal(err)
	}
}

func (b *exactBench) wantCount(want json.Number) {
	b.t.Helper()
	if got := b.value("wares", "ware", "count"); got != want {
		b.t.Errorf("count is %v, want %s", got, want)
	}
}

// TestAnIncrementHappensExactlyOnceWhateverBecomesOfItsCommit: the counter is 5,
// somebody else adds 100 after the commit was sent, and the step adds 3. No
// look at the counter could tell 108 from a 105 that is still to be added to.
func TestAnIncrementHappensExactlyOnceWhateverBecomesOfItsCommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action appwritetest.Action
		held   bool
	}{
		"it acts and its answer is lost": {appwritetest.DropAfter(), false},
		"the server dies after the data": {appwritetest.DieInCommit(), false},
		"it never arrives":               {appwritetest.RefuseBefore(), false},
		"it acts after its client left":  {appwritetest.HoldThenAct(), true},
		"it acts much later":             {appwritetest.HoldUntilRelease(), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryTransactionalVersion(t, func(b *exactBench) {
				hit := b.server.Inject(commits(c.action, 1))
				added := make(chan struct{})
				go func() {
					defer close(added)
					if hit.AwaitHits(b.t.Context(), 1) == nil {
						b.theirs("100")
					}
				}()
				report, err := b.engine(heldBy(hit, c.held)).Run(b.t.Context(), b.request(b.exactIncrement("3")))
				<-added
				if err != nil || report.Outcome != engine.OutcomeApplied {
					b.t.Fatalf("%s: %v", report.Outcome, err)
				}
				hit.Release()
				if err := hit.AwaitDone(b.t.Context()); err != nil {
					b.t.Fatal(err)
				}
				b.wantCount("108")
			})
		})
	}
}

// TestAnotherProcessDecidesWhatBecameOfACommit cuts a run off at its commit, and
// takes it over both ways while the commit may still arrive.
func TestAnotherProcessDecidesWhatBecameOfACommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action          appwritetest.Action
		held            bool
		resumed, undone json.Number
	}{
		"it had acted":        {appwritetest.DropAfter(), false, "108", "105"},
		"it never arrived":    {appwritetest.RefuseBefore(), false, "108", "105"},
		"it arrives too late": {appwritetest.HoldUntilRelease(), true, "108", "105"},
	} {
		for direction, want := range map[string]json.Number{"resume": c.resumed, "rollback": c.undone} {
			t.Run(name+", "+direction, func(t *testing.T) {
				t.Parallel()
				onEveryTransactionalVersion(t, func(b *exactBench) {
					hit := b.server.Inject(commits(c.action, 1))
					ctx, cancel := context.WithCancel(b.t.Context())
					defer cancel()
					cut := engine.WithObserver(engine.ObserverFunc(func(event engine.Event) {
						if event.Kind == engine.EventAttempt {
							cancel()
						}
					}))
					report, err := b.engine(heldBy(hit, c.held), cut).Run(ctx, b.request(b.exactIncrement("3")))
					if err == nil || report.Outcome != engine.OutcomeInterrupted {
						b.t.Fatalf("the run was not cut off: %s, %v", report.Outcome, err)
					}
					b.theirs("100")
					e := b.engine(nil)
					if direction == "resume" {
						report, err = e.Resume(b.t.Context(), "run")
					} else {
						report, err = e.Rollback(b.t.Context(), "run")
					}
					if err != nil {
						b.t.Fatalf("%s: %v", report.Outcome, err)
					}
					hit.Release()
					if err := hit.AwaitDone(b.t.Context()); err != nil {
						b.t.Fatal(err)
					}
					b.wantCount(want)
				})
			})
		}
	}
}

// TestATransactionThatExpiresOnTheWayIsStagedAnew answers as servers do whose
// transaction has expired: 500, and a type that says so.
func TestATransactionThatExpiresOnTheWayIsStagedAnew(t *testing.T) {
	t.Parallel()
	onEveryTransactionalVersion(t, func(b *exactBench) {
		hit := b.server.Inject(commits(appwritetest.Status{Code: 500, Type: "transaction_expired"}, 2))
		report, err := b.engine(nil).Run(b.t.Context(), b.request(b.exactIncrement("3")))
		if err != nil || report.Attempts != 1 {
			b.t.Fatalf("%d attempts, %v; want one that stages thrice", report.Attempts, err)
		}
		if hit.Hits() != 2 {
			b.t.Errorf("%d commits met the expiry", hit.Hits())
		}
		b.wantCount("8")
	})
}

// TestATransactionLeftHangingIsDecidedByItsReceipt has a server that answers a
// commit with an error of its own, which says nothing about the outcome.
func TestATransactionLeftHangingIsDecidedByItsReceipt(t *testing.T) {
	t.Parallel()
	onEveryTransactionalVersion(t, func(b *exactBench) {
		b.server.Inject(commits(appwritetest.Status{Code: 500, Type: "general_unknown"}, 1))
		report, err := b.engine(nil).Run(b.t.Context(), b.request(b.exactIncrement("3"), b.update("ware", map[string]any{"title": "Other"})))
		if err != nil || report.Operations[0].Attempts != 2 {
			b.t.Fatalf("%d attempts, %v", report.Operations[0].Attempts, err)
		}
		state, err := b.engine(nil).State(b.t.Context(), "run")
		if err != nil || state.Operations[0].Generation != 1 || state.Operations[0].Receipt == "" || state.Operations[1].Generation != 0 {
			b.t.Errorf("the journal tells of receipts %+v (%v)", state.Operations, err)
		}
		b.wantCount("8")
	})
}

func TestAnIncrementWithoutReceiptsIsRefusedBeforeAnythingHasBegun(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.stocked()
		before := b.state()
		e, err := engine.New(b.store, b.codec, engine.WithClassifier(steps.Classify))
		if err != nil {
			b.t.Fatal(err)
		}
		plan, err := engine.NewPlan([]engine.Step{b.create("new", nil), b.exactIncrement("3")}, engine.PlanOptions{})
		if err != nil || plan.Operations[1].Exacting == "" {
			b.t.Fatalf("the plan does not tell that it needs receipts (%v)", err)
		}
		if _, err = e.Run(context.Background(), engine.Request{Plan: plan}); !errors.Is(err, engine.ErrRefused) {
			b.t.Errorf("error %v, want ErrRefused", err)
		}
		runs, err := b.store.Runs(b.t.Context())
		if err != nil || len(runs) > 0 {
			b.t.Errorf("%d runs have begun (%v)", len(runs), err)
		}
		b.wantSame("after the refusal", before, b.state())
	})
}
