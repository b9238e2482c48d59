package tx

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Records is what operations act on.
type Records interface {
	// Locate fills in the container of an operation and refuses one whose
	// database, collection or, where the action needs it, record is not there;
	// earlier are the operations before it.
	Locate(op *Operation, earlier []Operation) error
	// Commit carries out all operations or none. An error of one of the types
	// in ending fails the transaction; any other leaves it where it was.
	Commit(operations []Operation) error
}

// ending are the errors of a commit that a server was ready for.
func ending(err error) bool {
	var refusal *apierr.Error
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Type {
	case "transaction_conflict", "transaction_failed", "document_not_found", "document_invalid_structure",
		"attribute_limit_exceeded", "general_query_invalid":
		return true
	}
	return false
}

// Room serves the routes of transactions.
type Room struct {
	log     *Log
	records Records
	profile profile.Profile
	dates   *phpdate.Parser
}

// NewRoom returns the room over a log and the records it writes.
func NewRoom(log *Log, records Records, p profile.Profile) *Room {
	return &Room{log: log, records: records, profile: p, dates: phpdate.New(log.now)}
}

const (
	listPath        = "/databases/transactions"
	transactionPath = listPath + "/{transactionId}"
)

// Routes returns every route of the room; 1.7 has none.
func (r *Room) Routes() []api.Route {
	const shortest, longest, usual = 60, 3600, 300
	id := api.Required("transactionId", api.ID)
	read, write := api.ReadOf("transactions"), api.WriteOf("transactions")
	routes := []api.Route{
		{
			Method: http.MethodPost, Path: listPath, Scope: write, Access: api.Write, Handle: r.create,
			Params: []api.Param{api.Optional("ttl", api.LooseInt(shortest, longest), int64(usual))},
		},
		{
			Method: http.MethodGet, Path: listPath, Scope: read, Access: api.Read, Handle: r.list,
			Params: []api.Param{api.Optional("queries", api.ListOf(api.Text(0, 4096), 100), []any{})},
		},
		{
			Method: http.MethodGet, Path: transactionPath, Scope: read, Access: api.Read, Handle: r.get,
			Params: []api.Param{id},
		},
		{
			Method: http.MethodPatch, Path: transactionPath, Scope: write, Access: api.Write, Handle: r.end,
			Params: []api.Param{id, api.Optional("commit", api.StrictBool, false), api.Optional("rollback", api.StrictBool, false)},
		},
		{
			Method: http.MethodDelete, Path: transactionPath, Scope: write, Access: api.Write, Handle: r.delete,
			Params: []api.Param{id},
		},
		{
			Method: http.MethodPost, Path: transactionPath + "/operations", Scope: write, Access: api.Write, Handle: r.stage,
			Params: []api.Param{id, api.Optional("operations", api.ListOf(api.Any, math.MaxInt), []any{})},
		},
	}
	for i := range routes {
		routes[i].When = profile.Profile.TablesDB
	}
	return routes
}

func (r *Room) create(req *api.Request) (api.Response, error) {
	t := r.log.begin(time.Duration(req.Int("ttl")) * time.Second)
	return api.Created(render(t)), nil
}

func (r *Room) list(req *api.Request) (api.Response, error) {
	visible := r.log.all
	if !req.Caller.Key {
		visible = nil // a guest sees only what it has begun
	}
	type transaction = *Transaction
	page, total, err := listing.Spec[transaction]{
		Profile: r.profile, Dates: r.dates,
		ID: func(t transaction) string { return t.ID },
		Fields: map[string]listing.Field[transaction]{
			"status":     listing.Text(func(t transaction) string { return string(t.Status) }),
			"expiresAt":  listing.Time(func(t transaction) time.Time { return t.ExpiresAt }),
			"$id":        listing.Text(func(t transaction) string { return t.ID }),
			"$createdAt": listing.Time(func(t transaction) time.Time { return t.CreatedAt }),
			"$updatedAt": listing.Time(func(t transaction) time.Time { return t.UpdatedAt }),
			"$sequence":  listing.Sequence(func(t transaction) int64 { return t.Sequence }),
		},
	}.Page(visible, req.Strings("queries"))
	if err != nil {
		return api.Response{}, err
	}
	bodies := make([]*phpjson.Object, len(page))
	for i, t := range page {
		bodies[i] = render(t)
	}
	return api.OK(phpjson.Obj("total", total, "transactions", bodies)), nil
}

