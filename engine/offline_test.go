package engine_test

import (
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

func TestAnUndoThatTheNetworkStopsIsResumableAndNeedsNobody(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{resuming, rollingBack} {
		w := newWorld(map[string]string{"n": "5"})
		w.fails = firstWrite("2/undo/1", silent)
		report, err := start(t, w, []engine.Step{add("n", 3), create("a", "1"), broken("b")})
		if !errors.Is(err, engine.ErrInterrupted) || !errors.Is(err, errDenied) || !errors.Is(report.UndoErr, errOffline) {
			t.Fatalf("outcome %s, error %v; want it interrupted, with both reasons", report.Outcome, err)
		}
		if last := w.store.records[len(w.store.records)-1]; last.Type == journal.RunFinished {
			t.Errorf("the journal says that the run has finished")
		}
		w.online()
		report, err = takeUp(t.Context(), newEngine(t, w), d, run)
		if report.Outcome != engine.OutcomeRolledBack {
			t.Errorf("%s: outcome %s, error %v", d, report.Outcome, err)
		}
		wantWorld(t, w, map[string]string{"n": "5"})
	}
}
