package steptest

import (
	"fmt"
	"testing"

	"github.com/backstep-dev/backstep/engine"
)

// leg is one way between two states, which a run takes and another takes back.
type leg struct {
	name     string
	from, to State
	list     func() []engine.Step
	home     func(run string) // takes back a run that has arrived
	reset    func()           // starts anew in a database of its own
	record   *record          // of an undisturbed run
}

// up is the way of the case's own steps.
func (r *trial) up(t *testing.T) *leg {
	t.Helper()
	l := &leg{name: "up", list: func() []engine.Step { return r.c.Steps(r.database) }}
	l.reset = func() { t.Helper(); r.begin(t) }
	l.home = func(run string) {
		t.Helper()
		if r.c.Irreversible {
			l.reset()
			return
		}
		inverse := r.inverse(t, run)
		report, err := r.healthy(t).run(t.Context(), t, inverse, nil)
		wantOutcome(t, "down", report, err, engine.OutcomeApplied)
	}
	r.measure(t, l)
	return l
}

// inverse gives the steps that take an applied run back.
func (r *trial) inverse(t *testing.T, run string) []engine.Step {
	t.Helper()
	inverse, err := r.healthy(t).engine.Inverse(t.Context(), run)
	if err != nil {
		t.Fatalf("inverse of an applied run: %v", err)
	}
	return inverse
}

// down is the way of the inverse steps, as a run of their own.
func (r *trial) down(t *testing.T, up *leg) *leg {
	t.Helper()
	l := &leg{name: "down"}
	var latest string
	climb := func() {
		t.Helper()
		report, err := r.healthy(t).run(t.Context(), t, up.list(), nil)
		wantOutcome(t, "up again", report, err, engine.OutcomeApplied)
		latest = report.Run
	}
	climb()
	l.reset = func() { t.Helper(); r.begin(t); climb() }
	l.list = func() []engine.Step { return r.inverse(t, latest) }
	l.home = func(string) { t.Helper(); climb() }
	r.measure(t, l)
	return l
}

// measure walks a leg there, back, there and back, and counts its boundaries.
func (r *trial) measure(t *testing.T, l *leg) {
	t.Helper()
	l.from = r.read(t.Context(), t)
	for range 2 {
		list := l.list() // before the process starts, which is to be the last one that did
		p := r.healthy(t)
		report, err := p.run(t.Context(), t, list, nil)
		wantOutcome(t, l.name, report, err, engine.OutcomeApplied)
		if l.to == nil {
			l.to = r.read(t.Context(), t)
			l.record = p.record
		} else {
			r.want(t, l.name+" again", l.to)
		}
		l.home(report.Run)
		r.want(t, l.name+", taken back", l.from)
	}
}

// point says what goes wrong where, and what happens then.
func (l *leg) point(m mishap, then string) string {
	return fmt.Sprintf("%s, %s %d, %s", l.name, m.what, m.at, then)
}
