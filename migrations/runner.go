package migrations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// Runner takes a project from the migrations it has to those it should have:
// one run of the engine a migration. It decides from the history in the project
// and from the journal; see Status for what stops it.
type Runner struct {
	set     Set
	engine  *engine.Engine
	store   journal.Store
	client  *appwrite.Client
	codec   *Codec
	history History
	origin  Origin
	now     func() time.Time
	inOrder bool
	passes  []engine.Pass
	serial  bool
}

// Origin says on whose behalf and from where runs are made; it is recorded.
type Origin struct {
	Environment string
	Actor       string
	Host        string
	Tool        string // version of the tool
	Journal     string // where the journal is, for people: "ci-7:/srv/app/.backstep/journal.db"
}

// RunnerOption refines NewRunner.
type RunnerOption func(*Runner) error

// WithHistory sets where the history is; the default is the zero History.
func WithHistory(h History) RunnerOption {
	return func(r *Runner) (err error) {
		r.history, err = h.filled()
		return err
	}
}

// WithOrigin sets what runs record about where they come from.
func WithOrigin(o Origin) RunnerOption {
	return func(r *Runner) error {
		r.origin = o
		return nil
	}
}

// WithOutOfOrder lets Up apply migrations that are older than applied ones.
func WithOutOfOrder() RunnerOption {
	return func(r *Runner) error {
		r.inOrder = false
		return nil
	}
}

// WithPasses sets planner passes of every run, before those of the runner's own.
func WithPasses(passes ...engine.Pass) RunnerOption {
	return func(r *Runner) error {
		r.passes = passes
		return nil
	}
}

// WithSerial makes every step an operation of its own: no planner pass of the
// runner's joins any.
func WithSerial() RunnerOption {
	return func(r *Runner) error {
		r.serial = true
		return nil
	}
}

// NewRunner makes a runner. The codec, the engine's own, must act through client;
// the store must be the engine's.
func NewRunner(set Set, e *engine.Engine, store journal.Store, client *appwrite.Client, codec *Codec, opts ...RunnerOption) (*Runner, error) {
	if e == nil || store == nil || client == nil || codec == nil {
		return nil, errors.New("a runner needs an engine, a journal, a client and a codec")
	}
	r := &Runner{set: set, engine: e, store: store, client: client, codec: codec, now: codec.now, inOrder: true}
	var err error
	if r.history, err = r.history.filled(); err != nil {
		return nil, err
	}
	for _, opt := range opts {
		if err := opt(r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Direction is which way a run takes a migration.
type Direction string

// The directions.
const (
	Up   Direction = "up"
	Down Direction = "down"
)

// Task is one migration to be run one way.
type Task struct {
	Direction Direction
	Version   string
	Name      string
	// Migration is nil for a down of an applied migration whose file is gone.
	Migration *Migration
	// Source says where the steps of a down come from.
	Source Source
	Plan   engine.Plan
	// Irreversible gives the operations that have no undo, with the reason.
	Irreversible map[string]string

	id                    string // of the run
	changes               []engine.Step
	passes                []engine.Pass
	before, during, after *Entry
}

// run carries out one task.
func (r *Runner) run(ctx context.Context, task Task) (engine.Report, error) {
	server, err := r.client.Detect(ctx)
	if err != nil {
		return engine.Report{}, err
	}
	if task.passes, err = r.join(ctx, task); err != nil {
		return engine.Report{}, err
	}
	// Planned anew: the history tells how long the run took from now on.
	if task, err = r.plan(task); err != nil {
		return engine.Report{}, err
	}
	request := engine.Request{
		Run: task.id, Migration: task.Name, Version: task.Version, Direction: string(task.Direction),
		Environment: r.origin.Environment, Actor: r.origin.Actor, Host: r.origin.Host, Tool: r.origin.Tool,
		Server: server.Version, Capabilities: Capabilities(server), Plan: task.Plan,
	}
	if task.Migration != nil {
		if request.Checksum, err = task.Migration.Checksum(); err != nil {
			return engine.Report{}, err
		}
	} else if task.before != nil {
		request.Checksum = task.before.Checksum
	}
	report, err := r.engine.Run(ctx, request)
	if err != nil {
		return report, fmt.Errorf("%s %s_%s: %w", task.Direction, task.Version, task.Name, err)
	}
	return report, nil
}

// planUp makes the task that applies a migration.
func (r *Runner) planUp(ctx context.Context, m *Migration) (Task, error) {
	task := Task{Direction: Up, Version: m.Version, Name: m.Name, Migration: m, id: uuid.NewString()}
	checksum, err := m.Checksum()
	if err != nil {
		return task, err
	}
	task.changes = steps.Bind(r.client, Changes(m.Up))
	task.during, task.after = r.entry(task, checksum, false), r.entry(task, checksum, true)
	if task.passes, err = r.join(ctx, task); err != nil {
		return task, err
	}
	return r.plan(task)
}

// plan puts the history around a task's steps.
func (r *Runner) plan(task Task) (Task, error) {
	if err := r.history.refuseReserved(task.changes); err != nil {
		return task, fmt.Errorf("plan %s of %s_%s: %w", task.Direction, task.Version, task.Name, err)
	}
	since := r.now().UTC().Truncate(time.Millisecond)
	first := r.codec.bound(historyStep{Database: r.history.Database, Collection: r.history.Collection, Before: task.before, After: task.during})
	last := r.codec.bound(historyStep{Database: r.history.Database, Collection: r.history.Collection, Before: task.during, After: task.after, Since: &since})
	plan, err := engine.NewPlan(append([]engine.Step{first}, task.changes...), engine.PlanOptions{Last: []engine.Step{last}, Passes: slices.Concat(r.passes, task.passes)})
	if err != nil {
		return task, fmt.Errorf("plan %s of %s_%s: %w", task.Direction, task.Version, task.Name, err)
	}
	task.Plan = plan
	task.Irreversible = map[string]string{}
	for _, operation := range plan.Operations {
		if operation.Irreversible != "" {
			task.Irreversible[operation.ID] = operation.Irreversible
		}
	}
	return task, nil
}

func (r *Runner) entry(task Task, checksum string, applied bool) *Entry {
	return &Entry{
		Version: task.Version, Name: task.Name, Applied: applied, Timestamp: timestamp(task.Version), Checksum: checksum,
		Run: task.id, Direction: string(task.Direction), Journal: cut(r.origin.Journal, 1024), Tool: cut(r.origin.Tool, 64),
	}
}

// cut shortens text to what an attribute holds.
func cut(text string, characters int) string {
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters])
	}
	return text
}

