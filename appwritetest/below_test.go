package appwritetest_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Writers a (stories s1 and s2) and b (story s3) are found by their stories,
// and stories by their writers, whatever the kind of relationship.
func TestQueriesLookThroughRelationships(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"oneToMany", "manyToMany"} {
		for _, version := range []string{"1.8.1", "1.9.6"} {
			t.Run(kind+" "+version, func(t *testing.T) {
				t.Parallel()
				srv := newLibrary(t, version, kind, "setNull", true)
				story := func(id string) object { return object{"$id": id, "name": id} }
				for id, held := range map[string]list{"a": {story("s1"), story("s2")}, "b": {story("s3")}, "c": {}} {
					must(t, srv, "POST", writers+"/documents", object{"documentId": id, "data": object{"name": id, "stories": held}})
				}
				found := func(collection, query string) string {
					ids := map[string]bool{}
					for _, document := range must(t, srv, "GET", queryURL(collection+"/documents", query), nil)["documents"].(list) {
						ids[document.(object)["$id"].(string)] = true
					}
					return fmt.Sprint(ids)
				}
				for query, want := range map[string]string{
					`{"method":"equal","attribute":"stories.name","values":["s1","s3"]}`:  "map[a:true b:true]",
					`{"method":"startsWith","attribute":"stories.name","values":["s2"]}`:  "map[a:true]",
					`{"method":"equal","attribute":"stories.writer.name","values":["b"]}`: "map[b:true]",
					`{"method":"notEqual","attribute":"stories.name","values":["s1"]}`:    "map[a:true b:true]",
					`{"method":"equal","attribute":"stories.name","values":["none"]}`:     "map[]",
					`{"method":"greaterThan","attribute":"stories.$id","values":["s2"]}`:  "map[b:true]",
				} {
					if d := cmp.Diff(want, found(writers, query)); d != "" {
						t.Errorf("%s: %s", query, d)
					}
				}
				if d := cmp.Diff("map[s1:true s2:true]", found(stories, `{"method":"equal","attribute":"writer.name","values":["a"]}`)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestQueriesThroughRelationshipsAreRefused(t *testing.T) {
	t.Parallel()
	const through = `{"method":"equal","attribute":"stories.name","values":["s1"]}`
	for _, test := range []struct {
		version, query string
		status         int
		kind           string
	}{
		{"1.7.4", through, 400, "general_query_invalid"},
		{"1.8.1", `{"method":"equal","attribute":"stories.none","values":["s1"]}`, 400, "general_query_invalid"},
		{"1.9.6", `{"method":"equal","attribute":"stories.none","values":["s1"]}`, 400, "general_query_invalid"},
		{"1.9.6", `{"method":"equal","attribute":"stories.name","values":[5]}`, 400, "general_query_invalid"},
		{"1.9.6", `{"method":"equal","attribute":"stories.name","values":[]}`, 400, "general_query_invalid"},
		{"1.9.6", `{"method":"equal","attribute":"none.name","values":["s1"]}`, 400, "general_query_invalid"},
		{"1.9.6", `{"method":"equal","attribute":"name.x","values":["s1"]}`, 500, "general_unknown"},
		{"1.9.6", `{"method":"or","values":[` + through + `,` + through + `]}`, 500, "general_unknown"},
	} {
		srv := newLibrary(t, test.version, "oneToMany", "setNull", true)
		refuse(t, srv, test.status, test.kind, "GET", queryURL(writers+"/documents", test.query), nil)
	}
}

func TestSeveralEqualsOnOneRelatedValueAreRefusedSince19(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"1.8.1": 200, "1.9.6": 400} {
		srv := newLibrary(t, version, "oneToMany", "setNull", true)
		twice := queryURL(writers+"/documents", `{"method":"equal","attribute":"stories.name","values":["x"]}`) +
			"&queries[]=" + url.QueryEscape(`{"method":"equal","attribute":"stories.name","values":["y"]}`)
		if got, answer := call(t, srv, "GET", twice, nil); got != want {
			t.Errorf("%s: want %d, got %d %v", version, want, got, answer)
		}
	}
}

func TestContainsAllFindsEachValueInAnyRelatedRecord(t *testing.T) {
	t.Parallel()
	srv := newLibrary(t, "1.9.6", "oneToMany", "setNull", true)
	must(t, srv, "POST", writers+"/documents", object{"documentId": "a", "data": object{
		"stories": list{object{"$id": "s1", "name": "x"}, object{"$id": "s2", "name": "y"}},
	}})
	const both = `{"method":"containsAll","attribute":"stories.name","values":["x","y"]}`
	if got := must(t, srv, "GET", queryURL(writers+"/documents", both), nil)["total"]; got != 1.0 {
		t.Errorf("want one writer, got %v", got)
	}
}
