package steptest

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// trial is one case on its way through everything.
type trial struct {
	*world
	sampler
	c     Case
	fresh func() string // makes up the id of a database
	funcs []steps.Func
}

// Run tries a case as far as the extent says, journaling its runs in a journal
// of the kind. newDatabase makes up ids of databases that nobody else uses.
func Run(t *testing.T, stage Stage, c Case, kind Journal, extent Extent, tally *Tally, newDatabase func() string) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(transport.CloseIdleConnections)
	r := &trial{
		world:   &world{stage: stage, base: transport, tally: tally},
		sampler: sampler{extent: extent, seen: make(map[first]bool)},
		c:       c, fresh: newDatabase,
	}
	if !r.applies(t) {
		t.Skipf("%s does not exist on this server", c.Name)
	}
	r.book = newBook(t, kind, stage, transport, newDatabase)
	r.reader = r.book.reader(t)
	r.begin(t)
	up := r.up(t)
	r.boundaries(t, up)
	if !c.Irreversible {
		r.boundaries(t, r.down(t, up))
		r.conflicts(t)
	}
	r.book.search(t)
}

// applies reports whether the case makes sense on this server.
func (r *trial) applies(t *testing.T) bool {
	t.Helper()
	server, err := r.stage.client(t, r.base).Detect(t.Context())
	if err != nil {
		t.Fatalf("detect: %v", err)
	}
	return r.c.Only == nil || r.c.Only(server.Capabilities)
}

// begin sets up a database of the case's own.
func (r *trial) begin(t *testing.T) {
	t.Helper()
	r.database, r.wires = r.fresh(), nil
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
	return r.process(t, mishap{}, engine.ConflictHalt, r.funcs)
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
	each := func(kinds []string, faults, crashes []boundary) {
		t.Helper()
		for i, kind := range kinds {
			for _, what := range faults {
				if r.due(false, kind, what) {
					r.disturbed(t, l, mishap{what, i + 1})
				}
			}
			for _, what := range crashes {
				resume, rollBack := r.dueWays(kind, what)
				if resume {
					r.crashed(t, l, mishap{what, i + 1}, true)
				}
				if rollBack {
					r.crashed(t, l, mishap{what, i + 1}, false)
				}
			}
		}
	}
	each(l.record.sends, requestFaults(), requestCrashes())
	each(l.record.mails, mailFaults(), mailCrashes())
	each(l.record.notes, nil, noteCrashes())
	if !r.c.Irreversible {
		r.undo(t, l)
	}
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
	r.release()
	wantOutcome(t, point, report, err, engine.OutcomeApplied)
	r.want(t, point, l.to)
	l.home(report.Run)
	r.want(t, point+", taken back", l.from)
}
