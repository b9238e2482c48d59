package journal

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

func (s *State) foldUndoIntent(r Record) error {
	var body UndoIntended
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	id, n, err := splitUndo(r.Operation)
	if err != nil {
		return err
	}
	i, err := s.index(id)
	if err != nil {
		return err
	}
	if err := s.turn(r, i); err != nil {
		return err
	}
	operation := &s.Operations[i]
	undo := operation.Undo
	if n >= 1 && n <= len(undo) && undo[n-1].Phase == PhaseIntended && len(body.Steps)+len(body.Cause)+len(body.Conflict)+len(body.Policy) == 0 {
		return undo[n-1].renew(r, body.Receipted, body.Generation, bytes.Equal(undo[n-1].Before, body.Before))
	}
	if body.Generation != 0 {
		return s.misplaced(r, i)
	}
	if (n == 1) != (len(body.Steps) > 0) || (n == 1) != (undo == nil) {
		return fmt.Errorf("%w: inverse steps are told with the first undo_intent of operation %s", ErrSequence, id)
	}
	for _, step := range body.Steps {
		undo = append(undo, UndoStep{Step: step, Phase: PhasePlanned})
	}
	if n < 1 || n > len(undo) || undo[n-1].Phase != PhasePlanned || (n > 1 && undo[n-2].Phase != PhaseUndone) {
		return s.misplaced(r, i)
	}
	if err := s.because(body.Cause); err != nil {
		return err
	}
	undo[n-1].Phase, undo[n-1].Before = PhaseIntended, body.Before
	undo[n-1].Conflict, undo[n-1].Policy = body.Conflict, body.Policy
	undo[n-1].Receipted = body.Receipted
	if body.Conflict != "" {
		operation.Conflict = body.Conflict
	}
	operation.Undo, operation.Phase = undo, PhaseUndoing
	return nil
}

func (s *State) foldUndone(r Record) error {
	var body UndoObserved
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	if !strings.Contains(r.Operation, "/") {
		return s.foldClosed(r, body)
	}
	id, n, err := splitUndo(r.Operation)
	if err != nil {
		return err
	}
	i, err := s.index(id)
	if err != nil {
		return err
	}
	operation := &s.Operations[i]
	if n < 1 || n > len(operation.Undo) || operation.Undo[n-1].Phase != PhaseIntended || body.Skipped || body.Cause != "" {
		return s.misplaced(r, i)
	}
	step := &operation.Undo[n-1]
	if err := step.keep(r, body.Receipt); err != nil {
		return err
	}
	step.Phase, step.After, step.Adopted = PhaseUndone, body.After, body.Adopted
	if n == len(operation.Undo) {
		operation.Phase = PhaseUndone
	}
	return nil
}

// foldClosed takes in an undone that closes a whole operation.
func (s *State) foldClosed(r Record, body UndoObserved) error {
	i, err := s.index(r.Operation)
	if err != nil {
		return err
	}
	if err := s.turn(r, i); err != nil {
		return err
	}
	operation := &s.Operations[i]
	if body.Receipt != "" || operation.Phase == PhaseUndoing && !body.Skipped {
		return s.misplaced(r, i)
	}
	if err := s.because(body.Cause); err != nil {
		return err
	}
	operation.Phase, operation.Skipped, operation.Reason = PhaseUndone, body.Skipped, body.Reason
	if body.Conflict != "" {
		operation.Conflict = body.Conflict
	}
	return nil
}

// turn checks that it is operation i's turn to be undone: it may have acted,
// and everything after it has not, or is undone.
func (s *State) turn(r Record, i int) error {
	switch s.Operations[i].Phase {
	case PhaseIntended, PhaseApplied, PhaseUndoing:
	case PhasePlanned, PhaseUndone:
		return s.misplaced(r, i)
	}
	if i+1 < len(s.Operations) {
		if next := s.Operations[i+1]; next.Phase != PhasePlanned && next.Phase != PhaseUndone {
			return fmt.Errorf("%w: %s before operation %s is undone", ErrSequence, r.Type, next.ID)
		}
	}
	return nil
}

// because marks the beginning of the undo.
func (s *State) because(cause string) error {
	if s.Undoing && cause != "" {
		return fmt.Errorf("%w: a second cause of the undo", ErrSequence)
	}
	if !s.Undoing {
		s.Undoing, s.Cause = true, cause
	}
	return nil
}

// UndoID names one inverse step of an operation; n counts from 1.
func UndoID(operation string, n int) string {
	return operation + "/undo/" + strconv.Itoa(n)
}

func splitUndo(id string) (operation string, n int, err error) {
	operation, number, found := strings.Cut(id, "/undo/")
	n, err = strconv.Atoi(number)
	if !found || err != nil || UndoID(operation, n) != id {
		return "", 0, fmt.Errorf("%w: %q names no inverse step", ErrSequence, id)
	}
	return operation, n, nil
}
