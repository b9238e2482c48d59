package store

import (
	"cmp"
	"iter"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
)

// Memory is a Store that lives as long as the process.
type Memory struct {
	fold   collation.Fold
	tables map[int64]*table
	undo   []func() // of the Update that is running
}

// NewMemory returns an empty store that compares text by fold.
func NewMemory(fold collation.Fold) *Memory {
	return &Memory{fold: fold, tables: map[int64]*table{}}
}

type table struct {
	last    int64  // highest sequence given out
	rows    []slot // ascending by sequence
	dead    int    // slots without a record
	byID    map[string]*Record
	indexes map[int64]*memoryIndex
}

// slot is a record's place in insertion order; the record is nil once deleted.
type slot struct {
	sequence int64
	record   *Record
}

type memoryIndex struct {
	Index
	entries map[string][]int64 // sequences, ascending
}

// Get implements Reader.
func (m *Memory) Get(number int64, id string) (*Record, error) {
	if t := m.tables[number]; t != nil {
		return t.byID[m.fold(id)], nil
	}
	return nil, nil
}

// Scan implements Reader.
func (m *Memory) Scan(number, after int64, order Order) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		t := m.tables[number]
		if t == nil {
			return
		}
		if order == Ascending {
			start, _ := t.position(after + 1)
			for _, s := range t.rows[start:] {
				if s.record != nil && !yield(s.record, nil) {
					return
				}
			}
			return
		}
		end := len(t.rows)
		if after > 0 {
			end, _ = t.position(after)
		}
		for _, s := range slices.Backward(t.rows[:end]) {
			if s.record != nil && !yield(s.record, nil) {
				return
			}
		}
	}
}

// Find implements Reader.
func (m *Memory) Find(number, index int64, values ...any) ([]*Record, error) {
	t := m.tables[number]
	if t == nil || t.indexes[index] == nil {
		return nil, nil
	}
	x := t.indexes[index]
	key, ok := x.keyOf(m.fold, values)
	if !ok {
		return nil, nil
	}
	var found []*Record
	for _, sequence := range x.entries[key] {
		at, _ := t.position(sequence)
		found = append(found, t.rows[at].record)
	}
	return found, nil
}

// Update implements Store. A panic in change undoes it as an error does.
func (m *Memory) Update(change func(Writer) error) error {
	succeeded := false
	defer func() {
		if !succeeded {
			for _, undo := range slices.Backward(m.undo) {
				undo()
			}
		}
		clear(m.undo)
		m.undo = m.undo[:0]
	}()
	err := change(m)
	succeeded = err == nil
	return err
}

// Insert implements Writer.
func (m *Memory) Insert(number int64, record *Record) error {
	t := m.table(number)
	if holder := t.byID[m.fold(record.ID)]; holder != nil {
		return &DuplicateError{Index: IDIndex, Holder: holder.Sequence}
	}
	if err := t.clash(m.fold, record, 0); err != nil {
		return err
	}
	t.last++
	record.Sequence = t.last
	t.rows = append(t.rows, slot{sequence: record.Sequence})
	t.dead++
	t.put(m.fold, len(t.rows)-1, record)
	m.undo = append(m.undo, func() { t.takeBack(m.fold, record.Sequence) })
	return nil
}

// Replace implements Writer.
func (m *Memory) Replace(number int64, record *Record) error {
	t := m.table(number)
	at, found := t.position(record.Sequence)
	if !found || t.rows[at].record == nil {
		return nil
	}
	if holder := t.byID[m.fold(record.ID)]; holder != nil && holder.Sequence != record.Sequence {
		return &DuplicateError{Index: IDIndex, Holder: holder.Sequence}
	}
	if err := t.clash(m.fold, record, record.Sequence); err != nil {
		return err
	}
	before := t.rows[at].record
	t.swap(m.fold, record)
	m.undo = append(m.undo, func() { t.swap(m.fold, before) })
	return nil
}

// Delete implements Writer.
func (m *Memory) Delete(number, sequence int64) error {
	t := m.table(number)
	before := t.remove(m.fold, sequence)
	if before == nil {
		return nil
	}
	m.undo = append(m.undo, func() {
		at, found := t.position(sequence)
		if !found {
			t.rows = slices.Insert(t.rows, at, slot{sequence: sequence})
			t.dead++
		}
		t.put(m.fold, at, before)
	})
	return nil
}

