package randomtest_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal"
)

// streams run side by side, as far as there are processors.
const streams = 10

// TestRandomMigrationsEndWholeOrUndone runs random migrations with random
// faults on the way, at the server and in the process, and holds what the
// server shows in the end against the model. What they lead to does not depend
// on the order in which things happen, so it is the same for a seed.
func TestRandomMigrationsEndWholeOrUndone(t *testing.T) {
	t.Parallel()
	for stream := range streams {
		t.Run(strconv.Itoa(stream), func(t *testing.T) {
			t.Parallel()
			runStream(t, stream)
		})
	}
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
		newWorld(rt, path).play(rt, counts)
	})
	if livetest.SearchFiles(t, folder) == 0 {
		t.Error("no journal was left that could hold the API key")
	}
	t.Logf("%d migrations: %v", n, counts)
}

// play prepares a project, then runs one migration against it under faults
// until it has ended, and checks what is there.
func (w *world) play(rt *rapid.T, counts map[string]int) {
	before := randomtest.NewModel(w.space.ID, w.fills)
	w.prepare(rt, randomtest.Migration(rt, before, rapid.IntRange(1, 8).Draw(rt, "prepared")))
	w.compare(rt, "after the preparation", before)

	after := before.Clone()
	list := randomtest.Migration(rt, after, rapid.IntRange(1, 10).Draw(rt, "length"))
	broken := rapid.Bool().Draw(rt, "broken")
	if broken {
		list = append(list, randomtest.Breaking(rt, after))
	}
	trouble := randomtest.Troubles(rt, len(list))
	calm := w.upsetWorker(rt)
	p := w.process(rt, trouble)
	report, err := p.engine.Run(context.Background(), engine.Request{Migration: "random", Direction: "up", Plan: p.plan(rt, list)})
	back := rapid.Bool().Draw(rt, "back")
	for round := 0; unfinished(err); round++ {
		counts["after a halt"] += count(errors.Is(err, engine.ErrHalted))
		counts["after a crash"] += count(p.fuse.Blown())
		switch round {
		case 0:
			trouble.Crash(rt, len(list))
		case 1:
			trouble.Over()
			calm()
		case 6:
			rt.Fatalf("still unfinished after %d rounds: %v\nleft: %+v\nproof: %+v", round, err, report.Left, report.Proof)
		}
		var opts []engine.Option
		if round > 3 && w.fills && filledIn(report) {
			counts["decided by a person"]++
			opts = append(opts, engine.WithConflict(engine.ConflictOverwrite))
		}
		p = w.process(rt, trouble, opts...)
		report, err = w.again(p, report, back)
	}
	calm()
	counts[string(report.Outcome)]++
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
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// filledIn says whether a run halted at a document that is another one than it
// was. Where writing fills nulls with defaults, a run's own undo can come to
// that: what it re-creates gets a default that was null before. It takes that
// for somebody else's change, since only a person can know.
func filledIn(report engine.Report) bool {
	for _, left := range report.Left {
		if strings.HasPrefix(left.Target, "document ") && left.Found == engine.StateForeign.String() {
			return true
		}
	}
	return false
}

// again takes an unfinished run up in another process. A run that crashed
// before its first record is none.
func (w *world) again(p *process, report engine.Report, back bool) (engine.Report, error) {
	runs, err := w.store.Runs(context.Background())
	if err != nil {
		return report, err
	}
	last := runs[len(runs)-1]
	switch {
	case last.Migration != "random", last.Status == journal.StatusRolledBack:
		return engine.Report{Outcome: engine.OutcomeRolledBack, Proof: &journal.Proof{Verified: true}}, nil
	case last.Status == journal.StatusApplied:
		return engine.Report{Outcome: engine.OutcomeApplied}, nil
	case back || report.Undoing:
		return p.engine.Rollback(context.Background(), last.Run)
	default:
		return p.engine.Resume(context.Background(), last.Run)
	}
}

func unfinished(err error) bool {
	return err != nil && !errors.Is(err, engine.ErrRolledBack)
}
