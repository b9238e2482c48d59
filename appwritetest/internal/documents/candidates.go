package documents

import (
	"cmp"
	"iter"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// candidates narrows the walk over a table to what one of the filters can be
// looked up by: an id, a unique value, a related id, or the sequences above
// one.
func (s search) candidates(after int64, order store.Order) iter.Seq2[*store.Record, error] {
	for _, q := range s.set.Filters {
		if q.Method == "equal" {
			if find := s.lookup(q.Attribute); find != nil {
				return found(q, find, after, order)
			}
		}
		if q.Method == "greaterThan" && q.Attribute == "$sequence" && order == store.Ascending {
			after = max(after, q.Values[0].(int64))
		}
	}
	return s.reader.Scan(s.col.Sequence, after, order)
}

// lookup is a way to find all records with a value of an attribute, and maybe
// some others; nil when there is none.
func (s search) lookup(attribute string) func(value any) ([]*store.Record, error) {
	if attribute == "$id" {
		return func(value any) ([]*store.Record, error) {
			record, err := s.reader.Get(s.col.Sequence, value.(string))
			if record == nil {
				return nil, err
			}
			return []*store.Record{record}, err
		}
	}
	var number int64
	if d := s.col.Schema.Attribute(attribute); d != nil && d.Relation != nil && d.Relation.HasColumn() {
		number = d.Column
	}
	for _, x := range s.col.Schema.Unique() {
		if slices.Equal(x.Attributes, []string{attribute}) {
			number = x.Number
		}
	}
	if number == 0 {
		return nil
	}
	return func(value any) ([]*store.Record, error) { return s.reader.Find(s.col.Sequence, number, value) }
}

// found looks up each value of a query and walks the records in order.
func found(q query.Query, find func(any) ([]*store.Record, error), after int64, order store.Order) iter.Seq2[*store.Record, error] {
	return func(yield func(*store.Record, error) bool) {
		var records []*store.Record
		for _, value := range q.Values {
			some, err := find(value)
			if err != nil {
				yield(nil, err)
				return
			}
			records = append(records, some...)
		}
		bySequence := func(a, b *store.Record) int { return cmp.Compare(a.Sequence, b.Sequence) }
		slices.SortFunc(records, bySequence)
		records = slices.CompactFunc(records, func(a, b *store.Record) bool { return a.Sequence == b.Sequence })
		if order == store.Descending {
			slices.Reverse(records)
		}
		for _, record := range records {
			distance := cmp.Compare(record.Sequence, after)
			if order == store.Descending {
				distance = -distance
			}
			if (after == 0 || distance > 0) && !yield(record, nil) {
				return
			}
		}
	}
}
