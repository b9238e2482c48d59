package appwritetest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// client talks to a server as one project's key.
type client struct {
	endpoint, project, key string
	http                   *http.Client
}

func clientOf(srv *appwritetest.Server) client {
	return client{endpoint: srv.Endpoint(), project: srv.Project(), key: srv.Key(), http: http.DefaultClient}
}

// send returns status and body; the error is that of the connection.
func (c client) send(ctx context.Context, method, path, body string) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = http.Header{
		"X-Appwrite-Project": {c.project}, "X-Appwrite-Key": {c.key}, "Content-Type": {"application/json"},
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err = io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// call sends one request with the key of every scope and returns status and
// decoded body.
func call(t *testing.T, srv *appwritetest.Server, method, path string, body any) (int, map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, text, err := trySend(t, srv, method, path, string(encoded))
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &decoded); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return status, decoded
}

// trySend is call for requests whose connection may break.
func trySend(t *testing.T, srv *appwritetest.Server, method, path, body string) (status int, text []byte, err error) {
	t.Helper()
	return clientOf(srv).send(t.Context(), method, path, body)
}

// must is call for requests that succeed.
func must(t *testing.T, srv *appwritetest.Server, method, path string, body any) map[string]any {
	t.Helper()
	status, decoded := call(t, srv, method, path, body)
	if status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %v", method, path, status, decoded)
	}
	return decoded
}

// object and list are JSON.
type (
	object = map[string]any
	list   = []any
)

const books = "/databases/shop/collections/books"

// newShop returns a server with one empty collection.
func newShop(t *testing.T, opts ...appwritetest.Option) *appwritetest.Server {
	t.Helper()
	srv := appwritetest.New(t, opts...)
	must(t, srv, "POST", "/databases", object{"databaseId": "shop", "name": "Shop"})
	must(t, srv, "POST", "/databases/shop/collections", object{"collectionId": "books", "name": "Books"})
	return srv
}

func addTitle(t *testing.T, srv *appwritetest.Server) {
	t.Helper()
	must(t, srv, "POST", books+"/attributes/string", object{"key": "title", "size": 20, "required": false})
}

// listed is the status of the attribute "title" in the list, "" when it is gone.
func listed(t *testing.T, srv *appwritetest.Server) string {
	t.Helper()
	for _, attribute := range must(t, srv, "GET", books+"/attributes", nil)["attributes"].([]any) {
		if attribute := attribute.(object); attribute["key"] == "title" {
			return attribute["status"].(string)
		}
	}
	return ""
}

func idle(t *testing.T, srv *appwritetest.Server) {
	t.Helper()
	if err := srv.Worker().Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
}
