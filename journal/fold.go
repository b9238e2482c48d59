package journal

import (
	"bytes"
	"fmt"
	"strings"
)

// Fold adds a run's records up to its state. It is pure, verifies the chain
// and refuses sequences that no run can have written: ErrSequence, in a
// *RecordError that names the record.
func Fold(records []Record) (State, error) {
	if len(records) == 0 {
		return State{}, fmt.Errorf("%w: no records", ErrSequence)
	}
	state := State{Run: records[0].Run, Status: StatusOpen}
	for _, r := range records {
		if err := state.Add(r); err != nil {
			return State{}, err
		}
	}
	return state, nil
}

// Add takes in the record that follows the tail. After an error the state is
// as it was before.
func (s *State) Add(r Record) error {
	if s.Tail.Seq == 0 && s.Run == "" {
		s.Run = r.Run
	}
	if err := CheckNext(s.Run, s.Tail, r); err != nil {
		return err
	}
	if err := s.fold(r); err != nil {
		return &RecordError{Run: r.Run, Seq: r.Seq, Err: err}
	}
	if r.Type != RunFinished {
		s.Status, s.Finished = StatusOpen, nil
	}
	s.Tail, s.UpdatedAt = r.Next(), r.Time
	return nil
}

func (s *State) fold(r Record) error {
	if (r.Type == RunStarted) != (r.Seq == 1) {
		return fmt.Errorf("%w: %s as number %d", ErrSequence, r.Type, r.Seq)
	}
	if s.Status.Final() {
		return fmt.Errorf("%w: %s after the run ended %s", ErrSequence, r.Type, s.Status)
	}
	if (r.Operation == "") != (r.Type == RunStarted || r.Type == RunFinished) {
		return fmt.Errorf("%w: %s with operation %q", ErrSequence, r.Type, r.Operation)
	}
	switch r.Type {
	case RunStarted:
		return s.foldStarted(r)
	case Intent:
		return s.foldIntent(r)
	case Applied:
		return s.foldApplied(r)
	case UndoIntent:
		return s.foldUndoIntent(r)
	case Undone:
		return s.foldUndone(r)
	case RunFinished:
		return s.foldFinished(r)
	default:
		return fmt.Errorf("%w: record type %q is not known", ErrVersion, r.Type)
	}
}

func (s *State) foldStarted(r Record) error {
	var body Started
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	operations := make([]Operation, 0, len(body.Operations))
	seen := make(map[string]bool, len(body.Operations))
	for _, planned := range body.Operations {
		if planned.ID == "" || strings.Contains(planned.ID, "/") || seen[planned.ID] || len(planned.Step) == 0 {
			return fmt.Errorf("%w: operation %q in the plan", ErrSequence, planned.ID)
		}
		seen[planned.ID] = true
		operations = append(operations, Operation{ID: planned.ID, Step: planned.Step, Phase: PhasePlanned})
	}
	s.Started, s.StartedAt, s.Operations = body, r.Time, operations
	return nil
}

func (s *State) foldIntent(r Record) error {
	var body Intended
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	i, err := s.index(r.Operation)
	if err != nil {
		return err
	}
	operation := &s.Operations[i]
	if !s.Undoing && operation.Phase == PhaseIntended {
		return operation.renew(r, body.Receipted, body.Generation, bytes.Equal(operation.Before, body.Before))
	}
	if s.Undoing || operation.Phase != PhasePlanned || body.Generation != 0 {
		return s.misplaced(r, i)
	}
	if i > 0 && s.Operations[i-1].Phase != PhaseApplied {
		return fmt.Errorf("%w: %s before operation %s is applied", ErrSequence, r.Type, s.Operations[i-1].ID)
	}
	operation.Phase, operation.Before, operation.Receipted = PhaseIntended, body.Before, body.Receipted
	return nil
}

func (s *State) foldApplied(r Record) error {
	var body Observed
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	i, err := s.index(r.Operation)
	if err != nil {
		return err
	}
	operation := &s.Operations[i]
	if s.Undoing || operation.Phase != PhaseIntended {
		return s.misplaced(r, i)
	}
	if err := operation.keep(r, body.Receipt); err != nil {
		return err
	}
	operation.Phase, operation.After = PhaseApplied, body.After
	operation.Adopted, operation.Notice, operation.Refused = body.Adopted, body.Notice, false
	return nil
}

func (s *State) foldFinished(r Record) error {
	var body Finished
	if err := decodeBody(r, &body); err != nil {
		return err
	}
	if body.Resolved != nil && (body.Reason == "" || !body.Status.Final()) {
		return fmt.Errorf("%w: resolved as %q for reason %q", ErrSequence, body.Status, body.Reason)
	}
	for _, left := range body.Left {
		if _, err := s.index(left.Operation); err != nil {
			return err
		}
	}
	for _, operation := range s.Operations {
		if body.Resolved == nil && !fits(body.Status, operation.Phase) {
			return fmt.Errorf("%w: finished as %s with operation %s %s", ErrSequence, body.Status, operation.ID, operation.Phase)
		}
	}
	switch body.Status {
	case StatusApplied, StatusRolledBack, StatusHalted:
	case StatusOpen:
		return fmt.Errorf("%w: finished as open", ErrSequence)
	default:
		return fmt.Errorf("%w: status %q is not known", ErrVersion, body.Status)
	}
	for _, left := range body.Left {
		if left.Refused {
			s.Operation(left.Operation).Refused = true
		}
	}
	s.Status, s.Finished = body.Status, &body
	return nil
}

// fits reports whether a run can end in status with an operation in phase.
func fits(status Status, phase Phase) bool {
	switch status {
	case StatusApplied:
		return phase == PhaseApplied
	case StatusRolledBack:
		return phase == PhasePlanned || phase == PhaseUndone
	case StatusHalted, StatusOpen:
		return true
	default:
		return true
	}
}

func (s *State) index(id string) (int, error) {
	for i := range s.Operations {
		if s.Operations[i].ID == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: operation %q is not in the plan", ErrSequence, id)
}

func (s *State) misplaced(r Record, i int) error {
	return fmt.Errorf("%w: %s of %s while operation %s is %s", ErrSequence, r.Type, r.Operation, s.Operations[i].ID, s.Operations[i].Phase)
}

func decodeBody(r Record, into any) error {
	if err := decodeStrict(r.Body, into); err != nil {
		return fmt.Errorf("%w: body of %s: %w", ErrDamaged, r.Type, err)
	}
	if canonical, err := Canonical(into); err != nil || !bytes.Equal(canonical, r.Body) {
		return fmt.Errorf("%w: body of %s is not in canonical form", ErrDamaged, r.Type)
	}
	return nil
}
