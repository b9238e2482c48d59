package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// TestACrashAtEveryBoundaryIsRecoveredByReceipts is the crash matrix of a plan
// of documents that commit with receipts: every boundary, twice in a row, both
// ways. Nothing of it ever waits for a quarantine.
func TestACrashAtEveryBoundaryIsRecoveredByReceipts(t *testing.T) {
	t.Parallel()
	var points, pairs atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d crash points, %d pairs of crash points: no violation", points.Load(), pairs.Load())
	})
	for _, s := range scenarios() {
		kinds := make([]string, 0, len(s.steps))
		for _, step := range s.steps {
			kinds = append(kinds, step.Kind())
		}
		if slices.Contains(kinds, "slow") || slices.Contains(kinds, "many") || slices.Contains(kinds, "discard") {
			continue
		}
		s.engine = func(tb testing.TB, w *world, opts ...engine.Option) *engine.Engine {
			tb.Helper()
			tb.Cleanup(func() {
				if slices.Contains(w.clock.waits, quarantine) {
					tb.Errorf("%s: waited for a quarantine", s.name)
				}
			})
			return newSigningEngine(tb, w, opts...)
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for first := 1; s.crashOnce(t, first, &points, &pairs); first++ {
			}
		})
	}
}

func TestALateCommitOfARevokedReceiptNeverTakesEffect(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{resuming, rollingBack} {
		w := newWorld(map[string]string{"n": "5"})
		w.fails = func(string, int) fault { // the commit is on its way when the process dies
			w.late = append(w.late, func() {})
			return hold
		}
		w.at = func(point string) {
			if point == "revoke 1" {
				panic(crash{point})
			}
		}
		request := engine.Request{Run: run, Plan: planOf(t, add("n", 3))}
		if crashing(func() { _, _ = newSigningEngine(t, w).Run(t.Context(), request) }) == nil {
			t.Fatal("it did not crash")
		}
		w.at, w.fails = nil, nil
		_, err := takeUp(t.Context(), newSigningEngine(t, w), d, run)
		if err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		w.arrive()
		want := map[direction]string{resuming: "8", rollingBack: "5"}[d]
		wantWorld(t, w, map[string]string{"n": want})
		if len(w.clock.waits) > 0 && slices.Contains(w.clock.waits, quarantine) {
			t.Errorf("%s: it waited for a quarantine", d)
		}
	}
}

func TestALostAnswerIsDecidedByRevokingInTheSameProcess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   fault
		adopted bool
	}{
		"it had acted":                       {lose, true},
		"it never arrived":                   {drop, false},
		"it arrives after it was revoked":    {hold, false},
		"it was refused before it had acted": {busy, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"n": "5"})
			w.fails = func(_ string, n int) fault {
				if n == 1 {
					return c.fault
				}
				return none
			}
			report, err := newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, add("n", 3))})
			if err != nil || report.Operations[0].Adopted != c.adopted {
				t.Fatalf("adopted %t, error %v", report.Operations[0].Adopted, err)
			}
			w.arrive()
			wantWorld(t, w, map[string]string{"n": "8"})
			if w.committed() != 1 || slices.Contains(w.clock.waits, quarantine) {
				t.Errorf("%d receipts are applied, waits %v", w.committed(), w.clock.waits)
			}
		})
	}
}

func TestAnEffectThatItsReceiptTellsOfIsAdoptedThoughOthersHaveChangedItSince(t *testing.T) {
	t.Parallel()
	crashed := func() *world {
		w := newWorld(map[string]string{"doc": "blue", "keep": "k"})
		w.crashAt("effect 1")
		request := engine.Request{Run: run, Plan: planOf(t, set("doc", "green"), create("a", "1"))}
		if crashing(func() { _, _ = newSigningEngine(t, w).Run(t.Context(), request) }) == nil {
			t.Fatal("it did not crash")
		}
		w.set("doc", "theirs")
		return w
	}
	w := crashed()
	report, err := newSigningEngine(t, w).Resume(t.Context(), run)
	if err != nil || !report.Operations[0].Adopted || report.Operations[0].Notice == "" {
		t.Errorf("resume: %v, %+v; want it adopted, with a notice", err, report.Operations[0])
	}
	wantWorld(t, w, map[string]string{"doc": "theirs", "keep": "k", "a": "1"})

	w = crashed()
	report, err = newSigningEngine(t, w).Rollback(t.Context(), run)
	if !errors.Is(err, engine.ErrHalted) || len(report.Conflicts) != 1 {
		t.Errorf("rollback: %v, conflicts %v; want it halted on one", err, report.Conflicts)
	}
	wantWorld(t, w, map[string]string{"doc": "theirs", "keep": "k"})

	w = crashed()
	if _, err = newSigningEngine(t, w, engine.WithConflict(engine.ConflictOverwrite)).Rollback(t.Context(), run); err != nil {
		t.Errorf("rollback that overwrites: %v", err)
	}
	wantWorld(t, w, map[string]string{"doc": "blue", "keep": "k"})
}

func TestANewHolderRevokesWhatIsOpenBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	for open, plan := range map[string][]engine.Step{
		"1":        {add("n", 3)},
		"1/undo/1": {add("n", 3), broken("b")},
	} {
		for _, d := range []direction{resuming, rollingBack} {
			w := newWorld(map[string]string{"n": "5"})
			w.crashAt("request " + open)
			if crashing(func() {
				_, _ = newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, plan...)})
			}) == nil {
				t.Fatal("it did not crash")
			}
			var points []string
			w.at = func(point string) { points = append(points, point) }
			if _, err := takeUp(t.Context(), newSigningEngine(t, w), d, run); err != nil && !errors.Is(err, engine.ErrRolledBack) {
				t.Fatalf("%s %s: %v", d, open, err)
			}
			if want := []string{"next " + open, "revoke " + open, "revoked " + open}; len(points) < 3 || !slices.Equal(points[:3], want) {
				t.Errorf("%s %s: it began with %v, want %v", d, open, points, want)
			}
		}
	}
}

func TestARunWhoseReceiptSomebodyElseRevokedStops(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]fault{"before the commit": none, "after a lost answer": drop} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"doc": "blue"})
			w.fails = func(string, int) fault { return fails }
			w.at = func(point string) {
				if point == "request 1" {
					w.at = nil
					receipt, _, err := receipts{world: w}.Next(t.Context(), run, "1")
					if _, err2 := (receipts{world: w}).Revoke(t.Context(), receipt); err != nil || err2 != nil {
						t.Error(err, err2)
					}
				}
			}
			report, err := newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, set("doc", "green"))})
			if !errors.Is(err, engine.ErrGuard) || report.Outcome != engine.OutcomeInterrupted {
				t.Errorf("outcome %s, error %v; want it interrupted by ErrGuard", report.Outcome, err)
			}
			if last := w.store.records[len(w.store.records)-1]; last.Type != journal.Intent {
				t.Errorf("it has written %s on its way out", last.Type)
			}
			wantWorld(t, w, map[string]string{"doc": "blue"})
		})
	}
}

func TestARacingWriterIsAConflictAndNotALostLease(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.at = func(point string) {
		if point == "apply 1" {
			w.at = nil
			w.set("a", "theirs")
		}
	}
	report, err := newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, create("a", "1"))})
	if !errors.Is(err, engine.ErrHalted) || !errors.Is(err, engine.ErrForeign) || errors.Is(err, engine.ErrGuard) {
		t.Fatalf("error %v, want it halted on something foreign", err)
	}
	if len(report.Left) != 1 || !report.Left[0].Refused {
		t.Errorf("left %+v, want the refused operation", report.Left)
	}
	report, err = newSigningEngine(t, w).Rollback(t.Context(), run)
	if err != nil || report.Outcome != engine.OutcomeRolledBack {
		t.Errorf("rollback: %s, %v; want nothing to undo", report.Outcome, err)
	}
	wantWorld(t, w, map[string]string{"a": "theirs"})
}

func TestARevocationWhoseAnswerGotLostConverges(t *testing.T) {
	t.Parallel()
	for name, acts := range map[string]bool{"after it acted": true, "before it acted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"n": "5"})
			w.fails = func(_ string, n int) fault {
				if n == 1 {
					return drop
				}
				return none
			}
			calls := 0
			kept := receipts{world: w, fails: func(call string) (error, bool) {
				if calls++; call == "revoke" && calls <= 4 {
					return errLost, acts
				}
				return nil, false
			}}
			report, err := newSigningEngine(t, w, engine.WithReceipts(kept)).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, add("n", 3))})
			if err != nil || report.Outcome != engine.OutcomeApplied {
				t.Fatalf("%s: %v", report.Outcome, err)
			}
			wantWorld(t, w, map[string]string{"n": "8"})
		})
	}
}

