package documents

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// checkCreate refuses parameters that do not go together.
func checkCreate(req *api.Request) error {
	data, _ := req.Value("data").(*phpjson.Object)
	many, id := req.List("documents"), req.String("documentId")
	switch {
	case data.Len() == 0 && len(many) == 0:
		return apierr.BadRequest("document_missing_data", "The document data is missing.")
	case data.Len() > 0 && len(many) > 0:
		return apierr.BadRequest("general_bad_request", "You can only send one of data and documents.")
	case len(many) > 0 && (id != "" || permissionsOf(req) != nil):
		return apierr.BadRequest("general_bad_request", "documentId and permissions belong to a single document.")
	case len(many) == 0 && id == "":
		return apierr.BadRequest("document_missing_data", "Document ID is required when creating a single document.")
	case len(many) > 0 && !req.Caller.Key:
		return apierr.New(http.StatusUnauthorized, "general_unauthorized_scope", "Only a key may create several documents at once.")
	}
	return nil
}

// create adds one record, or several when documents are sent.
func (r *Room) create(req *api.Request) (api.Response, error) {
	if err := checkCreate(req); err != nil {
		return api.Response{}, err
	}
	data, _ := req.Value("data").(*phpjson.Object)
	many, id := objectsOf(req.List("documents")), req.String("documentId")
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	if len(many) > 0 {
		return r.createMany(req, col, many)
	}
	if !may(req, "create", col, nil) {
		return api.Response{}, unauthorized()
	}
	id = api.Expand(id)
	if stages(req) {
		return r.stageNew(req, col, tx.Create, id, data)
	}
	in, err := r.read(req.Dialect, data)
	if err != nil {
		return api.Response{}, err
	}
	in.id, in.permissions = id, permissionsOf(req)
	var body *phpjson.Object
	err = r.Store.Update(func(w store.Writer) error {
		record, err := r.insert(w, col, in)
		if err != nil {
			return err
		}
		body, err = r.written(w, r.view(req), col, record, in.fields, true)
		return err
	})
	if err != nil {
		return api.Response{}, conflict(err)
	}
	return api.Created(body), nil
}

// insert adds a record with the id of its input.
func (r *Room) insert(w store.Writer, col *catalog.Collection, in input) (*store.Record, error) {
	now := r.now()
	record := &store.Record{
		ID: in.id, Permissions: in.permissions,
		CreatedAt: or(in.createdAt, now), UpdatedAt: or(in.updatedAt, now),
	}
	links, err := r.fill(col, record, in.fields)
	if err != nil {
		return nil, err
	}
	if err := r.relate(w, in.dialect, record, links, true); err != nil {
		return nil, err
	}
	r.forgetStale(col, record.ID)
	return record, w.Insert(col.Sequence, record)
}

// createMany adds all records or none.
func (r *Room) createMany(req *api.Request, col *catalog.Collection, items []*phpjson.Object) (api.Response, error) {
	if err := bulkAllowed(req, col); err != nil {
		return api.Response{}, err
	}
	inputs, err := r.readItems(req, items)
	if err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		return r.stageBulk(req, col, tx.Operation{Action: tx.BulkCreate, Items: withIDs(items, inputs)})
	}
	v := r.view(req)
	bodies := make([]*phpjson.Object, len(inputs))
	err = r.Store.Update(func(w store.Writer) error {
		for i, in := range inputs {
			record, err := r.insert(w, col, in)
			if err != nil {
				return err
			}
			bodies[i] = v.render(col, record)
			r.echo(bodies[i], col, in.fields)
		}
		return nil
	})
	if err != nil {
		return api.Response{}, conflict(err)
	}
	return api.Created(v.page(len(bodies), bodies)), nil
}

// readItems reads the records of a bulk create and checks their ids and
// permissions.
func (r *Room) readItems(req *api.Request, items []*phpjson.Object) ([]input, error) {
	inputs := make([]input, len(items))
	for i, item := range items {
		in, err := r.read(req.Dialect, item)
		if err != nil {
			return nil, err
		}
		if id, given := item.Get("$id"); given && id != nil && !profile.ValidID(api.Expand(in.id)) {
			return nil, apierr.BadRequest("general_bad_request", "Invalid $id: %v", id)
		}
		if in.id == "" || in.id == "unique()" {
			in.id = freshID()
		}
		if err := checkPermissions(item); err != nil {
			return nil, err
		}
		in.permissions = permission.Expand(in.permissions, false)
		inputs[i] = in
	}
	return inputs, nil
}

// withIDs are items that all have an id.
func withIDs(items []*phpjson.Object, inputs []input) []*phpjson.Object {
	out := make([]*phpjson.Object, len(items))
	for i, item := range items {
		out[i] = item.Clone()
		out[i].Set("$id", inputs[i].id)
	}
	return out
}

// bulkAllowed refuses bulk calls for guests and on collections with
// relationships.
func bulkAllowed(req *api.Request, col *catalog.Collection) error {
	if !req.Caller.Key {
		return unauthorized()
	}
	if related(col) {
		return noBulk()
	}
	return nil
}

func noBulk() error {
	return apierr.BadRequest("general_bad_request", "Bulk operations are not supported for collections with relationship attributes.")
}

// freshID draws an id as the server does.
func freshID() string { return api.Expand("unique()") }
