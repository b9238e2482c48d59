package engine

import (
	"context"
	"fmt"
)

// forwardAct is operation i going forward.
func (x *execution) forwardAct(i int) *act {
	a := &act{id: x.state.Operations[i].ID, index: i, step: x.steps[i]}
	a.attempt, a.waited = &x.reports[i].Attempts, &x.reports[i].Waited
	a.site = x.site(a, x.forwardPolicy())
	return a
}

// forwardPolicy is what forward steps do about foreign changes. A run down
// takes back what another run did, so the policy for undoing is its own; but
// leaving things alone is not taking them back, so skip halts it.
func (x *execution) forwardPolicy() ConflictPolicy {
	if x.state.Started.Direction == DirectionDown && x.conflict != ConflictSkip {
		return x.conflict
	}
	return ConflictHalt
}

func (x *execution) site(a *act, policy ConflictPolicy) Site {
	return Site{
		Run: x.state.Run, Operation: a.id, OnConflict: policy, Archives: x.store.Archives(),
		Progress: func(progress Progress) {
			event := a.event(EventProgress)
			event.Progress = progress
			x.emit(event)
		},
	}
}

// capture reads the before-image.
func (x *execution) capture(ctx context.Context, a *act) (Memento, error) {
	x.phase(a, DoingCapture)
	var before Memento
	err := x.retry(ctx, a, DoingCapture, func() (err error) {
		before, err = a.step.Capture(ctx, a.site)
		return err
	})
	return before, err
}

// probe reads where the object stands.
func (x *execution) probe(ctx context.Context, a *act) (Finding, error) {
	x.phase(a, DoingProbe)
	var finding Finding
	err := x.retry(ctx, a, DoingProbe, func() (err error) {
		finding, err = x.look(ctx, a)
		return err
	})
	return finding, err
}

// look asks once.
func (x *execution) look(ctx context.Context, a *act) (Finding, error) {
	finding, err := a.step.Probe(ctx, a.site, a.before)
	if err != nil {
		return Finding{}, err
	}
	switch finding.State {
	case StateBefore, StateAfter, StatePartial, StateForeign:
		return finding, nil
	default:
		return Finding{}, fmt.Errorf("%w: the probe answered with state %d", ErrUnknownOutcome, finding.State)
	}
}

// lookTwice asks where an object stands that a request may still be on its
// way to: that nothing, or not all, has happened is believed only when it is
// still so after the quarantine.
func (x *execution) lookTwice(ctx context.Context, a *act) (Finding, error) {
	finding, err := x.look(ctx, a)
	if err != nil || finding.State == StateAfter || finding.State == StateForeign {
		return finding, err
	}
	if err := x.wait(ctx, a, x.quarantine, WaitQuarantine); err != nil {
		return Finding{}, err
	}
	return x.look(ctx, a)
}

// perform applies and settles a step whose intent is durable. a.site.Doubtful
// says on entry that an earlier attempt may have acted, and on return that one
// may have acted without being recorded. adopted tells that the effect was
// found, not seen to happen.
//
// Reads and waits end with ctx; an attempt to change something ends with own,
// so that cancelling lets it finish.
func (x *execution) perform(ctx, own context.Context, a *act) (after Observation, adopted bool, err error) {
	x.phase(a, DoingApply)
	err = x.retry(ctx, a, DoingApply, func() error {
		if after, adopted, err = x.found(ctx, own, a); adopted || err != nil {
			return err
		}
		after, err = x.attempt(own, a)
		return err
	})
	if err != nil && a.receipted && a.site.Receipt != nil && !stops(err) {
		after, adopted, err = x.disputed(own, a, err)
	}
	if err != nil {
		return nil, false, a.fail(DoingApply, err)
	}
	if err := x.settle(ctx, a); err != nil {
		return nil, false, a.fail(DoingSettle, err)
	}
	a.site.Doubtful = false
	return after, adopted, nil
}

// found looks, before an attempt, whether an earlier one has acted: its receipt
// tells, or the object does.
func (x *execution) found(ctx, own context.Context, a *act) (after Observation, acted bool, err error) {
	if a.receipted {
		if acted, err = x.present(ctx, own, a); acted {
			after, err = x.adopt(own, a)
		}
		return after, acted, err
	}
	if !a.site.Doubtful {
		return nil, false, nil
	}
	finding, err := x.lookTwice(ctx, a)
	switch {
	case err != nil:
		return nil, false, err
	case finding.State == StateAfter:
		return finding.After, true, nil
	case finding.State == StateForeign && !goesOver(a):
		return nil, false, foreign(finding)
	default:
		return nil, false, nil
	}
}

// attempt applies the step once.
func (x *execution) attempt(own context.Context, a *act) (Observation, error) {
	if err := x.guard(own); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGuard, err)
	}
	*a.attempt++
	// Until it has answered, the attempt may have acted.
	doubtful := a.site.Doubtful
	watched, changed := x.watch(own)
	after, err := a.step.Apply(watched, a.site, a.before)
	// With a receipt nothing but the commit acts, and its error tells.
	acted := changed() && !a.receipted
	a.site.Doubtful = doubtful || (err != nil && (acted || x.class(err) == ClassAmbiguous))
	if err != nil && own.Err() != nil {
		a.site.Doubtful = true
		return nil, following(interruption(own), err)
	}
	return after, err
}

// disputed looks what an attempt that failed for good has done: its receipt
// tells, and whether somebody else has revoked that.
func (x *execution) disputed(own context.Context, a *act, failed error) (after Observation, adopted bool, err error) {
	applied, err := x.decide(own, a)
	switch {
	case err != nil && stops(err):
		return nil, false, err
	case err != nil || !applied:
		return nil, false, failed
	}
	if after, err = x.adopt(own, a); err != nil {
		return nil, false, failed
	}
	return after, true, nil
}

// settle waits for what was asked for. Settling can take requests that change
// something, such as asking again for what the server has lost. One of them
// that may still be on its way, from this attempt or from a process before,
// could undo what settling has found: it is waited for, and looked at again.
func (x *execution) settle(ctx context.Context, a *act) error {
	x.phase(a, DoingSettle)
	doubtful := a.site.Doubtful
	return x.retry(ctx, a, DoingSettle, func() error {
		for {
			watched, changed := x.watch(ctx)
			err := a.step.Settle(watched, a.site, a.before)
			late := err != nil && x.class(err) == ClassAmbiguous
			if !late && (!doubtful || !changed()) {
				return err
			}
			if waitErr := x.wait(ctx, a, x.quarantine, WaitQuarantine); waitErr != nil {
				return following(waitErr, err)
			}
			doubtful = false
			if err != nil {
				return err
			}
		}
	})
}

// goesOver reports whether the policy lets the step loose on foreign changes.
func goesOver(a *act) bool {
	return a.site.OnConflict == ConflictMerge || a.site.OnConflict == ConflictOverwrite ||
		a.site.OnConflict == ConflictSkip && a.undoing && spares(a.step)
}

// foreign makes an error of a finding.
func foreign(finding Finding) error {
	if finding.Detail == "" {
		return fmt.Errorf("%w: it is neither as before nor as the step makes it", ErrForeign)
	}
	return fmt.Errorf("%w: %s", ErrForeign, finding.Detail)
}
