package crypt

import (
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// hidden stands where a text was.
const hidden = "(sealed)"

// stub stands where a JSON value was: what a step is and acts on, and the
// archives that the value points at, can be read by anybody.
type stub struct {
	Sealed     bool                 `json:"sealed"`
	Kind       string               `json:"kind,omitempty"`
	Database   string               `json:"database,omitempty"`
	Collection string               `json:"collection,omitempty"`
	ID         string               `json:"id,omitempty"`
	Key        string               `json:"key,omitempty"`
	Archives   []journal.ArchiveRef `json:"archives,omitempty"`
}

// stubOf keeps of value what may be read. Names are kept of steps only: in a
// memento the same words may be the fields of a document.
func stubOf(value json.RawMessage, step bool) (json.RawMessage, error) {
	var s stub
	if step {
		var names struct{ Kind, Database, Collection, ID, Key any }
		if err := json.Unmarshal(value, &names); err == nil {
			s.Kind, s.Database, s.Collection = text(names.Kind), text(names.Database), text(names.Collection)
			s.ID, s.Key = text(names.ID), text(names.Key)
		}
	}
	s.Sealed, s.Archives = true, journal.ArchiveRefs(value)
	return journal.Canonical(s)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// visitor is shown every part of a body that may hold users' data, always in
// the same order, and may change it.
type visitor struct {
	value func(v *json.RawMessage, step bool) error
	text  func(s *string) error
}

func (v visitor) values(step bool, values ...*json.RawMessage) error {
	for _, value := range values {
		if len(*value) == 0 || string(*value) == "null" {
			continue
		}
		if err := v.value(value, step); err != nil {
			return err
		}
	}
	return nil
}

func (v visitor) texts(texts ...*string) error {
	for _, s := range texts {
		if *s == "" {
			continue
		}
		if err := v.text(s); err != nil {
			return err
		}
	}
	return nil
}

// body is a record's body, decoded.
type body interface {
	// visit shows v the parts that may hold data.
	visit(v visitor) error
	// envelope is where what is sealed is kept.
	envelope() *journal.Envelope
}

type (
	started      struct{ journal.Started }
	intended     struct{ journal.Intended }
	observed     struct{ journal.Observed }
	undoIntended struct{ journal.UndoIntended }
	undoObserved struct{ journal.UndoObserved }
	finished     struct{ journal.Finished }
)

func (b *started) envelope() *journal.Envelope      { return &b.Envelope }
func (b *intended) envelope() *journal.Envelope     { return &b.Envelope }
func (b *observed) envelope() *journal.Envelope     { return &b.Envelope }
func (b *undoIntended) envelope() *journal.Envelope { return &b.Envelope }
func (b *undoObserved) envelope() *journal.Envelope { return &b.Envelope }
func (b *finished) envelope() *journal.Envelope     { return &b.Envelope }

func (b *started) visit(v visitor) error {
	for i := range b.Operations {
		if err := v.values(true, &b.Operations[i].Step); err != nil {
			return err
		}
	}
	return nil
}

func (b *intended) visit(v visitor) error { return v.values(false, &b.Before) }

func (b *observed) visit(v visitor) error {
	if err := v.values(false, &b.After); err != nil {
		return err
	}
	return v.texts(&b.Notice)
}

func (b *undoIntended) visit(v visitor) error {
	for i := range b.Steps {
		if err := v.values(true, &b.Steps[i]); err != nil {
			return err
		}
	}
	if err := v.values(false, &b.Before); err != nil {
		return err
	}
	return v.texts(&b.Conflict, &b.Cause)
}

func (b *undoObserved) visit(v visitor) error {
	if err := v.values(false, &b.After); err != nil {
		return err
	}
	return v.texts(&b.Conflict, &b.Reason, &b.Cause)
}

func (b *finished) visit(v visitor) error {
	if err := v.texts(&b.Reason, &b.UndoReason); err != nil {
		return err
	}
	if b.Proof != nil {
		for _, list := range [][]journal.Difference{b.Proof.Differences, b.Proof.Conflicts, b.Proof.Unproven} {
			for i := range list {
				if err := v.texts(&list[i].Detail); err != nil {
					return err
				}
			}
		}
	}
	for i := range b.Left {
		if err := v.texts(&b.Left[i].Detail); err != nil {
			return err
		}
	}
	return nil
}

// decode reads the body of a record.
func decode(r journal.Record) (body, error) {
	var b body
	switch r.Type {
	case journal.RunStarted:
		b = &started{}
	case journal.Intent:
		b = &intended{}
	case journal.Applied:
		b = &observed{}
	case journal.UndoIntent:
		b = &undoIntended{}
	case journal.Undone:
		b = &undoObserved{}
	case journal.RunFinished:
		b = &finished{}
	default:
		return nil, fmt.Errorf("%w: record type %q is not known", journal.ErrVersion, r.Type)
	}
	if err := json.Unmarshal(r.Body, b); err != nil {
		return nil, fmt.Errorf("%w: body of %s: %w", journal.ErrDamaged, r.Type, err)
	}
	return b, nil
}
