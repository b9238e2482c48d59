package documents

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// maxTotal is where the server stops counting.
const maxTotal = 5000

// rules are the queries that a collection's records can be asked for with.
func (r *Room) rules(col *catalog.Collection) query.Rules {
	return query.Rules{Profile: r.Profile, Dates: r.dates, Field: func(name string) (query.Field, bool) {
		return r.field(col, name)
	}}
}

// field says how an attribute can be queried.
func (r *Room) field(col *catalog.Collection, name string) (query.Field, bool) {
	switch name {
	case "$id":
		return query.Field{Type: catalog.TypeString}, true
	case "$createdAt", "$updatedAt":
		return query.Field{Type: catalog.TypeDatetime}, true
	case "$sequence":
		return query.Field{Type: "id"}, r.Profile.TablesDB()
	}
	d := col.Schema.Attribute(name)
	if d == nil || hidden(d) {
		return query.Field{}, false
	}
	fulltext := slices.ContainsFunc(col.Schema.Indexes, func(x catalog.PhysicalIndex) bool {
		return x.Type == "fulltext" && slices.Equal(x.Attributes, []string{name})
	})
	field := query.Field{
		Type: d.Type, Size: d.Size, Array: d.Array, Encrypted: d.Encrypt, Fulltext: fulltext,
		Remote: d.Relation != nil && !d.Relation.HasColumn(),
	}
	if s, ok := r.side(col, name); ok {
		field.Related = func() query.Rules { return r.rules(s.related) }
	}
	return field, true
}

// row is a record as queries see it.
type row struct {
	col    *catalog.Collection
	record *store.Record
}

// Value implements query.Row.
func (w row) Value(name string) any {
	switch name {
	case "$id":
		return w.record.ID
	case "$sequence":
		return w.record.Sequence
	case "$createdAt":
		return stamp(w.record.CreatedAt)
	case "$updatedAt":
		return stamp(w.record.UpdatedAt)
	}
	if d := w.col.Schema.Attribute(name); d != nil {
		return w.record.Value(d.Column)
	}
	return nil
}

// search is one look for records of a collection.
type search struct {
	*Room
	reader store.Reader
	col    *catalog.Collection
	set    query.Set
	// visible leaves out what the caller may not see; nil means all is visible.
	visible func(*store.Record) bool
}

