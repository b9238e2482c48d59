package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
)

// Rehearsal tells how migrations went on a copy of a project: up, down and up
// again.
type Rehearsal struct {
	Version string // of Appwrite, that the copy behaved as
	Exact   bool   // see Profile
	Copy    Copy
	Trials  []Trial // one a migration, the oldest first
	// Notices say what was not tried and why.
	Notices []string
}

// Trial tells how one migration went.
type Trial struct {
	Migration *migrations.Migration
	// Up, Down and Again are nil where the rehearsal did not come that far.
	Up, Down, Again *Pass
	// Left is how the copy differed from before after the undo of a failed up,
	// or after the down; empty when everything was restored.
	Left []string
	// Unlike is how the second up ended otherwise than the first.
	Unlike []string
}

// Pass is one run of a migration in one direction.
type Pass struct {
	Outcome    engine.Outcome // "" when no run was begun
	Operations []Cost
	Requests   int64 // of all operations and around them, the history's included
	Duration   time.Duration
	// Err says what stopped it, nil when it was applied. errors.As finds an
	// *engine.OperationError and the server's *appwrite.Error in it.
	Err error
}

// stopped tells whether the run was not applied.
func (p *Pass) stopped() bool { return p.Err != nil }

// Cost tells what one operation took.
type Cost struct {
	Operation string              // its number in the run
	Steps     []string            // their ids in the migration; none for the history's and for late and undoing ones
	At        migrations.Position // of the first of them
	Kind      string
	Target    engine.Ref
	Requests  int64 // forward and back
	Failed    bool
}

// Good tells whether every migration went up, down and up again, and left
// nothing behind.
func (r Rehearsal) Good() bool {
	for _, t := range r.Trials {
		for _, p := range []*Pass{t.Up, t.Down, t.Again} {
			if p == nil || p.Err != nil {
				return false
			}
		}
		if len(t.Left) > 0 || len(t.Unlike) > 0 {
			return false
		}
	}
	return true
}

// Setting is what a rehearsal has to know of the environment.
type Setting struct {
	// History is where the project keeps what was applied; its database is not
	// copied.
	History migrations.History
	// Receipts tells that the environment's journal keeps them. Without, steps
	// that need one are refused as they would be there.
	Receipts bool
	// Each is how many documents of each collection come along.
	Each int
}

