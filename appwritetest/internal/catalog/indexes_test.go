package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
)

func TestDroppingAnAttributeRewritesItsIndexes(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.text("b", 9)
	p.index("key", "alone", "a")
	p.index("key", "both", "a", "b")
	p.index("key", "twin", "b")
	p.index("unique", "other", "b", "a")
	p.ok(nil, p.DeleteAttribute("d", "c", "a"))
	p.run()
	var left []string
	for _, x := range p.get("c").Indexes {
		left = append(left, x.Key+"("+strings.Join(x.Attributes, ",")+")")
	}
	if len(left) != 1 || !slices.Equal(p.get("c").Indexes[0].Attributes, []string{"b"}) {
		t.Errorf("left %v, want one index on b: the rest is empty or the same", left)
	}
}

func TestAttributeOfACompositeUniqueIndexSticksWhenTheRestRepeats(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.text("b", 9)
	p.index("unique", "u", "a", "b")
	p.insert("1", map[string]any{"a": "x", "b": "same"})
	p.insert("2", map[string]any{"a": "y", "b": "same"})
	p.ok(nil, p.DeleteAttribute("d", "c", "a"))
	p.run()
	if got := p.status("c", "a"); got != catalog.Stuck {
		t.Errorf("status %q, want stuck", got)
	}
	if unique := p.get("c").Schema.Unique(); len(unique) != 1 || len(unique[0].Attributes) != 2 {
		t.Errorf("in effect are %v, want the old index", unique)
	}
}

func TestUniqueIndexOverDuplicatesByVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]catalog.Status{"1.7.4": catalog.Failed, "1.8.1": catalog.Failed, "1.9.6": catalog.Available} {
		p := newProject(t, version)
		p.text("a", 9)
		p.insert("1", map[string]any{"a": "e"})
		p.insert("2", map[string]any{"a": "É "})
		p.index("unique", "u", "a")
		_, x, err := p.Index("d", "c", "u")
		if err != nil || x.Status != want || (x.Error == "") != (want == catalog.Available) {
			t.Errorf("%s: got %v %q, want %s", version, x.Status, x.Error, want)
		}
		if n := len(p.get("c").Schema.Unique()); n != 0 {
			t.Errorf("%s: %d unique indexes are enforced", version, n)
		}
	}
}

func TestIndexLengthsCountTheRecordsOwnFields(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 512)
	p.index("key", "fits", "a", "$createdAt", "$id")
	_, err := p.CreateIndex("d", "c", catalog.IndexDefinition{
		Key: "wide", Type: "key", Attributes: []string{"a", "$createdAt", "$updatedAt", "$id"},
	})
	wantType(t, err, "index_invalid")
}

func TestIndexLengthRules(t *testing.T) {
	t.Parallel()
	const whole = catalog.WholeValue
	for _, c := range []struct {
		version, kind string
		attributes    []string
		lengths       []int
		want          []int // nil when the index is refused
	}{
		{"1.9.6", "key", []string{"a"}, nil, []int{0}},
		{"1.9.6", "key", []string{"a"}, []int{whole}, []int{0}},
		{"1.9.6", "key", []string{"a"}, []int{512}, []int{512}},
		{"1.9.6", "key", []string{"a"}, []int{513}, nil},
		{"1.9.6", "key", []string{"a"}, []int{-1}, nil},
		{"1.9.6", "key", []string{"a"}, []int{5, 5}, nil},
		{"1.9.6", "key", []string{"n"}, []int{0}, []int{0}},
		{"1.9.6", "key", []string{"n"}, []int{1}, nil},
		{"1.9.6", "key", []string{"a", "b"}, nil, nil},
		{"1.9.6", "key", []string{"a", "b"}, []int{whole, 256}, []int{0, 256}},
		{"1.9.6", "key", []string{"a", "b"}, []int{0, 0}, nil},
		{"1.7.4", "key", []string{"a", "b"}, []int{0, 0}, []int{0, 0}},
		{"1.7.4", "key", []string{"a", "b"}, []int{whole, whole}, nil},
		{"1.9.6", "fulltext", []string{"a", "b"}, nil, []int{0, 0}},
		{"1.9.6", "fulltext", []string{"a"}, []int{999, 5}, []int{999, 5}},
		{"1.9.6", "fulltext", []string{"a", "n"}, nil, nil},
		{"1.9.6", "key", []string{"list"}, nil, nil},
		{"1.8.1", "key", []string{"list"}, []int{5}, []int{255}},
		{"1.8.1", "key", []string{"list", "list2"}, nil, nil},
		{"1.8.1", "unique", []string{"list"}, nil, nil},
	} {
		p := newProject(t, c.version)
		p.text("a", 512)
		p.text("b", 512)
		for _, key := range []string{"list", "list2"} {
			p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: key, Type: catalog.TypeString, Size: 9, Array: true}))
		}
		p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "n", Type: catalog.TypeInteger, Size: 8}))
		p.run()
		x, err := p.CreateIndex("d", "c", catalog.IndexDefinition{Key: "x", Type: c.kind, Attributes: c.attributes, Lengths: c.lengths})
		switch {
		case c.want == nil:
			wantType(t, err, "index_invalid")
		case err != nil || !slices.Equal(x.Lengths, c.want):
			t.Errorf("%s %s%v %v: got %v %v, want %v", c.version, c.kind, c.attributes, c.lengths, x, err, c.want)
		}
	}
}

func TestIndexOfAnUnknownTypeByVersion(t *testing.T) {
	t.Parallel()
	old := newProject(t, "1.8.1")
	old.text("a", 9)
	old.index("KEY", "k", "a")
	if _, x, _ := old.Index("d", "c", "k"); x.Status != catalog.Failed {
		t.Errorf("1.8.1: status %q, want failed", x.Status)
	}
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	_, err := p.CreateIndex("d", "c", catalog.IndexDefinition{Key: "k", Type: "KEY", Attributes: []string{"a"}})
	wantType(t, err, "index_invalid")
}

func TestLengthsAndOrdersOfADroppedAttributeTakeTheirEquals(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.text("b", 9)
	p.text("c", 9)
	p.ok(p.CreateIndex("d", "c", catalog.IndexDefinition{
		Key: "x", Type: "key", Attributes: []string{"a", "b", "c"}, Lengths: []int{5, 5, 7}, Orders: []string{"ASC", "DESC", "ASC"},
	}))
	p.run()
	p.ok(nil, p.DeleteAttribute("d", "c", "a"))
	p.run()
	x := p.get("c").Indexes[0]
	if !slices.Equal(x.Attributes, []string{"b", "c"}) || !slices.Equal(x.Lengths, []int{7}) || !slices.Equal(x.Orders, []string{"DESC"}) {
		t.Errorf("shown %v %v %v", x.Attributes, x.Lengths, x.Orders)
	}
	if held := p.get("c").Schema.Indexes[0]; !slices.Equal(held.Lengths, []int{5, 7}) {
		t.Errorf("in storage %v, want 5 and 7", held.Lengths)
	}
}
