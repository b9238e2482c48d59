package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

func TestARunThatCannotBeTakenUpIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	request := engine.Request{Run: run, Capabilities: map[string]string{"transactions": "true", "cas": "narrow", "spatial": "false"}}
	for name, tc := range map[string]struct {
		damage  func(records []journal.Record) []journal.Record
		options []engine.Option
		want    error
	}{
		"the server lost a capability": {
			options: []engine.Option{engine.WithCapabilities(map[string]string{"cas": "narrow locked", "transactions": "false"})},
			want:    engine.ErrRefused,
		},
		"the server knows less of a capability": {
			options: []engine.Option{engine.WithCapabilities(map[string]string{"cas": "none", "transactions": "true"})},
			want:    engine.ErrRefused,
		},
		"a step of an unknown kind": {
			damage: func([]journal.Record) []journal.Record {
				r, err := journal.NewRecord(journal.Tail{}, run, time.Now(), journal.RunStarted, "", journal.Started{
					Operations: []journal.Planned{{ID: "1", Step: json.RawMessage(`{"kind":"teleport","key":"a"}`)}},
				})
				if err != nil {
					panic(err)
				}
				return []journal.Record{r}
			},
			want: engine.ErrRefused,
		},
		"a record of a newer version": {
			damage: func(records []journal.Record) []journal.Record {
				records[1].V = 2
				return records
			},
			want: engine.ErrRefused,
		},
		"a damaged record": {
			damage: func(records []journal.Record) []journal.Record {
				records[1].Body = json.RawMessage(`{"before":null}`)
				return records
			},
			want: journal.ErrDamaged,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(nil)
			request := request
			request.Plan = planOf(t, create("a", "1"), create("b", "2"))
			w.crashAt("after applied 1")
			crashing(func() { _, _ = newEngine(t, w).Run(t.Context(), request) })
			if tc.damage != nil {
				w.store.records = tc.damage(slices.Clone(w.store.records))
			}
			before := len(w.store.records)
			requests := 0
			w.at = func(string) { requests++ }
			for _, d := range []direction{resuming, rollingBack} {
				if _, err := takeUp(t.Context(), newEngine(t, w, tc.options...), d, run); !errors.Is(err, tc.want) {
					t.Errorf("%s: error %v, want %v", d, err, tc.want)
				}
			}
			if requests > 0 || len(w.store.records) != before {
				t.Errorf("%d boundaries passed, %d records added", requests, len(w.store.records)-before)
			}
		})
	}
}

func TestABetterServerTakesUpARun(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	w.crashAt("after applied 1")
	crashing(func() {
		_, _ = newEngine(t, w).Run(t.Context(), engine.Request{
			Run: run, Plan: planOf(t, create("a", "1")), Capabilities: map[string]string{"cas": "narrow", "spatial": "false"},
		})
	})
	better := engine.WithCapabilities(map[string]string{"cas": "narrow locked", "spatial": "true"})
	if _, err := newEngine(t, w, better).Resume(t.Context(), run); err != nil {
		t.Error(err)
	}
}

func TestAPlanThatCannotBeWrittenDownIsRefusedBeforeAnythingActs(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]engine.Plan{
		"a step the codec does not know": {Operations: []engine.Operation{{ID: "1", Effect: discard("a")}}},
		"two operations of one id":       {Operations: []engine.Operation{{ID: "1", Effect: create("a", "1")}, {ID: "1", Effect: create("b", "1")}}},
		"an operation without a step":    {Operations: []engine.Operation{{ID: "1"}}},
		"an id with a slash":             {Operations: []engine.Operation{{ID: "1/undo/1", Effect: create("a", "1")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(nil)
			if _, err := newEngine(t, w).Run(t.Context(), engine.Request{Plan: plan}); !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			if len(w.store.records) > 0 {
				t.Error("something was recorded")
			}
		})
	}
}

func TestARunCannotBeBegunTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	if _, err := start(t, w, []engine.Step{create("a", "1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := start(t, w, []engine.Step{create("b", "1")}); !errors.Is(err, engine.ErrInvalid) || !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v", err)
	}
	wantWorld(t, w, map[string]string{"a": "1"})
}

