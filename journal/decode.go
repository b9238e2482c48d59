package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode reads a record as Encode wrote it. It is strict: unknown fields, any
// other spelling of the same JSON and a hash that does not match are
// ErrDamaged; a higher version is ErrVersion.
func Decode(data []byte) (Record, error) {
	var head struct {
		V *int `json:"v"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.V == nil {
		return Record{}, fmt.Errorf("%w: not a record", ErrDamaged)
	}
	if *head.V > RecordVersion {
		return Record{}, fmt.Errorf("%w: record version %d, this release knows %d", ErrVersion, *head.V, RecordVersion)
	}
	var r Record
	if err := decodeStrict(data, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	canonical, err := r.Encode()
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	body, err := Canonical(r.Body)
	if err != nil || !bytes.Equal(canonical, data) || !bytes.Equal(body, r.Body) {
		return Record{}, fmt.Errorf("%w: not in canonical form", ErrDamaged)
	}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// check holds a record against its own hash and the rules that need no other record.
func (r Record) check() error {
	if r.V > RecordVersion {
		return fmt.Errorf("%w: record version %d, this release knows %d", ErrVersion, r.V, RecordVersion)
	}
	sum, err := r.sum()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if sum != r.Hash {
		return fmt.Errorf("%w: the hash does not match the content", ErrDamaged)
	}
	switch {
	case r.V < 1:
		return fmt.Errorf("%w: record version %d", ErrDamaged, r.V)
	case r.Run == "":
		return fmt.Errorf("%w: no run", ErrDamaged)
	case r.Seq < 1 || (r.Seq == 1) != (r.Prev == ""):
		return fmt.Errorf("%w: number %d with previous hash %q", ErrDamaged, r.Seq, r.Prev)
	}
	return nil
}

// CheckChain verifies that records are the records of run from the first on,
// each whole and linked to the one before. The error is a *RecordError.
func CheckChain(run string, records []Record) error {
	tail := Tail{}
	for _, r := range records {
		if err := CheckNext(run, tail, r); err != nil {
			return err
		}
		tail = r.Next()
	}
	return nil
}

// CheckNext verifies that r is whole and follows tail. The error is a *RecordError.
func CheckNext(run string, tail Tail, r Record) error {
	err := r.check()
	switch {
	case err != nil:
	case r.Run != run:
		err = fmt.Errorf("%w: it belongs to run %s", ErrDamaged, r.Run)
	case r.Seq != tail.Seq+1:
		err = fmt.Errorf("%w: number %d stands where %d belongs", ErrDamaged, r.Seq, tail.Seq+1)
	case r.Prev != tail.Hash:
		err = fmt.Errorf("%w: it does not follow the record before it", ErrDamaged)
	}
	if err != nil {
		return &RecordError{Run: run, Seq: tail.Seq + 1, Err: err}
	}
	return nil
}

// CheckAppend is what a backend asks before it stores r behind tail: ErrTail
// when r continues another tail, ErrInvalid when r is not whole.
func CheckAppend(tail Tail, r Record) error {
	if err := r.check(); err != nil {
		return &RecordError{Run: r.Run, Seq: r.Seq, Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	if r.Seq != tail.Seq+1 || r.Prev != tail.Hash {
		return &RecordError{Run: r.Run, Seq: r.Seq, Err: ErrTail}
	}
	return nil
}

// decodeStrict decodes exactly one JSON value without unknown fields.
func decodeStrict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
