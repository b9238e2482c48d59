package migrations_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

const (
	fileA = "20260101000000_a.yaml"
	fileB = "20260102000000_b.yaml"
	fileC = "20260103000000_c.yaml"
	upA   = "database: shop\nsteps:\n  - create_database: {id: shop, name: Shop}\n  - create_collection: {id: products, name: Products}\n  - create_attribute: {collection: products, key: title, type: string, size: 50}\n"
	upB   = "database: shop\nsteps:\n  - create_document: {collection: products, id: lamp, data: {title: Lamp}}\n  - create_attribute: {collection: products, key: price, type: float}\n"
	upC   = "database: shop\nsteps:\n  - update_document: {collection: products, id: lamp, data: {title: Light}}\n"
)

func all() map[string]string { return map[string]string{fileA: upA, fileB: upB, fileC: upC} }

func TestUpAppliesWhatIsPendingAndDownTakesItBackExactly(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, version)
			r := p.runner(all())
			if got := p.states(r); got != "a pending, b pending, c pending" {
				t.Fatal(got)
			}
			var before []oracle.Snapshot
			for _, to := range []string{"20260101000000", "20260102000000", ""} {
				before = append(before, p.snapshot(p.besidesHistory))
				if _, err := r.Up(t.Context(), to); err != nil {
					t.Fatal(err)
				}
			}
			if got := p.states(r); got != "a applied, b applied, c applied" {
				t.Fatal(got)
			}
			if _, err := r.Up(t.Context(), ""); !errors.Is(err, migrations.ErrNothing) {
				t.Errorf("up again: %v", err)
			}
			for _, want := range slices.Backward(before) {
				tasks, err := r.PlanDown(t.Context(), migrations.Back{})
				if err != nil || tasks[0].Source != migrations.FromJournal {
					t.Fatalf("plan down: %v %v", tasks, err)
				}
				if _, err := r.Down(t.Context(), migrations.Back{}); err != nil {
					t.Fatal(err)
				}
				if got := p.snapshot(p.besidesHistory); got.String() != want.String() {
					t.Errorf("after down:\n%s\nwant\n%s", got, want)
				}
			}
			if got := p.states(r); got != "a pending, b pending, c pending" {
				t.Fatal(got)
			}
			if _, err := r.Down(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrNothing) {
				t.Errorf("down again: %v", err)
			}
		})
	}
}

func TestDownToTakesEverythingNewerBack(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	r := p.runner(all())
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Down(t.Context(), migrations.Back{To: "20260101000000"}); err != nil {
		t.Fatal(err)
	}
	if got := p.states(r); got != "a applied, b pending, c pending" {
		t.Error(got)
	}
	if _, err := r.PlanDown(t.Context(), migrations.Back{To: "20260102000000"}); !errors.Is(err, migrations.ErrUnknownVersion) {
		t.Errorf("down to what is not applied: %v", err)
	}
	if _, err := r.Redo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Down(t.Context(), migrations.Back{To: "0"}); err != nil {
		t.Fatal(err)
	}
	if got := p.snapshot(p.besidesHistory); len(got) != 0 {
		t.Errorf("left:\n%s", got)
	}
}

func TestAFailedMigrationLeavesNoTraceAndStaysPending(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	r := p.runner(map[string]string{fileA: upA, fileB: upB + "  - assert: {collection: products, count: 7}\n"})
	reports, err := r.Up(t.Context(), "")
	if !errors.Is(err, engine.ErrRolledBack) || !errors.Is(err, steps.ErrAssertion) || len(reports) != 2 {
		t.Fatalf("up: %v, %d reports", err, len(reports))
	}
	if got := p.states(r); got != "a applied, b pending" {
		t.Error(got)
	}
	if got := p.snapshot(p.besidesHistory); strings.Contains(got.String(), "lamp") || strings.Contains(got.String(), "price") {
		t.Errorf("left:\n%s", got)
	}
}

func TestUpRefusesEditedMissingAndOutOfOrderMigrations(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	if _, err := p.runner(map[string]string{fileA: upA, fileC: strings.Replace(upB, "lamp", "sofa", 1)}).Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	edited := p.runner(map[string]string{fileA: strings.Replace(upA, "size: 50", "size: 60", 1), fileC: strings.Replace(upB, "lamp", "sofa", 1)})
	_, err := edited.Up(t.Context(), "")
	var e *migrations.EditedError
	if !errors.As(err, &e) || !errors.Is(err, migrations.ErrEdited) {
		t.Fatalf("edited: %v", err)
	}
	if changes := strings.Join(e.Changes, "\n"); !strings.Contains(changes, `"size":50`) || !strings.Contains(changes, `"size":60`) || len(e.Changes) != 2 {
		t.Errorf("changes are\n%s", changes)
	}
	missing := p.runner(map[string]string{fileA: upA})
	if _, err := missing.Up(t.Context(), ""); !errors.Is(err, migrations.ErrMissing) {
		t.Errorf("missing: %v", err)
	}
	late := map[string]string{fileA: upA, fileB: upB, fileC: strings.Replace(upB, "lamp", "sofa", 1)}
	if _, err := p.runner(late).Up(t.Context(), ""); !errors.Is(err, migrations.ErrOutOfOrder) {
		t.Errorf("out of order: %v", err)
	}
	late[fileB] = upC
	late[fileB] = "database: shop\nsteps:\n  - create_collection: {id: late, name: Late}\n"
	if _, err := p.runner(late, migrations.WithOutOfOrder()).Up(t.Context(), ""); err != nil {
		t.Errorf("out of order, allowed: %v", err)
	}
	// A migration whose file is gone is taken down from the journal.
	if _, err := missing.Down(t.Context(), migrations.Back{}); err != nil {
		t.Errorf("down of a missing file: %v", err)
	}
}

