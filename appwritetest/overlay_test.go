package appwritetest_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a read with a transaction shows of the books a (1), b (2) and c (3) when
// operations are staged: "id=pages" of each, and the total.
func TestReadsOverlayStagedOperations(t *testing.T) {
	t.Parallel()
	op := func(action, id string, data any) object {
		o := object{"action": action, "data": data}
		if id != "" {
			o["documentId"] = id
		}
		return o
	}
	all, big := list{}, list{`{"method":"greaterThan","attribute":"pages","values":[2]}`}
	for name, test := range map[string]struct {
		query  string
		staged []object
		want   string
	}{
		"bulk updates leave stored records":  {"", []object{op("bulkUpdate", "", object{"queries": all, "data": object{"pages": 9}})}, "[a=1 b=2 c=3] 3"},
		"bulk deletes leave stored records":  {"", []object{op("bulkDelete", "", object{"queries": all})}, "[a=1 b=2 c=3] 3"},
		"bulk updates change staged records": {"", []object{op("update", "a", object{"pages": 5}), op("bulkUpdate", "", object{"queries": big, "data": object{"pages": 9}})}, "[a=9 b=2 c=3] 3"},
		"bulk deletes drop staged records":   {"", []object{op("update", "a", object{"pages": 5}), op("create", "d", object{"pages": 2}), op("bulkDelete", "", object{"queries": big})}, "[b=2 c=3 d=2] 3"},
		"increments add to staged numbers":   {"", []object{op("update", "a", object{"pages": 5}), op("increment", "a", object{"attribute": "pages", "value": 2})}, "[a=7 b=2 c=3] 3"},
		"decrements show as negative":        {"", []object{op("decrement", "a", object{"attribute": "pages", "value": 2})}, "[a=-2 b=2 c=3] 3"},
		"creates replace stored records":     {"", []object{op("create", "a", object{"title": "x"})}, "[a=<nil> b=2 c=3] 4"},
		"creates follow whatever is asked":   {`{"method":"equal","attribute":"pages","values":[3]}`, []object{op("create", "d", object{"pages": 1})}, "[c=3 d=1] 1"},
		"changes count by what they name":    {`{"method":"greaterThan","attribute":"pages","values":[1]}`, []object{op("update", "b", object{"title": "x"}), op("upsert", "c", object{"pages": 5})}, "[b=2 c=5] 1"},
		"changes bring no record in":         {`{"method":"equal","attribute":"pages","values":[3]}`, []object{op("update", "a", object{"pages": 3})}, "[c=3] 1"},
		"bulk upserts go over what is there": {"", []object{op("create", "d", object{"pages": 4}), op("bulkUpsert", "", list{object{"$id": "d", "title": "x"}, object{"$id": "e", "pages": 6}})}, "[a=1 b=2 c=3 d=4 e=6] 5"},
		"deletes count where they are shown": {`{"method":"limit","values":[1]}`, []object{op("delete", "a", object{}), op("delete", "b", object{})}, "[] 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, version := range []string{"1.8.1", "1.9.6"} {
				srv := newBooks(t, version)
				for i, id := range []string{"a", "b", "c"} {
					create(t, srv, id, object{"pages": i + 1})
				}
				id := transaction(t, srv, test.staged...)[len("/databases/transactions/"):]
				path := books + "/documents"
				if path += "?"; test.query != "" {
					path = queryURL(books+"/documents", test.query) + "&"
				}
				page := must(t, srv, "GET", path+"transactionId="+id, nil)
				shown := []string{}
				for _, document := range page["documents"].(list) {
					shown = append(shown, fmt.Sprint(document.(object)["$id"], "=", document.(object)["pages"]))
				}
				if d := cmp.Diff(test.want, fmt.Sprint(shown, " ", page["total"])); d != "" {
					t.Error(version, d)
				}
			}
		})
	}
}

func TestReadsInATransactionSelectAndCount(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	create(t, srv, "a", object{"pages": 1})
	path := transaction(t, srv, object{"action": "update", "documentId": "a", "data": object{"title": "x", "pages": 2}})
	query := queryURL(books+"/documents/a", `{"method":"select","values":["pages"]}`) + "&transactionId=" + path[len("/databases/transactions/"):]
	document := must(t, srv, "GET", query, nil)
	if _, there := document["title"]; there || document["pages"] != 2.0 {
		t.Errorf("want only the staged pages, got %v", document)
	}
	page := must(t, srv, "GET", books+"/documents?total=0&transactionId="+path[len("/databases/transactions/"):], nil)
	if page["total"] != 0.0 {
		t.Errorf("want no count, got %v", page["total"])
	}
}
