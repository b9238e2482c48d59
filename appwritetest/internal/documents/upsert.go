package documents

import (
	"errors"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpcompare"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// upsert creates a record or writes fields over the one with its id.
func (r *Room) upsert(req *api.Request) (api.Response, error) {
	data, _ := req.Value("data").(*phpjson.Object)
	if !r.Profile.InlineSchema() && req.Dialect == api.Legacy && !req.Given("data") {
		return api.Response{}, apierr.Argument("Param \"data\" is not optional.")
	}
	if (data.Len() == 0 && permissionsOf(req) == nil) || (data.Len() > 1 && listed(data) && r.Profile.TablesDB()) {
		return api.Response{}, missingPayload()
	}
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		return r.stageNew(req, col, tx.Upsert, req.String("documentId"), data)
	}
	in, err := r.read(req.Dialect, data)
	if err != nil {
		return api.Response{}, err
	}
	sentPermissions := in.permissions
	in.id, in.permissions = req.String("documentId"), permissionsOf(req)
	if !r.Profile.TablesDB() && len(in.permissions) == 0 && sentPermissions == nil {
		return api.Response{}, apierr.Unknown("Undefined array key \"$permissions\"")
	}
	v := r.view(req)
	var body *phpjson.Object
	err = r.Store.Update(func(w store.Writer) error {
		record, done, err := r.place(w, col, in, func(old *store.Record) error { return r.mayPut(req, col, old) })
		if err != nil {
			return err
		}
		if record == nil { // taken for no change, although there is no record
			body = &phpjson.Object{}
			v.addPlace(body, col)
			return nil
		}
		body, err = r.written(w, v, col, record, in.fields, done == created)
		return err
	})
	if err != nil {
		return api.Response{}, conflict(err)
	}
	return api.OK(body), nil
}

// mayPut checks a guest's right to create or to update.
func (r *Room) mayPut(req *api.Request, col *catalog.Collection, old *store.Record) error {
	action := "create"
	if old != nil {
		action = "update"
	}
	if !may(req, action, col, old) {
		return unauthorized()
	}
	return nil
}

// effect is what an upsert did.
type effect int

const (
	unchanged effect = iota // or so it seemed
	created
	overwritten
)

// place is PUT: it creates or overwrites the record with the input's id, and
// returns what the client is told: where nothing seems to change, the record
// as it was, nil if there is none.
func (r *Room) place(w store.Writer, col *catalog.Collection, in input, allow func(*store.Record) error) (told *store.Record, done effect, err error) {
	old, err := w.Get(col.Sequence, in.id)
	if err != nil {
		return nil, unchanged, err
	}
	if err := allow(old); err != nil {
		return nil, unchanged, err
	}
	if in.fields, err = r.operators(in.fields); err != nil {
		return nil, unchanged, err
	}
	if r.Profile.TablesDB() && r.seemsSame(col, old, in) {
		return old, unchanged, nil
	}
	now := r.now()
	record := &store.Record{ID: in.id, CreatedAt: or(in.createdAt, now)}
	if old != nil {
		record = old.Clone()
		if !r.Profile.TablesDB() {
			resetToDefaults(col, record, in.fields)
		}
	}
	record.UpdatedAt = or(in.updatedAt, now)
	if in.permissions != nil {
		record.Permissions = in.permissions
	}
	if err := requireSent(col, in.fields); err != nil {
		return nil, unchanged, err
	}
	links, err := r.fill(col, record, in.fields)
	if err != nil {
		return nil, unchanged, err
	}
	if err := r.relate(w, in.dialect, record, links, old == nil); err != nil {
		return nil, unchanged, err
	}
	if old == nil {
		return record, created, r.insertOrHijack(w, col, record, in)
	}
	if err := r.replace(w, col, record); err != nil {
		return nil, unchanged, err
	}
	if in.createdAt != nil { // answered, though the record keeps its own
		record = record.Clone()
		record.CreatedAt = *in.createdAt
	}
	return record, overwritten, nil
}

// resetToDefaults drops what is stored where a default can take its place: what
// 1.7 does to every attribute that is not sent.
func resetToDefaults(col *catalog.Collection, record *store.Record, fields *phpjson.Object) {
	for _, d := range col.Schema.Attributes {
		if d.Default != nil && !fields.Has(d.Key) {
			record.Set(d.Column, nil)
		}
	}
}

// requireSent wants every required attribute in the payload, even if a value
// is stored.
func requireSent(col *catalog.Collection, fields *phpjson.Object) error {
	for _, d := range col.Schema.Attributes {
		if d.Required && !fields.Has(d.Key) {
			return invalidStructure("Missing required attribute \"%s\"", d.Key)
		}
	}
	return nil
}

// seemsSame is how an upsert finds out that nothing changes: loosely, without
// the fields that begin with a dollar sign, and taking a record that is not
// there for one full of nulls.
func (r *Room) seemsSame(col *catalog.Collection, old *store.Record, in input) bool {
	if old == nil {
		old = &store.Record{}
	} else {
		for _, d := range col.Schema.Attributes {
			if !in.fields.Has(d.Key) && d.Relation == nil {
				return false
			}
		}
	}
	if in.permissions != nil && !sameSet(in.permissions, old.Permissions) {
		return false
	}
	for key, sent := range in.fields.All() {
		d := col.Schema.Attribute(key)
		if d == nil || d.Relation != nil {
			if !phpcompare.Loose(nil, sent) {
				return false
			}
			continue
		}
		stored := old.Value(d.Column)
		if old.Sequence > 0 {
			stored = shown(d, stored)
		}
		if !phpcompare.Loose(stored, sent) {
			return false
		}
	}
	return true
}

// insertOrHijack inserts a record as MariaDB's INSERT … ON DUPLICATE KEY
// UPDATE does: when a unique value is taken, the holder is overwritten and
// keeps its id, except on 1.7. The holder's cached form stays in single reads.
func (r *Room) insertOrHijack(w store.Writer, col *catalog.Collection, record *store.Record, in input) error {
	err := w.Insert(col.Sequence, record)
	var duplicate *store.DuplicateError
	if !errors.As(err, &duplicate) || duplicate.Index == store.IDIndex || r.Profile.Backend != profile.MariaDB {
		return err
	}
	victim, err := r.at(w, col, duplicate.Holder)
	if err != nil {
		return err
	}
	r.keepStale(col, victim)
	overwritten := victim.Clone()
	for i := range col.Schema.Attributes {
		if d := &col.Schema.Attributes[i]; in.fields.Has(d.Key) {
			overwritten.Set(d.Column, record.Value(d.Column))
		}
	}
	if !r.Profile.TablesDB() {
		overwritten.ID = record.ID
	}
	overwritten.UpdatedAt, overwritten.Permissions = record.UpdatedAt, slices.Clone(record.Permissions)
	record.Sequence = victim.Sequence
	return w.Replace(col.Sequence, overwritten)
}

// at returns the record with a sequence.
func (r *Room) at(reader store.Reader, col *catalog.Collection, sequence int64) (*store.Record, error) {
	for record, err := range reader.Scan(col.Sequence, sequence-1, store.Ascending) {
		return record, err
	}
	return nil, errors.New("record is gone")
}