// AddIndex implements Store.
func (m *Memory) AddIndex(number int64, index Index) error {
	t := m.table(number)
	x := &memoryIndex{Index: index, entries: map[string][]int64{}}
	for _, s := range t.rows {
		if s.record == nil {
			continue
		}
		key, ok := x.key(m.fold, s.record)
		if !ok {
			continue
		}
		if held := x.entries[key]; x.Unique && len(held) > 0 {
			return &DuplicateError{Index: x.Number, Holder: held[0]}
		}
		x.entries[key] = append(x.entries[key], s.sequence)
	}
	t.indexes[index.Number] = x
	return nil
}

// DropIndex implements Store.
func (m *Memory) DropIndex(number, index int64) error {
	delete(m.table(number).indexes, index)
	return nil
}

// DropTable implements Store.
func (m *Memory) DropTable(number int64) error {
	delete(m.tables, number)
	return nil
}

// Close implements Store.
func (m *Memory) Close() error { return nil }

// table returns a table for writing; every number is one.
func (m *Memory) table(number int64) *table {
	t := m.tables[number]
	if t == nil {
		t = &table{byID: map[string]*Record{}, indexes: map[int64]*memoryIndex{}}
		m.tables[number] = t
	}
	return t
}

func (t *table) position(sequence int64) (int, bool) {
	return slices.BinarySearchFunc(t.rows, sequence, func(s slot, sequence int64) int {
		return cmp.Compare(s.sequence, sequence)
	})
}

// clash looks for another record than self that holds a unique value of record.
func (t *table) clash(fold collation.Fold, record *Record, self int64) error {
	for _, x := range t.indexes {
		if !x.Unique {
			continue
		}
		if key, ok := x.key(fold, record); ok {
			if held := x.entries[key]; len(held) > 0 && held[0] != self {
				return &DuplicateError{Index: x.Number, Holder: held[0]}
			}
		}
	}
	return nil
}

// put fills an empty slot.
func (t *table) put(fold collation.Fold, at int, record *Record) {
	t.rows[at].record = record
	t.dead--
	t.byID[fold(record.ID)] = record
	for _, x := range t.indexes {
		if key, ok := x.key(fold, record); ok {
			held := x.entries[key]
			i, _ := slices.BinarySearch(held, record.Sequence)
			x.entries[key] = slices.Insert(held, i, record.Sequence)
		}
	}
}

// swap puts record in the place of the one with its sequence.
func (t *table) swap(fold collation.Fold, record *Record) {
	at, _ := t.position(record.Sequence)
	t.empty(fold, at)
	t.put(fold, at, record)
}

// remove takes a record out and returns it, nil if there was none.
func (t *table) remove(fold collation.Fold, sequence int64) *Record {
	at, found := t.position(sequence)
	if !found || t.rows[at].record == nil {
		return nil
	}
	record := t.empty(fold, at)
	if t.dead > 64 && t.dead > len(t.rows)/2 {
		t.rows = slices.DeleteFunc(t.rows, func(s slot) bool { return s.record == nil })
		t.dead = 0
	}
	return record
}

// takeBack undoes the newest insert, so that its sequence is free again.
func (t *table) takeBack(fold collation.Fold, sequence int64) {
	t.remove(fold, sequence)
	if end := len(t.rows) - 1; end >= 0 && t.rows[end].sequence == sequence {
		t.rows = t.rows[:end]
		t.dead--
	}
	t.last = sequence - 1
}

// empty clears a slot and the ways to it.
func (t *table) empty(fold collation.Fold, at int) *Record {
	record := t.rows[at].record
	t.rows[at].record = nil
	t.dead++
	delete(t.byID, fold(record.ID))
	for _, x := range t.indexes {
		key, ok := x.key(fold, record)
		if !ok {
			continue
		}
		held := x.entries[key]
		if i, found := slices.BinarySearch(held, record.Sequence); found {
			held = slices.Delete(held, i, i+1)
		}
		if len(held) == 0 {
			delete(x.entries, key)
		} else {
			x.entries[key] = held
		}
	}
	return record
}
