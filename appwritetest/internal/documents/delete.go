package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// delete removes one record.
func (r *Room) delete(req *api.Request) (api.Response, error) {
	before, err := r.guard(req)
	if err != nil {
		return api.Response{}, err
	}
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	if stages(req) {
		return r.stageDelete(req, col)
	}
	err = r.Store.Update(func(w store.Writer) error {
		id := req.String("documentId")
		record, err := w.Get(col.Sequence, id)
		if err != nil {
			return err
		}
		if record == nil {
			return notFound(id)
		}
		if err := before.check(req, "delete", col, record); err != nil {
			return err
		}
		return r.remove(w, col, record)
	})
	if err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

// remove takes out a record and does what its relationships say.
func (r *Room) remove(w store.Writer, col *catalog.Collection, record *store.Record) error {
	if err := r.untie(w, col, record); err != nil {
		return err
	}
	r.forgetStale(col, record.ID)
	return w.Delete(col.Sequence, record.Sequence)
}
