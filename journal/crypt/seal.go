package crypt

import (
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// contents is what an envelope holds, encrypted.
type contents struct {
	// Hash is the hash of the record as it was before it was sealed, the hash
	// of the one before it included. It ties the envelope to its record, and
	// what can be read of the record to the envelope.
	Hash string `json:"hash"`
	// Parts are what the placeholders stand for, in the order of visit.
	Parts []json.RawMessage `json:"parts"`
}

// seal gives the body to store in place of r's: its data in the envelope, and
// placeholders where it was.
func (k *Keys) seal(r journal.Record) (json.RawMessage, error) {
	b, err := decode(r)
	if err != nil {
		return nil, err
	}
	inside := contents{Hash: r.Hash, Parts: []json.RawMessage{}}
	err = b.visit(visitor{
		value: func(v *json.RawMessage, step bool) error {
			inside.Parts = append(inside.Parts, *v)
			var err error
			*v, err = stubOf(*v, step)
			return err
		},
		text: func(s *string) error {
			part, err := journal.Canonical(*s)
			inside.Parts = append(inside.Parts, part)
			*s = hidden
			return err
		},
	})
	if err != nil || len(inside.Parts) == 0 {
		return r.Body, err
	}
	plain, err := journal.Canonical(inside)
	if err != nil {
		return nil, err
	}
	if b.envelope().Sealed, err = k.Seal(plain); err != nil {
		return nil, err
	}
	return journal.Canonical(b)
}

// open gives the record as it was before it was sealed. tail is that of the
// records before it, opened.
func (k *Keys) open(tail journal.Tail, stored journal.Record) (journal.Record, error) {
	b, err := decode(stored)
	if err != nil {
		return journal.Record{}, err
	}
	want := ""
	body := any(stored.Body)
	if sealed := b.envelope().Sealed; len(sealed) > 0 {
		if want, err = k.fill(b, sealed); err != nil {
			return journal.Record{}, err
		}
		body = b
	}
	r, err := journal.NewRecord(tail, stored.Run, stored.Time, stored.Type, stored.Operation, body)
	if err != nil {
		return journal.Record{}, err
	}
	if want != "" && r.Hash != want {
		return journal.Record{}, fmt.Errorf("%w: what can be read of it is not what was sealed with it", journal.ErrDamaged)
	}
	return r, nil
}

// fill puts back what is in the envelope, takes the envelope away and gives
// the hash that the record had.
func (k *Keys) fill(b body, sealed []byte) (hash string, err error) {
	plain, err := k.Open(sealed)
	if err != nil {
		return "", err
	}
	var inside contents
	if err := json.Unmarshal(plain, &inside); err != nil || inside.Hash == "" {
		return "", fmt.Errorf("%w: the envelope holds something else than a record", journal.ErrDamaged)
	}
	parts := inside.Parts
	next := func() (json.RawMessage, error) {
		if len(parts) == 0 {
			return nil, fmt.Errorf("%w: the envelope holds too little", journal.ErrDamaged)
		}
		part := parts[0]
		parts = parts[1:]
		return part, nil
	}
	err = b.visit(visitor{
		value: func(v *json.RawMessage, _ bool) error {
			var err error
			*v, err = next()
			return err
		},
		text: func(s *string) error {
			part, err := next()
			if err != nil {
				return err
			}
			if err := json.Unmarshal(part, s); err != nil {
				return fmt.Errorf("%w: the envelope holds something else than a text", journal.ErrDamaged)
			}
			return nil
		},
	})
	if err == nil && len(parts) > 0 {
		err = fmt.Errorf("%w: the envelope holds too much", journal.ErrDamaged)
	}
	b.envelope().Sealed = nil
	return inside.Hash, err
}
