package steptest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/steps"
)

// trial is one case on its way through everything.
type trial struct {
	*world
	c     Case
	fresh func() string // makes up the id of a database
	funcs []steps.Func
}

// Run tries a case at every boundary. newDatabase makes up ids of databases that
// nobody else uses.
func Run(t *testing.T, stage Stage, c Case, tally *Tally, newDatabase func() string) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(transport.CloseIdleConnections)
	r := &trial{
		world: &world{stage: stage, base: transport, tally: tally},
		c:     c, fresh: newDatabase,
	}
	t.Cleanup(func() { livetest.SearchJournal(t, r.store) })
	if !r.applies(t) {
		t.Skipf("%s does not exist on this server", c.Name)
	}
	r.begin(t)
	up := r.up(t)
	r.boundaries(t, up)
	if c.Irreversible {
		return
	}
	r.boundaries(t, r.down(t, up))
	r.conflicts(t)
}

// applies reports whether the case makes sense on this server.
func (r *trial) applies(t *testing.T) bool {
	t.Helper()
	p := r.healthy(t)
	server, err := p.client.Detect(t.Context())
	if err != nil {
		t.Fatalf("detect: %v", err)
	}
	return r.c.Only == nil || r.c.Only(server.Capabilities)
}

// begin sets up a database of the case's own, with an empty journal.
func (r *trial) begin(t *testing.T) {
	t.Helper()
	if r.store != nil {
		livetest.SearchJournal(t, r.store)
	}
	r.database, r.store, r.last = r.fresh(), journaltest.NewMemory(), nil
	r.funcs = r.known(func(context.Context) error { return nil })
	if r.c.Setup == nil {
		return
	}
	report, err := r.healthy(t).run(t.Context(), t, r.c.Setup(r.database), nil)
	wantOutcome(t, "setup", report, err, engine.OutcomeApplied)
}

// known are the functions of the case and the saboteur.
func (r *trial) known(act func(context.Context) error) []steps.Func {
	funcs := []steps.Func{saboteur(act)}
	if r.c.Funcs != nil {
		funcs = append(funcs, r.c.Funcs(r.database)...)
	}
	return funcs
}

// healthy is a process in which nothing goes wrong.
func (r *trial) healthy(t *testing.T) *process {
	t.Helper()
	if r.store == nil {
		r.store = journaltest.NewMemory()
	}
	return r.process(t, mishap{what: none}, engine.ConflictHalt, r.funcs)
}

// want fails the test unless the server is in a state.
func (r *trial) want(t *testing.T, what string, want State) {
	t.Helper()
	if diff := cmp.Diff(want, r.read(t.Context(), t)); diff != "" {
		t.Fatalf("%s: the server's state is not as it should be (-want +got):\n%s", what, diff)
	}
}

// boundaries lets everything go wrong everywhere on a leg.
func (r *trial) boundaries(t *testing.T, l *leg) {
	t.Helper()
	for at := 1; at <= l.requests; at++ {
		for _, what := range requestFaults() {
			r.disturbed(t, l, mishap{what, at})
		}
		for _, what := range requestCrashes() {
			r.crashed(t, l, mishap{what, at}, true)
			r.crashed(t, l, mishap{what, at}, false)
		}
	}
	for at := 1; at <= l.notes; at++ {
		for _, what := range noteCrashes() {
			r.crashed(t, l, mishap{what, at}, true)
			r.crashed(t, l, mishap{what, at}, false)
		}
	}
	if r.c.Irreversible {
		return
	}
	r.undo(t, l)
}

// disturbed runs with a fault that the run has to survive by itself.
func (r *trial) disturbed(t *testing.T, l *leg, m mishap) {
	t.Helper()
	r.tally.point()
	point := l.point(m, "going on")
	list := l.list() // before the process starts, which is to be the last one that did
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, nil)
	if r.c.Unproven && report.Outcome == engine.OutcomeHalted {
		l.reset()
		return
	}
	p.wire.release()
	wantOutcome(t, point, report, err, engine.OutcomeApplied)
	r.want(t, point, l.to)
	l.home(report.Run)
	r.want(t, point+", taken back", l.from)
}

// crashed stops the process and lets another one resume or roll back.
func (r *trial) crashed(t *testing.T, l *leg, m mishap, resume bool) {
	t.Helper()
	r.tally.point()
	point := l.point(m, map[bool]string{true: "resumed", false: "rolled back"}[resume])
	list := l.list() // before the process starts, which is to be the last one that did
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, nil)
	if !p.fuse.isBlown() {
		t.Fatalf("%s: the process did not stop: %v", point, err)
	}
	run := p.name
	if !r.open(t.Context(), t, run) {
		r.closed(t, l, point, run)
		return
	}
	if report.Outcome != engine.OutcomeInterrupted {
		t.Fatalf("%s: a run that was cut off reports %q: %v", point, report.Outcome, err)
	}
	next := r.healthy(t)
	if resume {
		report, err = next.engine.Resume(t.Context(), run)
		p.wire.release()
		if r.c.Unproven && report.Outcome == engine.OutcomeHalted {
			l.reset()
			return
		}
		wantOutcome(t, point, report, err, engine.OutcomeApplied)
		r.want(t, point, l.to)
		l.home(run)
		r.want(t, point+", taken back", l.from)
		return
	}
	report, err = next.engine.Rollback(t.Context(), run)
	p.wire.release()
	if (r.c.Unproven || r.c.Irreversible) && report.Outcome == engine.OutcomeHalted {
		l.reset()
		return
	}
	wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
	r.want(t, point, l.from)
}

