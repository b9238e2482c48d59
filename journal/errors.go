package journal

import (
	"errors"
	"fmt"
)

// The conditions that callers tell apart with errors.Is.
var (
	// ErrTail: the records do not continue the run's tail; somebody else appended.
	ErrTail = errors.New("the journal has moved on: another process appended to this run")
	// ErrNoRun: the journal knows no such run.
	ErrNoRun = errors.New("no such run in the journal")
	// ErrDamaged: stored bytes are not what was written.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrVersion: a record or a store was written by a newer release.
	ErrVersion = errors.New("written by a newer version of Backstep")
	// ErrSequence: records that cannot follow each other.
	ErrSequence = errors.New("impossible sequence of records")
	// ErrInvalid: a value that the journal cannot take, such as JSON that does not parse.
	ErrInvalid = errors.New("not a valid journal value")
	// ErrFull: no room left where the journal is kept.
	ErrFull = errors.New("no space left for the journal")
	// ErrIO: the disk fails, or whatever else the journal is kept on.
	ErrIO = errors.New("what the journal is kept on fails")
	// ErrReadOnly: the journal cannot be written.
	ErrReadOnly = errors.New("the journal is read-only")
	// ErrBusy: another process holds the journal for longer than was waited.
	ErrBusy = errors.New("the journal is in use by another process")
	// ErrClosed: the store has been closed.
	ErrClosed = errors.New("the journal is closed")
)

// RecordError names the record that an error is about.
type RecordError struct {
	Run string
	Seq int64 // 0 when the record has none that can be read
	Err error
}

// Error names the record first.
func (e *RecordError) Error() string {
	return fmt.Sprintf("record %s-%d: %v", e.Run, e.Seq, e.Err)
}

// Unwrap gives the reason.
func (e *RecordError) Unwrap() error { return e.Err }