// matching walks the records that pass the filters, in the order of insertion
// or against it, from the one next to after.
func (s search) matching(after int64, order store.Order) iter.Seq2[*store.Record, error] {
	return func(yield func(*store.Record, error) bool) {
		for record, err := range s.candidates(after, order) {
			passes := false
			if err == nil {
				passes, err = s.passes(s.col, s.set, record)
			}
			if err == nil && (!passes || (s.visible != nil && !s.visible(record))) {
				continue
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// passes says whether a record passes the filters, those on related records
// included.
func (s search) passes(col *catalog.Collection, set query.Set, record *store.Record) (bool, error) {
	if !query.Match(set.Filters, row{col, record}, s.Profile.Fold) {
		return false, nil
	}
	for _, below := range set.Below {
		passes, err := s.anyPasses(col, below, record)
		if err != nil || !passes {
			return false, err
		}
	}
	return true, nil
}

func (s search) anyPasses(col *catalog.Collection, below query.Below, record *store.Record) (bool, error) {
	through, ok := s.side(col, below.Relationship)
	if !ok {
		return false, nil
	}
	targets, err := through.targets(s.reader, record)
	if err != nil {
		return false, err
	}
	for _, t := range targets {
		if t.record == nil {
			continue
		}
		if passes, err := s.passes(through.related, below.Set, t.record); err != nil || passes {
			return passes, err
		}
	}
	return false, nil
}

// count counts what the filters let through, up to the server's bound.
func (s search) count() (int, error) {
	n := 0
	for _, err := range s.matching(0, store.Ascending) {
		if err != nil {
			return 0, err
		}
		if n++; n == maxTotal {
			break
		}
	}
	return n, nil
}

// find returns the page of records that the queries ask for; byDefault is its
// size when they name none, 0 for all.
func (s search) find(byDefault int64) ([]*store.Record, error) {
	limit := s.set.Limit
	if limit == 0 {
		limit = byDefault
	}
	if limit == 0 {
		limit = math.MaxInt32
	}
	cursor, err := s.cursor()
	if err != nil {
		return nil, err
	}
	var page []*store.Record
	if orders := s.set.Ordered(); orders[0].Attribute == "$sequence" {
		page, err = s.inOrder(orders[0].Descending, cursor, limit)
	} else {
		page, err = s.sorted(orders, cursor, limit)
	}
	if s.set.Backward {
		slices.Reverse(page)
	}
	return page, err
}

// batches walks everything that the queries ask for, so many records at a time.
// Those that were handed out may change meanwhile.
func (s search) batches(size int) iter.Seq2[[]*store.Record, error] {
	return func(yield func([]*store.Record, error) bool) {
		orders := s.set.Ordered()
		if orders[0].Attribute != "$sequence" {
			all, err := s.find(0)
			if err != nil {
				yield(nil, err)
			}
			for batch := range slices.Chunk(all, size) {
				if !yield(batch, nil) {
					return
				}
			}
			return
		}
		left := s.set.Limit
		if left == 0 {
			left = math.MaxInt64
		}
		var last *store.Record
		for left > 0 {
			batch, err := s.inOrder(orders[0].Descending, last, min(left, int64(size)))
			if err != nil {
				yield(nil, err)
			}
			if len(batch) == 0 || !yield(batch, nil) {
				return
			}
			last, left = batch[len(batch)-1], left-int64(len(batch))
			s.set.Offset = 0 // it was for the first batch
		}
	}
}

// cursor finds the record that the cursor names; nil without a cursor.
func (s search) cursor() (*store.Record, error) {
	if s.set.Cursor == "" {
		return nil, nil
	}
	record, err := s.reader.Get(s.col.Sequence, s.set.Cursor)
	if err != nil {
		return nil, err
	}
	if record == nil || (s.visible != nil && !s.visible(record)) {
		return nil, apierr.BadRequest("general_cursor_not_found", "Document '%s' for the 'cursor' value not found.", s.set.Cursor)
	}
	for _, o := range s.set.Orders {
		if !o.Random && (row{s.col, record}).Value(o.Attribute) == nil {
			return nil, apierr.BadRequest("database_query_order_null", "The order attribute '%s' had a null value.", o.Attribute)
		}
	}
	return record, nil
}

// inOrder reads a page straight from the store.
func (s search) inOrder(descending bool, cursor *store.Record, limit int64) ([]*store.Record, error) {
	order, after := store.Ascending, int64(0)
	if descending != s.set.Backward {
		order = store.Descending
	}
	if cursor != nil {
		after = cursor.Sequence
	}
	var page []*store.Record
	skip := s.set.Offset
	for record, err := range s.matching(after, order) {
		if err != nil {
			return nil, err
		}
		if skip > 0 {
			skip--
			continue
		}
		if page = append(page, record); int64(len(page)) == limit {
			break
		}
	}
	return page, nil
}

// sorted reads everything and keeps the best, never much more than a page.
func (s search) sorted(orders []query.Order, cursor *store.Record, limit int64) ([]*store.Record, error) {
	compare := s.comparison(orders)
	keep := int(min(s.set.Offset+limit, math.MaxInt32))
	var best []*store.Record
	shrink := func() {
		slices.SortStableFunc(best, compare)
		best = best[:min(keep, len(best))]
	}
	for record, err := range s.matching(0, store.Ascending) {
		if err != nil {
			return nil, err
		}
		if cursor != nil && compare(record, cursor) <= 0 {
			continue
		}
		if best = append(best, record); len(best) >= 2*keep+1000 {
			shrink()
		}
	}
	shrink()
	return best[min(int(s.set.Offset), len(best)):], nil
}

// comparison orders records as asked, or the other way round before a cursor.
func (s search) comparison(orders []query.Order) func(a, b *store.Record) int {
	draw := map[int64]int{}
	random := func(record *store.Record) int {
		if _, drawn := draw[record.Sequence]; !drawn {
			draw[record.Sequence] = rand.Int() //nolint:gosec // an order, not a secret
		}
		return draw[record.Sequence]
	}
	return func(a, b *store.Record) int {
		for _, o := range orders {
			var c int
			if o.Random {
				c = random(a) - random(b)
			} else {
				c = query.Compare(row{s.col, a}.Value(o.Attribute), row{s.col, b}.Value(o.Attribute), s.Profile.Fold)
			}
			if o.Descending != s.set.Backward {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
}
