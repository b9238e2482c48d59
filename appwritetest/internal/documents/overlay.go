package documents

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// overlay is what a transaction has staged for one collection, as reads see
// it: roughly, as on the server. Bulk updates and deletes act on the records
// that are staged themselves and on no stored one.
type overlay struct {
	records []*stagedRecord // in the order of their first operation
	byID    map[string]*stagedRecord
}

// stagedRecord is one record that operations name.
type stagedRecord struct {
	id   string
	data *phpjson.Object
	as   tx.Action // Create, Update, Upsert or Delete
}

func (r *Room) overlay(operations []tx.Operation, col *catalog.Collection) *overlay {
	o := &overlay{byID: map[string]*stagedRecord{}}
	for _, op := range operations {
		if op.Container != col.Sequence {
			continue
		}
		switch op.Action {
		case tx.Create, tx.Upsert:
			o.put(op.Action, op.Record, op.Data)
		case tx.BulkCreate, tx.BulkUpsert:
			o.putAll(op)
		case tx.Update:
			merge(o.at(op.Record).data, op.Data)
		case tx.Delete:
			o.put(tx.Delete, op.Record, nil)
		case tx.Increment, tx.Decrement:
			o.count(op)
		case tx.BulkUpdate, tx.BulkDelete:
			set, err := r.rules(col).Compile(op.Queries())
			if err != nil {
				continue // the commit will say so
			}
			o.change(op, set.Filters)
		}
	}
	return o
}

// put stages a whole record.
func (o *overlay) put(as tx.Action, id string, data *phpjson.Object) {
	*o.at(id) = stagedRecord{id: id, data: data.Clone(), as: as}
}

// putAll stages the records of a bulk operation. Those of a bulk upsert go over
// what is staged already.
func (o *overlay) putAll(op tx.Operation) {
	for _, item := range op.Items {
		value, _ := item.Get("$id")
		id, ok := value.(string)
		switch {
		case !ok:
		case op.Action == tx.BulkCreate:
			o.put(tx.Create, id, item)
		case o.byID[id] != nil:
			merge(o.byID[id].data, item)
		default:
			o.put(tx.Upsert, id, item)
		}
	}
}

// count adds to what is staged, and to nothing else: over a stored number it
// lays the amount. It forgets what was staged in the words of TablesDB.
func (o *overlay) count(op tx.Operation) {
	name, _ := op.Data.Get("attribute")
	key, ok := name.(string)
	if !ok || op.Dialect != api.Legacy {
		return
	}
	amount, given := op.Data.Get("value")
	if !given {
		amount = int64(1)
	}
	if op.Action == tx.Decrement {
		amount = negated(amount)
	}
	held := o.at(op.Record)
	before, _ := held.data.Get(key)
	held.data.Set(key, add(before, amount))
}

// change carries out a bulk update or delete on the staged records.
func (o *overlay) change(op tx.Operation, filters []query.Query) {
	data, _ := op.Data.Get("data")
	fields, _ := data.(*phpjson.Object)
	for _, held := range o.records {
		switch {
		case held.as == tx.Delete || !query.MatchStaged(filters, held):
		case op.Action == tx.BulkDelete:
			o.put(tx.Delete, held.id, nil)
		default:
			merge(held.data, fields)
		}
	}
}

// at returns what is staged for an id, which is taken to the letter.
func (o *overlay) at(id string) *stagedRecord {
	held := o.byID[id]
	if held == nil {
		held = &stagedRecord{id: id, data: &phpjson.Object{}, as: tx.Update}
		o.byID[id] = held
		o.records = append(o.records, held)
	}
	return held
}

// of returns what is staged for an id, or nil.
func (o *overlay) of(id string) *stagedRecord { return o.byID[id] }

// Value implements query.Row.
func (held *stagedRecord) Value(name string) any {
	if name == "$id" {
		return held.id
	}
	v, _ := held.data.Get(name)
	return v
}

// overlaid lays the staged records over a page: what is deleted goes, what is
// changed shows so, what is new follows in the order of staging, whatever the
// queries ask for.
func (r *Room) overlaid(req *api.Request, o *overlay, s search, page []*store.Record) ([]*phpjson.Object, error) {
	bodies := []*phpjson.Object{}
	shown := map[string]bool{}
	v := r.selecting(req, s.col, s.set.Select)
	for _, record := range page {
		shown[record.ID] = true
		body, err := r.nested(r.Store, v, s.col, record)
		if err != nil {
			return nil, err
		}
		if held := o.of(record.ID); held != nil {
			body = v.laid(held, body, s.col, s.set.Select)
		}
		if body != nil {
			bodies = append(bodies, body)
		}
	}
	for _, held := range o.records {
		if (held.as == tx.Create || held.as == tx.Upsert) && !shown[held.id] {
			bodies = append(bodies, v.laid(held, nil, s.col, s.set.Select))
		}
	}
	return bodies, nil
}

// laid is a record as a transaction sees it: what is staged, over the model of
// what is stored; nil for nothing.
func (v view) laid(held *stagedRecord, body *phpjson.Object, col *catalog.Collection, selected []string) *phpjson.Object {
	switch {
	case held.as == tx.Delete, body == nil && held.as == tx.Update:
		return nil
	case body == nil, held.as == tx.Create:
		body = v.simulated(col, held.id, held.data)
	default:
		merge(body, held.data)
	}
	return v.projected(body, col, selected)
}

// projected leaves only what is selected of a model, and its own fields.
func (v view) projected(body *phpjson.Object, col *catalog.Collection, selected []string) *phpjson.Object {
	plain := slices.DeleteFunc(slices.Clone(selected), func(name string) bool { return strings.Contains(name, ".") })
	if len(plain) == 0 || slices.Contains(plain, "*") {
		return body
	}
	out := &phpjson.Object{}
	for _, name := range append([]string{"$id", "$createdAt", "$updatedAt", "$permissions"}, plain...) {
		if value, given := body.Get(name); given || strings.HasSuffix(name, "At") && name[0] == '$' {
			out.Set(name, value)
		}
	}
	v.addPlace(out, col)
	v.addNoSequence(out)
	return out
}

// recount corrects the count of what is stored by what is staged. A change
// counts as a match by the fields that it names.
func (o *overlay) recount(total int, page []*store.Record, filters []query.Query) int {
	shown := map[string]bool{}
	for _, record := range page {
		shown[record.ID] = true
	}
	for _, held := range o.records {
		matches, was := query.MatchStaged(filters, held), shown[held.id]
		switch {
		case held.as == tx.Delete && was, held.as != tx.Delete && held.as != tx.Create && was && !matches:
			total--
		case matches && (held.as == tx.Create || held.as == tx.Upsert && !was):
			total++
		}
	}
	return max(total, 0)
}
