package steps_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

func (b *bench) increment(id, attribute string, by json.Number) steps.Increment {
	return steps.Increment{Database: b.database, Collection: "wares", ID: id, Attribute: attribute, By: by, AllowRace: true}
}

func TestIncrementRefusesWhatWouldNotBeASum(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "stock", Type: "integer", Min: "0", Max: "10"})
		b.do(b.create("ware", map[string]any{
			"stock": 9, "count": json.Number("9223372036854775800"), "title": "A", "sizes": []any{json.Number("1")},
		}))
		b.wantErr(b.increment("ware", "stock", "2"), steps.ErrRefused, "bounds")
		b.wantErr(b.increment("ware", "stock", "-10"), steps.ErrRefused, "bounds")
		b.wantErr(b.increment("ware", "count", "100"), steps.ErrRefused, "bounds")
		b.wantErr(b.increment("ware", "price", "1"), steps.ErrRefused, "null")
		b.wantErr(b.increment("none", "stock", "1"), steps.ErrMissing)
		wantField(b.t, b, b.increment("ware", "stock", "0.5"), "by", "whole")
		wantField(b.t, b, b.increment("ware", "title", "1"), "attribute", "number")
		wantField(b.t, b, b.increment("ware", "sizes", "1"), "attribute", "number")
		wantField(b.t, b, b.increment("ware", "stock", "0"), "by", "0")
		wantField(b.t, b, b.increment("ware", "stock", "x"), "by", "number")
		racy := b.increment("ware", "stock", "1")
		racy.AllowRace = false
		if needs, ok := b.bound(racy).(engine.Exacting); !ok || !strings.Contains(needs.Exacting(), "allow_race") {
			b.t.Error("an increment that may not race needs no receipt")
		}
		if b.bound(b.increment("ware", "stock", "1")).(engine.Exacting).Exacting() != "" {
			b.t.Error("an increment that may race needs a receipt")
		}
	})
}

// TestUndoOfAnIncrementKeepsWhatOthersAdd covers the coincidence, too, in which
// others have brought the value back to what it was before the step.
func TestUndoOfAnIncrementKeepsWhatOthersAdd(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]struct {
		value int
		want  json.Number
	}{
		"more":                   {22, "17"},
		"less":                   {13, "8"},
		"back to what it was":    {10, "5"},
		"as the step has it":     {15, "10"},
		"exactly twice the step": {20, "15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryVersion(t, func(b *bench) {
				b.wares()
				b.do(b.create("ware", map[string]any{"count": 10}))
				b.fails(func() { b.other("ware", map[string]any{"count": others.value}) }, b.increment("ware", "count", "5"))
				if got := b.value("wares", "ware", "count"); got != others.want {
					b.t.Errorf("count is %v, want %s", got, others.want)
				}
			})
		})
	}
}

// fails runs steps in an engine, then lets somebody else act, then fails, and
// wants all of it rolled back.
func (b *bench) fails(others func(), list ...engine.Step) {
	b.t.Helper()
	saboteur := saboteurOf(others)
	codec, err := steps.NewCodec(b.client, []steps.Func{saboteur})
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := engine.New(b.store, codec, engine.WithClassifier(steps.Classify))
	if err != nil {
		b.t.Fatal(err)
	}
	last, err := steps.NewFunc(saboteur)
	if err != nil {
		b.t.Fatal(err)
	}
	plan, err := engine.NewPlan(steps.Bind(b.client, append(list, last)), engine.PlanOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err = e.Run(b.t.Context(), engine.Request{Migration: "m", Version: "1", Direction: "up", Plan: plan}); !errors.Is(err, engine.ErrRolledBack) {
		b.t.Fatalf("the run ended with %v, want ErrRolledBack", err)
	}
}