// Capabilities puts what a server can do into the words that a run records, so
// that a resume on a lesser server is refused (engine.WithCapabilities).
func Capabilities(server appwrite.Server) map[string]string {
	c := server.Capabilities
	words := ""
	for _, feature := range []struct {
		name string
		has  bool
	}{
		{"bigint", c.BigInt},
		{"bulk", c.Bulk},
		{"increment", c.Increment},
		{"inline_schema", c.InlineSchema},
		{"operators", c.Operators},
		{"sequence", c.Sequence},
		{"spatial", c.Spatial},
		{"text_types", c.TextTypes},
		{"timestamps", c.Timestamps},
		{"transactions", c.Transactions},
	} {
		if feature.has {
			if words != "" {
				words += " "
			}
			words += feature.name
		}
	}
	return map[string]string{"appwrite": words}
}

// PlanUp gives the tasks that apply the pending migrations, up to and including
// version to, or all of them when it is "". Those on hold are passed by, unless
// to is their version. It changes nothing. The error tells what stands in the
// way, as Status does; ErrNothing when nothing is pending.
func (r *Runner) PlanUp(ctx context.Context, to string) ([]Task, error) {
	if to != "" {
		if _, err := r.set.Find(to); err != nil {
			return nil, err
		}
	}
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	if err := status.obstacle(r.inOrder, to); err != nil {
		return nil, err
	}
	var tasks []Task
	var held []string
	every := "every migration"
	if to != "" {
		every += " up to " + to
	}
	for _, item := range status.Migrations {
		if item.State == Held && (to == "" || item.Version < to) {
			held = append(held, fmt.Sprintf("%s (%s)", item.Migration.ID(), item.Migration.Hold))
			continue
		}
		if item.State != Pending && item.State != OutOfOrder && item.State != Held || to != "" && item.Version > to {
			continue
		}
		task, err := r.planUp(ctx, item.Migration)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	if len(tasks) > 0 {
		return tasks, nil
	}
	if len(held) > 0 {
		return nil, fmt.Errorf("%w: %s is applied but what is on hold until it is asked for by its version: %s", ErrNothing, every, strings.Join(held, ", "))
	}
	return nil, fmt.Errorf("%w: %s is applied", ErrNothing, every)
}

// Up applies the pending migrations, as PlanUp has them, one run each, and stops
// at the first that is not applied. The reports are those of the runs made.
func (r *Runner) Up(ctx context.Context, to string) ([]engine.Report, error) {
	tasks, err := r.PlanUp(ctx, to)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, tasks)
}

// Run carries out planned tasks, one run each, and stops at the first that does
// not end as asked. What has changed since they were planned is met by the
// history's own steps, as ErrForeign.
func (r *Runner) Run(ctx context.Context, tasks []Task) ([]engine.Report, error) {
	if err := r.history.Ensure(ctx, r.client); err != nil {
		return nil, err
	}
	var reports []engine.Report
	for _, task := range tasks {
		if err := ctx.Err(); err != nil {
			return reports, fmt.Errorf("before %s of %s_%s: %w", task.Direction, task.Version, task.Name, err)
		}
		report, err := r.run(ctx, task)
		reports = append(reports, report)
		if err != nil {
			return reports, err
		}
	}
	return reports, nil
}
