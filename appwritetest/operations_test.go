package appwritetest_test

import "testing"

func TestOperationsAreCheckedByFormWhenStaged(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newBooks(t, version)
		create(t, srv, "a", object{"pages": 1})
		path := transaction(t, srv, object{"action": "update", "documentId": "a", "data": object{"title": "x"}}) + "/operations"
		for _, refused := range []object{
			{"action": "create", "documentId": " ", "data": object{}},
			{"action": "bulkCreate", "documentId": 5, "data": list{}},
			{"action": "delete", "documentId": "a", "data": nil},
			{"action": "update", "documentId": "a", "data": "x"},
			{"action": "increment", "documentId": "a", "data": object{"attribute": "pages", "value": "x"}},
			{"action": "decrement", "documentId": "a", "data": object{"attribute": "pages", "value": nil}},
			{"action": "bulkDelete", "data": object{"queries": "all"}},
			{"action": "bulkUpdate", "data": object{"queries": list{}, "data": 5}},
		} {
			refused["databaseId"], refused["collectionId"] = "shop", "books"
			refuse(t, srv, 400, "general_argument_invalid", "POST", path, object{"operations": list{refused}})
		}
	}
}

func TestStagedIncrementsTakeNumbersInText(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	create(t, srv, "a", object{"pages": 1})
	path := transaction(t, srv, object{"action": "increment", "documentId": "a", "data": object{"attribute": "pages", "value": "4", "max": "5"}})
	if got, answer := commit(t, srv, path); got != 200 || read(t, srv, "a")["pages"] != 5.0 {
		t.Errorf("want 5 pages, got %d %v, %v", got, answer, read(t, srv, "a"))
	}
}

func TestListsStagedAsRecordsFailAtCommit(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	path := transaction(t, srv, object{"action": "create", "documentId": "a", "data": list{"x"}})
	refuse(t, srv, 400, "document_invalid_structure", "PATCH", path, object{"commit": true})
}

func TestBulkOperationsAreNotStagedWhereThereAreRelationships(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newLibrary(t, version, "oneToMany", "setNull", true)
		path := must(t, srv, "POST", "/databases/transactions", object{})["$id"].(string)
		for action, data := range map[string]any{
			"bulkCreate": list{}, "bulkUpsert": list{},
			"bulkUpdate": object{"queries": list{}, "data": object{"name": "x"}}, "bulkDelete": object{"queries": list{}},
		} {
			refuse(t, srv, 400, "general_bad_request", "POST", "/databases/transactions/"+path+"/operations", object{"operations": list{
				object{"databaseId": "shop", "collectionId": "writers", "action": action, "data": data},
			}})
		}
	}
}
