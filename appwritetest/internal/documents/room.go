// Package documents serves records over HTTP: reading and writing them one by
// one and in bulk, with the rules, and the surprises, of each version.
//
// The way of a write: params check the form of a request; read takes the
// payload apart into an input; fill lays it over a record and validates the
// whole; relate brings both sides of relationships up to date; the store gets
// the record; written renders the answer. insert, change and place are these
// steps for POST, PATCH and PUT, and what commits and nested writes use as well.
// The way of a read: a search compiles queries and finds records; a view and
// nested render them. Requests that name a transaction go through stage and
// overlay instead.
package documents

import (
	"net/http"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// Config is what a Room needs; every field is required.
type Config struct {
	Profile profile.Profile
	Catalog *catalog.Catalog
	Store   store.Store
	// Transactions is where writes go that name a transaction.
	Transactions *tx.Log
	Now          func() time.Time
}

// Room serves the routes of this package.
type Room struct {
	Config
	dates  *phpdate.Parser
	values value.Rules
	stale  staleReads
}

// New returns the room over a catalog and its records.
func New(config Config) *Room {
	dates := phpdate.New(config.Now)
	return &Room{Config: config, dates: dates, values: value.Rules{Dates: dates}, stale: staleReads{}}
}

const (
	recordsPath = "/databases/{databaseId}/collections/{collectionId}/documents"
	recordPath  = recordsPath + "/{documentId}"
)

// Routes returns every route of the room.
func (r *Room) Routes() []api.Route {
	return []api.Route{
		{
			Method: http.MethodGet, Path: recordsPath, Scope: api.ReadOf("documents"), Access: api.Read,
			Params: inCollection(append([]api.Param{queries(), transaction(), r.total()}, r.ttl()...)...), Handle: r.list,
		},
		{
			Method: http.MethodGet, Path: recordPath, Scope: api.ReadOf("documents"), Access: api.Read,
			Params: ofRecord(queries(), transaction()), Handle: r.get,
		},
		r.write(http.MethodPost, recordsPath, r.create, inCollection(
			api.Optional("documentId", api.NewID, ""), r.data(), permissions(), items("documents"), transaction())...),
		r.write(http.MethodPatch, recordPath, r.update, ofRecord(data(), permissions(), transaction())...),
		r.put(api.Legacy, api.NewID),
		r.put(api.TablesDB, api.ID),
		r.write(http.MethodDelete, recordPath, r.delete, ofRecord(transaction())...),
		r.write(http.MethodPatch, recordsPath, r.updateMany, inCollection(data(), queries(), transaction())...),
		r.write(http.MethodPut, recordsPath, r.upsertMany, inCollection(requiredItems(), transaction())...),
		r.write(http.MethodDelete, recordsPath, r.deleteMany, inCollection(queries(), transaction())...),
		r.counter(tx.Increment, "max"),
		r.counter(tx.Decrement, "min"),
	}
}

func (r *Room) write(method, path string, handle func(*api.Request) (api.Response, error), params ...api.Param) api.Route {
	return api.Route{
		Method: method, Path: path, Scope: api.WriteOf("documents"),
		Params: params, Access: api.Write, Handle: handle,
	}
}

// put is the route of upserts. The legacy one takes the word unique() for an id
// and does not expand it.
func (r *Room) put(only api.Dialect, id api.Check) api.Route {
	route := r.write(http.MethodPut, recordPath, r.upsert, inCollection(
		api.Required("documentId", id), data(), permissions(), transaction())...)
	route.Only = only
	return route
}

// counter is the route that adds to a number or takes from it.
func (r *Room) counter(action tx.Action, bound string) api.Route {
	route := r.write(http.MethodPatch, recordPath+"/{attribute}/"+string(action), r.increment(action, bound), ofRecord(
		api.Required("attribute", api.ID), api.Optional("value", api.Numeric, int64(1)),
		api.Nullable(bound, api.Numeric), transaction())...)
	route.When = profile.Profile.TablesDB
	return route
}

// now is the server's clock in the precision of the store.
func (r *Room) now() int64 { return r.Now().UnixMilli() }
