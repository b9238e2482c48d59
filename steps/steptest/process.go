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
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal"
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
	book     book
	reader   journal.Store
	base     http.RoundTripper
	tally    *Tally
	wires    []*outage.Wire // of all processes so far

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

// open reports whether a run has begun and has not ended.
func (w *world) open(ctx context.Context, tb testing.TB, run string) bool {
	tb.Helper()
	records, err := w.reader.Records(ctx, run)
	if errors.Is(err, journal.ErrNoRun) {
		return false
	}
	if err != nil {
		tb.Fatalf("journal: %v", err)
	}
	return records[len(records)-1].Type != journal.RunFinished
}

// release lets all requests act that are still on their way.
func (w *world) release() {
	for _, wire := range w.wires {
		wire.Release()
	}
}

// record remembers the kind of step that a process is busy with, and what it
// was busy with at each of its boundaries.
type record struct {
	mu                  sync.Mutex
	kind                string
	sends, mails, notes []string
}

// Observe implements engine.Observer.
func (r *record) Observe(event engine.Event) {
	if event.Kind != engine.EventOperation {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind = event.Step
}

// note adds to one of the lists and gives the kind.
func (r *record) note(list *[]string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, r.kind)
	return r.kind
}

// process is one process that runs migrations, with its client, its view of the
// journal, and what goes wrong in it.
type process struct {
	name   string // of its run
	engine *engine.Engine
	client *appwrite.Client
	fuse   *outage.Fuse
	record *record
}

// process starts one.
func (w *world) process(tb testing.TB, m mishap, policy engine.ConflictPolicy, funcs []steps.Func) *process {
	tb.Helper()
	w.processes++
	p := &process{name: "run-" + strconv.Itoa(w.processes), fuse: outage.NewFuse(), record: &record{}}
	p.client = w.stage.client(tb, w.wire(p, m, "", &p.record.sends, func() int { return 0 }))
	if _, err := p.client.Detect(tb.Context()); err != nil {
		tb.Fatalf("detect: %v", err)
	}
	opened := -1
	mail := w.wire(p, m, "journal: ", &p.record.mails, func() int { return opened })
	store := w.book.open(tb, mail)
	opened = mail.Sent()
	notebook := &ledger{Store: store, fuse: p.fuse, mishap: m, told: func(hit bool) {
		if kind := p.record.note(&p.record.notes); hit {
			w.tally.hit(kind, m.what)
		}
	}}
	codec, err := steps.NewCodec(p.client, funcs)
	if err != nil {
		tb.Fatalf("codec: %v", err)
	}
	var receipts journal.Receipts
	if keeper, ok := store.(journal.ReceiptKeeper); ok {
		receipts = keeper.Receipts()
	}
	p.engine, err = engine.New(notebook, codec,
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithClock(outage.NewClock(quarantine, w.release)),
		engine.WithQuarantine(quarantine),
		engine.WithConflict(policy),
		engine.WithAbort(p.fuse.Abort()),
		engine.WithObserver(p.record),
		engine.WithReceipts(receipts),
	)
	if err != nil {
		tb.Fatalf("engine: %v", err)
	}
	return p
}

// wire makes one of the wires of a process. Its requests count from the one
// after since; -1 is none at all. What their boundaries are called begins with
// the prefix.
func (w *world) wire(p *process, m mishap, prefix boundary, list *[]string, since func() int) *outage.Wire {
	wire := outage.NewWire(w.base, p.fuse, func(n int, _ *http.Request) outage.Fault {
		from := since()
		if n == 0 || from < 0 {
			return outage.None
		}
		kind, what := p.record.note(list), m.on(prefix, n-from)
		if what != outage.None {
			w.tally.hit(kind, m.what)
		}
		return what
	})
	w.wires = append(w.wires, wire)
	return wire
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
