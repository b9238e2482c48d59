package appwritetest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

const (
	writers = "/databases/shop/collections/writers"
	stories = "/databases/shop/collections/stories"
)

// newLibrary has writers and stories, both with a name, and relates the first
// to the second by the key "stories", back by "writer".
func newLibrary(t *testing.T, version, kind, onDelete string, twoWay bool) *appwritetest.Server {
	t.Helper()
	srv := newShop(t, appwritetest.Version(version))
	for _, id := range []string{"writers", "stories"} {
		must(t, srv, "POST", "/databases/shop/collections", object{"collectionId": id, "name": id})
		must(t, srv, "POST", "/databases/shop/collections/"+id+"/attributes/string", object{"key": "name", "size": 20, "required": false})
	}
	must(t, srv, "POST", writers+"/attributes/relationship", object{
		"relatedCollectionId": "stories", "type": kind, "key": "stories",
		"twoWay": twoWay, "twoWayKey": "writer", "onDelete": onDelete,
	})
	idle(t, srv)
	return srv
}

func put(t *testing.T, srv *appwritetest.Server, collection, id string, data object) object {
	t.Helper()
	data["name"] = id
	return must(t, srv, "POST", collection+"/documents", object{"documentId": id, "data": data})
}

// names reads a record with everything below one of its relationships and
// returns the related names: a list, one, or nil.
func names(t *testing.T, srv *appwritetest.Server, collection, id, key string) any {
	t.Helper()
	query := url.QueryEscape(`{"method":"select","values":["*","` + key + `.*"]}`)
	related := must(t, srv, "GET", collection+"/documents/"+id+"?queries[]="+query, nil)[key]
	switch related := related.(type) {
	case object:
		return related["name"]
	case list:
		found := list{}
		for _, one := range related {
			found = append(found, one.(object)["name"])
		}
		return found
	}
	return related
}

func expect(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEitherSideOfATwoWayRelationshipChangesBoth(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.4", "1.8.1", "1.9.6"} {
		srv := newLibrary(t, version, "manyToMany", "setNull", true)
		put(t, srv, stories, "s1", object{})
		put(t, srv, stories, "s2", object{})
		put(t, srv, writers, "w1", object{"stories": list{"s1", "s2"}})
		put(t, srv, writers, "w2", object{"stories": list{"s2"}})
		expect(t, list{"w1", "w2"}, names(t, srv, stories, "s2", "writer"))
		must(t, srv, "PATCH", stories+"/documents/s2", object{"data": object{"writer": list{"w2"}}})
		expect(t, list{"s1"}, names(t, srv, writers, "w1", "stories"))
		must(t, srv, "DELETE", stories+"/documents/s2", nil)
		expect(t, list{}, names(t, srv, writers, "w2", "stories"))
	}
}

func TestChildMovesToAnotherParent(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.4", "1.8.1", "1.9.6"} {
		srv := newLibrary(t, version, "oneToMany", "setNull", true)
		put(t, srv, writers, "w1", object{"stories": list{object{"$id": "s1", "name": "s1"}}})
		put(t, srv, writers, "w2", object{})
		must(t, srv, "PATCH", stories+"/documents/s1", object{"data": object{"writer": "w2"}})
		expect(t, list{}, names(t, srv, writers, "w1", "stories"))
		expect(t, list{"s1"}, names(t, srv, writers, "w2", "stories"))
		must(t, srv, "DELETE", writers+"/documents/w2", nil)
		expect(t, nil, names(t, srv, stories, "s1", "writer"))
	}
}

func TestCascadeDeletesWhatTheOwnerHas(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"oneToMany", "manyToMany"} {
		srv := newLibrary(t, "1.9.6", kind, "cascade", true)
		put(t, srv, writers, "w1", object{"stories": list{object{"$id": "s1"}, object{"$id": "s2"}}})
		must(t, srv, "DELETE", writers+"/documents/w1", nil)
		expect(t, 0.0, must(t, srv, "GET", stories+"/documents", nil)["total"])
	}
	srv := newLibrary(t, "1.9.6", "oneToOne", "cascade", true)
	put(t, srv, writers, "w1", object{"stories": object{"$id": "s1"}})
	must(t, srv, "DELETE", stories+"/documents/s1", nil)
	expect(t, 0.0, must(t, srv, "GET", writers+"/documents", nil)["total"])
}

