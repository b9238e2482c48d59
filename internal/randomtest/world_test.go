package randomtest_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
	"github.com/backstep-dev/backstep/steps"
)

// quarantine is how long engines wait for requests on their way. Waiting takes
// no time here, see outage.Clock.
const quarantine = time.Minute

// world is one server, or a part of a real one, with one journal.
type world struct {
	server *livetest.Server
	fills  bool // see randomtest.Model
	space  livetest.Space
	store  journal.Store
	base   *http.Transport
	logger *slog.Logger
	wires  []*outage.Wire // of all processes so far
}

// newWorld starts one whose journal is the file, or in memory without a path.
func newWorld(rt *rapid.T, path string) *world {
	versions := livetest.Versions()
	if livetest.Live() {
		versions = []string{livetest.RealVersion(rt)}
	}
	version := rapid.SampledFrom(versions).Draw(rt, "version")
	w := &world{
		server: livetest.Start(rt, version), fills: strings.HasPrefix(version, "1.7."),
		space: livetest.NewSpace(rt), base: &http.Transport{MaxIdleConnsPerHost: 4}, logger: livetest.Logger(rt),
	}
	rt.Cleanup(w.base.CloseIdleConnections)
	var err error
	if w.store, err = open(path); err != nil {
		rt.Fatal(err)
	}
	rt.Cleanup(func() { _ = w.store.Close() })
	return w
}

func open(path string) (journal.Store, error) {
	if path == "" {
		return journaltest.NewMemory(), nil
	}
	return sqlite.Open(context.Background(), path)
}

// process is one process that runs migrations.
type process struct {
	client *appwrite.Client
	codec  *steps.Codec
	engine *engine.Engine
	fuse   *outage.Fuse
}

// process starts one in which things go wrong as the plight says, from the
// moment on when it knows its server. Whatever waits long lets requests act
// that are late, those of processes before it, too.
func (w *world) process(rt *rapid.T, p *randomtest.Plight, opts ...engine.Option) *process {
	rt.Helper()
	known := false
	proc := &process{fuse: outage.NewFuse()}
	wire := outage.NewWire(w.base, proc.fuse, func(n int, req *http.Request) outage.Fault {
		if !known {
			return outage.None
		}
		return p.Request(n, req)
	})
	w.wires = append(w.wires, wire)
	var err error
	proc.client, err = appwrite.New(appwrite.Config{Endpoint: w.server.Endpoint, Project: w.server.Project, Key: w.server.Key},
		appwrite.WithTransport(wire), appwrite.WithLogger(w.logger))
	require(rt, err)
	_, err = proc.client.Detect(context.Background())
	require(rt, err)
	known = true
	proc.codec, err = steps.NewCodec(proc.client, nil)
	require(rt, err)
	proc.engine, err = engine.New(p.Journal(w.store, proc.fuse), proc.codec, append([]engine.Option{
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithLogger(w.logger),
		engine.WithClock(outage.NewClock(quarantine, w.release)),
		engine.WithQuarantine(quarantine),
		engine.WithAbort(proc.fuse.Abort()),
	}, opts...)...)
	require(rt, err)
	return proc
}

// release lets all requests act that are still on their way.
func (w *world) release() {
	for _, wire := range w.wires {
		wire.Release()
	}
}

// prepare carries out a migration in a process in which nothing goes wrong.
func (w *world) prepare(rt *rapid.T, list []engine.Step) {
	rt.Helper()
	p := w.process(rt, nil)
	_, err := p.engine.Run(context.Background(), engine.Request{Migration: "preparation", Direction: "up", Plan: p.plan(rt, list)})
	require(rt, err)
}

func (p *process) plan(rt *rapid.T, list []engine.Step) engine.Plan {
	rt.Helper()
	plan, err := engine.NewPlan(steps.Bind(p.client, list), engine.PlanOptions{})
	require(rt, err)
	for _, operation := range plan.Operations {
		encoded, err := p.codec.Encode(operation.Effect)
		require(rt, err)
		rt.Logf("operation %s: %s", operation.ID, encoded)
	}
	return plan
}

// compare holds the server's state against the model.
func (w *world) compare(rt *rapid.T, when string, model *randomtest.Model) {
	rt.Helper()
	got := w.read(rt)
	w.same(rt, when, model.Describe(), got)
}

// compareUndone is compare where changes have been taken back.
func (w *world) compareUndone(rt *rapid.T, when string, model *randomtest.Model) {
	rt.Helper()
	got := w.read(rt)
	w.same(rt, when, model.DescribeUndone(got), got)
}

func (w *world) read(rt *rapid.T) map[string]string {
	rt.Helper()
	w.release()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snapshot, err := w.server.Read(ctx, w.space)
	require(rt, err)
	got, err := randomtest.Observed(snapshot)
	require(rt, err)
	return got
}

func (w *world) same(rt *rapid.T, when string, want, got map[string]string) {
	rt.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("%s, the server holds something else (-model +server):\n%s", when, diff)
	}
}

// upsetWorker lets the server's worker fail at a job now and then, and gives a
// function that stops it. A real server's cannot be made to fail.
func (w *world) upsetWorker(rt *rapid.T) func() {
	if w.server.Embedded == nil || rapid.IntRange(0, 4).Draw(rt, "worker") > 0 {
		return func() {}
	}
	return w.server.Embedded.Worker().Inject(appwritetest.JobFault{
		Skip: rapid.IntRange(0, 4).Draw(rt, "jobs"), Times: 1, Outcome: appwritetest.Fail,
	}).Remove
}

func require(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil {
		rt.Fatal(err)
	}
}
