// Package schema serves databases, collections, attributes and indexes over
// HTTP: it turns requests into calls of the catalog and its answers into the
// models that clients read.
package schema

import (
	"errors"
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// Room serves the routes of this package.
type Room struct {
	catalog *catalog.Catalog
	dates   *phpdate.Parser
	values  value.Rules
}

// New returns the room over a catalog.
func New(c *catalog.Catalog) *Room {
	dates := phpdate.New(c.Now)
	return &Room{catalog: c, dates: dates, values: value.Rules{Dates: dates}}
}

// Routes returns every route of the room.
func (r *Room) Routes() []api.Route {
	routes := r.databaseRoutes()
	routes = append(routes, r.collectionRoutes()...)
	routes = append(routes, r.attributeRoutes()...)
	routes = append(routes, r.relationshipRoutes()...)
	return append(routes, r.indexRoutes()...)
}

const (
	databasePath   = "/databases/{databaseId}"
	collectionPath = databasePath + "/collections/{collectionId}"
	attributesPath = collectionPath + "/attributes"
	indexesPath    = collectionPath + "/indexes"
)

func inDatabase() []api.Param { return []api.Param{api.Required("databaseId", api.ID)} }

func inCollection() []api.Param {
	return append(inDatabase(), api.Required("collectionId", api.ID))
}

func read(path, resource string, params []api.Param, handle func(*api.Request) (api.Response, error)) api.Route {
	return api.Route{
		Method: http.MethodGet, Path: path, Scope: api.ReadOf(resource),
		Params: params, Access: api.Read, Handle: handle,
	}
}

// write declares a route that changes the catalog. Changes are kept even when
// the handler fails: some failures leave traces.
func (r *Room) write(method, path, resource string, params []api.Param, handle func(*api.Request) (api.Response, error)) api.Route {
	return api.Route{
		Method: method, Path: path, Scope: api.WriteOf(resource), Params: params, Access: api.Write,
		Handle: func(req *api.Request) (api.Response, error) {
			response, err := handle(req)
			return response, errors.Join(err, r.catalog.Save())
		},
	}
}
