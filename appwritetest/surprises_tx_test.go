package appwritetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/appwritetest/internal/replay"
)

// transaction begins a transaction and stages operations on the books.
func transaction(t *testing.T, srv *appwritetest.Server, operations ...object) (path string) {
	t.Helper()
	path = "/databases/transactions/" + must(t, srv, "POST", "/databases/transactions", object{})["$id"].(string)
	for _, operation := range operations {
		operation["databaseId"], operation["collectionId"] = "shop", "books"
	}
	must(t, srv, "POST", path+"/operations", object{"operations": operations})
	return path
}

func commit(t *testing.T, srv *appwritetest.Server, path string) (int, object) {
	t.Helper()
	return call(t, srv, "PATCH", path, object{"commit": true})
}

func status(t *testing.T, srv *appwritetest.Server, path string) any {
	t.Helper()
	return must(t, srv, "GET", path, nil)["status"]
}

// newTimedBooks is newBooks on a clock that the test moves.
func newTimedBooks(t *testing.T, version string) (*appwritetest.Server, *replay.Clock) {
	t.Helper()
	clock := replay.NewClock()
	srv := newBooks(t, version, appwritetest.Clock(clock.Now))
	create(t, srv, "a", object{"title": "one", "pages": 1})
	clock.Advance(time.Second)
	return srv, clock
}

func TestCommitConflictsWithLaterChangesExceptForIncrements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation object
		want      int
	}{
		"update":     {object{"action": "update", "documentId": "a", "data": object{"title": "two"}}, 409},
		"upsert":     {object{"action": "upsert", "documentId": "a", "data": object{"$id": "a", "title": "two"}}, 409},
		"delete":     {object{"action": "delete", "documentId": "a"}, 409},
		"bulkUpdate": {object{"action": "bulkUpdate", "data": object{"queries": list{}, "data": object{"title": "two"}}}, 409},
		"create":     {object{"action": "create", "documentId": "a", "data": object{"title": "two"}}, 409},
		"increment":  {object{"action": "increment", "documentId": "a", "data": object{"attribute": "pages"}}, 200},
	} {
		for _, version := range []string{"1.8.1", "1.9.6"} {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				srv, clock := newTimedBooks(t, version)
				path := transaction(t, srv, object{"action": "create", "documentId": "b", "data": object{"title": "b"}}, c.operation)
				clock.Advance(time.Second)
				must(t, srv, "PATCH", books+"/documents/a", object{"data": object{"title": "outside"}})
				got, answer := commit(t, srv, path)
				wantStatus, wantIDs := "committed", []string{"a", "b"}
				if c.want == 409 {
					wantStatus, wantIDs = "failed", []string{"a"}
				}
				if got != c.want || status(t, srv, path) != wantStatus {
					t.Errorf("want %d and %s, got %d %v and %v", c.want, wantStatus, got, answer, status(t, srv, path))
				}
				if d := cmp.Diff(wantIDs, ids(t, srv)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestClientTimesDefeatConflictDetectionAndAreReplacedAtCommit(t *testing.T) {
	t.Parallel()
	srv, clock := newTimedBooks(t, "1.9.6")
	hidden := transaction(t, srv, object{"action": "update", "documentId": "a", "data": object{
		"title": "mine", "$updatedAt": "2001-01-01T00:00:00.000+00:00",
	}})
	clock.Advance(time.Second)
	must(t, srv, "PATCH", books+"/documents/a",
		object{"data": object{"title": "outside", "$updatedAt": "2001-01-01T00:00:00.000+00:00"}})
	if got, answer := commit(t, srv, hidden); got != 200 {
		t.Errorf("an old $updatedAt should hide the change: %d %v", got, answer)
	}
	if got := read(t, srv, "a"); got["title"] != "mine" || got["$updatedAt"] == "2001-01-01T00:00:00.000+00:00" {
		t.Errorf("after the commit: %v", got)
	}
	must(t, srv, "PATCH", books+"/documents/a", object{"data": object{"$updatedAt": "2099-01-01T00:00:00.000+00:00"}})
	forever := transaction(t, srv, object{"action": "update", "documentId": "a", "data": object{"title": "never"}})
	if got, answer := commit(t, srv, forever); got != 409 || answer["type"] != "transaction_conflict" {
		t.Errorf("a future $updatedAt should conflict for ever: %d %v", got, answer)
	}
}

func TestFailedCommitsSayWhyAndLeaveTheirStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operations []object
		deleted    string // between staging and commit
		code       int
		kind       string
		want18     string
		want19     string
	}{
		"record gone": {
			operations: []object{{"action": "increment", "documentId": "a", "data": object{"attribute": "pages"}}},
			deleted:    books + "/documents/a",
			code:       404, kind: "document_not_found", want18: "failed", want19: "failed",
		},
		"structure": {
			operations: []object{{"action": "create", "documentId": "b", "data": object{"nope": 1}}},
			code:       400, kind: "document_invalid_structure", want18: "failed", want19: "failed",
		},
		"container gone": {
			operations: []object{{"action": "create", "documentId": "b", "data": object{"title": "x"}}},
			deleted:    books,
			code:       400, kind: "document_invalid_structure", want18: "failed", want19: "failed",
		},
		"bound": {
			operations: []object{{"action": "increment", "documentId": "a", "data": object{"attribute": "pages", "value": 5, "max": 3}}},
			code:       400, kind: "attribute_limit_exceeded", want18: "failed", want19: "failed",
		},
		"query": {
			operations: []object{{"action": "bulkDelete", "data": object{"queries": list{`{"method":"equal","attribute":"nope","values":[1]}`}}}},
			code:       400, kind: "general_query_invalid", want18: "failed", want19: "failed",
		},
		"increment of text": {
			operations: []object{{"action": "increment", "documentId": "a", "data": object{"attribute": "title"}}},
			code:       500, kind: "general_unknown", want18: "pending", want19: "committing",
		},
		"permission": {
			operations: []object{{"action": "create", "documentId": "b", "data": object{"title": "x", "$permissions": list{"junk"}}}},
			code:       500, kind: "general_unknown", want18: "pending", want19: "committing",
		},
	} {
		for version, want := range map[string]string{"1.8.1": c.want18, "1.9.6": c.want19} {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				srv, _ := newTimedBooks(t, version)
				path := transaction(t, srv, append([]object{
					{"action": "create", "documentId": "z", "data": object{"title": "z"}},
				}, c.operations...)...)
				if c.deleted != "" {
					must(t, srv, "DELETE", c.deleted, nil)
				}
				tablesPath := "/tablesdb" + path[len("/databases"):]
				got, answer := commit(t, srv, tablesPath)
				if got != c.code || answer["type"] != c.kind || status(t, srv, path) != want {
					t.Errorf("want %d %s and %s, got %d %v and %v", c.code, c.kind, want, got, answer, status(t, srv, path))
				}
				if name != "container gone" {
					if code, _ := call(t, srv, "GET", books+"/documents/z", nil); code != 404 {
						t.Errorf("part of a failed commit is there: %d", code)
					}
				}
			})
		}
	}
}

