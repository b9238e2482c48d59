package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/journal"
)

// record turns a request into what run_started says, and gives the steps as
// they will be decoded from it.
func (e *Engine) record(request Request) (journal.Started, []Step, error) {
	started := journal.Started{
		Migration: request.Migration, Version: request.Version, Checksum: request.Checksum,
		Direction: request.Direction, Environment: request.Environment,
		Actor: request.Actor, Host: request.Host, Tool: request.Tool, Server: request.Server,
		Capabilities: maps.Clone(request.Capabilities), Operations: []journal.Planned{},
	}
	seen := make(map[string]bool)
	steps := make([]Step, 0, len(request.Plan.Operations))
	for _, operation := range request.Plan.Operations {
		if operation.Effect == nil || operation.ID == "" || strings.Contains(operation.ID, "/") || seen[operation.ID] {
			return started, nil, fmt.Errorf("%w: operation %q in the plan", ErrInvalid, operation.ID)
		}
		seen[operation.ID] = true
		data, step, err := e.codify(operation.Effect)
		if err != nil {
			return started, nil, fmt.Errorf("%w: operation %s (%s, %s): %w",
				ErrInvalid, operation.ID, operation.Effect.Kind(), operation.Effect.Target(), err)
		}
		if err := e.exact(operation.ID, step); err != nil {
			return started, nil, err
		}
		started.Operations = append(started.Operations, journal.Planned{ID: operation.ID, Step: data})
		steps = append(steps, step)
	}
	return started, steps, e.admit(started)
}

// exact refuses a step that needs a receipt where there are none.
func (e *Engine) exact(operation string, step Step) error {
	if reason := exacting(step); reason != "" && e.receipts == nil && !e.unrivalled {
		return &OperationError{
			Operation: operation, Kind: step.Kind(), Target: step.Target(), Phase: DoingCapture,
			Err: fmt.Errorf("%w: %s", ErrRefused, reason),
		}
	}
	return nil
}

// codify writes a step down and gives it back as another process would have it.
func (e *Engine) codify(step Step) ([]byte, Step, error) {
	encoded, err := e.codec.Encode(step)
	if err != nil {
		return nil, nil, fmt.Errorf("encode: %w", err)
	}
	data, err := journal.Canonical(encoded)
	if err != nil {
		return nil, nil, fmt.Errorf("encode: %w", err)
	}
	decoded, err := e.codec.Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("decode again: %w", err)
	}
	return data, decoded, nil
}

// decode gives a recorded run's steps, or refuses the run.
func (e *Engine) decode(state journal.State) ([]Step, error) {
	if id := openReceipt(state); id != "" && e.receipts == nil {
		return nil, fmt.Errorf("%w: operation %s of run %s commits with a receipt, and there are none here: "+
			"take the run up with the journal it was begun with", ErrRefused, id, state.Run)
	}
	steps := make([]Step, 0, len(state.Operations))
	for _, operation := range state.Operations {
		step, err := e.codec.Decode(operation.Step)
		if err != nil {
			return nil, fmt.Errorf("%w: operation %s of run %s: %w", ErrRefused, operation.ID, state.Run, err)
		}
		for n, undo := range operation.Undo {
			if _, err := e.codec.Decode(undo.Step); err != nil {
				return nil, fmt.Errorf("%w: %s of run %s: %w", ErrRefused, journal.UndoID(operation.ID, n+1), state.Run, err)
			}
		}
		if operation.Phase == journal.PhasePlanned && !state.Undoing {
			if err := e.exact(operation.ID, step); err != nil {
				return nil, err
			}
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// admit refuses a run that relies on what the server lacks.
func (e *Engine) admit(started journal.Started) error {
	if e.capabilities == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(started.Capabilities)) {
		now := strings.Fields(e.capabilities[name])
		for word := range strings.FieldsSeq(started.Capabilities[name]) {
			if !lacking(word) && !slices.Contains(now, word) {
				return fmt.Errorf("%w: the run relies on %s %s, the server has %q", ErrRefused, name, word, e.capabilities[name])
			}
		}
	}
	return nil
}

// lacking reports whether a capability's word says that there is none.
func lacking(word string) bool { return word == "false" || word == "none" }

// takeUp prepares a run that somebody began, or refuses it before anything acts.
func (e *Engine) takeUp(ctx context.Context, run string) (*execution, error) {
	state, err := e.State(ctx, run)
	if err != nil {
		return nil, err
	}
	if state.Status.Final() {
		return nil, fmt.Errorf("%w: run %s is %s", ErrFinished, run, state.Status)
	}
	if err := e.admit(state.Started); err != nil {
		return nil, err
	}
	steps, err := e.decode(state)
	if err != nil {
		return nil, err
	}
	x := e.execution(state, steps)
	x.begin()
	x.resumed = true
	for i, operation := range state.Operations {
		x.doubt[i] = operation.Phase == journal.PhaseIntended
	}
	return x, nil
}
