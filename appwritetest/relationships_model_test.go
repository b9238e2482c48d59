package appwritetest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// Whatever clients do, both sides of a two-way relationship tell the same. On
// real servers, too, oneToOne is an exception. Its ids may lead nowhere, and a
// record that takes such an id later knows nothing of it: here the test names
// records by whole objects, which are created, and does without restrict, which
// leaves such ids behind. And a PUT hijacks the record that holds the unique
// link: the test sends none.
func TestTwoWayRelationshipsAgreeOnBothSides(t *testing.T) {
	t.Parallel()
	const runs, steps = 12, 12
	for _, kind := range []string{"oneToOne", "oneToMany", "manyToOne", "manyToMany"} {
		for _, onDelete := range []string{"setNull", "cascade", "restrict"} {
			if kind == "oneToOne" && onDelete == "restrict" {
				continue
			}
			t.Run(kind+" "+onDelete, func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(runs) {
					srv := newLibrary(t, "1.9.6", kind, onDelete, true)
					draw := rand.New(rand.NewPCG(seed, 0))
					for range steps {
						did := change(t, draw, srv, kind)
						forward := links(t, srv, writers, "stories", false)
						backward := links(t, srv, stories, "writer", true)
						if !slices.Equal(forward, backward) {
							t.Fatalf("seed %d: after %s writers say %v, stories say %v", seed, did, forward, backward)
						}
					}
				}
			})
		}
	}
}

// change sends one random write and says what; some are refused for good
// reasons.
func change(t *testing.T, draw *rand.Rand, srv *appwritetest.Server, kind string) string {
	t.Helper()
	collection, key, prefix, other := writers, "stories", "w", "s"
	many := kind == "oneToMany" || kind == "manyToMany"
	if draw.IntN(2) == 0 {
		collection, key, prefix, other = stories, "writer", "s", "w"
		many = kind == "manyToOne" || kind == "manyToMany"
	}
	id := fmt.Sprint(prefix, draw.IntN(3))
	ref := func() any {
		to := fmt.Sprint(other, draw.IntN(3))
		if kind == "oneToOne" || draw.IntN(3) == 0 {
			return object{"$id": to, "name": to}
		}
		return to
	}
	var value any
	if many {
		refs := list{}
		for range draw.IntN(4) {
			refs = append(refs, ref())
		}
		value = refs
	} else if draw.IntN(2) == 0 {
		value = ref()
	}
	methods := []string{"POST", "PATCH", "DELETE", "PUT"}
	if kind == "oneToOne" {
		methods = methods[:3]
	}
	method := methods[draw.IntN(len(methods))]
	path, body := collection+"/documents/"+id, any(object{"data": object{"name": id, key: value}})
	switch method {
	case "POST":
		path, body = collection+"/documents", object{"documentId": id, "data": object{"name": id, key: value}}
	case "DELETE":
		body = nil
	}
	did := fmt.Sprint(method, " ", path, " ", body)
	if got, answer := call(t, srv, method, path, body); got >= http.StatusInternalServerError || got == http.StatusBadRequest {
		t.Fatalf("%s: %d %v", did, got, answer)
	}
	return did
}

// links lists the pairs that one side tells, writer first; records that are
// gone do not count.
func links(t *testing.T, srv *appwritetest.Server, collection, key string, turned bool) []string {
	t.Helper()
	query := url.QueryEscape(`{"method":"select","values":["*","` + key + `.*"]}`)
	var pairs []string
	for _, document := range must(t, srv, "GET", collection+"/documents?queries[]="+query, nil)["documents"].(list) {
		related, ok := document.(object)[key].(list)
		if one, isOne := document.(object)[key].(object); isOne {
			related, ok = list{one}, true
		}
		if !ok {
			continue
		}
		for _, one := range related {
			pair := []any{document.(object)["$id"], one.(object)["$id"]}
			if turned {
				slices.Reverse(pair)
			}
			pairs = append(pairs, fmt.Sprint(pair...))
		}
	}
	slices.Sort(pairs)
	return pairs
}
