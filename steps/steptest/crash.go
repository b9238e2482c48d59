package steptest

import (
	"context"
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// crashed stops the process and lets another one resume or roll back, which may
// be stopped as well.
func (r *trial) crashed(t *testing.T, l *leg, m mishap, resume bool) {
	t.Helper()
	r.crash(t, l, m, mishap{}, resume)
	if second := r.again(); second.at > 0 {
		r.crash(t, l, m, second, resume)
	}
}

func (r *trial) crash(t *testing.T, l *leg, m, second mishap, resume bool) {
	t.Helper()
	r.tally.point()
	how := map[bool]string{true: "resumed", false: "rolled back"}[resume]
	if second.at > 0 {
		how += ", " + second.String() + " of that, and once more"
	}
	point := l.point(m, how)
	list := l.list() // before the process starts, which is to be the last one that did
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, nil)
	run := p.name
	if begun := r.cutOff(t, point, p, report, err); !begun {
		r.closed(t, l, point, run)
		return
	}
	report, err = r.finish(t, run, resume, second)
	r.release()
	if (r.c.Unproven || r.c.Irreversible && !resume) && report.Outcome == engine.OutcomeHalted {
		l.reset()
		return
	}
	if !resume {
		wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
		r.want(t, point, l.from)
		return
	}
	wantOutcome(t, point, report, err, engine.OutcomeApplied)
	r.want(t, point, l.to)
	l.home(run)
	r.want(t, point+", taken back", l.from)
}

// cutOff checks a process that was to stop, and reports whether it has left an
// open run.
func (r *trial) cutOff(t *testing.T, point string, p *process, report engine.Report, err error) bool {
	t.Helper()
	if !p.fuse.Blown() {
		t.Fatalf("%s: the process did not stop: %v", point, err)
	}
	if !r.open(t.Context(), t, p.name) {
		return false
	}
	if report.Outcome != engine.OutcomeInterrupted {
		t.Fatalf("%s: a run that was cut off reports %q: %v", point, report.Outcome, err)
	}
	return true
}

// finish has other processes end a run that was cut off. The first of them may
// be stopped, too, and each may be overtaken by a journal write of the process
// before it that was still on its way.
func (r *trial) finish(t *testing.T, run string, resume bool, second mishap) (engine.Report, error) {
	t.Helper()
	for tries := 0; ; tries++ {
		p := r.process(t, second, engine.ConflictHalt, r.funcs)
		takeUp := p.engine.Rollback
		if resume {
			takeUp = p.engine.Resume
		}
		report, err := takeUp(t.Context(), run)
		stopped := p.fuse.Blown()
		if tries == 5 || !stopped && !errors.Is(err, journal.ErrTail) {
			return report, err
		}
		if stopped {
			r.tally.crashedTwice()
		}
		second = mishap{}
		if r.open(t.Context(), t, run) {
			continue
		}
		state, err := r.healthy(t).engine.State(t.Context(), run)
		if err != nil {
			t.Fatalf("a run that was begun: %v", err)
		}
		return engine.Report{Run: run, Outcome: engine.Outcome(state.Status)}, nil
	}
}

// closed checks a run that was cut off before its first record or after its last.
func (r *trial) closed(t *testing.T, l *leg, point, run string) {
	t.Helper()
	_, err := r.healthy(t).engine.State(t.Context(), run)
	if err != nil { // it never began
		r.release()
		r.want(t, point, l.from)
		return
	}
	r.release()
	r.want(t, point, l.to)
	l.home(run)
	r.want(t, point+", taken back", l.from)
}

// undo lets the run fail behind its last step, and everything go wrong in the
// undo that follows.
func (r *trial) undo(t *testing.T, l *leg) {
	t.Helper()
	fail := r.failing(t, func(context.Context) error { return nil })
	list := l.list()
	p := r.healthy(t)
	report, err := p.run(t.Context(), t, list, fail)
	wantOutcome(t, l.name+", failing", report, err, engine.OutcomeRolledBack)
	r.want(t, l.name+", failing", l.from)
	each := func(kinds []string, done int, faults, crashes []boundary) {
		t.Helper()
		for at := done + 1; at <= len(kinds); at++ {
			for _, what := range faults {
				if r.due(true, kinds[at-1], what) {
					r.undoDisturbed(t, l, fail, mishap{what, at})
				}
			}
			for _, what := range crashes {
				if r.due(true, kinds[at-1], what) {
					r.undoCrashed(t, l, fail, mishap{what, at})
				}
			}
		}
	}
	each(p.record.sends, len(l.record.sends), requestFaults(), requestCrashes())
	each(p.record.mails, len(l.record.mails), mailFaults(), mailCrashes())
	each(p.record.notes, len(l.record.notes), nil, noteCrashes())
}

// undoDisturbed undoes with a fault that the undo has to survive by itself.
func (r *trial) undoDisturbed(t *testing.T, l *leg, fail []engine.Step, m mishap) {
	t.Helper()
	r.tally.point()
	point := l.point(m, "in the undo")
	list := l.list()
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, fail)
	r.release()
	if r.c.Unproven && report.Outcome == engine.OutcomeHalted {
		l.reset()
		return
	}
	wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
	r.want(t, point, l.from)
}

// undoCrashed stops the process while it undoes and lets another one go on,
// which may be stopped as well.
func (r *trial) undoCrashed(t *testing.T, l *leg, fail []engine.Step, m mishap) {
	t.Helper()
	r.undoCrash(t, l, fail, m, mishap{})
	if second := r.again(); second.at > 0 {
		r.undoCrash(t, l, fail, m, second)
	}
}

func (r *trial) undoCrash(t *testing.T, l *leg, fail []engine.Step, m, second mishap) {
	t.Helper()
	r.tally.point()
	how := "in the undo, resumed"
	if second.at > 0 {
		how += ", " + second.String() + " of that, and once more"
	}
	point := l.point(m, how)
	list := l.list()
	p := r.process(t, m, engine.ConflictHalt, r.funcs)
	report, err := p.run(t.Context(), t, list, fail)
	if begun := r.cutOff(t, point, p, report, err); !begun { // the last record was written
		r.release()
		r.want(t, point, l.from)
		return
	}
	report, err = r.finish(t, p.name, true, second)
	r.release()
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
