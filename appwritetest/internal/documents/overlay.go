package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// overlay is what a transaction has staged for one collection, as reads see
// it: roughly, as on the server.
type overlay struct {
	fold    func(string) string
	records []*stagedRecord // in the order of their first operation
	byID    map[string]*stagedRecord
	changes []stagedChange
}

// stagedRecord is one record that operations name.
type stagedRecord struct {
	id       string
	data     *phpjson.Object
	created  bool // staged as new
	upserted bool
	deleted  bool
}

// stagedChange is a bulk update, or a bulk delete when data is nil.
type stagedChange struct {
	filters []query.Query
	data    *phpjson.Object
}

func (r *Room) overlay(operations []tx.Operation, col *catalog.Collection) *overlay {
	o := &overlay{fold: r.Profile.Fold, byID: map[string]*stagedRecord{}}
	for _, op := range operations {
		if op.Container != col.Sequence {
			continue
		}
		switch op.Action {
		case tx.Create, tx.Upsert:
			o.put(op.Action, op.Record, op.Data)
		case tx.BulkCreate, tx.BulkUpsert:
			for _, item := range op.Items {
				id, _ := item.Get("$id")
				if text, ok := id.(string); ok {
					o.put(op.Action, text, item)
				}
			}
		case tx.Update:
			merge(o.at(op.Record).data, op.Data)
		case tx.Delete:
			*o.at(op.Record) = stagedRecord{id: op.Record, data: &phpjson.Object{}, deleted: true}
		case tx.Increment, tx.Decrement:
			o.count(op)
		case tx.BulkUpdate, tx.BulkDelete:
			set, err := r.rules(col).Compile(op.Queries())
			if err != nil {
				continue // the commit will say so
			}
			data, _ := op.Data.Get("data")
			fields, _ := data.(*phpjson.Object)
			o.changes = append(o.changes, stagedChange{filters: set.Filters, data: fields})
		}
	}
	return o
}

// put stages a whole record.
func (o *overlay) put(action tx.Action, id string, data *phpjson.Object) {
	held := o.at(id)
	isNew := action == tx.Create || action == tx.BulkCreate
	*held = stagedRecord{id: id, data: data.Clone(), created: isNew, upserted: !isNew}
}

// count overlays the amount of an increment instead of the sum, and forgets
// those that were staged in the words of TablesDB.
func (o *overlay) count(op tx.Operation) {
	held := o.at(op.Record)
	name, _ := op.Data.Get("attribute")
	key, ok := name.(string)
	if !ok || op.Dialect != api.Legacy {
		return
	}
	amount, given := op.Data.Get("value")
	if !given {
		amount = int64(1)
	}
	held.data.Set(key, amount)
}

func (o *overlay) at(id string) *stagedRecord {
	held := o.byID[o.fold(id)]
	if held == nil {
		held = &stagedRecord{id: id, data: &phpjson.Object{}}
		o.byID[o.fold(id)] = held
		o.records = append(o.records, held)
	}
	return held
}

// of returns what is staged for an id, or nil.
func (o *overlay) of(id string) *stagedRecord {
	if o.byID == nil {
		return nil
	}
	return o.byID[o.fold(id)]
}

// bulk applies the staged bulk changes to the model of a record and says
// whether one of them deletes it.
func (o *overlay) bulk(r *Room, body *phpjson.Object, col *catalog.Collection, record *store.Record) (deleted bool) {
	for _, change := range o.changes {
		if !query.Match(change.filters, row{col, record}, r.Profile.Fold) {
			continue
		}
		if change.data == nil {
			return true
		}
		merge(body, change.data)
	}
	return false
}

// overlaid lays the staged records over a page: what is deleted goes, what is
// changed shows so, what is new follows in the order of staging, whatever the
// queries ask for. The total goes by the filters.
func (r *Room) overlaid(req *api.Request, o *overlay, s search, records []*store.Record, total int) ([]*phpjson.Object, int, error) {
	bodies := []*phpjson.Object{}
	shown := map[string]bool{}
	v := r.selecting(req, s.col, s.set.Select)
	for _, record := range records {
		shown[r.Profile.Fold(record.ID)] = true
		held := o.of(record.ID)
		if held != nil && held.deleted {
			continue
		}
		body, err := r.nested(r.Store, v, s.col, record)
		if err != nil {
			return nil, 0, err
		}
		if o.bulk(r, body, s.col, record) {
			continue
		}
		if held != nil {
			merge(body, held.data)
		}
		bodies = append(bodies, body)
	}
	for _, held := range o.records {
		stored, err := r.Store.Get(s.col.Sequence, held.id)
		if err != nil {
			return nil, 0, err
		}
		isNew := (held.created || held.upserted) && stored == nil
		switch {
		case held.deleted && stored != nil && query.Match(s.set.Filters, row{s.col, stored}, r.Profile.Fold):
			total--
		case isNew && query.Match(s.set.Filters, stagedRow{held}, r.Profile.Fold):
			total++
		}
		if (held.created || held.upserted) && !shown[r.Profile.Fold(held.id)] {
			bodies = append(bodies, v.simulated(s.col, held.id, held.data))
		}
	}
	return bodies, total, nil
}

// stagedRow is a staged record as queries see it.
type stagedRow struct{ *stagedRecord }

// Value implements query.Row.
func (w stagedRow) Value(name string) any {
	if name == "$id" {
		return w.id
	}
	v, _ := w.data.Get(name)
	return v
}
