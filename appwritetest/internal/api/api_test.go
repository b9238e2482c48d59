package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

func newServer(t *testing.T, version string, onPanic func(any), routes ...api.Route) *api.Server {
	t.Helper()
	p, err := profile.For(version, profile.MariaDB)
	if err != nil {
		t.Fatal(err)
	}
	return api.New(api.Config{
		Profile: p, Project: "p", Key: "k", Lock: &sync.RWMutex{},
		Logger: slog.New(slog.DiscardHandler), OnPanic: onPanic,
	}, routes...)
}

// send returns status and body of a request with the full key.
func send(s http.Handler, method, target, contentType, body string) (int, string) {
	r := httptest.NewRequest(method, "/v1"+target, strings.NewReader(body))
	r.Header.Set("X-Appwrite-Project", "p")
	r.Header.Set("X-Appwrite-Key", "k")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// echo answers with the parameters as the handler sees them.
func echo(method, path string, params ...api.Param) api.Route {
	return api.Route{
		Method: method, Path: path, Scope: api.ReadOf("databases"), Params: params,
		Handle: func(r *api.Request) (api.Response, error) {
			o := &phpjson.Object{}
			for _, p := range params {
				o.Set(p.Name, r.Value(p.Name))
			}
			return api.OK(o), nil
		},
	}
}

func noPanic(any) {}

func TestParametersComeFromWhereTheMethodSays(t *testing.T) {
	t.Parallel()
	params := []api.Param{
		api.Required("databaseId", api.ID),
		api.Optional("name", api.Any, "none"),
		api.Optional("queries", api.ListOf(api.Any, 9), nil),
	}
	s := newServer(t, "1.9.6", noPanic, echo("GET", "/databases/{databaseId}", params...), echo("PUT", "/databases/{databaseId}", params...))
	for _, c := range []struct{ method, target, contentType, body, want string }{
		{"GET", "/databases/d?name=x%20y&queries[]=a&queries[]=b", "", "", `{"databaseId":"d","name":"x y","queries":["a","b"]}`},
		{"GET", "/databases/d?queries%5B1%5D=b&queries%5B0%5D=a", "", "", `{"databaseId":"d","name":"none","queries":["b","a"]}`},
		{"GET", "/databases/d?queries[0]=a&queries[]=b&name=1&name=2", "", "", `{"databaseId":"d","name":"2","queries":["a","b"]}`},
		{"GET", "/databases/d/?%zz=1&name=x", "", "", `{"databaseId":"d","name":"x","queries":null}`},
		{"GET", "/databases//", "", "", `refused`},
		{"PUT", "/databases/d?name=x", "application/json", `{"databaseId":"e"}`, `{"databaseId":"d","name":"none","queries":null}`},
		{"PUT", "/databases/d", "application/json; charset=utf-8", `{"name":"x"}`, `{"databaseId":"d","name":"x","queries":null}`},
		{"PUT", "/databases/d", "", `{"name":"x"}`, `{"databaseId":"d","name":"none","queries":null}`},
		{"PUT", "/databases/d", "application/json", `{"name":"x"} trailing`, `{"databaseId":"d","name":"none","queries":null}`},
		{"PUT", "/databases/d", "application/x-www-form-urlencoded", `name=x&queries[]=a`, `{"databaseId":"d","name":"x","queries":["a"]}`},
	} {
		status, body := send(s, c.method, c.target, c.contentType, c.body)
		if status == http.StatusBadRequest || status == http.StatusNotFound {
			body = "refused"
		}
		if body != c.want {
			t.Errorf("%s %s %s: got %d %s, want %s", c.method, c.target, c.body, status, body, c.want)
		}
	}
}

func TestExplicitNullByVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"1.7.4": "general_unknown", "1.8.1": "general_argument_invalid", "1.9.6": "general_unknown"} {
		s := newServer(t, version, noPanic, echo("POST", "/databases",
			api.Optional("enabled", api.StrictBool, true), api.Nullable("permissions", api.ListOf(api.Any, 1))))
		if _, body := send(s, "POST", "/databases", "application/json", `{"enabled":null}`); !strings.Contains(body, want) {
			t.Errorf("%s: got %s, want %s", version, body, want)
		}
		if status, body := send(s, "POST", "/databases", "application/json", `{"permissions":null}`); status != http.StatusOK {
			t.Errorf("%s: null for a nullable parameter: %s", version, body)
		}
	}
}

