package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
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

// hurried is a client that gives up on a request soon, so that one that is held
// counts as lost.
const hurried = 3 * time.Second

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

// engine makes one whose quarantine nobody would wait for.
func (b *exactBench) engine(opts ...engine.Option) *engine.Engine {
	b.t.Helper()
	client, err := b.client.With(appwrite.WithTimeout(hurried))
	if err != nil {
		b.t.Fatal(err)
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
	for name, action := range map[string]appwritetest.Action{
		"it acts and its answer is lost": appwritetest.DropAfter(),
		"the server dies after the data": appwritetest.DieInCommit(),
		"it never arrives":               appwritetest.RefuseBefore(),
		"it acts after its client left":  appwritetest.HoldThenAct(),
		"it acts much later":             appwritetest.HoldUntilRelease(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryTransactionalVersion(t, func(b *exactBench) {
				hit := b.server.Inject(commits(action, 1))
				added := make(chan struct{})
				go func() {
					defer close(added)
					if hit.AwaitHits(b.t.Context(), 1) == nil {
						b.theirs("100")
					}
				}()
				report, err := b.engine().Run(b.t.Context(), b.request(b.exactIncrement("3")))
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
		resumed, undone json.Number
	}{
		"it had acted":        {appwritetest.DropAfter(), "108", "105"},
		"it never arrived":    {appwritetest.RefuseBefore(), "108", "105"},
		"it arrives too late": {appwritetest.HoldUntilRelease(), "108", "105"},
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
					report, err := b.engine(cut).Run(ctx, b.request(b.exactIncrement("3")))
					if err == nil || report.Outcome != engine.OutcomeInterrupted {
						b.t.Fatalf("the run was not cut off: %s, %v", report.Outcome, err)
					}
					b.theirs("100")
					e := b.engine()
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
		report, err := b.engine().Run(b.t.Context(), b.request(b.exactIncrement("3")))
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
		report, err := b.engine().Run(b.t.Context(), b.request(b.exactIncrement("3"), b.update("ware", map[string]any{"title": "Other"})))
		if err != nil || report.Operations[0].Attempts != 2 {
			b.t.Fatalf("%d attempts, %v", report.Operations[0].Attempts, err)
		}
		state, err := b.engine().State(b.t.Context(), "run")
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
