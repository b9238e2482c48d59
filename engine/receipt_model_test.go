package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// TestIncrementsUnderReceiptsActExactlyOnceWhateverHappens runs random
// increments of one counter, while somebody else increments it too, under lost,
// late and refused commits, crashes, failures of the journal and of the
// receipts, and second holders that take the run over while the first is still
// on its way. No look at the counter can tell what has acted; the receipts do.
func TestIncrementsUnderReceiptsActExactlyOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(map[string]string{"n": "100"})
		model := &counting{t: t, w: w}
		ours := model.plan()
		plan, err := engine.NewPlan(ours.steps, engine.PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		outcome := model.attempt(func(e *engine.Engine) (engine.Report, error) {
			return e.Run(t.Context(), engine.Request{Run: run, Plan: plan})
		})
		for tries := 0; !journal.Status(outcome).Final(); tries++ {
			if tries > 9 {
				t.Fatalf("no end: %s", outcome)
			}
			model.quiet = tries > 3
			w.online()
			d := rapid.SampledFrom([]direction{resuming, rollingBack}).Draw(t, "direction")
			outcome = model.attempt(func(e *engine.Engine) (engine.Report, error) { return takeUp(t.Context(), e, d, run) })
		}
		w.arrive() // whatever was still on its way
		want := 100 + model.theirs
		if outcome == engine.OutcomeApplied {
			want += ours.sum
		}
		if got := w.objects["n"]; got != strconv.Itoa(want) {
			t.Fatalf("%s: n is %s, want %d (theirs %d, ours %d), receipts %v, effects %v", outcome, got, want, model.theirs, ours.sum, w.receipts, w.effects)
		}
		for _, d := range w.clock.waits {
			if d == quarantine {
				t.Fatal("it waited for a quarantine")
			}
		}
	})
}

// counting is a random life of a counter.
type counting struct {
	t      *rapid.T
	w      *world
	theirs int  // what somebody else has added
	quiet  bool // no more trouble
}

type increments struct {
	steps []engine.Step
	sum   int
}

func (c *counting) plan() increments {
	var drawn increments
	for range rapid.IntRange(1, 4).Draw(c.t, "increments") {
		n := rapid.IntRange(1, 9).Draw(c.t, "n")
		drawn.steps, drawn.sum = append(drawn.steps, add("n", n)), drawn.sum+n
	}
	if rapid.Bool().Draw(c.t, "fails") {
		drawn.steps = append(drawn.steps, broken("b"))
	}
	return drawn
}

// trouble draws what will go wrong, and when.
func (c *counting) trouble() receipts {
	kept := receipts{world: c.w}
	c.w.at, c.w.fails, c.w.store.fails = nil, nil, nil
	if c.quiet {
		return kept
	}
	faults := rapid.SliceOfN(rapid.SampledFrom([]fault{none, none, busy, lose, drop, hold, deny, silent}), 0, 5).Draw(c.t, "faults")
	c.w.fails = func(string, int) fault {
		if len(faults) == 0 {
			return none
		}
		next := faults[0]
		faults = faults[1:]
		return next
	}
	calls := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 2}), 0, 6).Draw(c.t, "receipt calls")
	kept.fails = func(string) (error, bool) {
		if len(calls) == 0 {
			return nil, false
		}
		next := calls[0]
		calls = calls[1:]
		if next == 0 {
			return nil, false
		}
		return errLost, next == 2
	}
	crashAt, adds := rapid.IntRange(0, 60).Draw(c.t, "crash"), rapid.SliceOfN(rapid.IntRange(1, 60), 0, 4).Draw(c.t, "others")
	arrivals := rapid.SliceOfN(rapid.IntRange(1, 60), 0, 3).Draw(c.t, "arrivals")
	overtaken, second := rapid.IntRange(0, 60).Draw(c.t, "overtaken"), rapid.SampledFrom([]direction{resuming, rollingBack}).Draw(c.t, "second")
	seen := 0
	c.w.at = func(point string) {
		seen++
		for _, at := range adds {
			if at == seen {
				c.theirs += 1000
				c.w.set("n", plus(c.w.objects["n"], 1000))
			}
		}
		for _, at := range arrivals {
			if at == seen {
				c.w.arrive()
			}
		}
		if seen == overtaken {
			c.overtake(second)
		}
		if seen == crashAt {
			panic(crash{point})
		}
	}
	return kept
}

// overtake is another holder that takes the run up, to its end, while the first
// one pauses at a boundary; the first one then goes on without a lease to stop it.
func (c *counting) overtake(d direction) {
	at, fails := c.w.at, c.w.fails
	c.w.at, c.w.fails = nil, nil
	e, err := engine.New(c.w.store, signedCodec{codec{c.w}}, engine.WithClock(c.w.clock), engine.WithClassifier(classify),
		engine.WithQuarantine(quarantine), engine.WithReceipts(receipts{world: c.w}), engine.WithRetry(engine.RetryPolicy{Budget: time.Minute}))
	if err != nil {
		c.t.Fatal(err)
	}
	_, _ = takeUp(context.Background(), e, d, run)
	c.w.at, c.w.fails = at, fails
}

// attempt makes one call and says where the run stands.
func (c *counting) attempt(call func(*engine.Engine) (engine.Report, error)) engine.Outcome {
	e, err := engine.New(c.w.store, signedCodec{codec{c.w}}, engine.WithClock(c.w.clock), engine.WithClassifier(classify),
		engine.WithQuarantine(quarantine), engine.WithReceipts(c.trouble()), engine.WithRetry(engine.RetryPolicy{Budget: time.Minute}))
	if err != nil {
		c.t.Fatal(err)
	}
	var report engine.Report
	crashed := crashing(func() { report, err = call(e) })
	c.w.at = nil
	switch {
	case crashed != nil:
		return engine.OutcomeInterrupted
	case errors.Is(err, engine.ErrFinished):
		state, stateErr := e.State(context.Background(), run)
		if stateErr != nil {
			c.t.Fatal(stateErr)
		}
		return engine.Outcome(state.Status)
	case errors.Is(err, journal.ErrNoRun):
		return engine.OutcomeRolledBack
	case report.Outcome == "":
		c.t.Fatalf("no outcome: %v", err)
	case report.Outcome == engine.OutcomeHalted && !errors.Is(report.UndoErr, errDenied):
		c.t.Fatalf("halted without a foreigner: %v", fmt.Errorf("%w: %w", err, report.UndoErr))
	}
	return report.Outcome
}
