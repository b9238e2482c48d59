package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Operation is one unit of effect, journaling and undo.
type Operation struct {
	ID string // unique in the run: "1", "2", …
	// Steps are the planned steps that the operation carries out. Without
	// planner passes it is exactly one.
	Steps []Step
	// Effect is the step that carries them out: Steps[0] without planner passes.
	Effect Step
	// Late says that this is the destructive part of an earlier step.
	Late bool
	// Irreversible says why there is no undo; "" when there is one, as far as
	// that is known before anything has been captured.
	Irreversible string
	// Exacting says why the operation is refused where there are no receipts,
	// and what to do about it; "" when it needs none. See WithReceipts.
	Exacting string
}

// Plan is what a run will do, in order.
type Plan struct {
	Operations []Operation
}

// Pass turns operations into fewer or better ones with the same outcome. It is
// pure and leaves its argument alone. Plan numbers the result anew.
type Pass func(operations []Operation) ([]Operation, error)

// PlanOptions refines NewPlan. The zero value gives the plain sequence.
type PlanOptions struct {
	// Last are steps that come after everything else, even after the late
	// part of destructive steps: the history entry.
	Last []Step
	// Passes run over the plain sequence one after the other.
	Passes []Pass
}

// NewPlan puts steps into the order in which they run. It is pure.
//
// A Splitter's first part takes the step's place and its last part waits for
// the end of the run, in the order of the steps; it goes earlier only where a
// later step speaks of the same object, or of one inside it, and so counts on
// its being gone.
func NewPlan(steps []Step, options PlanOptions) (Plan, error) {
	var operations, late []Operation
	for i, step := range steps {
		if step == nil {
			return Plan{}, fmt.Errorf("%w: step %d is missing", ErrInvalid, i+1)
		}
		var due []Operation
		due, late = overdue(late, step.Target())
		operations = append(operations, due...)
		splitter, ok := step.(Splitter)
		if !ok {
			operations = append(operations, single(step, step))
			continue
		}
		now, last := splitter.Split()
		if now != nil {
			operations = append(operations, single(step, now))
		}
		if last != nil {
			operation := single(step, last)
			operation.Late = true
			late = append(late, operation)
		}
	}
	operations = append(operations, late...)
	for i, step := range options.Last {
		if step == nil {
			return Plan{}, fmt.Errorf("%w: last step %d is missing", ErrInvalid, i+1)
		}
		operations = append(operations, single(step, step))
	}
	for _, pass := range options.Passes {
		var err error
		if operations, err = pass(slices.Clone(operations)); err != nil {
			return Plan{}, fmt.Errorf("plan: %w", err)
		}
	}
	for i := range operations {
		operations[i].ID, operations[i].Exacting = strconv.Itoa(i+1), exacting(operations[i].Effect)
	}
	return Plan{Operations: operations}, nil
}

// overdue divides the waiting destructions into those that must happen before
// a step on target, with everything inside what they destroy, and the rest.
// Letter case does not count: a store may not tell names apart by it.
func overdue(late []Operation, target Ref) (due, rest []Operation) {
	var gone []Ref
	target = target.folded()
	for _, operation := range late {
		if ref := operation.Effect.Target().folded(); ref == target || ref.Contains(target) {
			gone = append(gone, ref)
		}
	}
	for _, operation := range late {
		ref := operation.Effect.Target().folded()
		if slices.ContainsFunc(gone, func(g Ref) bool { return g == ref || g.Contains(ref) }) {
			due = append(due, operation)
		} else {
			rest = append(rest, operation)
		}
	}
	return due, rest
}

// folded gives the reference with its names in lower case.
func (r Ref) folded() Ref {
	r.Database, r.Collection, r.Key = strings.ToLower(r.Database), strings.ToLower(r.Collection), strings.ToLower(r.Key)
	return r
}

func single(step, effect Step) Operation {
	operation := Operation{Steps: []Step{step}, Effect: effect}
	if irreversible, ok := effect.(Irreversible); ok {
		operation.Irreversible = irreversible.Irreversible()
	}
	return operation
}
