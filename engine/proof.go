package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/journal"
)

// proveInTurn compares what operation i touched with its before-image right
// after its undo, where the before-image holds only then: because an earlier
// operation, still to be undone, had changed what the object is made of.
func (x *execution) proveInTurn(own context.Context, i int) error {
	if !x.shaped(i) || x.state.Operations[i].Phase != journal.PhaseUndone || neverActed(x.state.Operations[i]) {
		return nil
	}
	if inverse, err := x.steps[i].Inverse(x.state.Operations[i].Before, x.state.Operations[i].After); err == nil && len(inverse) == 0 {
		return nil
	}
	return x.compare(own, i, &x.turns)
}

// neverActed reports whether an operation's receipt was revoked: whatever its
// object looks like is somebody else's doing.
func neverActed(operation journal.Operation) bool {
	return operation.Receipted && operation.Receipt == "" && len(operation.Undo) == 0
}

// shaped reports whether an earlier operation changed what the object of
// operation i is made of.
func (x *execution) shaped(i int) bool {
	target := x.steps[i].Target()
	for j := range i {
		if x.steps[j].Target().Shapes(target) {
			return true
		}
	}
	return false
}

// prove compares every object that the run touched with the before-image of
// the first operation that touched it. Objects that the run itself had made,
// and what was inside them, are proven by their makers' being undone; for
// objects that looked otherwise then, see proveInTurn. The error says that the
// objects differ, or that they could not be read.
func (x *execution) prove(own context.Context) error {
	proof := &x.turns
	var seen, made []Ref
	for i, operation := range x.state.Operations {
		inverse, err := x.steps[i].Inverse(operation.Before, operation.After)
		if operation.Phase != journal.PhaseUndone || neverActed(operation) || (err == nil && len(inverse) == 0) {
			continue
		}
		fresh := true
		for _, target := range targets(x.steps[i]) {
			inside := slices.ContainsFunc(made, func(m Ref) bool { return m == target || m.Contains(target) })
			fresh = fresh && !inside && (target.unnamed() || !slices.Contains(seen, target))
			seen = append(seen, target)
		}
		if maker, ok := x.steps[i].(Maker); ok {
			made = append(made, maker.Makes()...)
		}
		if !fresh || x.shaped(i) {
			continue
		}
		if err := x.compare(own, i, proof); err != nil {
			return err
		}
	}
	proof.Verified = len(proof.Differences) == 0
	x.proof = proof
	event := Event{Kind: EventProof, Undoing: true, Detail: fmt.Sprintf("verified: %d objects equal their before-image", proof.Checked)}
	if proof.Verified {
		x.emit(event)
		return nil
	}
	first := proof.Differences[0]
	event.Detail = fmt.Sprintf("%d of %d objects differ from their before-image", len(proof.Differences), proof.Checked)
	x.emit(event)
	x.left = journal.Leftover{Operation: first.Operation, Found: first.Found, Detail: first.Detail}
	return fmt.Errorf("%w: the undo is done, but %s, first %s (%s)", ErrForeign, event.Detail, first.Target, first.Found)
}

// compare looks at one object and adds what it finds to the proof.
func (x *execution) compare(own context.Context, i int, proof *journal.Proof) error {
	operation := x.state.Operations[i]
	a := x.backAct(i)
	a.site.Doubtful = false
	var finding Finding
	x.phase(a, DoingProof)
	err := x.retry(own, a, DoingProof, func() (err error) {
		finding, err = x.look(own, a)
		return err
	})
	difference := journal.Difference{
		Operation: operation.ID, Target: a.step.Target().String(), Found: finding.State.String(), Detail: finding.Detail,
	}
	if errors.Is(err, ErrUnknownOutcome) {
		proof.Unproven = append(proof.Unproven, difference)
		return nil
	}
	if err != nil {
		return err
	}
	proof.Checked++
	if finding.State == StateBefore {
		return nil
	}
	if same, err := x.changedNothing(own, i, finding); err != nil || same {
		return err
	}
	if operation.Conflict != "" {
		difference.Detail = operation.Conflict
		proof.Conflicts = append(proof.Conflicts, difference)
		return nil
	}
	proof.Differences = append(proof.Differences, difference)
	return nil
}

// changedNothing reports whether an operation's before- and after-image are the
// same: the object is then as the step makes it and as its inverse does.
func (x *execution) changedNothing(own context.Context, i int, found Finding) (bool, error) {
	undo := x.state.Operations[i].Undo
	if found.State != StateAfter || len(undo) == 0 {
		return false, nil
	}
	for n, recorded := range undo {
		if recorded.Phase != journal.PhaseUndone {
			return false, nil
		}
		step, err := x.codec.Decode(recorded.Step)
		if err != nil {
			return false, fmt.Errorf("%w: %s: %w", ErrRefused, journal.UndoID(x.state.Operations[i].ID, n+1), err)
		}
		a := x.backAct(i)
		a.id, a.step, a.before, a.site.Doubtful = journal.UndoID(x.state.Operations[i].ID, n+1), step, recorded.Before, false
		finding, err := x.probe(own, a)
		if err != nil || finding.State != StateAfter {
			return false, err
		}
	}
	return true, nil
}
