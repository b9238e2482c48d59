package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// cancelAt cancels at the first boundary of that name.
func (w *world) cancelAt(point string, cancel func()) {
	w.at = func(name string) {
		if name == point {
			w.at = nil
			cancel()
		}
	}
}

// boundaries lists the boundaries that a run of the steps comes to, in order.
func boundaries(t *testing.T, objects map[string]string, steps []engine.Step) []string {
	t.Helper()
	w := newWorld(objects)
	seen := make(map[string]bool)
	var names []string
	w.at = func(name string) {
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	_, _ = start(t, w, steps)
	return names
}

// allDone reports whether nothing but records is left to be made of three steps.
func allDone(point string) bool {
	return strings.Contains(point, "run_finished") || strings.HasSuffix(point, "applied 3") || point == "settled 3"
}

func TestCancellingStopsAtASafePointAndLeavesTheRunResumable(t *testing.T) {
	t.Parallel()
	objects := map[string]string{"n": "5"}
	steps := []engine.Step{slow("a", "1"), add("n", 3), many("m", 2)}
	for _, point := range boundaries(t, objects, steps) {
		w := newWorld(objects)
		ctx, cancel := context.WithCancel(t.Context())
		w.cancelAt(point, cancel)
		report, err := newEngine(t, w).Run(ctx, engine.Request{Run: run, Plan: planOf(t, steps...)})
		cancel()
		if allDone(point) {
			if err != nil {
				t.Errorf("cancelled at %q: error %v, want the finished run applied", point, err)
			}
			continue
		}
		if !errors.Is(err, engine.ErrInterrupted) || !errors.Is(err, context.Canceled) || report.Outcome != engine.OutcomeInterrupted {
			t.Errorf("cancelled at %q: outcome %s, error %v", point, report.Outcome, err)
			continue
		}
		if report, err = newEngine(t, w).Resume(t.Context(), run); err != nil {
			t.Errorf("cancelled at %q, resumed: outcome %s, error %v", point, report.Outcome, err)
		}
		wantWorld(t, w, map[string]string{"a": "1", "n": "8", "m1": "m", "m2": "m"})
	}
}

func TestCancellingCompensatesWhenToldTo(t *testing.T) {
	t.Parallel()
	objects := map[string]string{"n": "5"}
	steps := []engine.Step{slow("a", "1"), add("n", 3), many("m", 2)}
	for _, point := range boundaries(t, objects, steps) {
		if allDone(point) {
			continue
		}
		w := newWorld(objects)
		ctx, cancel := context.WithCancel(t.Context())
		w.cancelAt(point, cancel)
		report, err := newEngine(t, w, engine.WithInterrupt(engine.Compensate)).Run(ctx, engine.Request{Run: run, Plan: planOf(t, steps...)})
		cancel()
		if !errors.Is(err, engine.ErrRolledBack) || !errors.Is(err, context.Canceled) || !report.Proof.Verified {
			t.Errorf("cancelled at %q: outcome %s, error %v", point, report.Outcome, err)
		}
		wantWorld(t, w, objects)
	}
}

func TestADeadlineLeavesTheRunEvenWhenCancellingCompensates(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	e := newEngine(t, w, engine.WithInterrupt(engine.Compensate))
	if _, err := e.Run(ctx, engine.Request{Run: run, Plan: planOf(t, create("a", "1"))}); !errors.Is(err, engine.ErrInterrupted) {
		t.Errorf("before the run: error %v", err)
	}
	w.crashAt("after intent 1")
	crashing(func() { _, _ = start(t, w, []engine.Step{create("a", "1")}) })
	report, err := e.Resume(ctx, run)
	if !errors.Is(err, engine.ErrInterrupted) || !errors.Is(err, context.DeadlineExceeded) || report.Undoing {
		t.Errorf("outcome %s, undoing %t, error %v", report.Outcome, report.Undoing, err)
	}
	if len(w.effects) != 0 {
		t.Errorf("effects %v after the deadline", w.effects)
	}
}

func TestAbortingStopsAtOnceEvenTheUndo(t *testing.T) {
	t.Parallel()
	steps := []engine.Step{create("a", "1"), create("b", "2"), broken("c")}
	for _, point := range []string{"request 1", "request 2", "request 2/undo/1", "request 1/undo/1"} {
		w := newWorld(nil)
		abort := make(chan struct{})
		w.at = func(name string) {
			if name == point {
				w.at = nil
				close(abort)
				w.hanging = true // the request answers no more: only its context ends it
			}
		}
		e := newEngine(t, w, engine.WithAbort(abort), engine.WithInterrupt(engine.Compensate))
		report, err := e.Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, steps...)})
		if !errors.Is(err, engine.ErrInterrupted) || report.Outcome != engine.OutcomeInterrupted {
			t.Errorf("aborted at %q: outcome %s, error %v", point, report.Outcome, err)
		}
		w.hanging = false
		if _, err := newEngine(t, w).Rollback(t.Context(), run); err != nil {
			t.Errorf("aborted at %q, rolled back: %v", point, err)
		}
		wantWorld(t, w, map[string]string{})
	}
}

func TestResolveClosesAHaltedRunForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.crashAt("after intent 1")
	crashing(func() { _, _ = start(t, w, []engine.Step{create("a", "1")}) })
	w.set("a", "theirs")
	e := newEngine(t, w)
	if _, err := e.Resume(t.Context(), run); !errors.Is(err, engine.ErrHalted) {
		t.Fatalf("error %v", err)
	}
	for _, bad := range []engine.Resolution{
		{Outcome: engine.OutcomeApplied},
		{Outcome: engine.OutcomeHalted, Reason: "no"},
		{Reason: "mended"},
	} {
		if err := e.Resolve(t.Context(), run, bad); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: error %v, want ErrInvalid", bad, err)
		}
	}
	resolution := engine.Resolution{Outcome: engine.OutcomeRolledBack, Reason: "their object stays", Actor: "ann", Host: "desk"}
	if err := e.Resolve(t.Context(), run, resolution); err != nil {
		t.Fatal(err)
	}
	state, err := e.State(t.Context(), run)
	if err != nil || state.Status != journal.StatusRolledBack || state.Finished.Resolved.Actor != "ann" {
		t.Errorf("state %+v, error %v", state.Finished, err)
	}
	for name, do := range map[string]func() error{
		"resolve":  func() error { return e.Resolve(t.Context(), run, resolution) },
		"resume":   func() error { _, err := e.Resume(t.Context(), run); return err },
		"rollback": func() error { _, err := e.Rollback(t.Context(), run); return err },
	} {
		if err := do(); !errors.Is(err, engine.ErrFinished) {
			t.Errorf("%s: error %v, want ErrFinished", name, err)
		}
	}
}
