package appwritetest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// newNumbers is a shop whose books have pages and hold the record a.
func newNumbers(t *testing.T, version string) *appwritetest.Server {
	t.Helper()
	srv := newShop(t, appwritetest.Version(version))
	must(t, srv, "POST", books+"/attributes/integer", object{"key": "pages", "required": false})
	idle(t, srv)
	create(t, srv, "a", object{"pages": 1})
	return srv
}

func queryURL(path, query string) string { return path + "?queries[]=" + url.QueryEscape(query) }

func TestParametersAreCheckedBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	srv := newNumbers(t, "1.9.6")
	transaction := "/databases/transactions/" + must(t, srv, "POST", "/databases/transactions", object{})["$id"].(string)
	for _, refused := range []struct {
		method, path string
		body         any
	}{
		{"GET", books + "/documents?ttl=-1", nil},
		{"GET", books + "/documents?ttl=86401", nil},
		{"GET", books + "/documents?ttl=x", nil},
		{"GET", books + "/documents?transactionId=_x", nil},
		{"GET", books + "/documents/a?transactionId=", nil},
		{"PATCH", books + "/documents/a", object{"data": object{"pages": 2}, "transactionId": "not an id"}},
		{"DELETE", books + "/documents/a", object{"transactionId": 5}},
		{"GET", "/databases?search=", nil},
		{"PATCH", transaction, object{"commit": 1}},
		{"PATCH", transaction, object{"rollback": "true"}},
		{"PATCH", books + "/documents/a/pages/increment", object{"value": "0x1A"}},
		{"PATCH", books + "/documents/a/pages/increment", object{"max": "ten"}},
	} {
		refuse(t, srv, 400, "general_argument_invalid", refused.method, refused.path, refused.body)
	}
	must(t, srv, "GET", books+"/documents?ttl=86400", nil)
	must(t, srv, "GET", books+"/documents?transactionId=unknown", nil)
}

func TestCursorsAreIDs(t *testing.T) {
	t.Parallel()
	for _, version := range recordedVersions() {
		srv := newNumbers(t, version)
		refuse(t, srv, 400, "general_query_invalid", "GET",
			queryURL(books+"/documents", `{"method":"cursorAfter","values":["_a"]}`), nil)
		refuse(t, srv, 400, "general_cursor_not_found", "GET",
			queryURL(books+"/documents", `{"method":"cursorAfter","values":["b"]}`), nil)
	}
}

func TestIncrementsTakeNumbersInText(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newNumbers(t, version)
		must(t, srv, "PATCH", books+"/documents/a/pages/increment", object{"value": " 4 ", "max": "1e1"})
		refuse(t, srv, 400, "attribute_limit_exceeded", "PATCH", books+"/documents/a/pages/decrement", object{"value": "2", "min": "4.5"})
		if got := read(t, srv, "a")["pages"]; got != 5.0 {
			t.Errorf("%s: want 5, got %v", version, got)
		}
	}
}

func TestIncrementLooksForTheCollectionBeforeTheAmount(t *testing.T) {
	t.Parallel()
	srv := newNumbers(t, "1.9.6")
	refuse(t, srv, 404, "collection_not_found", "PATCH", "/databases/shop/collections/none/documents/a/pages/increment", object{"value": 0})
	refuse(t, srv, 400, "general_argument_invalid", "PATCH", books+"/documents/none/pages/increment", object{"value": 0})
}

func TestRoutesDifferInWhatTheySayOfAnUnknownOrEndedTransaction(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := newNumbers(t, version)
			ended := must(t, srv, "POST", "/databases/transactions", object{})["$id"].(string)
			must(t, srv, "PATCH", "/databases/transactions/"+ended, object{"rollback": true})
			data := object{"pages": 2}
			for _, route := range []struct {
				method, path   string
				body           object
				unknown, ended string
				unknownStatus  int
			}{
				{"POST", "", object{"documentId": "b", "data": data}, "transaction_not_found", "transaction_not_ready", 404},
				{"POST", "", object{"documents": list{data}}, "transaction_not_found", "transaction_not_ready", 404},
				{"PUT", "/a", object{"data": data}, "transaction_not_found", "transaction_not_ready", 404},
				{"PATCH", "/a", object{"data": data}, "transaction_not_found", "transaction_not_ready", 404},
				{"PATCH", "/none", object{"data": data}, "document_not_found", "document_not_found", 404},
				{"DELETE", "/a", object{}, "transaction_not_found", "transaction_not_ready", 404},
				{"DELETE", "/none", object{}, "document_not_found", "document_not_found", 404},
				{"PATCH", "", object{"data": data}, "general_bad_request", "general_bad_request", 400},
				{"PUT", "", object{"documents": list{data}}, "general_bad_request", "general_bad_request", 400},
				{"DELETE", "", object{}, "general_bad_request", "general_bad_request", 400},
				{"PATCH", "/a/pages/increment", object{}, "general_bad_request", "general_bad_request", 400},
				{"PATCH", "/none/pages/decrement", object{}, "general_bad_request", "general_bad_request", 400},
			} {
				route.body["transactionId"] = "unknown"
				refuse(t, srv, route.unknownStatus, route.unknown, route.method, books+"/documents"+route.path, route.body)
				route.body["transactionId"] = ended
				status := 400
				if route.ended == "document_not_found" {
					status = 404
				}
				refuse(t, srv, status, route.ended, route.method, books+"/documents"+route.path, route.body)
			}
		})
	}
}

func TestIncrementsAreStagedUnseen(t *testing.T) {
	t.Parallel()
	srv := newNumbers(t, "1.9.6")
	id := must(t, srv, "POST", "/databases/transactions", object{})["$id"].(string)
	must(t, srv, "PATCH", books+"/documents/none/pages/increment", object{"value": 0, "transactionId": id})
	refuse(t, srv, 500, "general_unknown", "PATCH", "/databases/transactions/"+id, object{"commit": true})
}

func TestGuestsCreateNoRecordsInBulk(t *testing.T) {
	t.Parallel()
	srv := newNumbers(t, "1.9.6")
	guest := clientOf(srv)
	guest.key = ""
	for _, collection := range []string{books, "/databases/shop/collections/none"} {
		status, body, err := guest.send(t.Context(), "POST", collection+"/documents", `{"documents":[{"pages":1}]}`)
		if err != nil || status != 401 || !strings.Contains(string(body), `"general_unauthorized_scope"`) {
			t.Errorf("%s: want 401 general_unauthorized_scope, got %d %s, %v", collection, status, body, err)
		}
	}
}
