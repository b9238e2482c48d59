package engine_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// firstWrite makes the first write of an operation meet f.
func firstWrite(operation string, f fault) func(string, int) fault {
	return func(at string, n int) fault {
		if at == operation && n == 1 {
			return f
		}
		return none
	}
}

func start(t *testing.T, w *world, steps []engine.Step, opts ...engine.Option) (engine.Report, error) {
	t.Helper()
	return newEngine(t, w, opts...).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, steps...)})
}

func wantWorld(t *testing.T, w *world, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, w.snapshot()); diff != "" {
		t.Errorf("the world (-want +got):\n%s", diff)
	}
}

func TestAnAmbiguousWriteActsOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault   fault
		adopted bool
		waited  bool
	}{
		"the response is lost":         {fault: lose, adopted: true},
		"the request never arrives":    {fault: drop, waited: true},
		"the request arrives late":     {fault: hold, adopted: true, waited: true},
		"the server is busy":           {fault: busy},
		"nothing happens on the way":   {fault: none},
		"the response is lost, slowly": {fault: lose, adopted: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"n": "5"})
			w.fails = firstWrite("1", tc.fault)
			report, err := start(t, w, []engine.Step{add("n", 3), create("a", "1")})
			if err != nil || report.Outcome != engine.OutcomeApplied {
				t.Fatalf("outcome %s, error %v", report.Outcome, err)
			}
			wantWorld(t, w, map[string]string{"n": "8", "a": "1"})
			if report.Operations[0].Adopted != tc.adopted || slices.Contains(w.clock.waits, quarantine) != tc.waited {
				t.Errorf("adopted %t, waits %v", report.Operations[0].Adopted, w.clock.waits)
			}
		})
	}
}

func TestAnAmbiguousUndoActsOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"lost": lose, "dropped": drop, "held": hold, "busy": busy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"n": "5"})
			w.fails = firstWrite("1/undo/1", f)
			report, err := start(t, w, []engine.Step{add("n", 3), broken("b")})
			if !errors.Is(err, engine.ErrRolledBack) || !errors.Is(err, errDenied) {
				t.Fatalf("outcome %s, error %v", report.Outcome, err)
			}
			wantWorld(t, w, map[string]string{"n": "5"})
			if report.Proof == nil || !report.Proof.Verified || report.Proof.Checked != 2 {
				t.Errorf("proof %+v", report.Proof)
			}
		})
	}
}

func TestALateRequestIsOutlivedBeforeTheUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = func(operation string, _ int) fault {
		if operation == "1" {
			return hold
		}
		return none
	}
	report, err := start(t, w, []engine.Step{add("n", 3)}, engine.WithRetry(engine.RetryPolicy{Attempts: 1}))
	if !errors.Is(err, engine.ErrRolledBack) || report.Outcome != engine.OutcomeRolledBack {
		t.Fatalf("outcome %s, error %v", report.Outcome, err)
	}
	w.arrive()
	wantWorld(t, w, map[string]string{"n": "5"})
}

func TestTheLateRestOfABulkIsOutlivedBeforeTheUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.fails = func(operation string, n int) fault {
		return map[string]fault{"1 2": hold, "1 3": deny}[operation+" "+strconv.Itoa(n)]
	}
	report, err := start(t, w, []engine.Step{many("m", 3)})
	w.arrive()
	if !errors.Is(err, engine.ErrRolledBack) || !errors.Is(err, errDenied) {
		t.Errorf("outcome %s, error %v", report.Outcome, err)
	}
	wantWorld(t, w, map[string]string{})
}

