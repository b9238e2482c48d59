// Package health serves the routes by which clients learn what a server is and
// how it does.
package health

import (
	"math"
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Routes returns the health routes; queued is the length of the databases
// worker's queue.
func Routes(queued func() int) []api.Route {
	version := func(req *api.Request) (api.Response, error) {
		return api.OK(phpjson.Obj("version", req.Profile.Version)), nil
	}
	queue := []api.Param{
		api.Optional("name", api.Text(1, 256), "database_db_main"),
		api.Optional("threshold", api.LooseInt(0, math.MaxInt64), int64(5000)),
	}
	route := func(path string, scope api.Scope, params []api.Param, handle func(*api.Request) (api.Response, error)) api.Route {
		return api.Route{
			Method: http.MethodGet, Path: path, Only: api.Legacy, Scope: scope,
			Params: params, Access: api.Unlocked, Handle: handle,
		}
	}
	since19 := func(p profile.Profile) bool { return p.AtLeast(1, 9, 0) }
	before19 := func(p profile.Profile) bool { return !p.AtLeast(1, 9, 0) }
	variables := func(scope api.Scope, when func(profile.Profile) bool) api.Route {
		r := route("/project/variables", scope, nil, func(*api.Request) (api.Response, error) {
			return api.OK(phpjson.Obj("variables", []any{}, "total", 0)), nil
		})
		r.When = when
		return r
	}
	return []api.Route{
		variables(api.ReadOf("project"), since19),
		variables(api.Console(), before19),
		route("/health/version", api.Public(), nil, version),
		route("/ping", api.Global(), nil, func(*api.Request) (api.Response, error) {
			return api.Response{Status: http.StatusOK, Text: "Pong!"}, nil
		}),
		route("/health", api.ReadOf("health"), nil, func(*api.Request) (api.Response, error) {
			return api.OK(phpjson.Obj("name", "http", "status", "pass", "ping", 0)), nil
		}),
		route("/health/db", api.ReadOf("health"), nil, func(*api.Request) (api.Response, error) {
			status := phpjson.Obj("name", "Project.db_main", "status", "pass", "ping", 0)
			return api.OK(phpjson.Obj("total", 1, "statuses", []*phpjson.Object{status})), nil
		}),
		route("/health/queue/databases", api.ReadOf("health"), queue, func(req *api.Request) (api.Response, error) {
			size := queued()
			if int64(size) >= req.Int("threshold") {
				return api.Response{}, apierr.New(http.StatusServiceUnavailable, "health_queue_size_exceeded",
					"Queue size threshold hit. Current size is %d and threshold is %d.", size, req.Int("threshold"))
			}
			return api.OK(phpjson.Obj("size", size)), nil
		}),
	}
}
