package engine_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// row is one row of the recovery table in ARCHITECTURE.md: where the run was cut
// off, what the server shows, and what each direction makes of it.
type row struct {
	crash   string // boundary at which the run is cut off
	change  func(w *world)
	options []engine.Option
	// What resume makes of it; empty where the table has no way forward.
	forward engine.Outcome
	ahead   map[string]string
	// What rollback makes of it.
	back   engine.Outcome
	behind map[string]string
	// waits says that the quarantine must be waited for.
	waits bool
	plan  []engine.Step
}

func table() map[string]row {
	fresh := map[string]string{"keep": "k"}
	done := map[string]string{"keep": "k", "a": "1", "b": "2"}
	return map[string]row{
		"run_started: apply, or finish as rolled back": {
			crash: "after run_started ", forward: engine.OutcomeApplied, ahead: done, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"intent, before-image: apply, or journal undone": {
			crash: "after intent 1", forward: engine.OutcomeApplied, ahead: done, back: engine.OutcomeRolledBack, behind: fresh, waits: true,
		},
		"intent, after-image: adopt, or inverse": {
			crash: "effect 1", forward: engine.OutcomeApplied, ahead: done, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"intent, partial: finish, or inverse of what is there": {
			crash: "effect 1", plan: []engine.Step{slow("a", "1"), create("b", "2")}, waits: true,
			forward: engine.OutcomeApplied, ahead: done, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"intent, half a bulk: finish, or inverse of what is there": {
			crash: "effect 1", plan: []engine.Step{many("m", 3)}, waits: true,
			forward: engine.OutcomeApplied, ahead: map[string]string{"keep": "k", "m1": "m", "m2": "m", "m3": "m"},
			back: engine.OutcomeRolledBack, behind: fresh,
		},
		"intent, foreign: halt": {
			crash: "after intent 1", change: func(w *world) { w.set("a", "theirs") },
			forward: engine.OutcomeHalted, ahead: map[string]string{"keep": "k", "a": "theirs"},
			back: engine.OutcomeHalted, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"intent, container gone: halt": {
			crash: "effect 2", plan: []engine.Step{create("c", "box"), create("c/x", "1")},
			change:  func(w *world) { w.set("c/x", ""); w.set("c", "") },
			forward: engine.OutcomeHalted, ahead: fresh, back: engine.OutcomeHalted, behind: fresh,
		},
		"applied, after-image: skip, or inverse": {
			crash: "after applied 1", forward: engine.OutcomeApplied, ahead: done, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"applied, before-image: halt, or journal undone": {
			crash: "after applied 1", change: func(w *world) { w.set("a", "") },
			forward: engine.OutcomeHalted, ahead: fresh, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"applied, foreign: skip and report, or halt": {
			crash: "after applied 1", change: func(w *world) { w.set("a", "theirs") },
			forward: engine.OutcomeApplied, ahead: map[string]string{"keep": "k", "a": "theirs", "b": "2"},
			back: engine.OutcomeHalted, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"applied, with something foreign inside: halt": {
			crash: "after applied 1", change: func(w *world) { w.set("a/theirs", "x") },
			forward: engine.OutcomeApplied, ahead: map[string]string{"keep": "k", "a": "1", "b": "2", "a/theirs": "x"},
			back: engine.OutcomeHalted, behind: map[string]string{"keep": "k", "a": "1", "a/theirs": "x"},
		},
		"applied, with something foreign inside, on_conflict skip: left alone": {
			crash: "after applied 1", change: func(w *world) { w.set("a/theirs", "x") },
			options: []engine.Option{engine.WithConflict(engine.ConflictSkip)},
			back:    engine.OutcomeRolledBack, behind: map[string]string{"keep": "k", "a": "1", "a/theirs": "x"},
		},
		"applied, foreign, on_conflict skip: left alone": {
			crash: "after applied 1", change: func(w *world) { w.set("a", "theirs") },
			options: []engine.Option{engine.WithConflict(engine.ConflictSkip)},
			back:    engine.OutcomeRolledBack, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"applied, foreign, on_conflict overwrite: inverse": {
			crash: "after applied 1", change: func(w *world) { w.set("a", "theirs") },
			options: []engine.Option{engine.WithConflict(engine.ConflictOverwrite)},
			back:    engine.OutcomeRolledBack, behind: fresh,
		},
		"applied, foreign, on_conflict merge: the step decides": {
			crash: "after applied 1", change: func(w *world) { w.set("a", "theirs") },
			options: []engine.Option{engine.WithConflict(engine.ConflictMerge)},
			back:    engine.OutcomeRolledBack, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"undo_intent, after-image: this inverse again": {
			crash: "after undo_intent 1/undo/1", plan: []engine.Step{create("a", "1"), broken("b")},
			forward: engine.OutcomeRolledBack, ahead: fresh, back: engine.OutcomeRolledBack, behind: fresh, waits: true,
		},
		"undo_intent, partial: this inverse again": {
			crash: "effect 1/undo/2", plan: []engine.Step{many("m", 3), broken("b")},
			forward: engine.OutcomeRolledBack, ahead: fresh, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"undo_intent, before-image: journal undone": {
			crash: "effect 1/undo/1", plan: []engine.Step{create("a", "1"), broken("b")},
			forward: engine.OutcomeRolledBack, ahead: fresh, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"undo_intent, foreign: halt": {
			crash: "after undo_intent 1/undo/1", plan: []engine.Step{create("a", "1"), broken("b")},
			change:  func(w *world) { w.set("a", "theirs") },
			forward: engine.OutcomeHalted, ahead: map[string]string{"keep": "k", "a": "theirs"},
			back: engine.OutcomeHalted, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"undo_intent, foreign, on_conflict skip: left alone": {
			crash: "after undo_intent 1/undo/1", plan: []engine.Step{create("a", "1"), broken("b")},
			change:  func(w *world) { w.set("a", "theirs") },
			options: []engine.Option{engine.WithConflict(engine.ConflictSkip)},
			back:    engine.OutcomeRolledBack, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
		"undo_intent, foreign, on_conflict overwrite: this inverse again": {
			crash: "after undo_intent 1/undo/1", plan: []engine.Step{create("a", "1"), broken("b")},
			change:  func(w *world) { w.set("a", "theirs") },
			options: []engine.Option{engine.WithConflict(engine.ConflictOverwrite)},
			back:    engine.OutcomeRolledBack, behind: fresh,
		},
		"all undone: verify and finish": {
			crash: "before run_finished ", plan: []engine.Step{create("a", "1"), broken("b")},
			forward: engine.OutcomeRolledBack, ahead: fresh, back: engine.OutcomeRolledBack, behind: fresh,
		},
		"all undone, but a difference: halt": {
			crash: "before run_finished ", plan: []engine.Step{create("a", "1"), broken("b")},
			change:  func(w *world) { w.set("a", "theirs") },
			forward: engine.OutcomeHalted, ahead: map[string]string{"keep": "k", "a": "theirs"},
			back: engine.OutcomeHalted, behind: map[string]string{"keep": "k", "a": "theirs"},
		},
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	for name, row := range table() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.forward != "" {
				row.try(t, resuming, row.forward, row.ahead)
			}
			row.try(t, rollingBack, row.back, row.behind)
		})
	}
}

func (r row) try(t *testing.T, d direction, outcome engine.Outcome, want map[string]string) {
	t.Helper()
	w := newWorld(map[string]string{"keep": "k"})
	steps := r.plan
	if steps == nil {
		steps = []engine.Step{create("a", "1"), create("b", "2")}
	}
	w.crashAt(r.crash)
	if crashing(func() { _, _ = newEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, steps...)}) }) == nil {
		t.Fatalf("the run did not come to %q", r.crash)
	}
	if r.change != nil {
		r.change(w)
	}
	w.clock.waits = nil
	report, err := takeUp(t.Context(), newEngine(t, w, r.options...), d, run)
	if report.Outcome != outcome {
		t.Fatalf("%s: outcome %q, want %q; error %v", d, report.Outcome, outcome, err)
	}
	if diff := cmp.Diff(want, w.snapshot()); diff != "" {
		t.Errorf("%s: the world (-want +got):\n%s", d, diff)
	}
	if waited := len(w.clock.waits) > 0; waited != r.waits {
		t.Errorf("%s: waited %v, want the quarantine: %t", d, w.clock.waits, r.waits)
	}
	if outcome == engine.OutcomeHalted {
		if !errors.Is(err, engine.ErrHalted) || !errors.Is(err, engine.ErrForeign) || len(report.Left) == 0 {
			t.Errorf("%s: error %v, left %v: want an explanation", d, err, report.Left)
		}
		r.standsStill(t, w, d, want)
	}
}

// standsStill checks that a halted run is recorded as such and halts again
// without touching anything.
func (r row) standsStill(t *testing.T, w *world, d direction, want map[string]string) {
	t.Helper()
	e := newEngine(t, w, r.options...)
	state, err := e.State(t.Context(), run)
	if err != nil || state.Status != journal.StatusHalted || len(state.Finished.Left) == 0 {
		t.Fatalf("%s: state %s, error %v", d, state.Status, err)
	}
	if report, err := takeUp(t.Context(), e, d, run); report.Outcome != engine.OutcomeHalted {
		t.Errorf("%s again: outcome %q, error %v", d, report.Outcome, err)
	}
	if diff := cmp.Diff(want, w.snapshot()); diff != "" {
		t.Errorf("%s again: the world (-want +got):\n%s", d, diff)
	}
}

func planOf(t *testing.T, steps ...engine.Step) engine.Plan {
	t.Helper()
	plan, err := engine.NewPlan(steps, engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
