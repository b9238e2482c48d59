package appwritetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestOptionsAreRefusedWhenTheServerIsMade(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]appwritetest.Option{
		"version too old":   appwritetest.Version("1.6.2"),
		"version unknown":   appwritetest.Version("2.0.0"),
		"version malformed": appwritetest.Version("latest"),
		"address malformed": appwritetest.Addr("nowhere"),
		"empty project":     appwritetest.Project(""),
		"empty key":         appwritetest.Key(""),
		"unknown backend":   appwritetest.Backend(7),
		"no clock":          appwritetest.Clock(nil),
		"no logger":         appwritetest.Logger(nil),
		"no data file":      appwritetest.Data(""),
		"unwritable data":   appwritetest.Data("/dev/null/data.db"),
	} {
		srv, err := appwritetest.Start(t.Context(), option)
		if err == nil {
			_ = srv.Close()
			t.Errorf("%s: the server started", name)
		}
	}
}

func TestServerClosesOnceAndForAll(t *testing.T) {
	t.Parallel()
	srv, err := appwritetest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}
	// Another server may have got the port since. It does not take the key.
	if status, _, err := trySend(t, srv, http.MethodGet, "/databases", ""); err == nil && status == http.StatusOK {
		t.Error("a closed server answers")
	}
}

// who says in which headers a request comes.
type who struct{ project, key string }

func ask(t *testing.T, srv *appwritetest.Server, path string, w who) (status int, kind string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.Endpoint()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.project != "" {
		request.Header.Set("X-Appwrite-Project", w.project)
	}
	if w.key != "" {
		request.Header.Set("X-Appwrite-Key", w.key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		var answer struct{ Type string }
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		kind = answer.Type
	}
	return response.StatusCode, kind
}

func TestKeysAndProjectsAreToldApart(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.4", "1.8.1", "1.9.6"} {
		srv := appwritetest.New(t, appwritetest.Version(version))
		missing := 401
		missingType := "user_unauthorized"
		if version == "1.9.6" {
			missing, missingType = 403, "project_id_missing"
		}
		project, key := srv.Project(), srv.Key()
		for name, c := range map[string]struct {
			path   string
			who    who
			status int
			kind   string
		}{
			"full key":               {"/databases", who{project, key}, 200, ""},
			"wrong key":              {"/databases", who{project, "junk"}, 401, "user_unauthorized"},
			"expired key":            {"/databases", who{project, srv.ExpiredKey()}, 401, "project_key_expired"},
			"no key":                 {"/databases", who{project, ""}, 401, "general_unauthorized_scope"},
			"unknown project":        {"/databases", who{"nope", key}, 404, "project_not_found"},
			"other project":          {"/databases", who{"console", key}, 401, "user_unauthorized"},
			"no project":             {"/databases", who{"", key}, missing, missingType},
			"nothing":                {"/databases", who{}, 401, "general_unauthorized_scope"},
			"project in the query":   {"/databases?project=" + project, who{"", key}, 200, ""},
			"other scope":            {"/databases", who{project, srv.AddKey("collections.read")}, 401, "general_unauthorized_scope"},
			"right scope":            {"/databases", who{project, srv.AddKey("databases.read")}, 200, ""},
			"no scope at all":        {"/health", who{project, srv.AddKey()}, 200, ""},
			"version with a key":     {"/health/version", who{project, key}, 401, "general_unauthorized_scope"},
			"version without a key":  {"/health/version", who{}, 200, ""},
			"ping with a key":        {"/ping", who{project, key}, 200, ""},
			"unknown route, no auth": {"/nothing", who{}, 404, unknownRoute(version)},
		} {
			if status, kind := ask(t, srv, c.path, c.who); status != c.status || kind != c.kind {
				t.Errorf("%s, %s: got %d %q, want %d %q", version, name, status, kind, c.status, c.kind)
			}
		}
	}
}

// unknownRoute is the error type of a route that no server has; 1.9 answers a
// page instead.
func unknownRoute(version string) string {
	if version == "1.9.6" {
		return ""
	}
	return "general_route_not_found"
}

func TestScopesFollowTheDialect(t *testing.T) {
	t.Parallel()
	srv := appwritetest.New(t)
	must(t, srv, "POST", "/databases", object{"databaseId": "d", "name": "D"})
	must(t, srv, "POST", "/databases/d/collections", object{"collectionId": "c", "name": "C"})
	const legacy, tables = "/databases/d/collections/c", "/tablesdb/d/tables/c"
	for _, c := range []struct {
		scope, path string
		status      int
	}{
		{"collections.read", legacy, 200},
		{"tables.read", legacy, 401},
		{"collections.read", tables, 200},
		{"tables.read", tables, 200},
		{"attributes.read", legacy + "/attributes", 401},
		{"attributes.read", tables + "/columns", 200},
		{"columns.read", tables + "/columns", 200},
		{"columns.read", tables + "/indexes", 401},
		{"indexes.read", legacy + "/indexes", 401},
		{"indexes.read", tables + "/indexes", 200},
		{"documents.read", legacy + "/documents", 200},
		{"rows.read", legacy + "/documents", 401},
		{"documents.read", tables + "/rows", 200},
		{"rows.read", tables + "/rows", 200},
	} {
		key := srv.AddKey(c.scope)
		if status, kind := ask(t, srv, c.path, who{srv.Project(), key}); status != c.status {
			t.Errorf("%s on %s: got %d %s, want %d", c.scope, c.path, status, kind, c.status)
		}
	}
}