func (r *Room) get(req *api.Request) (api.Response, error) {
	t, err := r.log.find(req.String("transactionId"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(render(t)), nil
}

func (r *Room) delete(req *api.Request) (api.Response, error) {
	t, err := r.log.find(req.String("transactionId"))
	if err != nil {
		return api.Response{}, err
	}
	r.log.remove(t)
	return api.NoContent(), nil
}

// stage adds all operations of a request or none.
func (r *Room) stage(req *api.Request) (api.Response, error) {
	sent := req.List("operations")
	if len(sent) == 0 {
		return api.Response{}, badRequest("There are no operations.")
	}
	operations := make([]Operation, len(sent))
	for i := range sent {
		var err error
		if operations[i], err = parse(req.Dialect, sent[i]); err != nil {
			return api.Response{}, err
		}
	}
	t, err := r.log.Open(req.String("transactionId"), "general_bad_request")
	if err != nil {
		return api.Response{}, err
	}
	if err := t.Fits(len(operations)); err != nil {
		return api.Response{}, err
	}
	earlier := t.Operations
	for i := range operations {
		if err := r.records.Locate(&operations[i], earlier); err != nil {
			return api.Response{}, asWritten(err)
		}
		earlier = append(earlier[:len(earlier):len(earlier)], operations[i])
	}
	r.log.Stage(t, operations...)
	return api.Created(render(t)), nil
}

// end commits or rolls back.
func (r *Room) end(req *api.Request) (api.Response, error) {
	commit, rollback := req.Bool("commit"), req.Bool("rollback")
	if commit == rollback {
		return api.Response{}, badRequest("Say either commit or rollback.")
	}
	t, err := r.log.Open(req.String("transactionId"), "transaction_not_ready")
	if err != nil {
		return api.Response{}, err
	}
	if rollback {
		r.log.set(t, Failed)
		return api.OK(render(t)), nil
	}
	switch err := r.records.Commit(t.Operations); {
	case err == nil && diesAfterData(req.HTTP.Context()):
		r.log.set(t, Committing)
		return api.NoContent(), nil // nobody will see it
	case err == nil:
		r.log.set(t, Committed)
		return api.OK(render(t)), nil
	case ending(err):
		r.log.set(t, Failed)
		return api.Response{}, asWritten(err)
	case r.profile.AtLeast(1, 9, 0): // 1.8 leaves it pending
		r.log.set(t, Committing)
	}
	return api.Response{}, apierr.Unknown("The commit broke: %v", err)
}

type dyingKey struct{}

// DieAfterData marks a request during which the server dies between committing
// the records of a transaction and writing down its status.
func DieAfterData(ctx context.Context) context.Context {
	return context.WithValue(ctx, dyingKey{}, true)
}

func diesAfterData(ctx context.Context) bool { return ctx.Value(dyingKey{}) != nil }

func render(t *Transaction) *phpjson.Object {
	return phpjson.Obj(
		"$id", t.ID, "$createdAt", phpdate.Format(t.CreatedAt), "$updatedAt", phpdate.Format(t.UpdatedAt),
		"status", string(t.Status), "operations", t.Count, "expiresAt", phpdate.Format(t.ExpiresAt),
	)
}

func badRequest(message string) error { return apierr.BadRequest("general_bad_request", "%s", message) }

// asWritten keeps the legacy type: these routes do not rename theirs.
func asWritten(err error) error {
	var refusal *apierr.Error
	if errors.As(err, &refusal) {
		return refusal.AsWritten()
	}
	return err
}
