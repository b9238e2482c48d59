package steps_test

import (
	"context"
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

var errCut = errors.New("cut off")

// cut binds a step to a client that sends only so many writes.
func (b *bench) cut(step engine.Step, writes int) engine.Step {
	b.t.Helper()
	client, err := b.client.With(appwrite.WithGuard(func(context.Context) error {
		if writes--; writes < 0 {
			return errCut
		}
		return nil
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return steps.Bind(client, []engine.Step{step})[0]
}

func TestChangeThatWasCutOffGoesOnAndGoesBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.halfway = true
		b.products()
		// A document older than an attribute keeps its null only where values come back in bulk.
		if !b.can.BulkDefaults {
			b.document("products", "old", map[string]any{"title": "Lamp"})
		}
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "price", Type: "float", Default: raw(`1`)},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "i", Type: steps.Key, Attributes: []string{"title"}},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "j", Type: steps.Key, Attributes: []string{"title", "price"}},
		)
		b.document("products", "new", map[string]any{"title": "Chair"})
		retire, _ := steps.DeleteAttribute{Database: b.database, Collection: "products", Key: "title"}.Split()
		for _, change := range []engine.Step{
			steps.UpdateAttribute{Database: b.database, Collection: "products", Key: "price", Default: raw(`null`)},
			steps.DropAttribute{Database: b.database, Collection: "products", Key: "title"},
			retire,
		} {
			for writes := 1; ; writes++ {
				if finished := b.cutOff(change, writes); finished {
					break
				}
			}
		}
	})
}

// cutOff lets a change make some writes, takes it back from there, lets it make
// them again, goes on to the end and takes that back. It tells whether the
// writes were enough for all of it.
func (b *bench) cutOff(change engine.Step, writes int) (finished bool) {
	b.t.Helper()
	ctx, before := b.t.Context(), b.state()
	for _, back := range []bool{true, false} {
		step, site := b.bound(change), b.site()
		memento, err := step.Capture(ctx, site)
		if err != nil {
			b.t.Fatalf("%s: capture: %v", step.Kind(), err)
		}
		after, err := b.cut(step, writes).Apply(ctx, site, memento)
		if err == nil {
			finished = true
		} else if !errors.Is(err, errCut) {
			b.t.Fatalf("%s after %d writes: %v", step.Kind(), writes, err)
		}
		if !finished {
			after = b.wantState(step, site, memento, engine.StateBefore, engine.StatePartial, engine.StateAfter).After
		}
		if !back {
			if _, err := step.Apply(ctx, site, memento); err != nil {
				b.t.Fatalf("%s goes on after %d writes: %v", step.Kind(), writes, err)
			}
			if err := step.Settle(ctx, site, memento); err != nil {
				b.t.Fatalf("%s settles after %d writes: %v", step.Kind(), writes, err)
			}
			after = b.wantState(step, site, memento, engine.StateAfter).After
		}
		b.undo([]done{{step: step, before: memento, after: after}})
		b.wantSame(step.Kind()+" after the undo", before, b.state())
	}
	return finished
}
