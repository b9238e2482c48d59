package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// TestRandomRunsMatchTheModel runs random plans under random faults, crashes,
// cancellations and foreign changes, and takes every run up until it has
// ended. The model is the plain meaning of the steps.
func TestRandomRunsMatchTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		objects := map[string]string{"n": "5", "old": "red", "doc": "blue"}
		steps, applied := drawPlan(t, objects)
		plan, err := engine.NewPlan(steps, engine.PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(objects)
		story := &drawn{t: t, w: w}
		story.arm()
		outcome, err := story.attempt(func(ctx context.Context, e *engine.Engine) (engine.Report, error) {
			return e.Run(ctx, engine.Request{Run: run, Plan: plan})
		})
		for tries := 0; outcome == engine.OutcomeInterrupted || outcome == engine.OutcomeHalted; tries++ {
			if tries > 8 {
				t.Fatalf("no end: %v", err)
			}
			w.online()
			w.arrive()
			if tries >= 3 {
				story.disarm()
			} else {
				story.arm()
			}
			d := rapid.SampledFrom([]direction{resuming, rollingBack}).Draw(t, "direction")
			outcome, err = story.attempt(func(ctx context.Context, e *engine.Engine) (engine.Report, error) {
				return takeUp(ctx, e, d, run)
			})
		}
		want := objects
		if outcome == engine.OutcomeApplied {
			want = applied
		}
		if diff := cmp.Diff(want, w.snapshot()); diff != "" {
			t.Fatalf("%s, error %v, effects %v: the world (-want +got):\n%s", outcome, err, w.effects, diff)
		}
		if len(w.early) > 0 {
			t.Fatalf("written before the journal knew: %v", w.early)
		}
	})
}

// drawPlan draws a plan that can be applied, and says what it makes of the
// world; with one step in four it draws one that cannot.
func drawPlan(t *rapid.T, objects map[string]string) ([]engine.Step, map[string]string) {
	model := maps.Clone(objects)
	var steps []engine.Step
	retired := []string{}
	count := rapid.IntRange(1, 6).Draw(t, "steps")
	for i := range count {
		key := fmt.Sprintf("k%d", i)
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			steps, model[key] = append(steps, create(key, "1")), "1"
		case 1:
			n := rapid.IntRange(1, 9).Draw(t, "n")
			steps, model["n"] = append(steps, add("n", n)), plus(model["n"], n)
		case 2:
			value := rapid.SampledFrom([]string{"blue", "green", "grey"}).Draw(t, "value")
			steps, model["doc"] = append(steps, set("doc", value)), value
		case 3:
			steps = append(steps, many(key, 2))
			model[key+"1"], model[key+"2"] = key, key
		case 4:
			steps = append(steps, slow(key, "box"), create(key+"/x", "1"))
			model[key], model[key+"/x"] = "box", "1"
		case 5:
			if len(retired) == 0 {
				steps, retired = append(steps, discard("old")), append(retired, "old")
				delete(model, "old")
			}
		case 6:
			steps = append(steps, check("n"))
		case 7:
			if rapid.IntRange(0, 1).Draw(t, "fails") == 1 {
				steps = append(steps, broken("b"))
			}
		}
	}
	return steps, model
}

// drawn puts random trouble into a world.
type drawn struct {
	t *rapid.T
	w *world
}

// arm draws the trouble of one attempt: faults of writes, and a crash, a
// cancellation or a journal failure at some boundary.
func (d *drawn) arm() {
	d.disarm()
	faults := rapid.SliceOfN(rapid.SampledFrom([]fault{none, none, none, busy, lose, drop, hold, later, silent, deny}), 0, 6).Draw(d.t, "faults")
	writes := 0
	d.w.fails = func(string, int) fault {
		if writes++; writes <= len(faults) {
			return faults[writes-1]
		}
		return none
	}
	if at := rapid.IntRange(0, 80).Draw(d.t, "crash"); at > 0 {
		d.w.crashAtNumber(at)
	}
	if at := rapid.IntRange(0, 20).Draw(d.t, "journal"); at > 0 {
		seen := 0
		stored := rapid.Bool().Draw(d.t, "stored")
		d.w.store.fails = func(journal.Record) (error, bool) {
			if seen++; seen == at {
				return journal.ErrFull, stored
			}
			return nil, false
		}
	}
}

func (d *drawn) disarm() {
	d.w.fails, d.w.at, d.w.store.fails = nil, nil, nil
}

// attempt makes one call and says where the run stands after it.
func (d *drawn) attempt(call func(context.Context, *engine.Engine) (engine.Report, error)) (outcome engine.Outcome, err error) {
	policy := rapid.SampledFrom([]engine.Interrupt{engine.Leave, engine.Compensate}).Draw(d.t, "interrupt")
	e, newErr := engine.New(d.w.store, codec{d.w}, engine.WithClock(d.w.clock), engine.WithClassifier(classify),
		engine.WithQuarantine(quarantine), engine.WithInterrupt(policy))
	if newErr != nil {
		d.t.Fatal(newErr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if waits := rapid.IntRange(0, 6).Draw(d.t, "cancel"); waits > 0 {
		d.w.clock.during = func(_ time.Duration) {
			if waits--; waits == 0 {
				cancel()
			}
		}
	}
	var report engine.Report
	crashed := crashing(func() { report, err = call(ctx, e) })
	d.w.clock.during = nil
	if crashed != nil {
		return engine.OutcomeInterrupted, fmt.Errorf("crash at %s", crashed.point)
	}
	switch {
	case errors.Is(err, engine.ErrFinished):
		state, stateErr := e.State(context.Background(), run)
		if stateErr != nil {
			d.t.Fatal(stateErr)
		}
		return engine.Outcome(state.Status), err
	case errors.Is(err, journal.ErrNoRun):
		return engine.OutcomeRolledBack, err
	case report.Outcome == "":
		d.t.Fatalf("no outcome: %v", err)
	case err != nil && strings.Contains(err.Error(), "\n"):
		d.t.Fatalf("an error of several lines: %q", err)
	case report.Outcome == engine.OutcomeHalted && errors.Is(report.UndoErr, engine.ErrForeign):
		d.t.Fatalf("foreign without a foreigner: %v", err)
	}
	return report.Outcome, err
}
