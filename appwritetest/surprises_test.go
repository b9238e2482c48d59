package appwritetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

// What live servers do although nobody would expect it, where no recording in
// testdata shows it. The recordings show the rest.

// refuse is call for requests that are refused with a status and a type.
func refuse(t *testing.T, srv *appwritetest.Server, status int, kind, method, path string, body any) {
	t.Helper()
	got, answer := call(t, srv, method, path, body)
	if got != status || answer["type"] != kind {
		t.Errorf("%s %s %v on %s: want %d %s, got %d %v", method, path, body, srv.Version(), status, kind, got, answer)
	}
}

// newBooks is a shop whose books have a title, an unlimited number of pages and
// a state with a default.
func newBooks(t *testing.T, version string, opts ...appwritetest.Option) *appwritetest.Server {
	t.Helper()
	srv := newShop(t, append(opts, appwritetest.Version(version))...)
	must(t, srv, "POST", books+"/attributes/string", object{"key": "title", "size": 20, "required": false})
	must(t, srv, "POST", books+"/attributes/integer", object{"key": "pages", "required": false})
	must(t, srv, "POST", books+"/attributes/string", object{"key": "state", "size": 20, "required": false, "default": "new"})
	idle(t, srv)
	return srv
}

func create(t *testing.T, srv *appwritetest.Server, id string, data object) object {
	t.Helper()
	return must(t, srv, "POST", books+"/documents", object{"documentId": id, "data": data})
}

func read(t *testing.T, srv *appwritetest.Server, id string) object {
	t.Helper()
	return must(t, srv, "GET", books+"/documents/"+id, nil)
}

// ids lists the records of the books.
func ids(t *testing.T, srv *appwritetest.Server) []string {
	t.Helper()
	var found []string
	for _, document := range must(t, srv, "GET", books+"/documents", nil)["documents"].(list) {
		found = append(found, document.(object)["$id"].(string))
	}
	return found
}

// recordedVersions are those that behave differently.
func recordedVersions() []string { return []string{"1.7.4", "1.8.1", "1.9.6"} }

func TestBulkWritesOf17OverwriteValuesWithDefaults(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			want := "used"
			if version == "1.7.4" {
				want = "new"
			}
			for _, method := range []string{"PATCH", "PUT"} {
				srv := newBooks(t, version)
				create(t, srv, "a", object{"state": "used"})
				body := object{"data": object{"title": "t"}}
				if method == "PUT" {
					body = object{"documents": list{object{"$id": "a", "title": "t"}}}
				}
				must(t, srv, method, books+"/documents", body)
				if got := read(t, srv, "a")["state"]; got != want {
					t.Errorf("bulk %s: want state %q, got %v", method, want, got)
				}
			}
		})
	}
}

// Documents that were there before read an empty list, which is no missing one.
func TestListThatBecameRequiredHindersNoUpdate(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		srv := newBooks(t, version)
		create(t, srv, "a", object{"title": "Dune"})
		must(t, srv, "POST", books+"/attributes/string", object{"key": "tags", "size": 20, "required": true, "array": true})
		must(t, srv, "POST", books+"/attributes/string", object{"key": "isbn", "size": 20, "required": false})
		idle(t, srv)
		must(t, srv, "PATCH", books+"/documents/a", object{"data": object{"isbn": "0441172717"}})
		if tags := read(t, srv, "a")["tags"]; !cmp.Equal(tags, list{}) {
			t.Errorf("%s: tags are %v", version, tags)
		}
		refuse(t, srv, 400, "document_invalid_structure", "POST", books+"/documents", object{"documentId": "b", "data": object{"isbn": "1"}})
	}
}

func TestPutOfAnEmptyNewRecordIsLost(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newShop(t, appwritetest.Version(version))
		addTitle(t, srv)
		idle(t, srv)
		answer := must(t, srv, "PUT", books+"/documents/a", object{"data": object{"title": ""}})
		if d := cmp.Diff(object{"$databaseId": "shop", "$collectionId": "books"}, answer); d != "" {
			t.Error(d)
		}
		bulk := must(t, srv, "PUT", books+"/documents", object{"documents": list{object{"$id": "b", "title": nil}}})
		if bulk["total"] != 0.0 || ids(t, srv) != nil {
			t.Errorf("%s: want nothing stored, got %v, %v", version, bulk, ids(t, srv))
		}
	}
}

func TestPutOf17NeedsPermissions(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.7.4")
	refuse(t, srv, 500, "general_unknown", "PUT", books+"/documents/a", object{"data": object{"title": "x"}})
	must(t, srv, "PUT", books+"/documents/a", object{"data": object{"title": "x"}, "permissions": list{`read("any")`}})
	refuse(t, srv, 500, "general_unknown", "PUT", books+"/documents",
		object{"documents": list{object{"$id": "b", "title": "x"}, object{"$id": "c", "pages": 1}}})
	must(t, srv, "PUT", books+"/documents", object{"documents": list{object{"$id": "d", "title": nil}}})
	if d := cmp.Diff([]string{"a", "d"}, ids(t, srv)); d != "" {
		t.Error(d)
	}
}

func TestUpsertStoresTheWordUnique(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := newBooks(t, version)
			must(t, srv, "PUT", books+"/documents/unique()", object{"data": object{"title": "x"}, "permissions": list{`read("any")`}})
			if d := cmp.Diff([]string{"unique()"}, ids(t, srv)); d != "" {
				t.Error(d)
			}
			refuse(t, srv, 400, "general_argument_invalid", "GET", books+"/documents/unique()", nil)
			if version != "1.7.4" {
				refuse(t, srv, 400, "general_argument_invalid", "PUT", "/tablesdb/shop/tables/books/rows/unique()",
					object{"data": object{"title": "x"}})
			}
		})
	}
}

