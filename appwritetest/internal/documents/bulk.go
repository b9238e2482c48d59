package documents

import (
	"errors"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// batch is how many records a bulk update or delete takes at a time, each
// batch a storage transaction of its own.
const batch = 1000

// bulkCollection is the collection of a bulk call, where those are allowed.
func (r *Room) bulkCollection(req *api.Request) (*catalog.Collection, error) {
	col, err := r.collection(req)
	if err != nil {
		return nil, err
	}
	return col, bulkAllowed(req, col)
}

// bulkPage is the answer of a bulk call.
func (v view) bulkPage(done affected, model func(*store.Record) *phpjson.Object) *phpjson.Object {
	bodies := make([]*phpjson.Object, len(done.first))
	for i, record := range done.first {
		bodies[i] = model(record)
	}
	return v.page(done.total, bodies)
}

// affected counts the records of a bulk call and keeps those that are listed.
type affected struct {
	total int
	first []*store.Record
}

func (a *affected) add(record *store.Record) {
	a.total++
	if len(a.first) < maxItems {
		a.first = append(a.first, record)
	}
}

// selection compiles the queries of a bulk call. 1.7 crashes on what it does
// not know, every version on a cursor.
func (r *Room) selection(col *catalog.Collection, texts []string) (query.Set, error) {
	set, err := r.rules(col).Compile(texts)
	if errors.Is(err, query.ErrInvalid) && !r.Profile.TablesDB() && query.WellFormed(r.Profile, texts) {
		return set, apierr.Unknown("%v", err)
	}
	if err != nil {
		return set, badQuery(err)
	}
	if set.Cursor != "" || (!r.Profile.TablesDB() && set.Select != nil) {
		return set, apierr.Unknown("cursor and select are not supported here")
	}
	return set, nil
}

// updateMany writes the same fields into every record that the queries select.
func (r *Room) updateMany(req *api.Request) (api.Response, error) {
	data, _ := req.Value("data").(*phpjson.Object)
	if data.Len() == 0 {
		return api.Response{}, missingPayload()
	}
	col, err := r.bulkCollection(req)
	if err != nil {
		return api.Response{}, err
	}
	if err := checkPermissions(data); err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		staged := phpjson.Obj("queries", req.List("queries"), "data", data)
		return r.stageBulk(req, col, tx.Operation{Action: tx.BulkUpdate, Data: staged})
	}
	set, err := r.selection(col, req.Strings("queries"))
	if err != nil {
		return api.Response{}, err
	}
	in, err := r.read(req.Dialect, data)
	if err != nil {
		return api.Response{}, err
	}
	if in.fields, err = r.operators(in.fields); err != nil {
		return api.Response{}, err
	}
	if err := r.patch(col, &store.Record{}, withoutOperators(in.fields)); err != nil {
		return api.Response{}, err
	}
	done, err := r.inBatches(col, set, func(w store.Writer, old *store.Record) (*store.Record, error) {
		return r.overwrite(w, col, old, in)
	})
	if errors.Is(err, store.ErrDuplicate) {
		return api.Response{}, apierr.Unknown("%v", err)
	}
	if err != nil {
		return api.Response{}, err
	}
	v := r.view(req)
	return api.OK(v.bulkPage(done, func(record *store.Record) *phpjson.Object {
		return r.updated(v, col, record, set.Select, in.fields)
	})), nil
}

// updated is how a bulk update shows a record: as if it had applied defaults,
// and, where only some fields were selected, as if the others were null.
func (r *Room) updated(v view, col *catalog.Collection, record *store.Record, selected []string, fields *phpjson.Object) *phpjson.Object {
	record = record.Clone()
	v.selected = selected
	for _, d := range col.Schema.Attributes {
		if !v.shows(d.Key) && !fields.Has(d.Key) {
			record.Set(d.Column, nil)
		}
		if d.Default != nil && record.Value(d.Column) == nil {
			record.Set(d.Column, d.Default)
		}
	}
	v.selected = nil
	return v.render(col, record)
}

