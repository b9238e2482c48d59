package migrations_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
)

// entries reads the history by version.
func (p *project) entries() map[string]migrations.Entry {
	p.t.Helper()
	list, err := migrations.History{Database: p.historyDatabase()}.Entries(p.t.Context(), p.client)
	if err != nil {
		p.t.Fatal(err)
	}
	found := map[string]migrations.Entry{}
	for _, entry := range list {
		found[entry.Version] = entry
	}
	return found
}

// baseline marks everything up to b.
func (p *project) baseline(ctx context.Context, r *migrations.Runner) error {
	p.t.Helper()
	tasks, err := r.PlanBaseline(ctx, "20260102000000")
	if err != nil {
		return err
	}
	_, err = r.Run(ctx, tasks)
	return err
}

func TestABaselineMarksWithoutRunningAndCanBeTakenAway(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	r := p.runner(all())
	if err := p.baseline(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b applied, c pending" {
		t.Error(got)
	}
	if got := p.snapshot(p.besidesHistory); len(got) != 0 {
		t.Errorf("it made something:\n%s", got)
	}
	if _, err := r.PlanDown(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrNoDown) || !strings.Contains(err.Error(), "never run") {
		t.Errorf("down of a mark: %v", err)
	}
	if err := p.baseline(t.Context(), r); !errors.Is(err, migrations.ErrNothing) {
		t.Errorf("a second baseline: %v", err)
	}
	tasks, err := r.PlanUnbaseline(t.Context(), "20260102000000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context(), tasks); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b pending, c pending" {
		t.Error(got)
	}
}

func TestABaselineThatIsCutOffIsResumedLikeAnyRun(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.engine = []engine.Option{engine.WithObserver(engine.ObserverFunc(func(e engine.Event) {
		if e.Step == "open_history" && e.Phase == engine.DoingDone {
			cancel()
		}
	}))}
	if err := p.baseline(ctx, p.runner(all())); !errors.Is(err, engine.ErrInterrupted) {
		t.Fatalf("it was not cut off: %v", err)
	}
	p.engine = nil
	r := p.runner(all())
	var cut *migrations.UnfinishedError
	if err := p.baseline(t.Context(), r); !errors.As(err, &cut) {
		t.Fatalf("a baseline over one that was cut off: %v", err)
	}
	if _, err := r.Resume(t.Context(), cut.Run); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b pending, c pending" {
		t.Error(got)
	}
	if entry := p.entries()["20260101000000"]; !entry.Baseline() || !entry.Applied {
		t.Errorf("the history has %+v", entry)
	}
}

func TestAMigrationOnHoldIsPassedByUntilItsVersionIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	files := all()
	files[fileB] = "hold: the clients are deployed\n" + strings.ReplaceAll(files[fileB], "lamp", "other")
	files[fileC] = "database: shop\nsteps:\n  - create_collection: {id: orders, name: Orders}\n"
	r := p.runner(files)
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b held, c applied" {
		t.Error(got)
	}
	if _, err := r.PlanUp(t.Context(), ""); !errors.Is(err, migrations.ErrNothing) || !strings.Contains(err.Error(), "the clients are deployed") {
		t.Errorf("nothing but what is on hold: %v", err)
	}
	if _, err := r.Up(t.Context(), "20260102000000"); err != nil { // late, and not out of order
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b applied, c applied" {
		t.Error(got)
	}
}

// squashed makes a and b one; c stays.
func squashed(t *testing.T, p *project) *migrations.Runner {
	t.Helper()
	m, err := migrations.Squash(parsed(t, map[string]string{
		fileA: strings.ReplaceAll(upA, "shop", p.space.ID("shop")), fileB: strings.ReplaceAll(upB, "shop", p.space.ID("shop")),
	}).All(), "both")
	if err != nil {
		t.Fatal(err)
	}
	c := parsed(t, map[string]string{fileC: strings.ReplaceAll(upC, "shop", p.space.ID("shop"))}).All()
	return p.runnerOf(append(c, m))
}

