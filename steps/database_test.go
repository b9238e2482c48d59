package steps_test

import (
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/steps"
)

func TestDatabaseIsCreatedAndDropped(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		other := livetest.DatabaseID(b.t)
		b.database = other
		b.cycle(steps.CreateDatabase{ID: other, Name: "Other", Enabled: new(false)})
	})
}

func TestDatabaseIsUpdatedAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.cycle(
			steps.UpdateDatabase{ID: b.database, Name: "Renamed"},
			steps.UpdateDatabase{ID: b.database, Enabled: new(false)},
		)
	})
}

func TestDatabaseThatExistsIsNotCreated(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wantErr(steps.CreateDatabase{ID: b.database, Name: "Shop"}, steps.ErrExists)
		b.wantErr(steps.UpdateDatabase{ID: "nowhere", Name: "X"}, steps.ErrMissing)
	})
}

func TestDeletedDatabaseComesBackWhole(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp", "Chair")
		b.do(
			steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"},
			steps.CreateRelationship{Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne, TwoWay: true, TwoWayKey: "made"},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "by_title", Type: steps.Unique, Attributes: []string{"title"}},
		)
		b.document("makers", "m1", map[string]any{})
		b.document("products", "linked", map[string]any{"title": "Table", "maker": "m1"})
		b.cycle(split(steps.DeleteDatabase{ID: b.database})...)
	})
}

func TestUndoDoesNotDropADatabaseThatOthersUse(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		other := livetest.DatabaseID(b.t)
		made := b.do(steps.CreateDatabase{ID: other, Name: "Other"})
		b.database = other
		b.products("Lamp")
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantForeign(inverse[0])
	})
}

// wantForeign holds that an undo is stopped by others' work, keeps it when
// merging, and archives it when overwriting.
func (b *bench) wantForeign(inverse engine.Step) {
	b.t.Helper()
	ctx, step := b.t.Context(), b.bound(inverse)
	site := b.site()
	memento, err := step.Capture(ctx, site)
	if err != nil {
		b.t.Fatalf("capture: %v", err)
	}
	before := b.state()
	b.wantState(step, site, memento, engine.StateForeign)
	if _, err := step.Apply(ctx, site, memento); !errors.Is(err, engine.ErrForeign) {
		b.t.Fatalf("apply on halt: %v, want ErrForeign", err)
	}
	b.wantSame("after the halt", before, b.state())
	site.OnConflict = engine.ConflictMerge
	if _, err := step.Apply(ctx, site, memento); err != nil {
		b.t.Fatalf("apply on merge: %v", err)
	}
	if err := step.Settle(ctx, site, memento); err != nil {
		b.t.Fatalf("settle on merge: %v", err)
	}
	b.wantSame("after the merge", before, b.state())
	site.OnConflict = engine.ConflictOverwrite
	after, err := step.Apply(ctx, site, memento)
	if err != nil {
		b.t.Fatalf("apply on overwrite: %v", err)
	}
	if err := step.Settle(ctx, site, memento); err != nil {
		b.t.Fatalf("settle on overwrite: %v", err)
	}
	b.undo([]done{{step: step, before: memento, after: after}})
	b.wantSame("after undoing the overwrite", before, b.state())
}