// Rehearse copies a live project into an embedded server like it, with a sample
// of its documents, and takes the copy through the migrations: each up, all down
// again in reverse, and each up once more. The live project is only read, through
// a client that fails on every write. The documents that the migrations name are
// in the sample in any case.
//
// The options are those of the runner. The error says that there was no
// rehearsal; how it went is in the result.
func Rehearse(ctx context.Context, live *appwrite.Client, list []*migrations.Migration, as Setting, options ...migrations.RunnerOption) (result Rehearsal, err error) {
	profile, err := ProfileOf(ctx, live)
	if err != nil {
		return Rehearsal{}, err
	}
	r, err := Start(ctx, profile)
	if err != nil {
		return Rehearsal{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if as.History.Database == "" {
		as.History.Database = migrations.DefaultHistoryDatabase
	}
	sample := Sample{Each: as.Each, Named: named(list)}
	copied, err := r.Clone(ctx, live, sample, as.History.Database)
	if err != nil {
		return Rehearsal{}, fmt.Errorf("copy the project: %w", err)
	}
	reh := &rehearsal{replica: r, as: as, result: Rehearsal{Version: profile.Version, Exact: profile.Exact, Copy: copied}}
	if err := reh.prepare(list, options); err != nil {
		return Rehearsal{}, err
	}
	if err := reh.perform(ctx); err != nil {
		return Rehearsal{}, err
	}
	return reh.result, nil
}

// named lists the documents that migrations speak of by id.
func named(list []*migrations.Migration) []DocumentRef {
	var refs []DocumentRef
	for _, m := range list {
		for _, step := range m.Up {
			if t := step.Change.Target(); t.Type == "document" && t.Key != "" {
				refs = append(refs, DocumentRef{Database: t.Database, Collection: t.Collection, ID: t.Key})
			}
		}
	}
	return refs
}

// A rehearsal under way.
type rehearsal struct {
	replica *Replica
	as      Setting
	list    []*migrations.Migration // as they are tried
	runner  *migrations.Runner
	meter   *meter
	result  Rehearsal
}

// prepare leaves out what cannot be tried and makes the runner.
func (r *rehearsal) prepare(list []*migrations.Migration, options []migrations.RunnerOption) error {
	for _, m := range list {
		r.list = append(r.list, r.tried(m))
		r.result.Trials = append(r.result.Trials, Trial{Migration: m})
	}
	set, err := migrations.NewSet(r.list...)
	if err != nil {
		return err
	}
	codec, err := migrations.NewCodec(r.replica.Client, nil, nil)
	if err != nil {
		return err
	}
	r.meter = &meter{read: r.replica.Requests}
	opts := []engine.Option{engine.WithObserver(r.meter)}
	if r.as.Receipts {
		opts = append(opts, engine.WithoutRivals())
	}
	e, store, err := r.replica.engineOn(codec, opts...)
	if err != nil {
		return err
	}
	options = append(slices.Clone(options), migrations.WithHistory(r.as.History))
	r.runner, err = migrations.NewRunner(set, e, store, r.replica.Client, codec, options...)
	return err
}

// tried gives a migration without the steps that mean nothing on a copy: Go code,
// which might reach beyond it, and assertions about documents of which it holds
// a part.
func (r *rehearsal) tried(m *migrations.Migration) *migrations.Migration {
	kept := *m
	kept.Up = nil
	for _, step := range m.Up {
		target := step.Change.Target()
		switch {
		case step.Change.Kind() == "func":
			r.result.Notices = append(r.result.Notices, fmt.Sprintf("%s: step %s is Go and was not tried: its code could reach beyond the copy", m.ID(), step.ID))
		case step.Change.Kind() == "assert" && !r.result.Copy.Complete(target.Database, target.Collection):
			r.result.Notices = append(r.result.Notices, fmt.Sprintf("%s: step %s was not tried: it asserts something of %s, of which the copy has only a part", m.ID(), step.ID, target))
		default:
			kept.Up = append(kept.Up, step)
		}
	}
	return &kept
}

// perform takes the copy up, down and up again, as far as it goes. The error is
// one of reading the copy.
func (r *rehearsal) perform(ctx context.Context) error {
	before := make([]snapshot, len(r.list)+1) // before each migration, and after the last
	var err error
	if before[0], err = r.take(ctx); err != nil {
		return err
	}
	for i := range r.list {
		trial := &r.result.Trials[i]
		trial.Up = r.pass(ctx, i, migrations.Up)
		if before[i+1], err = r.take(ctx); err != nil {
			return err
		}
		if trial.Up.stopped() {
			trial.Left = before[i].differences(before[i+1])
			return nil
		}
	}
	for i := range slices.Backward(r.list) {
		trial := &r.result.Trials[i]
		trial.Down = r.pass(ctx, i, migrations.Down)
		now, err := r.take(ctx)
		if err != nil {
			return err
		}
		if trial.Down.stopped() {
			return nil
		}
		trial.Left = before[i].differences(now)
	}
	for i := range r.list {
		trial := &r.result.Trials[i]
		trial.Again = r.pass(ctx, i, migrations.Up)
		now, err := r.take(ctx)
		if err != nil {
			return err
		}
		if trial.Again.stopped() {
			return nil
		}
		trial.Unlike = before[i+1].undated().differences(now.undated())
	}
	return nil
}

func (r *rehearsal) take(ctx context.Context) (snapshot, error) {
	return take(ctx, r.replica.Client, r.as.History.Database)
}

// pass runs one migration in one direction.
func (r *rehearsal) pass(ctx context.Context, i int, direction migrations.Direction) *Pass {
	r.meter.start()
	started := r.replica.Requests()
	var tasks []migrations.Task
	var reports []engine.Report
	var err error
	if direction == migrations.Up {
		tasks, err = r.runner.PlanUp(ctx, r.list[i].Version)
	} else {
		tasks, err = r.runner.PlanDown(ctx, migrations.Back{Count: 1})
	}
	if err == nil {
		reports, err = r.runner.Run(ctx, tasks)
	}
	p := &Pass{Requests: r.replica.Requests() - started, Err: err}
	if len(reports) == 0 {
		return p
	}
	report := reports[0]
	p.Outcome, p.Duration = report.Outcome, report.Duration
	carried := map[string][]migrations.Step{}
	if direction == migrations.Up {
		carried = carriedBy(tasks[0].Plan, r.list[i].Up)
	}
	for _, op := range report.Operations {
		cost := Cost{Operation: op.ID, Kind: op.Kind, Target: op.Target, Requests: r.meter.of(op.ID), Failed: op.Err != nil || op.UndoErr != nil}
		for _, step := range carried[op.ID] {
			cost.Steps = append(cost.Steps, step.ID)
		}
		if len(cost.Steps) > 0 {
			cost.At = carried[op.ID][0].At
		}
		p.Operations = append(p.Operations, cost)
	}
	return p
}

// carriedBy tells which steps of a migration each operation of its plan carries
// out. Operations come in the order of the steps; those of the history and the
// late part of a destruction carry none of their own.
func carriedBy(plan engine.Plan, up []migrations.Step) map[string][]migrations.Step {
	carried := map[string][]migrations.Step{}
	for _, op := range plan.Operations {
		if op.Late || strings.HasSuffix(op.Effect.Kind(), "_history") {
			continue
		}
		n := min(len(op.Steps), len(up))
		carried[op.ID], up = up[:n], up[n:]
	}
	return carried
}