// closed checks a run that was cut off before its first record or after its last.
func (r *trial) closed(t *testing.T, l *leg, point, run string) {
	t.Helper()
	_, err := r.healthy(t).engine.State(t.Context(), run)
	if err != nil { // it never began
		r.want(t, point, l.from)
		return
	}
	r.want(t, point, l.to)
	l.home(run)
	r.want(t, point+", taken back", l.from)
}

// undo lets the run fail behind its last step, and everything go wrong in the
// undo that follows.
func (r *trial) undo(t *testing.T, l *leg) {
	t.Helper()
	fail := r.failing(t, func(context.Context) error { return nil })
	p := r.process(t, mishap{what: none}, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, l.list(), fail)
	wantOutcome(t, l.name+", failing", report, err, engine.OutcomeRolledBack)
	r.want(t, l.name+", failing", l.from)
	requests, notes := p.wire.sent(), p.ledger.written()
	for at := l.requests + 1; at <= requests; at++ {
		for _, what := range requestFaults() {
			r.tally.point()
			point := l.point(mishap{what, at}, "in the undo")
			list := l.list()
			p := r.process(t, mishap{what, at}, engine.ConflictHalt, r.funcs)
			report, err := p.run(t.Context(), t, list, fail)
			p.wire.release()
			if r.c.Unproven && report.Outcome == engine.OutcomeHalted {
				l.reset()
				continue
			}
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			r.want(t, point, l.from)
		}
		for _, what := range requestCrashes() {
			r.undoCrashed(t, l, fail, mishap{what, at})
		}
	}
	for at := l.notes + 1; at <= notes; at++ {
		for _, what := range noteCrashes() {
			r.undoCrashed(t, l, fail, mishap{what, at})
		}
	}
}

// undoCrashed stops the process while it undoes and lets another one go on.
func (r *trial) undoCrashed(t *testing.T, l *leg, fail []engine.Step, m mishap) {
	t.Helper()
	r.tally.point()
	point := l.point(m, "in the undo, resumed")
	list := l.list()
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, fail)
	if !p.fuse.isBlown() {
		t.Fatalf("%s: the process did not stop: %v", point, err)
	}
	run := p.name
	if !r.open(t.Context(), t, run) { // the last record was written
		r.want(t, point, l.from)
		return
	}
	if report.Outcome != engine.OutcomeInterrupted {
		t.Fatalf("%s: a run that was cut off reports %q: %v", point, report.Outcome, err)
	}
	report, err = r.healthy(t).engine.Resume(t.Context(), run)
	p.wire.release()
	if r.c.Unproven && report.Outcome == engine.OutcomeHalted {
		l.reset()
		return
	}
	wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
	r.want(t, point, l.from)
}

// failing gives the step behind all others that lets somebody else act and fails.
func (r *trial) failing(t *testing.T, act func(context.Context) error) []engine.Step {
	t.Helper()
	step, err := steps.NewFunc(saboteur(act))
	if err != nil {
		t.Fatalf("saboteur: %v", err)
	}
	return []engine.Step{step}
}

// conflicts lets somebody else change the object before the undo, under each policy.
func (r *trial) conflicts(t *testing.T) {
	t.Helper()
	if r.c.Foreign == nil {
		return
	}
	for _, policy := range []engine.ConflictPolicy{
		engine.ConflictHalt, engine.ConflictSkip, engine.ConflictOverwrite, engine.ConflictMerge,
	} {
		r.tally.point()
		r.begin(t)
		before := r.read(t.Context(), t)
		point := "somebody else has changed it, " + string(policy)
		other := r.healthy(t).client
		var left State
		act := func(ctx context.Context) error {
			err := r.c.Foreign(ctx, other, r.database)
			left = r.read(ctx, t)
			return err
		}
		p := r.process(t, mishap{what: none}, policy, r.known(act))
		report, err := p.run(t.Context(), t, r.c.Steps(r.database), r.failing(t, act))
		if report.Err != nil && !errors.Is(report.Err, errSabotage) {
			t.Fatalf("%s: %v", point, report.Err)
		}
		if len(report.Conflicts) == 0 {
			t.Fatalf("%s: no conflict is reported", point)
		}
		switch policy {
		case engine.ConflictHalt:
			wantOutcome(t, point, report, err, engine.OutcomeHalted)
			r.want(t, point, left)
		case engine.ConflictSkip:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			r.want(t, point, left)
		case engine.ConflictOverwrite:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			r.want(t, point, before)
		case engine.ConflictMerge:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			if r.c.Merged != nil {
				r.c.Merged(t, r.read(t.Context(), t))
			}
		}
	}
}
