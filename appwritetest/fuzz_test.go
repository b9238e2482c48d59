package appwritetest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/appwritetest/internal/replay"
)

// fuzzVersion is the version that the first argument of a fuzz target chooses.
func fuzzVersion(choice byte) string {
	versions := []string{"1.9.6", "1.8.1", "1.7.4"}
	return versions[int(choice)%len(versions)]
}

// serveOne sends a request to the handler itself, checks that the answer is one
// and returns its status. New fails the test if the handler panicked.
func serveOne(t *testing.T, srv *appwritetest.Server, method, target, contentType, body string) (status int) {
	t.Helper()
	parsed, err := url.ParseRequestURI("/v1" + target)
	if err != nil {
		t.Skip("no HTTP server would see this target")
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Method, request.URL, request.RequestURI = method, parsed, "/v1"+target
	request.Header = http.Header{
		"X-Appwrite-Project": {srv.Project()}, "X-Appwrite-Key": {srv.Key()}, "Content-Type": {contentType},
	}
	response := httptest.NewRecorder()
	srv.Handler().ServeHTTP(response, request)
	if response.Code < 200 || response.Code > 599 {
		t.Errorf("status %d", response.Code)
	}
	if method != http.MethodHead && strings.Contains(response.Header().Get("Content-Type"), "json") && !json.Valid(response.Body.Bytes()) {
		t.Errorf("%s %s: the answer is no JSON: %s", method, target, response.Body)
	}
	return response.Code
}

// prepare makes what the recorded requests of most scenarios refer to.
func prepare(t *testing.T, version string) *appwritetest.Server {
	t.Helper()
	srv := appwritetest.New(t, appwritetest.Version(version))
	post := func(path, body string) {
		if status := serveOne(t, srv, http.MethodPost, path, "application/json", body); status >= http.StatusMultipleChoices {
			t.Fatalf("POST %s %s: %d", path, body, status)
		}
	}
	const collection = "/databases/rec/collections/c"
	post("/databases", `{"databaseId":"rec","name":"R"}`)
	post("/databases/rec/collections", `{"collectionId":"c","name":"C"}`)
	for _, kind := range []string{"integer", "float", "boolean", "datetime"} {
		post(collection+"/attributes/"+kind, `{"key":"`+kind[:1]+`","required":false}`)
	}
	post(collection+"/attributes/string", `{"key":"s","size":20,"required":false}`)
	post(collection+"/attributes/string", `{"key":"ar","size":20,"required":false,"array":true}`)
	if err := srv.Worker().Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	post(collection+"/documents", `{"documentId":"d1","data":{"s":"x","i":1,"f":1.5,"b":true,"d":"2020-01-01","ar":["a",null]}}`)
	post(collection+"/documents", `{"documentId":"d2","data":{"s":null}}`)
	return srv
}

// recordedRequests calls add with one request of every recording.
func recordedRequests(f *testing.F, add func(version byte, request replay.Request)) {
	f.Helper()
	recordings, err := replay.Load(filepath.Join("..", "testdata", "recordings"))
	if err != nil {
		f.Fatal(err)
	}
	const stride, largest = 7, 2000
	for n, rec := range recordings {
		if request := rec.Exchanges[n*stride%len(rec.Exchanges)].Request; len(request.Body) < largest {
			add(byte(n), request)
		}
	}
}

// FuzzRequest feeds methods, targets and bodies to every decoder of the server.
func FuzzRequest(f *testing.F) {
	recordedRequests(f, func(version byte, request replay.Request) {
		body := string(request.Body)
		if request.RawBody != nil {
			body = *request.RawBody
		}
		f.Add(version, request.Method, request.Path, "application/json", body)
	})
	f.Add(byte(0), "POST", "/databases", "application/x-www-form-urlencoded", "databaseId=a&name[]=b&name[0]=c&x[y]=z")
	f.Add(byte(0), "POST", "/databases", "application/json", "{\"databaseId\":\"\\ud83d\"}")
	f.Fuzz(func(t *testing.T, version byte, method, target, contentType, body string) {
		srv := prepare(t, fuzzVersion(version))
		serveOne(t, srv, method, target, contentType, body)
		if err := srv.Worker().Idle(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzQuery feeds query texts to record lists, to the other lists and to bulk
// writes.
func FuzzQuery(f *testing.F) {
	recordedRequests(f, func(version byte, request replay.Request) {
		_, query, _ := strings.Cut(request.Path, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		for _, text := range values["queries[]"] {
			f.Add(version, text)
		}
	})
	f.Add(byte(0), `{"method":"and","values":[{"method":"or","values":[{"method":"isNull","attribute":"s"},{}]}]}`)
	f.Add(byte(0), `{"method":"distanceLessThan","attribute":"p","values":[[[1,2],5]]}`)
	f.Fuzz(func(t *testing.T, version byte, text string) {
		srv := prepare(t, fuzzVersion(version))
		query := "?queries[]=" + url.QueryEscape(text)
		for _, list := range []string{
			"/databases", "/databases/rec/collections", "/databases/rec/collections/c/attributes",
			"/databases/rec/collections/c/indexes", "/databases/rec/collections/c/documents",
			"/databases/transactions",
		} {
			serveOne(t, srv, "GET", list+query, "", "")
		}
		queries, err := json.Marshal(map[string]any{"queries": []string{text}, "data": map[string]any{"s": "y"}})
		if err != nil {
			t.Fatal(err)
		}
		serveOne(t, srv, "PATCH", "/databases/rec/collections/c/documents", "application/json", string(queries))
		serveOne(t, srv, "DELETE", "/databases/rec/collections/c/documents", "application/json", string(queries))
	})
}
