package schema_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// travel is a project that is taken from one model to others and back.
type travel struct {
	*project
	home   schema.Model
	before oracle.Snapshot // of the project at home, with documents
}

// newTravel makes a project with a model and documents.
func newTravel(t *testing.T, version string, home schema.Model) *travel {
	t.Helper()
	w := &travel{project: newProject(t, version), home: home}
	if _, _, err := w.carryOut(schema.Steps(home)); err != nil {
		t.Fatalf("make the first model: %v", err)
	}
	w.stock(home)
	w.before = w.snapshot()
	return w
}

// trip is one run and what is needed to take it back.
type trip struct {
	engine *engine.Engine
	run    string
}

// carryOut runs steps in a journal of its own.
func (w *travel) carryOut(list []engine.Step, funcs ...steps.Func) (trip, engine.Report, error) {
	w.t.Helper()
	codec, err := steps.NewCodec(w.client, funcs)
	if err != nil {
		w.t.Fatal(err)
	}
	store := journaltest.NewMemory()
	e, err := engine.New(store, codec, engine.WithClassifier(steps.Classify), engine.WithQuarantine(0))
	if err != nil {
		w.t.Fatal(err)
	}
	trip := trip{engine: e}
	report, err := trip.goOn(w.t.Context(), steps.Bind(w.client, list), "up")
	trip.run = report.Run
	livetest.SearchJournal(w.t, store)
	return trip, report, err
}

func (t trip) goOn(ctx context.Context, list []engine.Step, direction string) (engine.Report, error) {
	plan, err := engine.NewPlan(list, engine.PlanOptions{})
	if err != nil {
		return engine.Report{}, err
	}
	return t.engine.Run(ctx, engine.Request{Migration: "diff", Version: "1", Direction: direction, Plan: plan})
}

// down takes an applied run back, as the command of that name does.
func (w *travel) down(trip trip) error {
	inverse, err := trip.engine.Inverse(w.t.Context(), trip.run)
	if err != nil {
		return err
	}
	_, err = trip.goOn(w.t.Context(), inverse, engine.DirectionDown)
	return err
}

var errTurnBack = errors.New("turn back")

// turnBack is a last step that fails, so that all others are undone.
func turnBack(t *testing.T) (engine.Step, steps.Func) {
	t.Helper()
	f := steps.Func{
		Name: "turn_back", Version: "1",
		Do:    func(context.Context, client.Client) error { return errTurnBack },
		Probe: func(context.Context, client.Client) (engine.State, error) { return engine.StateBefore, nil },
		Undo:  func(context.Context, client.Client) error { return nil },
	}
	step, err := steps.NewFunc(f)
	if err != nil {
		t.Fatal(err)
	}
	return step, f
}

// written takes steps through a migration file.
func written(t *testing.T, list []engine.Step) []engine.Step {
	t.Helper()
	var file strings.Builder
	if err := migrations.Write(&file, "A difference", list); err != nil {
		t.Fatal(err)
	}
	m, err := migrations.Parse("20260101000000_diff.yaml", []byte(file.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, file.String())
	}
	return migrations.Changes(m.Up)
}

// wantSame compares two snapshots object by object.
func wantSame(t *testing.T, what string, want, have oracle.Snapshot) bool {
	t.Helper()
	same := true
	for path, object := range want {
		if have[path] != object {
			same = false
			t.Errorf("%s: %s is\n  %s\nnot\n  %s", what, path, have[path], object)
		}
	}
	for path, object := range have {
		if _, there := want[path]; !there {
			same = false
			t.Errorf("%s: %s is new: %s", what, path, object)
		}
	}
	return same
}