func TestDownWithoutTheJournalAsksTheFileThenTheStructureThenRefuses(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	files := all()
	files[fileC] += "down:\n  - update_document: {database: shop, collection: products, id: lamp, data: {title: Lamp}}\n"
	if _, err := p.runner(files).Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	p.anotherMachine()
	if _, err := p.runner(all()).PlanDown(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrNoDown) || !strings.Contains(err.Error(), "from its structure") {
		t.Errorf("no way back: %v", err)
	}
	r := p.runner(files)
	for _, want := range []migrations.Source{migrations.FromFile, migrations.FromStructure, migrations.FromStructure} {
		tasks, err := r.PlanDown(t.Context(), migrations.Back{})
		if err != nil || tasks[0].Source != want {
			t.Fatalf("source %v, %v; want %s", tasks, err, want)
		}
		if _, err := r.Run(t.Context(), tasks); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.snapshot(p.besidesHistory); len(got) != 0 {
		t.Errorf("left:\n%s", got)
	}
}

// interrupted applies all() and is cancelled when the third operation of the
// second migration is done.
func (p *project) interrupted() *migrations.Runner {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	p.engine = []engine.Option{engine.WithObserver(engine.ObserverFunc(func(e engine.Event) {
		if e.Step == "create_document" && e.Phase == engine.DoingDone {
			cancel()
		}
	}))}
	_, err := p.runner(all()).Up(ctx, "")
	if !errors.Is(err, engine.ErrInterrupted) {
		p.t.Fatalf("up: %v", err)
	}
	p.engine = nil
	return p.runner(all())
}

func TestAnInterruptedRunHasToBeEndedFirst(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		do    func(r *migrations.Runner, ctx context.Context, run string) error
		after string
	}{
		"resume": {func(r *migrations.Runner, ctx context.Context, run string) error {
			_, err := r.Resume(ctx, run)
			return err
		}, "a applied, b applied, c pending"},
		"rollback": {func(r *migrations.Runner, ctx context.Context, run string) error {
			_, err := r.Rollback(ctx, run)
			return err
		}, "a applied, b pending, c pending"},
		"resolve as applied": {func(r *migrations.Runner, ctx context.Context, run string) error {
			return r.Resolve(ctx, run, engine.Resolution{Outcome: engine.OutcomeApplied, Reason: "finished by hand", Actor: "me"})
		}, "a applied, b applied, c pending"},
		"resolve as rolled back": {func(r *migrations.Runner, ctx context.Context, run string) error {
			return r.Resolve(ctx, run, engine.Resolution{Outcome: engine.OutcomeRolledBack, Reason: "cleaned by hand", Actor: "me"})
		}, "a applied, b pending, c pending"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "")
			r := p.interrupted()
			if got := p.states(r); got != "a applied, b unfinished, c pending" {
				t.Fatal(got)
			}
			_, err := r.Up(t.Context(), "")
			var cut *migrations.UnfinishedError
			if !errors.As(err, &cut) || !errors.Is(err, migrations.ErrUnfinished) || cut.Settled || cut.Status != journal.StatusOpen {
				t.Fatalf("up: %v", err)
			}
			if _, err := r.Down(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrUnfinished) {
				t.Errorf("down: %v", err)
			}
			if err := end.do(r, t.Context(), cut.Run); err != nil {
				t.Fatal(err)
			}
			if got := p.states(r); got != end.after {
				t.Errorf("after it: %s", got)
			}
		})
	}
}

func TestARunWhoseJournalIsElsewhereStopsEverything(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	p.interrupted()
	p.anotherMachine()
	r := p.runner(all())
	_, err := r.Up(t.Context(), "")
	if !errors.Is(err, migrations.ErrUnfinished) || !errors.Is(err, migrations.ErrElsewhere) || !strings.Contains(err.Error(), "here:/journal") {
		t.Errorf("up: %v", err)
	}
	if _, err := r.Down(t.Context(), migrations.Back{}); !errors.Is(err, migrations.ErrElsewhere) {
		t.Errorf("down: %v", err)
	}
}

func TestAnotherRunnerOfTheSameMigrationIsMetAsForeign(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	r := p.runner(map[string]string{fileA: upA})
	tasks, err := r.PlanUp(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.runner(map[string]string{fileA: upA}).Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	before := p.snapshot(func(string) bool { return true })
	if _, err := r.Run(t.Context(), tasks); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("run: %v", err)
	}
	if after := p.snapshot(func(string) bool { return true }); after.String() != before.String() {
		t.Errorf("changed:\n%s\nwas\n%s", after, before)
	}
}

func TestAFunctionRunsBothWaysAndIsInTheCodec(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	var did []string
	call := func(what string) func(context.Context, client.Client) error {
		return func(context.Context, client.Client) error {
			did = append(did, what)
			return nil
		}
	}
	m := migrations.New("20260101000000", "call", func(s *steps.Builder) {
		s.Func(steps.Func{Name: "call", Version: "1", Do: call("do"), Undo: call("undo")})
	}, migrations.Describe("calls"), migrations.WithDown(func(s *steps.Builder) { s.Database("never").Create("Never") }))
	r := p.runnerOf([]*migrations.Migration{m})
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Down(t.Context(), migrations.Back{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(did, " "); got != "do undo" {
		t.Errorf("called: %s", got)
	}
}
