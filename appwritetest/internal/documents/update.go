package documents

import (
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpcompare"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// update merges fields into one record.
func (r *Room) update(req *api.Request) (api.Response, error) {
	data, _ := req.Value("data").(*phpjson.Object)
	if data.Len() == 0 && permissionsOf(req) == nil {
		return api.Response{}, missingPayload()
	}
	before, err := r.guard(req)
	if err != nil {
		return api.Response{}, err
	}
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		return r.stageUpdate(req, col, data)
	}
	in, err := r.read(req.Dialect, data)
	if err != nil {
		return api.Response{}, err
	}
	in.id, in.permissions = req.String("documentId"), permissionsOf(req)
	var body *phpjson.Object
	err = r.Store.Update(func(w store.Writer) error {
		record, err := r.change(w, col, in, func(record *store.Record) error {
			return before.check(req, "update", col, record)
		})
		if err != nil {
			return err
		}
		body, err = r.written(w, r.view(req), col, record, in.fields, false)
		return err
	})
	if err != nil {
		return api.Response{}, conflict(err)
	}
	return api.OK(body), nil
}

func missingPayload() error {
	return apierr.BadRequest("document_missing_payload", "The document data and permissions are missing.")
}

// change is PATCH: it merges the input into the record with its id, validates
// the whole and writes it, unless nothing differs. allow may refuse.
func (r *Room) change(w store.Writer, col *catalog.Collection, in input, allow func(*store.Record) error) (*store.Record, error) {
	old, err := w.Get(col.Sequence, in.id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, notFound(in.id)
	}
	if err := allow(old); err != nil {
		return nil, err
	}
	if in.fields, err = r.operators(in.fields); err != nil {
		return nil, err
	}
	record := old.Clone()
	emptyLists(col, record)
	links, err := r.fill(col, record, in.fields)
	if err != nil {
		return nil, err
	}
	if changed, err := r.differs(w, col, old, in, links); err != nil || !changed {
		return old, err
	}
	record.UpdatedAt, record.CreatedAt = or(in.updatedAt, r.now()), or(in.createdAt, old.CreatedAt)
	if in.permissions != nil {
		record.Permissions = in.permissions
	}
	if err := r.relate(w, in.dialect, record, links, false); err != nil {
		return nil, err
	}
	return record, r.replace(w, col, record)
}

// emptyLists makes lists that are null empty, as they are read: an update merges
// what was sent with what is read. So it passes where a list has become required.
func emptyLists(col *catalog.Collection, record *store.Record) {
	for _, d := range col.Schema.Attributes {
		if d.Array && d.Relation == nil && record.Value(d.Column) == nil {
			record.Set(d.Column, []any{})
		}
	}
}

// replace writes a record over its former self.
func (r *Room) replace(w store.Writer, col *catalog.Collection, record *store.Record) error {
	r.forgetStale(col, record.ID)
	return w.Replace(col.Sequence, record)
}

// differs compares what was sent with what a client would read, strictly.
func (r *Room) differs(reader store.Reader, col *catalog.Collection, old *store.Record, in input, links []link) (bool, error) {
	if in.touched || (in.permissions != nil && !sameSet(in.permissions, old.Permissions)) ||
		or(in.createdAt, old.CreatedAt) != old.CreatedAt || or(in.updatedAt, old.UpdatedAt) != old.UpdatedAt {
		return true, nil
	}
	for i := range col.Schema.Attributes {
		d := &col.Schema.Attributes[i]
		sent, given := in.fields.Get(d.Key)
		if given && d.Relation == nil && !r.same(shown(d, old.Value(d.Column)), sent) {
			return true, nil
		}
	}
	return r.relinks(reader, old, links)
}

// same compares strictly. Before 1.9 the stored value comes from a cache in
// which whole floats have become integers.
func (r *Room) same(stored, sent any) bool {
	if f, ok := stored.(float64); ok && !r.Profile.InlineSchema() && f == float64(int64(f)) {
		stored = int64(f)
	}
	return phpcompare.Strict(stored, sent)
}

// sameSet compares lists without regard to order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
