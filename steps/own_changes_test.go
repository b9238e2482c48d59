package steps_test

import (
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// downFails applies steps in a run, and lets the run that takes them back fail at
// its end, so that it has to go up again.
func (b *bench) downFails(list ...engine.Step) {
	b.t.Helper()
	saboteur := saboteurOf(func() {})
	codec, err := steps.NewCodec(b.client, []steps.Func{saboteur})
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := engine.New(b.store, codec, engine.WithClassifier(steps.Classify))
	if err != nil {
		b.t.Fatal(err)
	}
	run := func(list []engine.Step) (engine.Report, error) {
		plan, err := engine.NewPlan(steps.Bind(b.client, list), engine.PlanOptions{})
		if err != nil {
			b.t.Fatal(err)
		}
		return e.Run(b.t.Context(), engine.Request{Migration: "m", Version: "1", Direction: "up", Plan: plan})
	}
	report, err := run(list)
	if err != nil {
		b.t.Fatal(err)
	}
	up := b.state()
	inverse, err := e.Inverse(b.t.Context(), report.Run)
	if err != nil {
		b.t.Fatal(err)
	}
	last, err := steps.NewFunc(saboteur)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := run(append(inverse, last)); !errors.Is(err, engine.ErrRolledBack) {
		b.t.Errorf("the run down ended with %v, want ErrRolledBack", err)
	}
	b.wantSame("after the run down that failed", up, b.state())
}

func TestOwnChangesOnTheWayDownAreNotSomebodyElses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bench) engine.Step{
		"an update": func(b *bench) engine.Step { return b.update("ware", map[string]any{"title": "B"}) },
		"a document that is deleted and comes back last": func(b *bench) engine.Step {
			return b.create("another", map[string]any{"title": "C"})
		},
		"a column whose values are filled in": func(b *bench) engine.Step {
			return steps.DropAttribute{Database: b.database, Collection: "wares", Key: "tags"}
		},
	} {
		for destruction, destroy := range map[string]func(b *bench) engine.Step{
			"collection": func(b *bench) engine.Step { return steps.DeleteCollection{Database: b.database, ID: "wares"} },
			"attribute": func(b *bench) engine.Step {
				return steps.DeleteAttribute{Database: b.database, Collection: "wares", Key: "title"}
			},
		} {
			t.Run(name+" before a deleted "+destruction, func(t *testing.T) {
				t.Parallel()
				onEveryVersion(t, func(b *bench) {
					b.wares()
					b.do(
						b.create("ware", map[string]any{"title": "A", "tags": []any{"x"}}),
						b.create("zebra", map[string]any{"title": "Z", "tags": []any{"z"}}),
					)
					b.downFails(change(b), destroy(b))
				})
			})
		}
	}
}

func TestBackLinksOfOtherStepsAreProvenInTurn(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.library(true, steps.Cascade)
		before := b.state()
		b.fails(func() {},
			b.update("chair", map[string]any{"maker": "ada"}),
			steps.DeleteDocument{Database: b.database, Collection: "makers", ID: "ada"},
		)
		b.wantSame("after the undo", before, b.state())
	})
}

func TestIndexThatTheRunMadeIsNotMissedAfterTheUndo(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		before := b.state()
		b.fails(func() {},
			steps.CreateIndex{Database: b.database, Collection: "wares", Key: "fresh", Type: steps.Key, Attributes: []string{"title"}},
			steps.DeleteAttribute{Database: b.database, Collection: "wares", Key: "title"},
		)
		b.wantSame("after the undo", before, b.state())
	})
}
