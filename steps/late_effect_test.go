package steps_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// madeByTheWorker makes two collections and gives a step for each thing in them
// that the server's worker makes.
func (b *bench) madeByTheWorker() []engine.Step {
	b.t.Helper()
	b.products("Lamp")
	b.do(steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"})
	return []engine.Step{
		steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"},
		steps.CreateIndex{Database: b.database, Collection: "products", Key: "i", Type: steps.Key, Attributes: []string{"title"}},
		steps.CreateRelationship{Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne, TwoWay: true},
	}
}

// TestUndoOfASchemaStepWaitsUntilTheWorkerCannotBringItBack undoes a step whose
// own job still waits in the worker's queue. An undo that ended before that job
// has passed would see the object come back.
func TestUndoOfASchemaStepWaitsUntilTheWorkerCannotBringItBack(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		for _, step := range b.madeByTheWorker() {
			before := b.state()
			looks, settled := b.undoneWhilePaused(server, step)
			waits := func(times int) {
				for range times {
					select {
					case err := <-settled:
						b.t.Fatalf("%s: the undo ended (%v) with %d jobs in the queue", step.Kind(), err, server.Worker().QueueSize())
					case <-looks:
					}
				}
			}
			waits(4) // for the creation
			if n := server.Worker().QueueSize(); n != 1 {
				b.t.Errorf("%s: %d jobs in the queue, want the creation's only", step.Kind(), n)
			}
			if err := server.Worker().Step(b.t.Context(), 1); err != nil {
				b.t.Fatal(err)
			}
			for server.Worker().QueueSize() == 0 {
				waits(1)
			}
			for len(looks) > 0 {
				waits(1)
			}
			waits(4) // for the removal
			server.Worker().Resume()
			if err := <-settled; err != nil {
				b.t.Fatalf("%s: %v", step.Kind(), err)
			}
			// The job whose effect the undo waited for may not have left the queue yet.
			if err := server.Worker().Step(b.t.Context(), 0); err != nil {
				b.t.Fatal(err)
			}
			if n := server.Worker().QueueSize(); n > 0 {
				b.t.Errorf("%s: %d jobs were in the queue when the undo ended", step.Kind(), n)
			}
			server.Worker().Resume()
			if err := server.Worker().Idle(b.t.Context()); err != nil {
				b.t.Fatal(err)
			}
			b.wantSame(step.Kind()+", undone", before, b.state())
		}
	})
}

// undoneWhilePaused applies a step while the worker does nothing, and carries
// its inverse out beside the test. looks gets each look that this takes.
func (b *bench) undoneWhilePaused(server *appwritetest.Server, step engine.Step) (looks chan struct{}, settled chan error) {
	b.t.Helper()
	server.Worker().Pause()
	looks = make(chan struct{}, 1000)
	var undoing atomic.Bool
	client, err := b.client.With(appwrite.WithWait(time.Minute), appwrite.WithObserver(func(e appwrite.Exchange) {
		if e.Method == http.MethodGet && undoing.Load() {
			select {
			case looks <- struct{}{}:
			default: // nobody counts that far
			}
		}
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, site := b.t.Context(), b.site()
	forward := b.bound(step)
	memento, err := forward.Capture(ctx, site)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := forward.Apply(ctx, site, memento); err != nil {
		b.t.Fatal(err)
	}
	inverse, err := forward.Inverse(memento, nil)
	if err != nil || len(inverse) != 1 {
		b.t.Fatalf("%d inverse steps, %v", len(inverse), err)
	}
	back := steps.Bind(client, inverse)[0]
	before, err := back.Capture(ctx, site)
	if err != nil {
		b.t.Fatal(err)
	}
	settled = make(chan error, 1)
	go func() {
		undoing.Store(true)
		_, err := back.Apply(ctx, site, before)
		if err == nil {
			err = back.Settle(ctx, site, before)
		}
		settled <- err
	}()
	return looks, settled
}

// TestARemovalUnderWayIsNotAskedForAgain lets a step meet what its own earlier
// request has begun. A second removal would take away what is made under the key
// after the first.
func TestARemovalUnderWayIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		for _, step := range b.madeByTheWorker() {
			b.do(step)
			before := b.state()
			inverse, err := b.bound(step).Inverse(nil, nil)
			if err != nil || len(inverse) != 1 {
				b.t.Fatalf("%d inverse steps, %v", len(inverse), err)
			}
			back, site := b.bound(inverse[0]), b.site()
			memento, err := back.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatal(err)
			}
			server.Worker().Pause()
			for range 2 {
				if _, err := back.Apply(b.t.Context(), site, memento); err != nil {
					b.t.Fatal(err)
				}
			}
			if n := server.Worker().QueueSize(); n != 1 {
				b.t.Errorf("%s: %d removals are under way, want 1", step.Kind(), n)
			}
			server.Worker().Resume()
			if err := back.Settle(b.t.Context(), site, memento); err != nil {
				b.t.Fatal(err)
			}
			b.do(step)
			if err := server.Worker().Idle(b.t.Context()); err != nil {
				b.t.Fatal(err)
			}
			b.wantSame(step.Kind()+", made again", before, b.state())
		}
	})
}
