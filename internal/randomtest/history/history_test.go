// Package history_test runs whole histories of a project against a model.
package history_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// world is a server, the migrations that runners on different machines have,
// and what the model says of them.
type world struct {
	server   *livetest.Server
	space    livetest.Space
	fills    bool // see randomtest.Model
	reserved string
	base     *http.Transport
	logger   *slog.Logger
	wires    []*outage.Wire
	set      migrations.Set
	states   []*randomtest.Model // after so many migrations
	counts   map[string]int
}

// TestHistoriesOfTwoRunnersMatchTheModel takes a project up and down by two
// runners that share it, with faults, crashes, and pauses longer than the lease
// in the middle of which the other one takes over. Whenever no run is open, the
// server holds what the model says of the migrations that the history has. A
// runner that wakes after its lease sends nothing any more.
func TestHistoriesOfTwoRunnersMatchTheModel(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, counts)
		for range rapid.IntRange(2, 5).Draw(rt, "acts") {
			w.act(rt)
		}
		counts["histories"]++
	})
	t.Logf("%v", counts)
}

func newWorld(rt *rapid.T, counts map[string]int) *world {
	versions := livetest.Versions()
	if livetest.Live() {
		versions = []string{livetest.RealVersion(rt)}
	}
	version := rapid.SampledFrom(versions).Draw(rt, "version")
	w := &world{
		server: livetest.Start(rt, version), space: livetest.NewSpace(rt), fills: strings.HasPrefix(version, "1.7."),
		base: &http.Transport{MaxIdleConnsPerHost: 4}, logger: livetest.Logger(rt), counts: counts,
	}
	w.reserved = w.space.ID("backstep")
	rt.Cleanup(w.base.CloseIdleConnections)
	model := randomtest.NewModel(w.space.ID, w.fills)
	w.states = []*randomtest.Model{model.Clone()}
	var all []*migrations.Migration
	for i := range rapid.IntRange(1, 4).Draw(rt, "migrations") {
		list := randomtest.Migration(rt, model, rapid.IntRange(1, 5).Draw(rt, "length"))
		empty := migrations.New(fmt.Sprintf("2026010100000%d", i+1), fmt.Sprintf("m%d", i+1), func(*steps.Builder) {})
		all = append(all, empty.WithSteps(list))
		w.states = append(w.states, model.Clone())
	}
	var err error
	w.set, err = migrations.NewSet(all...)
	require(rt, err)
	return w
}

func (w *world) client(rt *rapid.T, wire http.RoundTripper) *appwrite.Client {
	rt.Helper()
	client, err := appwrite.New(appwrite.Config{Endpoint: w.server.Endpoint, Project: w.server.Project, Key: w.server.Key},
		appwrite.WithTransport(wire), appwrite.WithLogger(w.logger))
	require(rt, err)
	return client
}

// release lets all requests act that are still on their way.
func (w *world) release() {
	for _, wire := range w.wires {
		wire.Release()
	}
}

// act has one runner do something, and the other one take over when the first
// is paused. Then the project comes to rest and is held against the model.
func (w *world) act(rt *rapid.T) {
	before := w.applied(rt)
	f := fate{}
	switch rapid.SampledFrom([]string{"calm", "trouble", "trouble", "pause", "pause"}).Draw(rt, "fate") {
	case "trouble":
		f.trouble = randomtest.Troubles(rt, 5)
	case "pause":
		f.pause = newPause(rapid.Int64Range(1, 60).Draw(rt, "at"), rapid.Bool().Draw(rt, "answer"))
	}
	what := rapid.SampledFrom([]command{up, up, up, down, down, redo}).Draw(rt, "command")
	first := w.start(rt, "first", f)
	ended := make(chan error, 1)
	go func() { ended <- first.do(context.Background(), what) }()
	overtaken := false
	var err error
	if f.pause == nil {
		err = <-ended
	} else {
		select {
		case err = <-ended:
		case <-f.pause.begun:
			overtaken = true
			err = w.overtake(rt, first, f.pause, ended)
		}
	}
	w.counts[string(what)+": "+ending(err)]++
	w.counts["crashes"] += count(first.fuse.Blown())
	w.counts["paused"] += count(overtaken)
	first.quit()
	w.rest(rt)
	after := w.applied(rt)
	w.compare(rt, fmt.Sprintf("%s from %d (%v)", what, before, err), after)
	if err == nil && !overtaken {
		w.wantApplied(rt, what, before, after)
	}
}