func TestScalarBodiesCrashWithoutAType(t *testing.T) {
	t.Parallel()
	s := newServer(t, "1.9.6", noPanic, echo("POST", "/databases"))
	for _, body := range []string{`5`, `"x"`, `true`} {
		if status, answer := send(s, "POST", "/databases", "application/json", body); status != 500 || strings.Contains(answer, `"type"`) {
			t.Errorf("%s: got %d %s", body, status, answer)
		}
	}
}

func TestTheDialectRenamesPathParametersAndErrors(t *testing.T) {
	t.Parallel()
	fails := echo("POST", "/databases/{databaseId}/collections/{collectionId}/attributes",
		api.Required("databaseId", api.ID), api.Required("collectionId", api.ID), api.Required("documentId", api.ID))
	fails.Handle = func(r *api.Request) (api.Response, error) {
		switch r.String("documentId") {
		case "index":
			return api.Response{}, apierr.BadRequest("index_invalid", "")
		case "slip":
			return api.Response{}, apierr.BadRequest("document_not_found", "").AsWritten()
		}
		return api.Response{}, apierr.New(http.StatusGone, "document_not_found", "secret")
	}
	s := newServer(t, "1.9.6", noPanic, fails)
	for body, want := range map[string]string{
		`{"rowId":"index"}`:      `"code":400,"type":"column_index_invalid"`,
		`{"rowId":"slip"}`:       `"type":"document_not_found"`,
		`{"rowId":"x"}`:          `{"message":"Server Error","code":500,"type":"row_not_found","version":"1.9.6"}`,
		`{"documentId":"index"}`: `Param \"rowId\" is not optional.`,
	} {
		if _, answer := send(s, "POST", "/tablesdb/d/tables/c/columns", "application/json", body); !strings.Contains(answer, want) {
			t.Errorf("%s: got %s, want %s", body, answer, want)
		}
	}
	old := newServer(t, "1.7.4", noPanic, fails)
	if status, _ := send(old, "POST", "/tablesdb/d/tables/c/columns", "application/json", `{}`); status != http.StatusNotFound {
		t.Errorf("1.7.4 knows the other dialect: %d", status)
	}
}

func TestPanicsBecomeServerErrors(t *testing.T) {
	t.Parallel()
	var recovered any
	bad := echo("GET", "/databases")
	bad.Access = api.Write
	bad.Handle = func(*api.Request) (api.Response, error) { panic("boom") }
	s := newServer(t, "1.9.6", func(r any) { recovered = r }, bad)
	for range 2 { // the lock is free again
		if status, body := send(s, "GET", "/databases", "", ""); status != 500 || strings.Contains(body, "boom") {
			t.Errorf("got %d %s", status, body)
		}
	}
	if recovered != "boom" {
		t.Errorf("OnPanic was told %v", recovered)
	}
}

func TestFixedSegmentsWinOverPlaceholders(t *testing.T) {
	t.Parallel()
	s := newServer(t, "1.9.6", noPanic,
		echo("GET", "/databases/{databaseId}", api.Required("databaseId", api.ID)),
		echo("GET", "/databases/transactions"),
		echo("PATCH", "/databases/transactions/{transactionId}", api.Required("transactionId", api.Any)),
		echo("PATCH", "/databases/{databaseId}/x", api.Required("databaseId", api.ID)))
	for target, want := range map[string]string{
		"GET /databases/d":                `{"databaseId":"d"}`,
		"GET /databases/transactions":     `{}`,
		"PATCH /databases/transactions/t": `{"transactionId":"t"}`,
		"PATCH /databases/transactions/x": `{"transactionId":"x"}`,
		"PATCH /databases/other/x":        `{"databaseId":"other"}`,
	} {
		method, path, _ := strings.Cut(target, " ")
		if _, body := send(s, method, path, "application/json", ""); body != want {
			t.Errorf("%s: got %s, want %s", target, body, want)
		}
	}
}
