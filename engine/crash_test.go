package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// scenario is a plan over a world, and what the world must be when it is applied.
type scenario struct {
	name    string
	objects map[string]string
	steps   []engine.Step
	applied map[string]string // nil: the plan cannot be applied
	engine  func(testing.TB, *world, ...engine.Option) *engine.Engine
}

// scenarios are plans of one to four steps of every kind, each once as it is
// and once followed by a step that fails, so that the undo is crashed as well.
func scenarios() []scenario {
	objects := map[string]string{"n": "5", "old": "red", "doc": "blue", "heap": "sand"}
	with := func(changes map[string]string, without ...string) map[string]string {
		after := maps.Clone(objects)
		maps.Copy(after, changes)
		for _, key := range without {
			delete(after, key)
		}
		return after
	}
	all := []scenario{
		{name: "one create", steps: []engine.Step{create("a", "1")}, applied: with(map[string]string{"a": "1"})},
		{name: "one increment", steps: []engine.Step{add("n", 3)}, applied: with(map[string]string{"n": "8"})},
		{name: "one bulk", steps: []engine.Step{many("m", 2)}, applied: with(map[string]string{"m1": "m", "m2": "m"})},
		{
			name: "two: slow, then inside it", steps: []engine.Step{slow("c", "box"), create("c/x", "1")},
			applied: with(map[string]string{"c": "box", "c/x": "1"}),
		},
		{
			name: "two increments of one counter", steps: []engine.Step{add("n", 3), add("n", 4)},
			applied: with(map[string]string{"n": "12"}),
		},
		{
			name: "three: discard, recreate, check", steps: []engine.Step{discard("old"), create("old", "new"), check("doc")},
			applied: with(map[string]string{"old": "new"}),
		},
		{
			name: "three: bulk, update, update", steps: []engine.Step{many("m", 2), set("doc", "green"), set("doc", "grey")},
			applied: with(map[string]string{"m1": "m", "m2": "m", "doc": "grey"}),
		},
		{
			name: "four of all kinds", steps: []engine.Step{slow("c", "box"), add("n", 1), discard("old"), remove("heap")},
			applied: with(map[string]string{"c": "box", "n": "6"}, "old", "heap"),
		},
	}
	all = append(all, scenario{
		name: "two: an update that changes nothing, create", steps: []engine.Step{set("doc", "blue"), create("a", "1")},
		applied: with(map[string]string{"a": "1"}),
	})
	for _, s := range all {
		s.name, s.steps, s.applied = s.name+", then a failure", append(append([]engine.Step{}, s.steps...), broken("b")), nil
		all = append(all, s)
	}
	for i := range all {
		all[i].objects, all[i].engine = objects, newEngine
	}
	return all
}

type direction string

const (
	resuming    direction = "resume"
	rollingBack direction = "rollback"
)

// takeUp goes on with a run in either direction.
func takeUp(ctx context.Context, e *engine.Engine, d direction, run string) (engine.Report, error) {
	if d == resuming {
		return e.Resume(ctx, run)
	}
	return e.Rollback(ctx, run)
}

const run = "run"

// TestACrashAtEveryBoundaryIsRecoveredBothWays crashes a run at every boundary
// there is, goes on with it in either direction, crashes that at every
// boundary as well, and goes on once more.
func TestACrashAtEveryBoundaryIsRecoveredBothWays(t *testing.T) {
	t.Parallel()
	var points, pairs atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d crash points, %d pairs of crash points: no violation", points.Load(), pairs.Load())
	})
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for first := 1; s.crashOnce(t, first, &points, &pairs); first++ {
			}
		})
	}
}

// crashOnce crashes the run at a boundary and goes on with it, without another
// crash and with one at every boundary. It reports whether there was such a
// boundary.
func (s scenario) crashOnce(t *testing.T, point int, points, pairs *atomic.Int64) bool {
	t.Helper()
	w := newWorld(s.objects)
	plan, err := engine.NewPlan(s.steps, engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.crashAtNumber(point)
	crashed := crashing(func() { _, _ = s.engine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: plan}) })
	if crashed == nil {
		return false
	}
	stride := s.stride()
	for _, d := range []direction{resuming, rollingBack} {
		story := fmt.Sprintf("crash %d (%s), %s", point, crashed.point, d)
		s.finish(t, w.clone(), d, story)
		points.Add(1)
		for second := 1 + point%stride; ; second += stride {
			again := w.clone()
			again.crashAtNumber(second)
			crashed := crashing(func() { _, _ = takeUp(t.Context(), s.engine(t, again), d, run) })
			if crashed == nil {
				break
			}
			for _, then := range []direction{resuming, rollingBack} {
				s.finish(t, again.clone(), then, fmt.Sprintf("%s, crash %d (%s), %s", story, second, crashed.point, then))
				pairs.Add(1)
			}
		}
	}
	return true
}

// stride thins out the pairs of crash points of the longer plans, every one of
// them crashing elsewhere; BACKSTEP_SOAK=1 tries them all.
func (s scenario) stride() int {
	if len(s.steps) <= 2 || os.Getenv("BACKSTEP_SOAK") != "" {
		return 1
	}
	return 11
}

// finish goes on with a crashed run and checks the promises on the world.
func (s scenario) finish(t *testing.T, w *world, d direction, story string) {
	t.Helper()
	e := s.engine(t, w)
	report, err := takeUp(t.Context(), e, d, run)
	outcome := report.Outcome
	switch {
	case errors.Is(err, journal.ErrNoRun):
		outcome = engine.OutcomeRolledBack // it never began
	case errors.Is(err, engine.ErrFinished):
		state, stateErr := e.State(t.Context(), run)
		if stateErr != nil {
			t.Fatalf("%s: %v", story, stateErr)
		}
		outcome = engine.Outcome(state.Status)
	case err != nil && !errors.Is(err, engine.ErrRolledBack):
		t.Fatalf("%s: %v", story, err)
	}
	want := s.objects
	if outcome == engine.OutcomeApplied {
		want = s.applied
	} else if outcome != engine.OutcomeRolledBack {
		t.Fatalf("%s: outcome %q", story, outcome)
	}
	if diff := cmp.Diff(want, w.snapshot()); diff != "" {
		t.Fatalf("%s: %s, but the world differs (-want +got):\n%s", story, outcome, diff)
	}
	if len(w.early) > 0 {
		t.Fatalf("%s: written before the journal knew: %v", story, w.early)
	}
	if report.Proof != nil && !report.Proof.Verified {
		t.Fatalf("%s: proof %+v", story, report.Proof)
	}
	if d == rollingBack && err == nil && (outcome != engine.OutcomeRolledBack || report.Proof == nil) {
		t.Fatalf("%s: outcome %s, proof %v", story, outcome, report.Proof)
	}
}
