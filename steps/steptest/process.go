package steptest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/steps"
)

// quarantine is how long the engines under test wait for requests on their way.
const quarantine = time.Minute

// State is what the server holds, by the paths of its objects, with "database"
// for the id of the case's database.
type State = oracle.Snapshot

// world is one database on the stage and the journal that belongs to it.
type world struct {
	stage    Stage
	database string
	store    *journaltest.Memory
	base     http.RoundTripper
	tally    *Tally
	last     *wire // of the process before

	processes int // that were started
}

// read reads the state of the database with a client of its own.
func (w *world) read(ctx context.Context, tb testing.TB) State {
	tb.Helper()
	reader := oracle.Reader{Endpoint: w.stage.Endpoint, Project: w.stage.Project, Key: w.stage.Key}
	state, err := reader.Read(ctx, func(id string) bool { return id == w.database })
	if err != nil {
		tb.Fatalf("read the server's state: %v", err)
	}
	named := State{}
	for path, object := range state {
		named[strings.Replace(path, w.database, "database", 1)] = strings.ReplaceAll(object, w.database, "database")
	}
	return named
}

// current remembers which kind of step a process is busy with.
type current struct {
	mu   sync.Mutex
	kind string
}

// Observe implements engine.Observer.
func (c *current) Observe(event engine.Event) {
	if event.Kind != engine.EventOperation {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kind = event.Step
}

func (c *current) get() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind
}

// process is one process that runs migrations, with its client, its view of the
// journal, and what goes wrong in it.
type process struct {
	name   string // of its run
	engine *engine.Engine
	client *appwrite.Client
	wire   *wire
	ledger *ledger
	fuse   *fuse
}

// mishap is one thing that goes wrong: what, and at which occurrence.
type mishap struct {
	what fault
	at   int
}

// process starts one.
func (w *world) process(tb testing.TB, m mishap, policy engine.ConflictPolicy, funcs []steps.Func) *process {
	tb.Helper()
	w.processes++
	p := &process{name: "run-" + strconv.Itoa(w.processes), fuse: newFuse()}
	busy := &current{}
	told := func() { w.tally.hit(busy.get(), m.what) }
	p.wire = &wire{base: w.base, fuse: p.fuse, what: m.what, at: m.at, told: told}
	p.ledger = &ledger{Store: w.store, fuse: p.fuse, what: m.what, at: m.at, told: told}
	before := w.last
	w.last = p.wire
	during := func() {
		if before != nil { // what a process that has stopped had on the wire
			before.release()
		}
		p.wire.release()
	}
	switch m.what {
	case crashBeforeNote, crashAfterNote:
		p.wire.at = 0
	default:
		p.ledger.at = 0
	}
	var err error
	p.client, err = appwrite.New(appwrite.Config{
		Endpoint: w.stage.Endpoint, Project: w.stage.Project, Key: w.stage.Key,
	}, appwrite.WithTransport(p.wire), appwrite.WithLogger(livetest.Logger(tb)))
	if err != nil {
		tb.Fatalf("client: %v", err)
	}
	codec, err := steps.NewCodec(p.client, funcs)
	if err != nil {
		tb.Fatalf("codec: %v", err)
	}
	p.engine, err = engine.New(p.ledger, codec,
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithClock(&clock{during: during}),
		engine.WithQuarantine(quarantine),
		engine.WithConflict(policy),
		engine.WithAbort(p.fuse.abort),
		engine.WithObserver(busy),
	)
	if err != nil {
		tb.Fatalf("engine: %v", err)
	}
	return p
}

// run runs steps, the last ones behind everything else.
func (p *process) run(ctx context.Context, tb testing.TB, list, last []engine.Step) (engine.Report, error) {
	tb.Helper()
	plan, err := engine.NewPlan(steps.Bind(p.client, list), engine.PlanOptions{Last: steps.Bind(p.client, last)})
	if err != nil {
		tb.Fatalf("plan: %v", err)
	}
	return p.engine.Run(ctx, engine.Request{Run: p.name, Migration: "lifecycle", Version: "1", Direction: "up", Plan: plan})
}

// open reports whether a run has begun and has not ended.
func (w *world) open(ctx context.Context, tb testing.TB, run string) bool {
	tb.Helper()
	records, err := w.store.Records(ctx, run)
	if errors.Is(err, journal.ErrNoRun) {
		return false
	}
	if err != nil {
		tb.Fatalf("journal: %v", err)
	}
	return records[len(records)-1].Type != journal.RunFinished
}

// wantOutcome fails the test unless a call ended as it should.
func wantOutcome(tb testing.TB, what string, report engine.Report, err error, want engine.Outcome) {
	tb.Helper()
	if report.Outcome != want {
		tb.Fatalf("%s: the run is %q, not %q\nerror: %v\nundo: %v\nleft: %+v", what, report.Outcome, want, err, report.UndoErr, report.Left)
	}
	if want == engine.OutcomeApplied && err != nil {
		tb.Fatalf("%s: applied, and yet: %v", what, err)
	}
	if want == engine.OutcomeRolledBack && err != nil && !errors.Is(err, engine.ErrRolledBack) {
		tb.Fatalf("%s: rolled back, and yet: %v", what, err)
	}
}
