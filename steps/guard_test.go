package steps_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
	"github.com/backstep-dev/backstep/steps"
)

// errNotHeld is the error of a guard that knows nothing of engines.
var errNotHeld = errors.New("the lease is gone")

// archiving keeps records in memory and archives in the project, where the
// guard of the client holds for them too.
type archiving struct {
	*journaltest.Memory
	archives journal.Archives
}

func (a archiving) Archives() journal.Archives { return a.archives }

// guarded is one run under a guard that allows so many times what it is asked
// for: before a request, and when its bytes are handed over.
type guarded struct {
	*bench
	store  archiving
	remote *remote.Store
	left   int                   // times that it allows
	asked  int                   // times that it did not
	doing  engine.OperationPhase // what the run does
	undo   bool                  // it goes back
	struck map[string]bool       // where the guard has failed so far
}

func (g *guarded) guard(context.Context) error {
	if g.left--; g.left >= 0 {
		return nil
	}
	if g.asked++; g.asked == 1 {
		where := string(g.doing)
		if g.undo {
			where += ", going back"
		}
		g.struck[where] = true
	}
	return errNotHeld
}

// engine acts under the guard, and hears what it does.
func (g *guarded) engine(allowed int) *engine.Engine {
	g.t.Helper()
	g.left, g.asked, g.undo = allowed, 0, false
	client, err := g.client.With(appwrite.WithGuard(g.guard))
	if err != nil {
		g.t.Fatal(err)
	}
	codec, err := steps.NewCodec(client, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	kept, err := g.remote.Guarded(g.guard)
	if err != nil {
		g.t.Fatal(err)
	}
	g.store.archives = kept.Archives()
	e, err := engine.New(g.store, codec, engine.WithClassifier(steps.Classify), engine.WithWatch(appwrite.Watch), engine.WithQuarantine(0),
		engine.WithReceipts(kept.Receipts()), engine.WithObserver(engine.ObserverFunc(func(event engine.Event) {
			if event.Kind == engine.EventOperation {
				g.doing, g.undo = event.Phase, event.Undoing
			}
		})))
	if err != nil {
		g.t.Fatal(err)
	}
	return e
}

// TestAGuardThatFailsInTheMiddleOfAStepStopsTheRun lets the guard of the client
// fail at each request of a run, before it and on its way, forward and back: the run stops there, without
// a record, a retry or a compensation, and can be resumed.
func TestAGuardThatFailsInTheMiddleOfAStepStopsTheRun(t *testing.T) {
	t.Parallel()
	for name, sabotage := range map[string]bool{"forward": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryVersion(t, func(b *bench) {
				g := &guarded{bench: b, struck: map[string]bool{}}
				var err error
				if g.remote, err = remote.Open(b.t.Context(), b.client, livetest.DatabaseID(b.t)); err != nil {
					b.t.Fatal(err)
				}
				for allowed := 0; g.strike(allowed, sabotage); allowed++ {
				}
				wanted := []string{"apply", "settle", "capture"}
				if sabotage {
					wanted = []string{"apply, going back", "capture, going back"}
				}
				for _, where := range wanted {
					if !g.struck[where] {
						b.t.Errorf("the guard has never failed in %q: %v", where, g.struck)
					}
				}
			})
		})
	}
}

// strike runs with so many answers allowed, and reports whether it took more.
func (g *guarded) strike(allowed int, sabotage bool) bool {
	g.t.Helper()
	g.products("Lamp", "Chair")
	g.do(
		steps.CreateAttribute{Database: g.database, Collection: "products", Key: "price", Type: "float", Default: raw(`1`)},
		steps.CreateCollection{Database: g.database, ID: "old", Name: "Old"},
		steps.CreateRelationship{Database: g.database, Collection: "old", Key: "product", Related: "products", Type: steps.ManyToOne},
	)
	before := g.state()
	g.store.Memory = journaltest.NewMemory()
	plan, err := engine.NewPlan(g.chain(sabotage), engine.PlanOptions{})
	if err != nil {
		g.t.Fatal(err)
	}
	run := "run-" + strconv.Itoa(allowed)
	report, err := g.engine(allowed).Run(g.t.Context(), engine.Request{Run: run, Direction: "up", Plan: plan})
	struck := g.asked > 0
	if struck {
		if !errors.Is(err, engine.ErrGuard) || !errors.Is(err, errNotHeld) || report.Outcome != engine.OutcomeInterrupted {
			g.t.Fatalf("%d answers allowed: %s, %v; want it interrupted by the guard", allowed, report.Outcome, err)
		}
		// A connection is tried once more where nothing was written to it, and a
		// transaction that will not be committed is to be removed.
		if g.asked > 3 {
			g.t.Errorf("%d answers allowed: it asked %d times more", allowed, g.asked)
		}
		report, err = g.engine(1<<20).Resume(g.t.Context(), run)
	}
	if sabotage != errors.Is(err, engine.ErrRolledBack) || !sabotage && err != nil {
		g.t.Fatalf("%d answers allowed, resumed: %s, %v", allowed, report.Outcome, err)
	}
	if sabotage {
		g.wantSame("rolled back", before, g.state())
	}
	for _, collection := range []string{"products", "makers", "old"} {
		if err := g.client.DeleteCollection(g.t.Context(), g.database, collection); err != nil && !errors.Is(err, appwrite.ErrNotFound) {
			g.t.Fatal(err)
		}
	}
	return struck
}

// chain is a migration of steps that take several requests, and archive.
func (g *guarded) chain(sabotage bool) []engine.Step {
	list := []engine.Step{
		steps.CreateCollection{Database: g.database, ID: "makers", Name: "Makers"},
		steps.UpdateAttribute{Database: g.database, Collection: "products", Key: "price", Default: raw(`null`)},
		steps.UpdateDocument{Database: g.database, Collection: "products", ID: "p0", Data: map[string]any{"title": "Torch"}},
		steps.DeleteAttribute{Database: g.database, Collection: "products", Key: "title", AtOnce: true},
		steps.DeleteCollection{Database: g.database, ID: "old"}, // passes the worker's queue when it settles
	}
	if sabotage {
		list = append(list, steps.UpdateDocument{Database: g.database, Collection: "products", ID: "p0", Data: map[string]any{"none": 1}})
	}
	return list
}