// overtake lets the second runner work while the first one is paused for longer
// than its lease, then lets that one wake up.
func (w *world) overtake(rt *rapid.T, first *process, p *pause, ended <-chan error) error {
	rt.Helper()
	f := fate{}
	if rapid.Bool().Draw(rt, "trouble for the second") {
		f.trouble = randomtest.Troubles(rt, 5)
	}
	second := w.start(rt, "second", f)
	err := second.takeUp(context.Background(), rapid.Bool().Draw(rt, "back"))
	if err == nil && rapid.Bool().Draw(rt, "goes on") {
		err = second.do(context.Background(), rapid.SampledFrom([]command{up, down}).Draw(rt, "second command"))
	}
	w.counts["crashes"] += count(second.fuse.Blown())
	rt.Logf("the second runner ended with: %v", err)
	whole := rapid.Bool().Draw(rt, "whole machine slept")
	if rapid.Bool().Draw(rt, "second has ended") {
		second.quit()
	}
	sent := first.sent()
	first.machine.sleep(2*ttl, whole)
	close(p.ended)
	err = <-ended
	if now := first.sent(); now != sent {
		rt.Fatalf("the first runner sent %d requests after its lease", now-sent)
	}
	second.quit()
	return err
}

// rest has a calm runner end all that is open.
func (w *world) rest(rt *rapid.T) {
	rt.Helper()
	w.release()
	p := w.start(rt, "rest", fate{})
	defer p.quit()
	back := rapid.Bool().Draw(rt, "rest by going back")
	for tries := 0; ; tries++ {
		err := p.takeUp(context.Background(), back)
		if err == nil {
			return
		}
		if tries == 3 {
			rt.Fatalf("the project does not come to rest: %v", err)
		}
	}
}

// applied is how many migrations the history has. They are the oldest ones.
func (w *world) applied(rt *rapid.T) int {
	rt.Helper()
	p := w.start(rt, "reader", fate{})
	defer p.quit()
	status, err := p.runner.Status(context.Background())
	require(rt, err)
	n := 0
	for i, m := range status.Migrations {
		if m.State != migrations.Applied {
			continue
		}
		if i != n {
			rt.Fatalf("%s is applied, and one before it is not", m.Version)
		}
		n++
	}
	return n
}

// wantApplied checks what a command has come to that says it has succeeded.
func (w *world) wantApplied(rt *rapid.T, what command, before, after int) {
	rt.Helper()
	want := map[command]int{up: len(w.states) - 1, down: before - 1, redo: before}[what]
	if after != want {
		rt.Fatalf("%s succeeded, and %d migrations are applied, not %d", what, after, want)
	}
}

// compare holds the server's state against the model.
func (w *world) compare(rt *rapid.T, when string, applied int) {
	rt.Helper()
	w.release()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snapshot, err := w.server.Read(ctx, w.space)
	require(rt, err)
	for path := range snapshot {
		if path == w.reserved || strings.HasPrefix(path, w.reserved+"/") {
			delete(snapshot, path)
		}
	}
	got, err := randomtest.Observed(snapshot)
	require(rt, err)
	if diff := cmp.Diff(w.states[applied].DescribeUndone(got), got); diff != "" {
		rt.Fatalf("%s, now %d migrations, the server holds something else (-model +server):\n%s", when, applied, diff)
	}
	w.counts["quiescent points"]++
}

// ending is how a command ended, in a word.
func ending(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, lease.ErrLost):
		return "without its lease"
	case errors.Is(err, migrations.ErrNothing):
		return "nothing to do"
	case errors.Is(err, engine.ErrRolledBack):
		return "rolled back"
	case errors.Is(err, engine.ErrHalted):
		return "halted"
	case errors.Is(err, engine.ErrInterrupted):
		return "interrupted"
	default:
		return "failed before it began"
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func require(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil && !errors.Is(err, engine.ErrRolledBack) {
		rt.Fatal(err)
	}
}