func TestUniqueLinkCannotBeTakenTwice(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.4", "1.8.1", "1.9.6"} {
		srv := newLibrary(t, version, "oneToOne", "setNull", false)
		put(t, srv, writers, "w1", object{"stories": object{"$id": "s1"}})
		refuse(t, srv, 409, "document_already_exists", "POST", writers+"/documents",
			object{"documentId": "w2", "data": object{"stories": "s1"}})
		put(t, srv, stories, "s2", object{})
		must(t, srv, "PATCH", writers+"/documents/w1", object{"data": object{"stories": "s2"}})
		expect(t, "s2", names(t, srv, writers, "w1", "stories"))
	}
}

func TestFailedNestedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	srv := newLibrary(t, "1.9.6", "oneToMany", "setNull", true)
	refuse(t, srv, 400, "document_invalid_structure", "POST", writers+"/documents", object{
		"documentId": "w1", "data": object{"stories": list{object{"$id": "s1", "name": "x"}, object{"$id": "s2", "name": 5}}},
	})
	expect(t, 0.0, must(t, srv, "GET", stories+"/documents", nil)["total"])
	expect(t, 0.0, must(t, srv, "GET", writers+"/documents", nil)["total"])
}

func TestCollectionsWithRelationshipsTakeNoBulkCalls(t *testing.T) {
	t.Parallel()
	srv := newLibrary(t, "1.9.6", "oneToMany", "setNull", true)
	for method, body := range map[string]object{
		"POST": {"documents": list{object{"name": "x"}}}, "PUT": {"documents": list{object{"$id": "x"}}},
		"PATCH": {"data": object{"name": "x"}}, "DELETE": {},
	} {
		refuse(t, srv, 400, "general_bad_request", method, writers+"/documents", body)
		refuse(t, srv, 400, "general_bad_request", method, stories+"/documents", body)
	}
}

func TestSelfRelationshipWorksThroughItsChildKeyOnly(t *testing.T) {
	t.Parallel()
	srv := newLibrary(t, "1.9.6", "oneToMany", "setNull", true)
	must(t, srv, "POST", stories+"/attributes/relationship", object{
		"relatedCollectionId": "stories", "type": "oneToMany", "key": "sequels", "twoWay": true, "twoWayKey": "prequel",
	})
	idle(t, srv)
	put(t, srv, stories, "s1", object{})
	put(t, srv, stories, "s2", object{"prequel": "s1"})
	expect(t, "s1", names(t, srv, stories, "s2", "prequel"))
	refuse(t, srv, 400, "document_invalid_structure", "POST", stories+"/documents",
		object{"documentId": "s3", "data": object{"sequels": list{"s1"}}})
	query := url.QueryEscape(`{"method":"select","values":["sequels.*"]}`)
	refuse(t, srv, 400, "general_query_invalid", "GET", stories+"/documents?queries[]="+query, nil)
}

func TestOldResponseFormatLoadsWhatIsRelated(t *testing.T) {
	t.Parallel()
	srv := newLibrary(t, "1.9.6", "oneToMany", "setNull", true)
	put(t, srv, writers, "w1", object{"stories": list{object{"$id": "s1", "name": "s1"}}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.Endpoint()+writers+"/documents/w1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Appwrite-Project", srv.Project())
	request.Header.Set("X-Appwrite-Key", srv.Key())
	request.Header.Set("X-Appwrite-Response-Format", "1.7.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer object
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	loaded, ok := answer["stories"].(list)
	if !ok || len(loaded) != 1 || loaded[0].(object)["name"] != "s1" {
		t.Errorf("got %v", answer)
	}
	if _, isNumber := answer["$sequence"].(float64); !isNumber {
		t.Errorf("$sequence is %v", answer["$sequence"])
	}
}