func TestOneStagedBulkCreateTakesMoreThanAHundred(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	items := make(list, 250)
	for i := range items {
		items[i] = object{"$id": fmt.Sprintf("d%d", i), "title": "x"}
	}
	path := transaction(t, srv, object{"action": "bulkCreate", "data": items})
	if got, answer := commit(t, srv, path); got != 200 {
		t.Fatalf("%d %v", got, answer)
	}
	if total := must(t, srv, "GET", books+"/documents", nil)["total"]; total != 250.0 {
		t.Errorf("want 250 documents, got %v", total)
	}
}

func TestStagedOperationsMeetTheSchemaAtCommit(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	later := transaction(t, srv, object{"action": "create", "documentId": "a", "data": object{"later": "x"}})
	must(t, srv, "POST", books+"/attributes/string", object{"key": "later", "size": 20, "required": false})
	idle(t, srv)
	if got, answer := commit(t, srv, later); got != 200 {
		t.Errorf("an attribute made after staging: %d %v", got, answer)
	}
	gone := transaction(t, srv, object{"action": "create", "documentId": "b", "data": object{"later": "x"}})
	must(t, srv, "DELETE", books+"/attributes/later", nil)
	idle(t, srv)
	if got, answer := commit(t, srv, gone); got != 400 || answer["type"] != "document_invalid_structure" {
		t.Errorf("an attribute dropped after staging: %d %v", got, answer)
	}
}

func TestTransactionSpansDatabases(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	must(t, srv, "POST", "/databases", object{"databaseId": "other", "name": "Other"})
	must(t, srv, "POST", "/databases/other/collections", object{
		"collectionId": "things", "name": "Things",
		"attributes": list{object{"key": "name", "type": "string", "size": 9, "required": true}},
	})
	path := transaction(t, srv, object{"action": "create", "documentId": "a", "data": object{"title": "x"}})
	must(t, srv, "POST", path+"/operations", object{"operations": list{object{
		"databaseId": "other", "collectionId": "things", "action": "create", "documentId": "b", "data": object{},
	}}})
	if got, _ := commit(t, srv, path); got != 400 || ids(t, srv) != nil {
		t.Errorf("want all or nothing, got %d and %v", got, ids(t, srv))
	}
}

func TestServerThatDiesInACommitLeavesItCommitting(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	path := transaction(t, srv, object{"action": "create", "documentId": "a", "data": object{"title": "x"}})
	srv.Inject(appwritetest.Fault{Match: appwritetest.Match{Method: "PATCH"}, Times: 1, Action: appwritetest.DieInCommit()})
	if got, _, err := trySend(t, srv, "PATCH", path, `{"commit":true}`); err == nil {
		t.Errorf("want a broken connection, got %d", got)
	}
	if got := status(t, srv, path); got != "committing" {
		t.Errorf("want committing, got %v", got)
	}
	if got := read(t, srv, "a")["title"]; got != "x" {
		t.Errorf("want the data there, got %v", got)
	}
	refuse(t, srv, 400, "transaction_not_ready", "PATCH", path, object{"commit": true})
}
