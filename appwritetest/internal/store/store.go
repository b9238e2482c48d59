// Package store keeps records: immutable rows of numbered columns in numbered
// tables, found by id, by insertion sequence or through an index. It knows no
// schema: a column that the schema renames or drops keeps or loses its number,
// and no row is rewritten.
//
// Two backends answer the same interface: Memory, and SQLite on a file. The
// caller serialises Update against everything else; reads may run together.
package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// ErrDuplicate is matched by every *DuplicateError.
var ErrDuplicate = errors.New("duplicate value")

// IDIndex is the Index of a DuplicateError about a record's id.
const IDIndex int64 = 0

// DuplicateError says which index a write would have broken, and whose value
// it took.
type DuplicateError struct {
	Index  int64 // IDIndex, or the number of a unique index
	Holder int64 // sequence of the record that holds the value
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%v: index %d, held by record %d", ErrDuplicate, e.Index, e.Holder)
}

// Is matches ErrDuplicate.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Record is one stored row. A record that was handed to or came from a store
// is never changed: make a Clone.
type Record struct {
	Sequence    int64 // position in insertion order, from 1; set by Insert
	ID          string
	CreatedAt   int64 // milliseconds since 1970, UTC
	UpdatedAt   int64
	Permissions []string
	Cells       []Cell // ascending by column; no nil values
}

// Cell is one value of a record: string, int64, float64, bool or []any.
type Cell struct {
	Column int64
	Value  any
}

// Value returns the value of a column, nil when the record has none.
func (r *Record) Value(column int64) any {
	if i, found := r.search(column); found {
		return r.Cells[i].Value
	}
	return nil
}

// Set replaces the value of a column; nil removes it.
func (r *Record) Set(column int64, value any) {
	i, found := r.search(column)
	switch {
	case found && value == nil:
		r.Cells = slices.Delete(r.Cells, i, i+1)
	case found:
		r.Cells[i].Value = value
	case value != nil:
		r.Cells = slices.Insert(r.Cells, i, Cell{column, value})
	}
}

// Clone returns a copy that can be changed with Set.
func (r *Record) Clone() *Record {
	c := *r
	c.Cells = slices.Clone(r.Cells)
	return &c
}

func (r *Record) search(column int64) (int, bool) {
	return slices.BinarySearchFunc(r.Cells, column, func(c Cell, column int64) int { return int(c.Column - column) })
}

// Index finds the records of a table by the values of some columns. Records
// in which one of them is nil are not in it.
type Index struct {
	Number  int64 // unique within the table and above IDIndex
	Columns []int64
	// Lengths cuts the text of the column at the same place to so many
	// characters; 0 and a missing entry mean the whole.
	Lengths []int
	Unique  bool
}

// Order is the direction of a scan.
type Order int

const (
	// Ascending is the order of insertion.
	Ascending Order = iota
	// Descending is the newest first.
	Descending
)

// Reader looks at records.
type Reader interface {
	// Get returns the record with an id, compared as the backend does, or nil.
	Get(table int64, id string) (*Record, error)
	// Scan walks a table from the record next to the sequence after (0 means
	// from the end). The table must not change meanwhile.
	Scan(table int64, after int64, order Order) iter.Seq2[*Record, error]
	// Find returns the records that hold exactly these values in the columns
	// of an index, oldest first.
	Find(table, index int64, values ...any) ([]*Record, error)
}

// Writer changes records inside one Update.
type Writer interface {
	Reader
	// Insert adds a record and sets its sequence. It returns a
	// *DuplicateError when its id or a unique value is taken.
	Insert(table int64, record *Record) error
	// Replace puts a record in the place of the one with the same sequence.
	Replace(table int64, record *Record) error
	// Delete removes a record; one that is not there is no error.
	Delete(table int64, sequence int64) error
}

// Store keeps the records of one project.
type Store interface {
	Reader
	// Update runs change as one unit: when it returns an error, nothing has
	// happened. The error is returned as it is.
	Update(change func(Writer) error) error
	// AddIndex builds an index over what the table holds. It returns a
	// *DuplicateError, and adds nothing, if a unique one would be broken.
	AddIndex(table int64, index Index) error
	// DropIndex forgets an index; an unknown one is no error.
	DropIndex(table, index int64) error
	// DropTable forgets a table with its records and indexes.
	DropTable(table int64) error
	// Close releases what the store holds.
	Close() error
}
