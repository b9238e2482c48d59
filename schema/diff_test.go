package schema_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/schema"
)

// shopOf gives a model with one collection, products, of a database, shop.
func shopOf(attributes []schema.Attribute, indexes ...schema.Index) schema.Model {
	return schema.Model{Databases: []schema.Database{{ID: "shop", Name: "Shop", Enabled: true, Collections: []schema.Collection{
		{ID: "products", Name: "Products", Enabled: true, Attributes: attributes, Indexes: indexes},
	}}}}
}

func text(key string, size int64) schema.Attribute {
	return schema.Attribute{Key: key, Type: "string", Size: size}
}

// outline gives steps as "kind key".
func outline(list []engine.Step) []string {
	var out []string
	for _, step := range list {
		out = append(out, strings.TrimSpace(step.Kind()+" "+step.Target().Key))
	}
	return out
}

func mustDiff(t *testing.T, from, to schema.Model, opts ...schema.DiffOption) *schema.Delta {
	t.Helper()
	delta, err := schema.Diff(from, to, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return delta
}

func TestDiffTakesTheWayThatKeepsData(t *testing.T) {
	t.Parallel()
	number := schema.Attribute{Key: "title", Type: "integer"}
	required := text("title", 40)
	required.Required = true
	withDefault := text("title", 40)
	withDefault.Default = []byte(`"x"`)
	by := func(key string, attributes ...string) schema.Index {
		return schema.Index{Key: key, Type: "key", Attributes: attributes}
	}
	author := required
	author.Key = "author"
	for name, c := range map[string]struct {
		from, to schema.Model
		opts     []schema.DiffOption
		want     []string
	}{
		"a size in place": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("title", 80)}), nil,
			[]string{"update_attribute title"},
		},
		"a rename that was told": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("name", 40)}),
			[]schema.DiffOption{schema.WithRenames(schema.Rename{Database: "shop", Collection: "products", From: "title", To: "name"})},
			[]string{"rename_attribute title"},
		},
		"a rename that was not told": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("name", 40)}), nil,
			[]string{"delete_attribute title", "create_attribute name"},
		},
		"a type beside the old one": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{number}), nil,
			[]string{"create_attribute title_new", "fill_attribute title_new", "rename_attribute title", "fill_attribute title_new", "rename_attribute title_new", "delete_attribute title_old"},
		},
		"required after the default was filled in": {
			shopOf([]schema.Attribute{withDefault}), shopOf([]schema.Attribute{required}), nil,
			[]string{"update_attribute title", "fill_attribute title", "update_attribute title"},
		},
		"required with nothing to fill in": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{required}), nil,
			[]string{"update_attribute title"},
		},
		"a new one that is required": {
			shopOf(nil), shopOf([]schema.Attribute{required}),
			[]schema.DiffOption{schema.WithFills(schema.Fill{Database: "shop", Collection: "products", Key: "title", Value: []byte(`"?"`)})},
			[]string{"create_attribute title", "fill_attribute title", "update_attribute title"},
		},
		"a new default after documents have been written to": {
			shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{withDefault, author}),
			[]schema.DiffOption{schema.WithFills(schema.Fill{Database: "shop", Collection: "products", Key: "author", Value: []byte(`"?"`)})},
			[]string{"create_attribute author", "fill_attribute author", "update_attribute author", "update_attribute title"},
		},
		"new indexes before old ones go": {
			shopOf([]schema.Attribute{text("title", 40)}, by("old", "title")), shopOf([]schema.Attribute{text("title", 40)}, by("new", "title", "$createdAt")), nil,
			[]string{"create_index new", "delete_index old"},
		},
		"an index that changes under its key": {
			shopOf([]schema.Attribute{text("title", 40)}, by("by", "title")), shopOf([]schema.Attribute{text("title", 40)}, by("by", "title", "$createdAt")), nil,
			[]string{"update_index by"},
		},
		"an index on what goes": {
			shopOf([]schema.Attribute{text("title", 40), text("other", 40)}, by("by", "title", "other")), shopOf([]schema.Attribute{text("other", 40)}, by("by", "other")), nil,
			[]string{"delete_index by", "delete_attribute title", "create_index by"},
		},
		"keys that swap": {
			shopOf([]schema.Attribute{text("a", 40), text("b", 50)}), shopOf([]schema.Attribute{text("b", 40), text("a", 50)}),
			[]schema.DiffOption{schema.WithRenames(
				schema.Rename{Database: "shop", Collection: "products", From: "a", To: "b"}, schema.Rename{Database: "shop", Collection: "products", From: "b", To: "a"},
			)},
			[]string{"rename_attribute b", "rename_attribute a", "rename_attribute b_moving", "rename_attribute a_moving"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delta := mustDiff(t, c.from, c.to, c.opts...)
			if got := outline(delta.Steps); !slices.Equal(got, c.want) {
				t.Errorf("steps are\n%v\nnot\n%v", got, c.want)
			}
			written(t, delta.Steps)
		})
	}
}

func TestRequiredAsksForAValueOnlyWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	optional := schema.Attribute{Key: "title", Type: "string", Size: 40}
	required := optional
	required.Required = true
	from, to := shopOf([]schema.Attribute{optional}), shopOf([]schema.Attribute{required})
	fill := schema.WithFills(schema.Fill{Database: "shop", Collection: "products", Key: "title", Value: []byte(`"?"`)})
	if got := mustDiff(t, from, to).Changes[0].Conditions; len(got) != 1 {
		t.Errorf("with nothing to fill in it wants %q", got)
	}
	if got := mustDiff(t, from, to, fill).Changes[0].Conditions; len(got) != 0 {
		t.Errorf("with a value to fill in it wants %q", got)
	}
}

func TestDiffOfEqualModelsIsEmpty(t *testing.T) {
	t.Parallel()
	for name, m := range realModels(t, "1.9.6") {
		delta := mustDiff(t, m, m)
		if !delta.Empty() || len(delta.Steps)+len(delta.Candidates) > 0 {
			t.Errorf("%s differs from itself: %v", name, delta.Changes)
		}
	}
}

func TestDiffIsTheSameInWhateverOrderModelsAre(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	for name, m := range realModels(t, "1.9.6") {
		for i := range 20 {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			d, done := randomEdit(r, m, schema.DefaultLimits())
			opts := []schema.DiffOption{schema.WithRenames(d.renames...), schema.WithFills(d.fills...)}
			want := mustDiff(t, d.from, d.to, opts...)
			have := mustDiff(t, shuffled(r, d.from), shuffled(r, d.to), opts...)
			if !reflect.DeepEqual(want, have) {
				t.Fatalf("%s, seed %d, edit %d %q: %s", name, seed, i, done, cmp.Diff(outline(want.Steps), outline(have.Steps)))
			}
		}
	}
}

// shuffled gives a model with everything that has no order in another one.
func shuffled(r *rand.Rand, m schema.Model) schema.Model {
	m = copied(m)
	mix := func(n int, swap func(i, j int)) { r.Shuffle(n, swap) }
	mix(len(m.Databases), reflect.Swapper(m.Databases))
	for _, db := range m.Databases {
		mix(len(db.Collections), reflect.Swapper(db.Collections))
		for _, c := range db.Collections {
			mix(len(c.Attributes), reflect.Swapper(c.Attributes))
			mix(len(c.Indexes), reflect.Swapper(c.Indexes))
			mix(len(c.Permissions), reflect.Swapper(c.Permissions))
		}
	}
	return m
}

func TestLossyChangesAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/lossy-changes.md")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(page), "# Changes that stop")
	var entries []schema.LossCode
	for _, match := range regexp.MustCompile(`(?m)^## (\S+)\n\n\S`).FindAllStringSubmatch(first, -1) {
		entries = append(entries, schema.LossCode(match[1]))
	}
	slices.Sort(entries)
	codes := slices.Sorted(slices.Values(schema.LossCodes()))
	if diff := cmp.Diff(codes, entries); diff != "" {
		t.Errorf("codes and entries of docs/lossy-changes.md differ: %s", diff)
	}
}

