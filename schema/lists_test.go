package schema_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/schema"
)

// indexedLists gives a file of indexes on lists that say what no server keeps.
func indexedLists(t *testing.T) *schema.File {
	t.Helper()
	file, err := read(inCollection(`{"key":"tags","type":"string","size":20,"array":true},{"key":"title","type":"string","size":300},{"key":"n","type":"integer"},{"key":"years","type":"integer","array":true}`,
		`{"key":"plain","type":"key","attributes":["tags"]},
	 {"key":"cut","type":"key","attributes":["tags"],"orders":["DESC"],"lengths":[10]},
	 {"key":"behind","type":"key","attributes":["title","tags"],"lengths":[8,255]},
	 {"key":"gap","type":"key","attributes":["n","title","tags"],"orders":["DESC"],"lengths":[0,8]},
	 {"key":"before","type":"key","attributes":["tags","title"],"orders":["ASC","DESC"],"lengths":[3,8]},
		 {"key":"numbers","type":"key","attributes":["years"],"lengths":[255]}`))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOrdersAndLengthsOfListsAreWhatTheServerMakesOfThem(t *testing.T) {
	t.Parallel()
	file := indexedLists(t)
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, version)
			err := schema.Check(file.Model, p.limits())
			if !p.limits().ArrayIndexes {
				if !errors.Is(err, schema.ErrRefused) {
					t.Errorf("check: %v, want that lists cannot be indexed", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p.upAndDown(file, func() {
				for _, x := range p.live().Databases[0].Collections[0].Indexes {
					if slices.Contains(x.Orders, "") {
						t.Errorf("index %s has orders %q, which no server takes back", x.Key, x.Orders)
					}
				}
			})
		})
	}
}

func TestWhatNoServerKeepsOfAnIndexMeansNothing(t *testing.T) {
	t.Parallel()
	was := indexedLists(t)
	other := respelledLists(was.Model)
	if found := schema.Compare(was.Model, other); len(found) > 0 {
		t.Errorf("differences are %v", found)
	}
	if !bytes.Equal(canonical(t, was.Model), canonical(t, other)) {
		t.Error("the canonical forms differ")
	}
	other.Databases[0].Collections[0].Indexes[2].Lengths = []int{9} // of title
	if found := schema.Compare(was.Model, other); len(found) != 1 || found[0].Field != "lengths" {
		t.Errorf("differences are %v, want the length of title", found)
	}
}

// respelledLists gives a model with other orders and lengths of its first
// collection's lists.
func respelledLists(m schema.Model) schema.Model {
	databases := slices.Clone(m.Databases)
	collections := slices.Clone(databases[0].Collections)
	indexes := slices.Clone(collections[0].Indexes)
	for i := range indexes {
		x := &indexes[i]
		at := slices.IndexFunc(x.Attributes, func(key string) bool { return key == "tags" || key == "years" })
		x.Orders, x.Lengths = slices.Clone(x.Orders), slices.Clone(x.Lengths)
		for len(x.Orders) <= at {
			x.Orders = append(x.Orders, "ASC")
		}
		for len(x.Lengths) <= at {
			x.Lengths = append(x.Lengths, 0)
		}
		x.Orders[at], x.Lengths[at] = "DESC", 77+i
	}
	collections[0].Indexes, databases[0].Collections = indexes, collections
	return schema.Model{Databases: databases}
}
