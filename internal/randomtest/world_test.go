package randomtest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
	"github.com/backstep-dev/backstep/steps"
)

// pace is how long things may take. The attempt timeout is short, so that held
// requests do not hold up the test, and the quarantine outlives what they do.
type pace struct{ attempt, quarantine time.Duration }

func paceOf() pace {
	if livetest.Live() {
		return pace{attempt: 5 * time.Second, quarantine: 2 * time.Second}
	}
	return pace{attempt: 250 * time.Millisecond, quarantine: 40 * time.Millisecond}
}

var errCrash = errors.New("crash")

// crashing is a journal that fails from the nth append on, before or after it
// has stored the records, as a process that is killed there would leave it.
type crashing struct {
	journal.Store
	left  atomic.Int64
	after bool
}

func (c *crashing) Append(ctx context.Context, records ...journal.Record) error {
	switch left := c.left.Add(-1); {
	case left > 0:
		return c.Store.Append(ctx, records...)
	case left == 0 && c.after:
		if err := c.Store.Append(ctx, records...); err != nil {
			return err
		}
	}
	return errCrash
}

// world is one server, or a part of a real one, with one journal.
type world struct {
	server *livetest.Server
	fills  bool // see randomtest.Model
	space  livetest.Space
	pace   pace
	store  journal.Store
	client *appwrite.Client
	codec  *steps.Codec
	logger *slog.Logger
}

// newWorld starts one whose journal is the file, or in memory without a path.
func newWorld(rt *rapid.T, path string) *world {
	versions := livetest.Versions()
	if livetest.Live() {
		versions = []string{livetest.RealVersion(rt)}
	}
	version := rapid.SampledFrom(versions).Draw(rt, "version")
	w := &world{space: livetest.NewSpace(rt), server: livetest.Start(rt, version), pace: paceOf(), logger: livetest.Logger(rt)}
	w.fills = strings.HasPrefix(version, "1.7.")
	var err error
	w.client, err = appwrite.New(appwrite.Config{Endpoint: w.server.Endpoint, Project: w.server.Project, Key: w.server.Key},
		appwrite.WithTimeout(w.pace.attempt), appwrite.WithLogger(w.logger))
	require(rt, err)
	rt.Cleanup(w.client.Close)
	_, err = w.client.Detect(context.Background())
	require(rt, err)
	if w.store, err = open(path); err != nil {
		rt.Fatal(err)
	}
	rt.Cleanup(func() { _ = w.store.Close() })
	w.codec, err = steps.NewCodec(w.client, nil)
	require(rt, err)
	return w
}

func open(path string) (journal.Store, error) {
	if path == "" {
		return journaltest.NewMemory(), nil
	}
	return sqlite.Open(context.Background(), path)
}

func unfinished(err error) bool {
	return err != nil && !errors.Is(err, engine.ErrRolledBack)
}

func (w *world) run(rt *rapid.T, e *engine.Engine, list []engine.Step) {
	plan, err := engine.NewPlan(steps.Bind(w.client, list), engine.PlanOptions{})
	require(rt, err)
	_, err = e.Run(context.Background(), engine.Request{Migration: "preparation", Direction: "up", Plan: plan})
	require(rt, err)
}

func (w *world) engine(rt *rapid.T, store journal.Store) *engine.Engine {
	e, err := engine.New(store, w.codec,
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithLogger(w.logger),
		engine.WithRetry(engine.RetryPolicy{Initial: time.Millisecond, Max: 20 * time.Millisecond, Budget: w.pace.attempt * 20}),
		engine.WithQuarantine(w.pace.quarantine))
	require(rt, err)
	return e
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

// faults puts some in the way of the run and gives a function that takes them
// away.
func (w *world) faults(rt *rapid.T) func() {
	actions := []appwritetest.Action{
		appwritetest.RefuseBefore(),
		appwritetest.DropAfter(),
		appwritetest.Status{Code: http.StatusServiceUnavailable},
		appwritetest.Status{Code: http.StatusTooManyRequests, Type: "general_rate_limit_exceeded"},
		appwritetest.Status{Code: http.StatusInternalServerError, Type: "general_unknown", AfterEffect: true},
		appwritetest.Status{Code: http.StatusRequestTimeout, Type: "database_timeout"},
		appwritetest.HoldThenAct(),
	}
	var remove []func()
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		fault := appwritetest.Fault{
			Match:  appwritetest.Match{Method: rapid.SampledFrom([]string{"", "POST", "PATCH", "PUT", "DELETE"}).Draw(rt, "method")},
			Skip:   rapid.IntRange(0, 30).Draw(rt, "skip"),
			Times:  rapid.IntRange(1, 2).Draw(rt, "times"),
			Action: rapid.SampledFrom(actions).Draw(rt, "action"),
		}
		remove = append(remove, w.server.Inject(fault).Remove)
	}
	// A real server's worker cannot be made to fail.
	if w.server.Embedded != nil && rapid.IntRange(0, 4).Draw(rt, "worker") == 0 {
		remove = append(remove, w.server.Embedded.Worker().Inject(appwritetest.JobFault{
			Skip: rapid.IntRange(0, 4).Draw(rt, "jobs"), Times: 1, Outcome: appwritetest.Fail,
		}).Remove)
	}
	return func() {
		for _, r := range remove {
			r()
		}
	}
}

func require(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil {
		rt.Fatal(err)
	}
}
