package randomtest_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal"
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

func TestMain(m *testing.M) {
	// A thousand migrations, in four streams; more in a soak, fewer where each
	// request takes its time.
	checks := "250"
	switch {
	case os.Getenv("BACKSTEP_SOAK") != "":
		checks = "5000"
	case livetest.Live():
		checks = "25"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	os.Exit(m.Run()) //nolint:forbidigo // TestMain has no other way
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

// TestRandomMigrationsEndWholeOrUndone runs random migrations with random
// faults on the way, at the server and in the process, and holds what the
// server shows in the end against the model. rapid prints the seed of a
// failure; -rapid.seed repeats it.
func TestRandomMigrationsEndWholeOrUndone(t *testing.T) {
	t.Parallel()
	for stream := range 4 {
		t.Run(strconv.Itoa(stream), func(t *testing.T) {
			t.Parallel()
			runStream(t)
		})
	}
}

func runStream(t *testing.T) {
	t.Helper()
	counts := map[string]int{}
	folder := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, filepath.Join(folder, strconv.Itoa(n)))
		outcome, halted, crashed := w.play(rt)
		counts[string(outcome)]++
		if halted {
			counts["after a halt"]++
		}
		if crashed {
			counts["after a crash"]++
		}
	})
	if livetest.SearchFiles(t, folder) == 0 {
		t.Error("no journal was left that could hold the API key")
	}
	t.Logf("%d migrations: %v", n, counts)
}

// world is one server, or a part of a real one, with one journal.
type world struct {
	server *livetest.Server
	space  livetest.Space
	pace   pace
	store  journal.Store
	client *appwrite.Client
	codec  *steps.Codec
	logger *slog.Logger
}

func newWorld(rt *rapid.T, path string) *world {
	versions := livetest.Versions()
	if livetest.Live() {
		versions = []string{livetest.RealVersion(rt)}
	}
	version := rapid.SampledFrom(versions).Draw(rt, "version")
	w := &world{space: livetest.NewSpace(rt), server: livetest.Start(rt, version), pace: paceOf(), logger: livetest.Logger(rt)}
	var err error
	w.client, err = appwrite.New(appwrite.Config{Endpoint: w.server.Endpoint, Project: w.server.Project, Key: w.server.Key},
		appwrite.WithTimeout(w.pace.attempt), appwrite.WithLogger(w.logger))
	require(rt, err)
	rt.Cleanup(w.client.Close)
	_, err = w.client.Detect(context.Background())
	require(rt, err)
	w.store, err = sqlite.Open(context.Background(), path)
	require(rt, err)
	rt.Cleanup(func() { _ = w.store.Close() })
	w.codec, err = steps.NewCodec(w.client, nil)
	require(rt, err)
	return w
}

// play prepares a project, then runs one migration against it under faults
// until it has ended, and checks what is there.
func (w *world) play(rt *rapid.T) (outcome engine.Outcome, halted, crashed bool) {
	ctx := context.Background()
	before := randomtest.NewModel(w.space.ID)
	w.run(rt, w.engine(rt, w.store), randomtest.Migration(rt, before, rapid.IntRange(1, 8).Draw(rt, "prepared")))
	w.compare(rt, "after the preparation", before)

	after := before.Clone()
	list := randomtest.Migration(rt, after, rapid.IntRange(1, 10).Draw(rt, "length"))
	broken := rapid.Bool().Draw(rt, "broken")
	if broken {
		list = append(list, randomtest.Breaking(rt, after))
	}
	plan, err := engine.NewPlan(steps.Bind(w.client, list), engine.PlanOptions{})
	require(rt, err)

	for _, operation := range plan.Operations {
		encoded, err := w.codec.Encode(operation.Effect)
		require(rt, err)
		rt.Logf("operation %s: %s", operation.ID, encoded)
	}
	removeFaults := w.faults(rt)
	store := w.store
	if rapid.Bool().Draw(rt, "crash") {
		c := &crashing{Store: w.store, after: rapid.Bool().Draw(rt, "stored")}
		c.left.Store(rapid.Int64Range(1, int64(3*len(list)+4)).Draw(rt, "append"))
		store = c
	}
	report, err := w.engine(rt, store).Run(ctx, engine.Request{Migration: "random", Direction: "up", Plan: plan})
	back := rapid.Bool().Draw(rt, "back")
	for round := 0; unfinished(err); round++ {
		halted = halted || errors.Is(err, engine.ErrHalted)
		crashed = crashed || errors.Is(err, errCrash)
		if round == 1 {
			removeFaults()
		}
		if round == 6 {
			rt.Fatalf("still unfinished after %d rounds: %v\nleft: %+v\nproof: %+v", round, err, report.Left, report.Proof)
		}
		report, err = w.again(rt, report, back)
	}
	removeFaults()
	switch report.Outcome {
	case engine.OutcomeApplied:
		if broken {
			rt.Fatalf("a migration that cannot finish was applied")
		}
		w.compare(rt, "after it was applied", after)
	case engine.OutcomeRolledBack:
		if report.Proof == nil || !report.Proof.Verified {
			rt.Fatalf("rolled back without proof: %+v", report.Proof)
		}
		w.compare(rt, "after it was rolled back", before)
	default:
		rt.Fatalf("ended %q: %v", report.Outcome, err)
	}
	return report.Outcome, halted, crashed
}

// again takes an unfinished run up in a new engine over the same journal. A
// run that crashed before its first record is none.
func (w *world) again(rt *rapid.T, report engine.Report, back bool) (engine.Report, error) {
	e := w.engine(rt, w.store)
	runs, err := w.store.Runs(context.Background())
	require(rt, err)
	last := runs[len(runs)-1]
	if last.Migration != "random" {
		return engine.Report{Outcome: engine.OutcomeRolledBack, Proof: &journal.Proof{Verified: true}}, nil
	}
	if last.Status == journal.StatusApplied {
		return engine.Report{Outcome: engine.OutcomeApplied}, nil
	}
	if last.Status == journal.StatusRolledBack {
		return engine.Report{Outcome: engine.OutcomeRolledBack, Proof: &journal.Proof{Verified: true}}, nil
	}
	if back || report.Undoing {
		report, err := e.Rollback(context.Background(), last.Run)
		return report, err
	}
	return e.Resume(context.Background(), last.Run)
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snapshot, err := w.server.Read(ctx, w.space)
	require(rt, err)
	got, err := randomtest.Observed(snapshot)
	require(rt, err)
	if diff := cmp.Diff(model.Describe(), got); diff != "" {
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