func TestAnEqualObjectAfterARefusedWriteIsSomebodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.at = func(point string) {
		if point == "apply 1" { // between capture and write
			w.set("a", "1")
		}
	}
	report, err := start(t, w, []engine.Step{create("a", "1")})
	if !errors.Is(err, engine.ErrHalted) || len(report.Left) != 1 || !report.Left[0].Refused {
		t.Fatalf("outcome %s, left %+v, error %v", report.Outcome, report.Left, err)
	}
	w.at = nil
	for _, d := range []direction{resuming, rollingBack} {
		if report, err := takeUp(t.Context(), newEngine(t, w), d, run); report.Outcome != engine.OutcomeHalted {
			t.Errorf("%s: outcome %s, error %v", d, report.Outcome, err)
		}
	}
	wantWorld(t, w, map[string]string{"a": "1"})
	report, err = newEngine(t, w, engine.WithConflict(engine.ConflictSkip)).Rollback(t.Context(), run)
	if err != nil || !report.Operations[0].Skipped || len(report.Proof.Conflicts) != 1 {
		t.Errorf("skipping: report %+v, error %v", report, err)
	}
	wantWorld(t, w, map[string]string{"a": "1"})
}

func TestAFailedUndoShowsBothErrorsAndCanBeResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.fails = firstWrite("1/undo/1", deny)
	report, err := start(t, w, []engine.Step{create("a", "1"), broken("b")})
	failed, ok := errors.AsType[*engine.RunError](err)
	if !ok || report.Outcome != engine.OutcomeHalted || report.Err == nil || report.UndoErr == nil {
		t.Fatalf("outcome %s, error %v", report.Outcome, err)
	}
	text := failed.Error()
	if !strings.Contains(text, "operation 2 (broken") || !strings.Contains(text, "operation 1/undo/1 (remove") ||
		strings.Index(text, "operation 2") > strings.Index(text, "operation 1/undo/1") {
		t.Errorf("error %q, want both, the original first", text)
	}
	report, err = newEngine(t, w).Resume(t.Context(), run)
	if !errors.Is(err, engine.ErrRolledBack) || !strings.Contains(err.Error(), errDenied.Error()) || report.Outcome != engine.OutcomeRolledBack {
		t.Errorf("outcome %s, error %v", report.Outcome, err)
	}
	wantWorld(t, w, map[string]string{})
}

func TestAnIrreversibleStepStopsTheUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"old": "red"})
	steps := []engine.Step{create("a", "1"), final("old"), broken("b")}
	plan := planOf(t, steps...)
	if plan.Operations[1].Irreversible == "" || plan.Operations[0].Irreversible != "" {
		t.Errorf("plan %+v, want the second marked irreversible", plan)
	}
	report, err := start(t, w, steps)
	if !errors.Is(err, engine.ErrHalted) || !errors.Is(err, engine.ErrIrreversible) {
		t.Errorf("outcome %s, error %v", report.Outcome, err)
	}
	wantWorld(t, w, map[string]string{"a": "1"})
}

func TestAStepThatNothingTellsOf(t *testing.T) {
	t.Parallel()
	t.Run("is undone when it was applied, and is unproven", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		report, err := start(t, w, []engine.Step{blind("a", "1"), broken("b")})
		if !errors.Is(err, engine.ErrRolledBack) || len(report.Proof.Unproven) != 1 {
			t.Errorf("report %+v, error %v", report.Proof, err)
		}
		wantWorld(t, w, map[string]string{})
	})
	t.Run("halts both ways when its outcome is unknown", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		w.crashAt("effect 1")
		crashing(func() { _, _ = start(t, w, []engine.Step{blind("a", "1")}) })
		for _, d := range []direction{resuming, rollingBack} {
			_, err := takeUp(t.Context(), newEngine(t, w), d, run)
			if !errors.Is(err, engine.ErrHalted) || !errors.Is(err, engine.ErrUnknownOutcome) {
				t.Errorf("%s: error %v", d, err)
			}
		}
		wantWorld(t, w, map[string]string{"a": "1"})
	})
}

