package randomtest_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// TestRandomMigrationsEndWholeOrUndone runs random migrations with random
// faults on the way, at the server and in the process, and holds what the
// server shows in the end against the model. What they lead to does not depend
// on the order in which things happen, so it is the same for a seed.
func TestRandomMigrationsEndWholeOrUndone(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for stream := range streams { //nolint:paralleltest // side by side, however few processors there are
		running.Go(func() {
			t.Run(strconv.Itoa(stream), func(t *testing.T) { runStream(t, stream) })
		})
	}
	running.Wait()
}

func runStream(t *testing.T, stream int) {
	t.Helper()
	counts := map[string]int{}
	folder := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SliceOfN(rapid.Bool(), stream, stream).Draw(rt, "stream") // one seed, another case in each stream
		path := ""
		if n++; n%25 == 1 { // some in a real journal, most without waiting for a disk
			path = filepath.Join(folder, strconv.Itoa(n))
		}
		w := newWorld(rt, path)
		outcome, halted, crashed := w.play(rt)
		counts[string(outcome)]++
		if halted {
			counts["after a halt"]++
		}
		if crashed {
			counts["after a crash"]++
		}
	})
	if livetest.SearchFiles(t, folder) == 0 {
		t.Error("no journal was left that could hold the API key")
	}
	t.Logf("%d migrations: %v", n, counts)
}

// play prepares a project, then runs one migration against it under faults
// until it has ended, and checks what is there.
func (w *world) play(rt *rapid.T) (outcome engine.Outcome, halted, crashed bool) {
	ctx := context.Background()
	before := randomtest.NewModel(w.space.ID, w.fills)
	w.run(rt, w.engine(rt, w.store), randomtest.Migration(rt, before, rapid.IntRange(1, 8).Draw(rt, "prepared")))
	w.compare(rt, "after the preparation", before)

	after := before.Clone()
	list := randomtest.Migration(rt, after, rapid.IntRange(1, 10).Draw(rt, "length"))
	broken := rapid.Bool().Draw(rt, "broken")
	if broken {
		list = append(list, randomtest.Breaking(rt, after))
	}
	plan, err := engine.NewPlan(steps.Bind(w.client, list), engine.PlanOptions{})
	require(rt, err)

	for _, operation := range plan.Operations {
		encoded, err := w.codec.Encode(operation.Effect)
		require(rt, err)
		rt.Logf("operation %s: %s", operation.ID, encoded)
	}
	removeFaults := w.faults(rt)
	store := w.store
	if rapid.Bool().Draw(rt, "crash") {
		c := &crashing{Store: w.store, after: rapid.Bool().Draw(rt, "stored")}
		c.left.Store(rapid.Int64Range(1, int64(3*len(list)+4)).Draw(rt, "append"))
		store = c
	}
	report, err := w.engine(rt, store).Run(ctx, engine.Request{Migration: "random", Direction: "up", Plan: plan})
	back := rapid.Bool().Draw(rt, "back")
	for round := 0; unfinished(err); round++ {
		halted = halted || errors.Is(err, engine.ErrHalted)
		crashed = crashed || errors.Is(err, errCrash)
		if round == 1 {
			removeFaults()
		}
		if round == 6 {
			rt.Fatalf("still unfinished after %d rounds: %v\nleft: %+v\nproof: %+v", round, err, report.Left, report.Proof)
		}
		report, err = w.again(rt, report, back)
	}
	removeFaults()
	switch report.Outcome {
	case engine.OutcomeApplied:
		if broken {
			rt.Fatalf("a migration that cannot finish was applied")
		}
		w.compare(rt, "after it was applied", after)
	case engine.OutcomeRolledBack:
		if report.Proof == nil || !report.Proof.Verified {
			rt.Fatalf("rolled back without proof: %+v", report.Proof)
		}
		w.compareUndone(rt, "after it was rolled back", before)
	default:
		rt.Fatalf("ended %q: %v", report.Outcome, err)
	}
	return report.Outcome, halted, crashed
}

// again takes an unfinished run up in a new engine over the same journal. A
// run that crashed before its first record is none.
func (w *world) again(rt *rapid.T, report engine.Report, back bool) (engine.Report, error) {
	e := w.engine(rt, w.store)
	runs, err := w.store.Runs(context.Background())
	require(rt, err)
	last := runs[len(runs)-1]
	if last.Migration != "random" {
		return engine.Report{Outcome: engine.OutcomeRolledBack, Proof: &journal.Proof{Verified: true}}, nil
	}
	if last.Status == journal.StatusApplied {
		return engine.Report{Outcome: engine.OutcomeApplied}, nil
	}
	if last.Status == journal.StatusRolledBack {
		return engine.Report{Outcome: engine.OutcomeRolledBack, Proof: &journal.Proof{Verified: true}}, nil
	}
	if back || report.Undoing {
		report, err := e.Rollback(context.Background(), last.Run)
		return report, err
	}
	return e.Resume(context.Background(), last.Run)
}