func TestInverseTakesAnAppliedRunBackAsARunOfItsOwn(t *testing.T) {
	t.Parallel()
	objects := map[string]string{"n": "5", "old": "red"}
	w := newWorld(objects)
	if _, err := start(t, w, []engine.Step{create("a", "1"), add("n", 3), check("n"), discard("old"), many("m", 2)}); err != nil {
		t.Fatal(err)
	}
	up := w.snapshot()
	steps, err := newEngine(t, w).Inverse(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	down := w.clone()
	down.store.records = nil
	if _, err := start(t, down, steps); err != nil {
		t.Fatal(err)
	}
	wantWorld(t, down, objects)
	// A down that cannot finish puts the up back.
	failing := w.clone()
	failing.store.records = nil
	if _, err := start(t, failing, append(slices.Clone(steps), broken("b"))); !errors.Is(err, engine.ErrRolledBack) {
		t.Fatal(err)
	}
	wantWorld(t, failing, up)
}

func TestInverseNamesTheOperationThatHasNone(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"old": "red"})
	if _, err := start(t, w, []engine.Step{create("a", "1"), final("old")}); err != nil {
		t.Fatal(err)
	}
	_, err := newEngine(t, w).Inverse(t.Context(), run)
	if named, ok := errors.AsType[*engine.OperationError](err); !errors.Is(err, engine.ErrIrreversible) || !ok || named.Operation != "2" {
		t.Errorf("error %v", err)
	}
}

func TestTheReportAndTheEventsTellTheWholeStory(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = firstWrite("1", busy)
	var kinds []engine.EventKind
	var phases []string
	observer := engine.ObserverFunc(func(event engine.Event) {
		kinds = append(kinds, event.Kind)
		if event.Kind == engine.EventOperation {
			phases = append(phases, event.Operation+" "+string(event.Phase))
		}
		if event.Run != run || event.Total != 2 || event.Time.IsZero() {
			t.Errorf("event %+v", event)
		}
	})
	report, err := start(t, w, []engine.Step{add("n", 3), broken("b")}, engine.WithObserver(observer))
	if !errors.Is(err, errDenied) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"1 capture", "1 intent", "1 apply", "1 settle", "1 record", "1 done",
		"2 capture", "2 intent", "2 apply", "2 failed",
		"2 undo", "2 probe", "2 done",
		"1 undo", "1 probe", "1/undo/1 capture", "1/undo/1 probe", "1/undo/1 intent", "1/undo/1 apply", "1/undo/1 settle", "1/undo/1 record", "1/undo/1 done",
		"1 proof", "2 proof",
	}, phases); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	for _, kind := range []engine.EventKind{engine.EventRunStarted, engine.EventAttempt, engine.EventWait, engine.EventUndo, engine.EventProof, engine.EventRunFinished} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no event %s among %v", kind, kinds)
		}
	}
	first, second := report.Operations[0], report.Operations[1]
	if report.Attempts != 4 || first.Attempts != 2 || first.Waited == 0 || first.Phase != journal.PhaseUndone || first.Err != nil ||
		len(first.Undo) != 1 || first.Undo[0].Kind != "add" || first.Undo[0].Attempts != 1 || first.Undo[0].Phase != journal.PhaseUndone {
		t.Errorf("first operation %+v, %d attempts", first, report.Attempts)
	}
	if second.Phase != journal.PhaseUndone || !errors.Is(second.Err, errDenied) || second.Target.String() != "collection b" {
		t.Errorf("second operation %+v", second)
	}
	if !report.Proof.Verified || len(report.Left) != 0 || report.Duration != report.Waited {
		t.Errorf("report %+v", report)
	}
}

func TestOptionsValidate(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	for name, option := range map[string]engine.Option{
		"no clock":                   engine.WithClock(nil),
		"no observer":                engine.WithObserver(nil),
		"no guard":                   engine.WithGuard(nil),
		"no classifier":              engine.WithClassifier(nil),
		"no logger":                  engine.WithLogger(nil),
		"an unknown conflict policy": engine.WithConflict("maybe"),
		"an unknown interrupt":       engine.WithInterrupt("maybe"),
		"a negative quarantine":      engine.WithQuarantine(-1),
		"no time for the undo":       engine.WithUndoTimeout(0),
		"a jitter above one":         engine.WithRetry(engine.RetryPolicy{Jitter: 2}),
		"a shrinking wait":           engine.WithRetry(engine.RetryPolicy{Multiplier: 0.5}),
	} {
		if _, err := engine.New(w.store, codec{w}, option); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	if _, err := engine.New(nil, codec{w}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("no store: error %v, want ErrInvalid", err)
	}
}