func TestASquashIsAppliedWhereAllThatItReplacesAre(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	if _, err := p.runner(all()).Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	before := p.snapshot(func(string) bool { return true })
	r := squashed(t, p)
	if got := p.states(r); got != "a squashed, both applied, c applied" {
		t.Error(got)
	}
	if _, err := r.PlanUp(t.Context(), ""); !errors.Is(err, migrations.ErrNothing) {
		t.Errorf("up: %v", err)
	}
	if after := p.snapshot(func(string) bool { return true }); !maps.Equal(before, after) {
		t.Error("the environment was changed")
	}
	if _, err := r.PlanDown(t.Context(), migrations.Back{To: "20260101000000"}); !errors.Is(err, migrations.ErrUnknownVersion) {
		t.Errorf("down into the middle of a squash: %v", err)
	}
	if _, _, err := r.PlanTo(t.Context(), "20260101000000"); !errors.Is(err, migrations.ErrUnknownVersion) {
		t.Errorf("to the middle of a squash: %v", err)
	}
	reports, err := r.Down(t.Context(), migrations.Back{Count: 2}) // c, and both with all that it stands for
	if err != nil || len(reports) != 3 {
		t.Fatalf("%d runs: %v", len(reports), err)
	}
	if got := p.snapshot(p.besidesHistory); len(got) != 0 {
		t.Errorf("left:\n%s", got)
	}
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "both applied, c applied" {
		t.Error(got)
	}
}

func TestASquashIsRefusedWhereSomeOfThoseItReplacesAreApplied(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	if _, err := p.runner(all()).Up(t.Context(), "20260101000000"); err != nil {
		t.Fatal(err)
	}
	r := squashed(t, p)
	if got := p.states(r); got != "a squashed, both partly, c pending" {
		t.Error(got)
	}
	_, err := r.Up(t.Context(), "")
	var partly *migrations.PartlyError
	if !errors.As(err, &partly) || len(partly.Applied) != 1 || len(partly.Pending) != 1 {
		t.Errorf("up: %v", err)
	}
	if err := p.baseline(t.Context(), r); !errors.Is(err, migrations.ErrPartly) {
		t.Errorf("baseline: %v", err)
	}
	if _, err := p.runner(all()).Up(t.Context(), ""); err != nil { // the old files take it on
		t.Fatal(err)
	}
	if got := p.states(r); got != "a squashed, both applied, c applied" {
		t.Error(got)
	}
}

// What is at hand makes more than the last of the old ones did: its structure
// must not decide what is taken back.
func TestASquashIsNotTakenBackByItsOwnStructure(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	if _, err := p.runner(all()).Up(t.Context(), "20260102000000"); err != nil {
		t.Fatal(err)
	}
	before := p.snapshot(p.besidesHistory)
	p.anotherMachine()
	if _, err := squashed(t, p).Down(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrNoDown) {
		t.Errorf("down without the journals: %v", err)
	}
	if after := p.snapshot(p.besidesHistory); !maps.Equal(before, after) {
		t.Error("something was taken back")
	}
}

func TestToTakesBackWhatIsNewerAndThenAppliesWhatIsPending(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	files := all()
	files[fileC] = "database: shop\nsteps:\n  - create_collection: {id: orders, name: Orders}\n"
	without := maps.Clone(files)
	delete(without, fileB)
	if _, err := p.runner(without).Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	r := p.runner(files)
	tasks, more, err := r.PlanTo(t.Context(), "20260102000000")
	if err != nil || !more || len(tasks) != 1 || tasks[0].Name != "c" || tasks[0].Direction != migrations.Down {
		t.Fatalf("the plan is %v, more %v: %v", tasks, more, err)
	}
	if _, err := r.Run(t.Context(), tasks); err != nil {
		t.Fatal(err)
	}
	tasks, more, err = r.PlanTo(t.Context(), "20260102000000")
	if err != nil || more || len(tasks) != 1 || tasks[0].Name != "b" || tasks[0].Direction != migrations.Up {
		t.Fatalf("the plan is %v, more %v: %v", tasks, more, err)
	}
	if _, err := r.Run(t.Context(), tasks); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.PlanTo(t.Context(), "20260102000000"); !errors.Is(err, migrations.ErrNothing) {
		t.Errorf("at its end: %v", err)
	}
	if _, _, err := r.PlanTo(t.Context(), "20990101000000"); !errors.Is(err, migrations.ErrUnknownVersion) {
		t.Errorf("to nowhere: %v", err)
	}
}
