package documents

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// Writes that name a transaction are staged: nothing of them is checked but
// their place and, for changes, that the record is there. The client is shown
// what it sent, dressed up as a record.

// stages says whether a request is to be staged.
func stages(req *api.Request) bool { return req.String("transactionId") != "" }

// stage adds an operation to the transaction of a request. It returns what the
// transaction held of the collection before. That a record is there is looked
// at before the transaction is, and not at all for increments.
func (r *Room) stage(req *api.Request, col *catalog.Collection, op tx.Operation) (*overlay, error) {
	id := req.String("transactionId")
	before := &overlay{}
	if t := r.Transactions.Overlay(id); t != nil {
		before = r.overlay(t.Operations, col)
	}
	if op.Action == tx.Update || op.Action == tx.Delete {
		there, err := r.there(before, col, op.Record)
		if err != nil {
			return nil, err
		}
		if !there {
			return nil, notFound(op.Record)
		}
	}
	t, err := r.open(id, op.Action)
	if err != nil {
		return nil, err
	}
	if err := t.Fits(1); err != nil {
		return nil, err
	}
	op.Dialect, op.Database, op.Collection, op.Container = req.Dialect, col.Database.ID, col.ID, col.Sequence
	r.Transactions.Stage(t, op)
	return before, nil
}

// open finds the transaction of a request. The routes differ in what they say
// of one that is unknown or has ended; three do not mind one that has expired.
func (r *Room) open(id string, action tx.Action) (*tx.Transaction, error) {
	switch action {
	case tx.BulkUpdate, tx.BulkUpsert, tx.BulkDelete:
		if t := r.Transactions.Overlay(id); t != nil {
			return t, nil
		}
	case tx.Increment, tx.Decrement:
		if r.Transactions.Overlay(id) != nil {
			return r.Transactions.Open(id, "")
		}
	default:
		return r.Transactions.Open(id, "transaction_not_ready")
	}
	return nil, apierr.BadRequest("general_bad_request", "Invalid or non-pending transaction")
}

// there says whether a transaction sees a record.
func (r *Room) there(o *overlay, col *catalog.Collection, id string) (bool, error) {
	if held := o.of(id); held != nil {
		return held.as != tx.Delete, nil
	}
	record, err := r.Store.Get(col.Sequence, id)
	return record != nil, err
}

// Locate implements tx.Records.
func (r *Room) Locate(op *tx.Operation, earlier []tx.Operation) error {
	col, err := r.Catalog.Collection(op.Database, op.Collection)
	if err != nil {
		return err
	}
	op.Container = col.Sequence
	if op.Bulk() && related(col) {
		return noBulk()
	}
	if !op.Needs() {
		return nil
	}
	there, err := r.there(r.overlay(earlier, col), col, op.Record)
	if err != nil {
		return err
	}
	if !there {
		return notFound(op.Record)
	}
	return nil
}

// withPermissions is the data of an operation.
func withPermissions(data *phpjson.Object, permissions []string) *phpjson.Object {
	out := data.Clone()
	out.Delete("$permissions")
	if permissions != nil {
		list := make([]any, len(permissions))
		for i, p := range permissions {
			list[i] = p
		}
		out.Set("$permissions", list)
	}
	return out
}

// stageNew stages a create or an upsert. An upsert without permissions takes
// those that the record has.
func (r *Room) stageNew(req *api.Request, col *catalog.Collection, action tx.Action, id string, data *phpjson.Object) (api.Response, error) {
	granted := permissionsOf(req)
	if granted == nil {
		granted = []string{}
		if held, err := r.Store.Get(col.Sequence, id); err != nil {
			return api.Response{}, err
		} else if held != nil && action == tx.Upsert {
			granted = held.Permissions
		}
	}
	data = withPermissions(data, append([]string{}, granted...))
	op := tx.Operation{Action: action, Record: id, Data: data}
	if _, err := r.stage(req, col, op); err != nil {
		return api.Response{}, err
	}
	return api.Created(r.view(req).simulated(col, id, data)), nil
}

// stageUpdate stages a merge and shows its result.
func (r *Room) stageUpdate(req *api.Request, col *catalog.Collection, data *phpjson.Object) (api.Response, error) {
	id := req.String("documentId")
	data = withPermissions(data, permissionsOf(req))
	before, err := r.stage(req, col, tx.Operation{Action: tx.Update, Record: id, Data: data})
	if err != nil {
		return api.Response{}, err
	}
	body, err := r.seen(req, before, col, id, nil)
	if err != nil {
		return api.Response{}, err
	}
	merge(body, data)
	return api.OK(body), nil
}

func (r *Room) stageDelete(req *api.Request, col *catalog.Collection) (api.Response, error) {
	op := tx.Operation{Action: tx.Delete, Record: req.String("documentId")}
	if _, err := r.stage(req, col, op); err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

// stageBulk stages a bulk call; the answer lists nothing.
func (r *Room) stageBulk(req *api.Request, col *catalog.Collection, op tx.Operation) (api.Response, error) {
	if _, err := r.stage(req, col, op); err != nil {
		return api.Response{}, err
	}
	return api.OK(r.view(req).page(len(op.Items), []*phpjson.Object{})), nil
}

// stageStep stages an increment or decrement; the answer shows the amount.
func (r *Room) stageStep(req *api.Request, col *catalog.Collection, action tx.Action, s step, boundName string) (api.Response, error) {
	data := phpjson.Obj(req.Dialect.Word("attribute"), s.attribute, "value", s.amount)
	if s.bound != nil {
		data.Set(boundName, s.bound)
	}
	if _, err := r.stage(req, col, tx.Operation{Action: action, Record: s.id, Data: data}); err != nil {
		return api.Response{}, err
	}
	v := r.view(req)
	body := phpjson.Obj("$id", s.id, s.attribute, s.amount)
	v.addPlace(body, col)
	v.addNoSequence(body)
	return api.Response{Status: http.StatusOK, Body: body}, nil
}

// simulated is the model of a record that is only staged: what was sent, and
// no more.
func (v view) simulated(col *catalog.Collection, id string, data *phpjson.Object) *phpjson.Object {
	out := phpjson.Obj("$id", id)
	v.addPlace(out, col)
	merge(out, data)
	v.addNoSequence(out)
	return out
}

// addNoSequence adds what stands for the sequence of a record that has none.
func (v view) addNoSequence(out *phpjson.Object) {
	switch v.sequence {
	case profile.StringSequence:
		out.Set("$sequence", "0")
	case profile.IntSequence:
		out.Set("$sequence", int64(0))
	case profile.NoSequence:
	}
}

// merge writes the data of an operation over a model.
func merge(body, data *phpjson.Object) {
	for key, v := range data.All() {
		if key != "$id" {
			body.Set(key, v)
		}
	}
}

// seen is the model of a record as a transaction sees it: what is stored, under
// what was staged.
func (r *Room) seen(req *api.Request, o *overlay, col *catalog.Collection, id string, selected []string) (*phpjson.Object, error) {
	record, err := r.Store.Get(col.Sequence, id)
	if err != nil {
		return nil, err
	}
	v := r.selecting(req, col, selected)
	var body *phpjson.Object
	if record != nil {
		if body, err = r.nested(r.Store, v, col, record); err != nil {
			return nil, err
		}
		v.addPlace(body, col)
	}
	if held := o.of(id); held != nil {
		body = v.laid(held, body, col, selected)
	}
	if body == nil {
		return nil, notFound(id)
	}
	return body, nil
}