func TestTheNextRecordHoldsTheHashOfTheReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = func(_ string, n int) fault {
		if n == 1 {
			return drop
		}
		return none
	}
	e := newSigningEngine(t, w)
	if _, err := e.Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, add("n", 3), broken("b"))}); !errors.Is(err, engine.ErrRolledBack) {
		t.Fatal(err)
	}
	state, err := e.State(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	forward, _ := journal.Receipt{Run: run, Operation: "1", Generation: 1}.Hash()
	back, _ := journal.Receipt{Run: run, Operation: "1/undo/1", Generation: 1}.Hash()
	operation := state.Operations[0]
	if !operation.Receipted || operation.Receipt != forward || !operation.Undo[0].Receipted || operation.Undo[0].Receipt != back {
		t.Errorf("the operation is %+v", operation)
	}
}

func TestStepsThatNeedReceiptsAreRefusedBeforeAnythingHasBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	plan := planOf(t, create("a", "1"), signed{step: add("n", 3).(step)})
	if plan.Operations[1].Exacting == "" || plan.Operations[0].Exacting != "" {
		t.Errorf("the plan says %q and %q", plan.Operations[0].Exacting, plan.Operations[1].Exacting)
	}
	_, err := newSigningEngine(t, w, engine.WithReceipts(nil)).Run(t.Context(), engine.Request{Run: run, Plan: plan})
	refused, ok := errors.AsType[*engine.OperationError](err)
	if !errors.Is(err, engine.ErrRefused) || !ok || refused.Operation != "2" || len(w.store.records) > 0 {
		t.Errorf("error %v with %d records, want operation 2 refused with none", err, len(w.store.records))
	}
	wantWorld(t, w, map[string]string{"n": "5"})
}

func TestStepsThatNeedReceiptsAreDoneWithoutWhereNobodyElseWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	e := newSigningEngine(t, w, engine.WithReceipts(nil), engine.WithoutRivals())
	if _, err := e.Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, signed{step: add("n", 3).(step)})}); err != nil {
		t.Fatal(err)
	}
	wantWorld(t, w, map[string]string{"n": "8"})
}

func TestARunThatIsOpenUnderAReceiptIsRefusedWhereThereAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.crashAt("effect 1")
	if crashing(func() {
		_, _ = newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, create("a", "1"))})
	}) == nil {
		t.Fatal("it did not crash")
	}
	for _, d := range []direction{resuming, rollingBack} {
		if _, err := takeUp(t.Context(), newSigningEngine(t, w, engine.WithReceipts(nil)), d, run); !errors.Is(err, engine.ErrRefused) {
			t.Errorf("%s: error %v, want ErrRefused", d, err)
		}
	}
}

func TestClosingARunByHandRevokesWhatIsOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = func(string, int) fault { return hold }
	w.crashAt("revoke 1")
	if crashing(func() {
		_, _ = newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, add("n", 3))})
	}) == nil {
		t.Fatal("it did not crash")
	}
	w.fails = nil
	err := newSigningEngine(t, w).Resolve(t.Context(), run, engine.Resolution{Outcome: engine.OutcomeRolledBack, Reason: "looked at"})
	if err != nil {
		t.Fatal(err)
	}
	w.arrive()
	wantWorld(t, w, map[string]string{"n": "5"})
}

func TestAGuardThatFailsForbidsRevoking(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.crashAt("request 1")
	if crashing(func() {
		_, _ = newSigningEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, add("n", 3))})
	}) == nil {
		t.Fatal("it did not crash")
	}
	guard := func(context.Context) error { return fmt.Errorf("the lease is gone") }
	for _, d := range []direction{resuming, rollingBack} {
		report, err := takeUp(t.Context(), newSigningEngine(t, w, engine.WithGuard(guard)), d, run)
		if !errors.Is(err, engine.ErrGuard) || report.Outcome != engine.OutcomeInterrupted || len(w.receipts) > 0 {
			t.Errorf("%s: %s, %v, receipts %v", d, report.Outcome, err, w.receipts)
		}
	}
	if n := len(w.store.records); !strings.Contains(string(w.store.records[n-1].Type), "intent") {
		t.Errorf("it has written %s", w.store.records[n-1].Type)
	}
}
