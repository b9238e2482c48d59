package journal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// RecordVersion is the version of the records this package writes. A record of
// a higher version is refused with ErrVersion: a newer release wrote it.
const RecordVersion = 1

// Type says what a record tells.
type Type string

// The record types.
const (
	RunStarted  Type = "run_started"  // body: Started
	Intent      Type = "intent"       // body: Intended
	Applied     Type = "applied"      // body: Observed
	UndoIntent  Type = "undo_intent"  // body: UndoIntended
	Undone      Type = "undone"       // body: UndoObserved
	RunFinished Type = "run_finished" // body: Finished
)

// Record is one entry of a run's account. Its hash covers every other field,
// the previous record's hash among them, so that a run's records form a chain.
type Record struct {
	V    int       `json:"v"`    // RecordVersion when written
	Run  string    `json:"run"`  // id of the run
	Seq  int64     `json:"seq"`  // 1 for run_started, then one more each
	Time time.Time `json:"time"` // UTC, by the writer's clock
	Type Type      `json:"type"`
	// Operation is the id of the operation that intent and applied speak of;
	// "<operation>/undo/<n>" for one inverse step of it (n counts from 1);
	// empty for run_started and run_finished.
	Operation string          `json:"operation,omitempty"`
	Body      json.RawMessage `json:"body"` // canonical JSON, by Type
	Prev      string          `json:"prev"` // Hash of the record before, "" for the first
	Hash      string          `json:"hash"` // SHA-256, hexadecimal
}

// ID is the record's name in every backend: "<run>-<seq>". That it is unique
// makes appending a compare-and-set on the tail.
func (r Record) ID() string { return r.Run + "-" + strconv.FormatInt(r.Seq, 10) }

// Tail is the end of a run's chain; the zero value is the end of a run that
// has no records yet.
type Tail struct {
	Seq  int64
	Hash string
}

// Next gives the tail once r is appended.
func (r Record) Next() Tail { return Tail{Seq: r.Seq, Hash: r.Hash} }

// NewRecord makes the record that follows tail, with body in canonical form
// and the hash filled in.
func NewRecord(tail Tail, run string, at time.Time, typ Type, operation string, body any) (Record, error) {
	canonical, err := Canonical(body)
	if err != nil {
		return Record{}, fmt.Errorf("encode the body of %s: %w", typ, err)
	}
	r := Record{
		V: RecordVersion, Run: run, Seq: tail.Seq + 1, Time: at.UTC().Round(0),
		Type: typ, Operation: operation, Body: canonical, Prev: tail.Hash,
	}
	if r.Hash, err = r.sum(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// wire is the canonical form of a record: its fields in the order of their names.
type wire struct {
	Body      json.RawMessage `json:"body"`
	Hash      string          `json:"hash"`
	Operation string          `json:"operation,omitempty"`
	Prev      string          `json:"prev"`
	Run       string          `json:"run"`
	Seq       int64           `json:"seq"`
	Time      time.Time       `json:"time"`
	Type      Type            `json:"type"`
	V         int             `json:"v"`
}

// sum is the SHA-256 of the record's canonical form with an empty hash.
func (r Record) sum() (string, error) {
	r.Hash = ""
	data, err := r.Encode()
	if err != nil {
		return "", err
	}
	return hexSum(data), nil
}

// Encode gives the record's canonical form, as every backend stores it. The
// body must be canonical already, as NewRecord makes it.
func (r Record) Encode() ([]byte, error) {
	data, err := marshal(wire{r.Body, r.Hash, r.Operation, r.Prev, r.Run, r.Seq, r.Time, r.Type, r.V})
	if err != nil {
		return nil, fmt.Errorf("%w: encode record %s: %w", ErrInvalid, r.ID(), err)
	}
	return data, nil
}
