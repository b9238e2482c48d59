package appwritetest_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestDataFileOutlivesTheServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "my data?.db")
	const c = "/databases/d/collections/c"

	srv := open(t, file)
	must(t, srv, "POST", "/databases", object{"databaseId": "d", "name": "D"})
	must(t, srv, "POST", "/databases/d/collections", object{"collectionId": "c", "name": "C", "permissions": []string{`read("any")`}})
	must(t, srv, "POST", c+"/attributes/string", object{"key": "s", "size": 20, "required": false, "default": "x"})
	must(t, srv, "POST", c+"/attributes/integer", object{"key": "n", "required": false, "min": -5, "max": 1 << 40})
	must(t, srv, "POST", c+"/attributes/enum", object{"key": "e", "required": false, "elements": []string{"a", "b"}})
	must(t, srv, "POST", c+"/attributes/point", object{"key": "p", "required": false, "default": []float64{1, 2.5}})
	idle(t, srv)
	must(t, srv, "POST", c+"/indexes", object{"key": "u", "type": "unique", "attributes": []string{"s", "n"}})
	idle(t, srv)
	must(t, srv, "POST", c+"/documents", object{"documentId": "one", "data": object{"n": 1}})
	srv.Worker().Pause()
	must(t, srv, "POST", c+"/attributes/boolean", object{"key": "late", "required": false})
	collection := must(t, srv, "GET", c, nil)
	document := must(t, srv, "GET", c+"/documents/one", nil)
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}

	srv = open(t, file)
	idle(t, srv)
	late := must(t, srv, "GET", c+"/attributes/late", nil)
	if late["status"] != "available" {
		t.Errorf("the job that was queued when the server closed has left %v", late)
	}
	must(t, srv, "DELETE", c+"/attributes/late", nil)
	idle(t, srv)
	if diff := cmp.Diff(withoutAttribute(collection, "late"), must(t, srv, "GET", c, nil)); diff != "" {
		t.Errorf("collection (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(withoutField(document, "late"), must(t, srv, "GET", c+"/documents/one", nil)); diff != "" {
		t.Errorf("document (-before +after):\n%s", diff)
	}
	if status, answer := call(t, srv, "POST", c+"/documents", object{"documentId": "two", "data": object{"n": 1}}); status != http.StatusConflict {
		t.Errorf("the unique index is gone: %d %v", status, answer)
	}
	must(t, srv, "DELETE", "/databases/d", nil)
	idle(t, srv)
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}

	srv = open(t, file)
	if list := must(t, srv, "GET", "/tablesdb", nil); list["total"] != 0.0 {
		t.Errorf("a deleted database came back: %v", list)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDataFileKnowsItsBackend(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data.db")
	if err := open(t, file).Close(); err != nil {
		t.Fatal(err)
	}
	srv, err := appwritetest.Start(t.Context(), appwritetest.Data(file), appwritetest.Backend(appwritetest.Exact))
	if err == nil {
		_ = srv.Close()
		t.Fatal("a file written by another backend's rules was opened")
	}
}

func open(t *testing.T, file string) *appwritetest.Server {
	t.Helper()
	srv, err := appwritetest.Start(t.Context(), appwritetest.Data(file))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// withoutAttribute returns a collection as it reads without one attribute.
func withoutAttribute(collection map[string]any, key string) map[string]any {
	var kept []any
	for _, a := range collection["attributes"].([]any) {
		if a.(map[string]any)["key"] != key {
			kept = append(kept, a)
		}
	}
	collection["attributes"] = kept
	collection["bytesUsed"] = collection["bytesUsed"].(float64) - 1
	return collection
}

func withoutField(document map[string]any, name string) map[string]any {
	delete(document, name)
	return document
}