func TestLossyChangesNeedConsentAndNameRenamesThatAvoidThem(t *testing.T) {
	t.Parallel()
	delta := mustDiff(t, shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("titles", 40)}))
	err := delta.Allowed(false)
	var destructive *schema.DestructiveError
	if !errors.Is(err, schema.ErrDestructive) || !errors.As(err, &destructive) || len(destructive.Changes) != 1 {
		t.Fatalf("error is %v", err)
	}
	for _, word := range []string{"attribute shop/products/title", "drop-attribute", "shop.products.title=titles"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in %v", word, err)
		}
	}
	if err := delta.Allowed(true); err != nil {
		t.Error(err)
	}
	if err := mustDiff(t, shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("title", 50)})).Allowed(false); err != nil {
		t.Error(err)
	}
}

func TestRenameCandidatesAreScoredByLikeness(t *testing.T) {
	t.Parallel()
	integer := schema.Attribute{Key: "title_text", Type: "integer"}
	delta := mustDiff(t,
		shopOf([]schema.Attribute{text("title", 40), text("colour", 20)}),
		shopOf([]schema.Attribute{text("Title", 40), text("hue", 20), integer}))
	if len(delta.Candidates) != 1 || delta.Candidates[0].String() != "shop.products.title=Title" || delta.Candidates[0].Score < 0.85 {
		t.Fatalf("candidates are %+v", delta.Candidates)
	}
	for _, c := range delta.Candidates {
		if c.To == "title_text" {
			t.Errorf("attributes of different types are alike: %+v", c)
		}
		if c.Score < 0.5 || c.Score > 1 || len(c.Reasons) == 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestRenamesAndFillsAreReadAndHeldAgainstTheModels(t *testing.T) {
	t.Parallel()
	dotted := schema.Model{Databases: []schema.Database{{ID: "a.b", Collections: []schema.Collection{
		{ID: "c", Attributes: []schema.Attribute{text("d", 40), {Key: "n", Type: "integer", Max: "9"}}},
	}}}}
	for _, path := range []string{"a.b.c.d=e", "a.b/c/d=e"} {
		r, err := schema.ParseRename(dotted, path)
		if err != nil || r != (schema.Rename{Database: "a.b", Collection: "c", From: "d", To: "e"}) {
			t.Errorf("%s: %+v, %v", path, r, err)
		}
	}
	for text, want := range map[string]string{`a.b.c.d=12`: `"12"`, `a.b.c.d="x"`: `"x"`, `a.b.c.n=7`: `7`} {
		f, err := schema.ParseFill(dotted, text)
		if err != nil || string(f.Value) != want {
			t.Errorf("%s: %s, %v", text, f.Value, err)
		}
	}
	for _, text := range []string{"a.b.c.d", "a.b.c.x=e", "a.b.c.d="} {
		if _, err := schema.ParseRename(dotted, text); err == nil {
			t.Errorf("rename %s is taken", text)
		}
	}
	for _, text := range []string{"a.b.c.n=10", "a.b.c.n=x", "a.b.c.n=null", "a.b.c.y=1"} {
		if _, err := schema.ParseFill(dotted, text); err == nil {
			t.Errorf("fill %s is taken", text)
		}
	}
	one, two := shopOf([]schema.Attribute{text("title", 40)}), shopOf([]schema.Attribute{text("title", 40), text("name", 40)})
	for _, r := range []schema.Rename{
		{Database: "shop", Collection: "gone", From: "title", To: "name"},
		{Database: "shop", Collection: "products", From: "x", To: "name"},
		{Database: "shop", Collection: "products", From: "title", To: "x"},
		{Database: "shop", Collection: "products", From: "title", To: "name"},
	} {
		if _, err := schema.Diff(one, two, schema.WithRenames(r)); err == nil {
			t.Errorf("rename %s is taken", r)
		}
	}
}

func TestDiffTakesNoNoticeOfOrdersAndLengthsOfLists(t *testing.T) {
	t.Parallel()
	limits, err := schema.LimitsFor("1.8.1")
	if err != nil {
		t.Fatal(err)
	}
	tags := text("tags", 20)
	tags.Array = true
	by := schema.Index{Key: "by", Type: "key", Attributes: []string{"tags"}}
	declared := by
	declared.Orders, declared.Lengths = []string{"DESC"}, []int{10}
	delta := mustDiff(t, shopOf([]schema.Attribute{tags}, by), shopOf([]schema.Attribute{tags}, declared), schema.WithLimits(limits))
	if !delta.Empty() {
		t.Errorf("changes are %v", delta.Changes)
	}
}
