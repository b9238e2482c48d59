package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

const defaultLimit = 25

// get answers one record.
func (r *Room) get(req *api.Request) (api.Response, error) {
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	rules := r.rules(col)
	rules.SelectOnly = true
	set, err := rules.Compile(req.Strings("queries"))
	if err != nil {
		return api.Response{}, badQuery(err)
	}
	if err := r.checkDots(col, set.Select); err != nil {
		return api.Response{}, err
	}
	id := req.String("documentId")
	if t := r.Transactions.Overlay(req.String("transactionId")); t != nil {
		body, err := r.seen(req, r.overlay(t.Operations, col), col, id, set.Select)
		if err != nil {
			return api.Response{}, err
		}
		return api.OK(body), nil
	}
	record, err := r.cached(r.Store, col, id)
	if err != nil {
		return api.Response{}, err
	}
	if record == nil || !may(req, "read", col, record) {
		return api.Response{}, notFound(id)
	}
	v := r.selecting(req, col, set.Select)
	body, err := r.nested(r.Store, v, col, record)
	if err != nil {
		return api.Response{}, err
	}
	v.addPlace(body, col)
	return api.OK(body), nil
}

// list answers a page of records.
func (r *Room) list(req *api.Request) (api.Response, error) {
	col, err := r.collection(req)
	if err != nil {
		return api.Response{}, err
	}
	if !may(req, "read", col, nil) && !col.DocumentSecurity {
		return api.Response{}, unauthorized()
	}
	set, err := r.rules(col).Compile(req.Strings("queries"))
	if err != nil {
		return api.Response{}, badQuery(err)
	}
	if err := r.checkDots(col, set.Select); err != nil {
		return api.Response{}, err
	}
	s := search{Room: r, reader: r.Store, col: col, set: set}
	if !may(req, "read", col, nil) {
		s.visible = func(record *store.Record) bool { return may(req, "read", col, record) }
	}
	records, err := s.find(defaultLimit)
	if err != nil {
		return api.Response{}, err
	}
	total := 0
	if req.Bool("total") {
		if total, err = s.count(); err != nil {
			return api.Response{}, err
		}
	}
	if t := r.Transactions.Overlay(req.String("transactionId")); t != nil {
		o := r.overlay(t.Operations, col)
		bodies, err := r.overlaid(req, o, s, records)
		if err != nil {
			return api.Response{}, err
		}
		if req.Bool("total") {
			total = o.recount(total, records, set.Filters)
		}
		return api.OK(r.view(req).page(total, bodies)), nil
	}
	v := r.selecting(req, col, set.Select)
	bodies := make([]*phpjson.Object, len(records))
	for i, record := range records {
		if bodies[i], err = r.nested(r.Store, v, col, record); err != nil {
			return api.Response{}, err
		}
	}
	return api.OK(v.page(total, bodies)), nil
}