func TestAJournalFailureStopsWithoutCompensating(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		for number := 1; ; number++ {
			w := newWorld(map[string]string{"n": "5"})
			seen := 0
			w.store.fails = func(journal.Record) (error, bool) {
				if seen++; seen == number { // once: whatever comes after would succeed
					return journal.ErrFull, stored
				}
				return nil, false
			}
			before := 0
			w.at = func(point string) {
				if strings.HasPrefix(point, "request") && seen >= number {
					before++
				}
			}
			report, err := start(t, w, []engine.Step{create("a", "1"), add("n", 1), broken("b")})
			if seen < number {
				break
			}
			if !errors.Is(err, engine.ErrInterrupted) || !errors.Is(err, engine.ErrJournal) || !errors.Is(err, journal.ErrFull) {
				t.Fatalf("append %d: outcome %s, error %v", number, report.Outcome, err)
			}
			if before > 0 || seen > number {
				t.Errorf("append %d: %d requests and %d appends after the journal had failed", number, before, seen-number)
			}
			w.store.fails, w.at = nil, nil
			if _, err := newEngine(t, w).Rollback(t.Context(), run); err != nil &&
				!errors.Is(err, journal.ErrNoRun) && !errors.Is(err, engine.ErrFinished) {
				t.Errorf("append %d: rollback: %v", number, err)
			}
			wantWorld(t, w, map[string]string{"n": "5"})
		}
	}
}

func TestALostGuardStopsEverything(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		w := newWorld(nil)
		calls, lost := 0, errors.New("lease lost")
		guard := func(context.Context) error {
			if calls++; calls > n {
				return lost
			}
			return nil
		}
		requests := 0
		w.at = func(point string) {
			if strings.HasPrefix(point, "request") {
				requests++
			}
		}
		_, err := start(t, w, []engine.Step{create("a", "1"), create("b", "2"), broken("c")}, engine.WithGuard(guard))
		if !errors.Is(err, engine.ErrInterrupted) || !errors.Is(err, engine.ErrGuard) || !errors.Is(err, lost) {
			t.Errorf("guard lost at call %d: error %v", n+1, err)
		}
		if requests > n {
			t.Errorf("guard lost at call %d: %d requests", n+1, requests)
		}
	}
}

func TestRetryHonoursTheServerTheBudgetAndTheAttempts(t *testing.T) {
	t.Parallel()
	t.Run("waits grow with jitter up to the budget", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		w.fails = func(operation string, _ int) fault { return busy }
		began := w.clock.Now()
		report, err := start(t, w, []engine.Step{create("a", "1")}, engine.WithRetry(engine.RetryPolicy{Budget: time.Minute}))
		if !errors.Is(err, engine.ErrRolledBack) || !errors.Is(err, errBusy) {
			t.Fatalf("error %v", err)
		}
		if spent := w.clock.Now().Sub(began); spent > time.Minute || spent < 30*time.Second {
			t.Errorf("spent %s of a minute", spent)
		}
		if waits := w.clock.waits; len(waits) != report.Attempts-1 || waits[len(waits)-1] < 4*waits[0] {
			t.Errorf("%d attempts, waits %v", report.Attempts, waits)
		}
	})
	t.Run("Retry-After is the least wait", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		w.fails = firstWrite("1", later)
		var asked time.Duration
		_, err := start(t, w, []engine.Step{create("a", "1")}, engine.WithObserver(engine.ObserverFunc(func(event engine.Event) {
			if event.Reason == engine.WaitRetryAfter {
				asked = event.Wait
			}
		})))
		if err != nil || asked != 37*time.Second || !slices.Equal(w.clock.waits, []time.Duration{asked}) {
			t.Errorf("asked for %s, waited %v, error %v", asked, w.clock.waits, err)
		}
	})
	t.Run("Retry-After beyond the budget is not waited for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		w.fails = firstWrite("1", later)
		_, err := start(t, w, []engine.Step{create("a", "1")}, engine.WithRetry(engine.RetryPolicy{Budget: 30 * time.Second}))
		if !errors.Is(err, engine.ErrRolledBack) || len(w.clock.waits) != 0 {
			t.Errorf("waited %v, error %v", w.clock.waits, err)
		}
	})
	t.Run("attempts are counted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(nil)
		w.fails = func(string, int) fault { return busy }
		report, err := start(t, w, []engine.Step{create("a", "1")}, engine.WithRetry(engine.RetryPolicy{Attempts: 3}))
		if !errors.Is(err, errBusy) || report.Operations[0].Attempts != 3 {
			t.Errorf("%d attempts, error %v", report.Operations[0].Attempts, err)
		}
	})
}