func TestBulkPutOfOneIdTwice(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := newBooks(t, version)
			twice := object{"documents": list{object{"$id": "a", "title": "x"}, object{"$id": "a", "title": "y"}}}
			if version != "1.7.4" {
				refuse(t, srv, 409, "document_already_exists", "PUT", books+"/documents", twice)
				return
			}
			must(t, srv, "PUT", books+"/documents", twice)
			if got := read(t, srv, "a")["title"]; got != "y" {
				t.Errorf("want the last to win, got %v", got)
			}
		})
	}
}

func TestBulkPutChecksNeitherIdsNorPermissions(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	must(t, srv, "PUT", books+"/documents", object{"documents": list{
		object{"$id": "_bad", "title": "x", "$permissions": list{"junk"}},
	}})
	if d := cmp.Diff([]string{"_bad"}, ids(t, srv)); d != "" {
		t.Error(d)
	}
	refuse(t, srv, 400, "general_argument_invalid", "GET", books+"/documents/_bad", nil)
	answer := must(t, srv, "PUT", books+"/documents", object{"documents": list{}})
	if answer["total"] != 0.0 {
		t.Errorf("empty bulk PUT: %v", answer)
	}
}

func TestDatabasesAreListedByTheApiThatMadeThem(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]struct{ legacy, tablesdb int }{
		"1.8.1": {2, 2}, "1.9.6": {1, 2},
	} {
		srv := appwritetest.New(t, appwritetest.Version(version))
		must(t, srv, "POST", "/databases", object{"databaseId": "old", "name": "Old"})
		must(t, srv, "POST", "/tablesdb", object{"databaseId": "new", "name": "New"})
		legacy, tablesdb := must(t, srv, "GET", "/databases", nil)["total"], must(t, srv, "GET", "/tablesdb", nil)["total"]
		if legacy != float64(want.legacy) || tablesdb != float64(want.tablesdb) {
			t.Errorf("%s: want %+v, got %v and %v", version, want, legacy, tablesdb)
		}
		must(t, srv, "GET", "/databases/new", nil)
		must(t, srv, "GET", "/tablesdb/old", nil)
	}
}

func TestClashingTwoWayKeyOrphansTheParent(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := newBooks(t, version)
			must(t, srv, "POST", "/databases/shop/collections", object{"collectionId": "authors", "name": "Authors"})
			relation := object{
				"relatedCollectionId": "books", "type": "oneToMany", "twoWay": true, "key": "works", "twoWayKey": "title",
			}
			kind, want := "attribute_already_exists", list{"processing"}
			if version == "1.7.4" {
				kind, want = "document_already_exists", nil
			}
			refuse(t, srv, 409, kind, "POST", "/databases/shop/collections/authors/attributes/relationship", relation)
			idle(t, srv)
			var got list
			for _, attribute := range must(t, srv, "GET", "/databases/shop/collections/authors/attributes", nil)["attributes"].(list) {
				got = append(got, attribute.(object)["status"])
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestQueriesOfPages(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	for n := range 5 {
		data := object{"title": fmt.Sprintf("t%d", n)}
		if n > 0 {
			data["pages"] = n
		}
		create(t, srv, fmt.Sprintf("b%d", n), data)
	}
	documents := func(queries ...string) string {
		return books + "/documents?queries[]=" + strings.Join(queries, "&queries[]=")
	}
	const byPages = `{"method":"orderAsc","attribute":"pages"}`
	for _, c := range []struct {
		want    int
		queries []string
	}{
		{2, []string{`{"method":"limit","values":[2]}`, `{"method":"limit","values":[4]}`}},
		{3, []string{`{"method":"limit","values":["3"]}`}},
		{5, []string{`{"method":"limit","values":[1000000]}`}},
		{2, []string{`{"method":"cursorAfter","values":["b2"]}`}},
		{1, []string{`{"method":"offset","values":[4]}`}},
	} {
		if got := must(t, srv, "GET", documents(c.queries...), nil)["documents"].(list); len(got) != c.want {
			t.Errorf("%v: want %d documents, got %d", c.queries, c.want, len(got))
		}
	}
	refuse(t, srv, 400, "general_query_invalid", "GET", documents(`{"method":"limit","values":[0]}`), nil)
	refuse(t, srv, 400, "general_cursor_not_found", "GET", documents(`{"method":"cursorAfter","values":["none"]}`), nil)
	refuse(t, srv, 400, "database_query_order_null", "GET", documents(byPages, `{"method":"cursorAfter","values":["b0"]}`), nil)
	refuse(t, srv, 500, "general_unknown", "GET", documents(`{"method":"select","values":["title.x"]}`), nil)
}

func TestOrderWithoutAttributeIsThatOfInsertion(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := newBooks(t, version)
			create(t, srv, "z", object{"title": "x"})
			create(t, srv, "a", object{"title": "x"})
			answer := must(t, srv, "GET", books+`/documents?queries[]={"method":"orderDesc"}`, nil)
			if first := answer["documents"].(list)[0].(object)["$id"]; first != "a" {
				t.Errorf("want the newest first, got %v", first)
			}
		})
	}
}