// overwrite is the bulk update of one record. 1.7 writes every default over
// what is stored.
func (r *Room) overwrite(w store.Writer, col *catalog.Collection, old *store.Record, in input) (*store.Record, error) {
	record := old.Clone()
	if !r.Profile.TablesDB() {
		for _, d := range col.Schema.Attributes {
			if sent, _ := in.fields.Get(d.Key); sent == nil && d.Default != nil {
				if err := r.set(record, &d, d.Default); err != nil {
					return nil, err
				}
			}
		}
		in.fields = withoutNullDefaults(col, in.fields)
	}
	if err := r.patch(col, record, in.fields); err != nil {
		return nil, err
	}
	if in.permissions != nil {
		record.Permissions = in.permissions
	}
	record.UpdatedAt, record.CreatedAt = or(in.updatedAt, r.now()), or(in.createdAt, old.CreatedAt)
	return record, r.replace(w, col, record)
}

// withoutNullDefaults leaves out nulls where a default has been written.
func withoutNullDefaults(col *catalog.Collection, fields *phpjson.Object) *phpjson.Object {
	out := &phpjson.Object{}
	for key, sent := range fields.All() {
		if d := col.Schema.Attribute(key); d == nil || sent != nil || d.Default == nil {
			out.Set(key, sent)
		}
	}
	return out
}

// inBatches runs a change over the records that a set selects.
func (r *Room) inBatches(col *catalog.Collection, set query.Set,
	change func(store.Writer, *store.Record) (*store.Record, error),
) (affected, error) {
	done := affected{}
	for records, err := range (search{Room: r, reader: r.Store, col: col, set: set}).batches(batch) {
		if err != nil {
			return done, err
		}
		err := r.Store.Update(func(w store.Writer) error {
			for _, record := range records {
				changed, err := change(w, record)
				if err != nil {
					return err
				}
				done.add(changed)
			}
			return nil
		})
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// upsertMany creates or overwrites all records or none.
func (r *Room) upsertMany(req *api.Request) (api.Response, error) {
	col, err := r.bulkCollection(req)
	if err != nil {
		return api.Response{}, err
	}
	items := objectsOf(req.List("documents"))
	if stages(req) {
		return r.stageBulk(req, col, tx.Operation{Action: tx.BulkUpsert, Items: items})
	}
	var done affected
	err = r.Store.Update(func(w store.Writer) error {
		done, err = r.putAll(w, req.Dialect, col, items)
		return err
	})
	if err != nil {
		return api.Response{}, conflict(err)
	}
	v := r.view(req)
	return api.OK(v.bulkPage(done, func(record *store.Record) *phpjson.Object { return v.render(col, record) })), nil
}

// putAll upserts each item and returns those that were written.
func (r *Room) putAll(w store.Writer, dialect api.Dialect, col *catalog.Collection, items []*phpjson.Object) (affected, error) {
	inputs := make([]input, len(items))
	seen := map[string]bool{}
	for i, item := range items {
		in, err := r.read(dialect, item)
		if err != nil {
			return affected{}, err
		}
		if in.id == "" {
			in.id = freshID()
		}
		if seen[r.Profile.Fold(in.id)] && r.Profile.TablesDB() {
			return affected{}, alreadyExists()
		}
		seen[r.Profile.Fold(in.id)] = true
		inputs[i] = in
		if !r.Profile.TablesDB() && !sameKeys(inputs[0].fields, in.fields) {
			return affected{}, apierr.Unknown("Column count doesn't match value count")
		}
	}
	done := affected{}
	for _, in := range inputs {
		record, effect, err := r.place(w, col, in, func(*store.Record) error { return nil })
		if err != nil {
			return affected{}, err
		}
		if effect != unchanged {
			done.add(record)
		}
	}
	return done, nil
}

func sameKeys(a, b *phpjson.Object) bool { return sameSet(a.Keys(), b.Keys()) }

// deleteMany removes every record that the queries select.
func (r *Room) deleteMany(req *api.Request) (api.Response, error) {
	col, err := r.bulkCollection(req)
	if err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		staged := phpjson.Obj("queries", req.List("queries"))
		return r.stageBulk(req, col, tx.Operation{Action: tx.BulkDelete, Data: staged})
	}
	set, err := r.selection(col, req.Strings("queries"))
	if err != nil {
		return api.Response{}, err
	}
	done, err := r.inBatches(col, set, func(w store.Writer, record *store.Record) (*store.Record, error) {
		return record, r.remove(w, col, record)
	})
	if err != nil {
		return api.Response{}, err
	}
	v := r.view(req)
	return api.OK(v.bulkPage(done, func(record *store.Record) *phpjson.Object { return v.render(col, record) })), nil
}
