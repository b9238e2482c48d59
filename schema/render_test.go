package schema_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/schema"
)

// library is a model with one of everything that renderings tell apart.
func library() schema.Model {
	return schema.Model{Databases: []schema.Database{{ID: "lib", Name: "Library", Enabled: true, Collections: []schema.Collection{
		{
			ID: "books", Name: "Books", Enabled: true, DocumentSecurity: true, Permissions: []string{`write("users")`, `read("any")`},
			Attributes: []schema.Attribute{
				{Key: "title", Type: "string", Size: 80, Required: true},
				{Key: "isbn.13", Type: "string", Size: 13},
				{Key: "tags", Type: "string", Size: 10, Array: true},
				{Key: "state", Type: "enum", Elements: []string{"in", "out"}, Default: json.RawMessage(`"in"`)},
				{Key: "price", Type: "float", Min: "0", Max: "99.50"},
				{Key: "notes", Type: "text", Encrypt: true},
				{Key: "author", Type: "relationship", Relationship: &schema.Relationship{Related: "authors", Type: "manyToOne", TwoWay: true, TwoWayKey: "books", OnDelete: "setNull"}},
			},
			Indexes: []schema.Index{
				{Key: "by_isbn", Type: "unique", Attributes: []string{"isbn.13"}},
				{Key: "by_title", Type: "key", Attributes: []string{"title", "state"}, Orders: []string{"ASC", "DESC"}, Lengths: []int{20}},
			},
		},
		{ID: "authors", Name: "Authors", Attributes: []schema.Attribute{{Key: "born", Type: "integer", Min: "1000"}}},
	}}}}
}

// rendered gives what one of the writers writes.
func rendered(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAModelAsTextIsATreeInOrder(t *testing.T) {
	t.Parallel()
	got := rendered(t, func(b *strings.Builder) error { return schema.Text(b, library()) })
	want := `  database lib  "Library"
    collection authors  "Authors", disabled
      born      integer, from 1000
    collection books    "Books", document security, read("any") create("users") update("users") delete("users")
      author    manyToOne authors, there books, on delete setNull
      isbn.13   string(13)
      notes     text, encrypted
      price     float, 0 to 99.5
      state     enum(in | out), default "in"
      tags      string(10)[]
      title     string(80), required
      by_isbn   unique index on isbn.13
      by_title  key index on title(20), state desc
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAModelAsMermaidHasEntitiesKeysAndRelationships(t *testing.T) {
	t.Parallel()
	got := rendered(t, func(b *strings.Builder) error { return schema.Mermaid(b, library()) })
	want := `erDiagram
    lib_authors["lib/authors"] {
        integer born "integer, from 1000"
    }
    lib_books["lib/books"] {
        string isbn_13 UK "isbn.13: string(13)"
        text notes "text, encrypted"
        float price "float, 0 to 99.5"
        enum state "enum(in | out), default 'in'"
        string[] tags "string(10)[]"
        string title "string(80), required"
    }
    lib_books }o--o| lib_authors : "author / books"
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAModelAsJSONIsItsCanonicalForm(t *testing.T) {
	t.Parallel()
	indented, err := schema.JSON(library())
	if err != nil {
		t.Fatal(err)
	}
	var compact strings.Builder
	var value any
	if err := json.Unmarshal(indented, &value); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&compact).Encode(value); err != nil {
		t.Fatal(err)
	}
	var same any
	if err := json.Unmarshal(canonical(t, library()), &same); err != nil || !cmp.Equal(value, same) {
		t.Errorf("%v: %s", err, cmp.Diff(value, same))
	}
	if !strings.Contains(string(indented), `"schema": "backstep/schema/v1"`) {
		t.Errorf("the form has no name:\n%s", indented)
	}
}

// changed is the library with one change of every kind.
func changed() schema.Model {
	m := library()
	books, authors := &m.Databases[0].Collections[0], &m.Databases[0].Collections[1]
	books.Name = "All books"
	books.Attributes[0].Size = 120
	books.Attributes[2] = schema.Attribute{Key: "shelf", Type: "string", Size: 10, Array: true}
	books.Indexes = books.Indexes[:1]
	authors.Enabled = true
	m.Databases[0].Collections = append(m.Databases[0].Collections, schema.Collection{ID: "loans", Name: "Loans", Enabled: true})
	return m
}

func TestADeltaAsTextMarksWhatComesGoesAndChanges(t *testing.T) {
	t.Parallel()
	delta, err := schema.Diff(library(), changed())
	if err != nil {
		t.Fatal(err)
	}
	got := rendered(t, func(b *strings.Builder) error { return delta.Text(b, library(), changed()) })
	for _, want := range []string{
		"  database lib\n", "~   collection authors  enabled false → true\n", `~   collection books    name Books → All books` + "\n",
		"+     shelf       string(10)[]\n", "-     tags        string(10)[]\n", "!       loses data  drop-attribute: ",
		"~     title       size 80 → 120\n", "-     by_title    key index on title(20), state desc\n", `+   collection loans    "Loans"` + "\n",
	} {
		if !strings.Contains(got, want) && !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestADeltaAsMermaidHoldsWhatItTouches(t *testing.T) {
	t.Parallel()
	delta, err := schema.Diff(library(), changed())
	if err != nil {
		t.Fatal(err)
	}
	got := rendered(t, func(b *strings.Builder) error { return delta.Mermaid(b, library(), changed()) })
	for _, want := range []string{
		`lib_loans["+ lib/loans"]`, `lib_books["~ lib/books"] {`, `string[] shelf "+ string(10)[]"`, `string[] tags "- string(10)[] ! drop-attribute"`,
		`string title "~ size 80 → 120"`, `index by_title "- key index on title(20), state desc"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "isbn") {
		t.Errorf("it holds what has not changed:\n%s", got)
	}
}

// mermaidLine holds the lines that Mermaid's grammar has for such diagrams.
var mermaidLine = regexp.MustCompile(`^(erDiagram|    \w+\["[^"]*"\]( \{)?|    \}|        [A-Za-z][\w\[\]]* [A-Za-z]\w*( UK)? "[^"]*"|    \w+ [|}]o--o[|{] \w+ : "[^"]*")$`)

func TestWhateverAModelHoldsItsDiagramIsMermaid(t *testing.T) {
	t.Parallel()
	models := taken(t, 200)
	strange := schema.Model{Databases: []schema.Database{{ID: "a.b", Name: `"`, Collections: []schema.Collection{
		{ID: "c-d", Name: "C", Attributes: []schema.Attribute{
			{Key: "9x", Type: "enum", Elements: []string{`say "hi"`, "two\nlines"}}, {Key: "x-y.z", Type: "boolean"},
		}}, {ID: "c.d", Name: "twin"}, {ID: "c_d", Name: "twin"},
	}}}}
	models[0] = strange
	for seed, m := range models {
		diagram := rendered(t, func(b *strings.Builder) error { return schema.Mermaid(b, m) })
		other := models[(seed+1)%200]
		if delta, err := schema.Diff(m, other); err == nil {
			diagram += rendered(t, func(b *strings.Builder) error { return delta.Mermaid(b, m, other) })
		}
		for line := range strings.Lines(diagram) {
			if line = strings.TrimRight(line, "\n"); !mermaidLine.MatchString(line) {
				t.Fatalf("seed %d: no Mermaid: %q", seed, line)
			}
		}
	}
	diagram := rendered(t, func(b *strings.Builder) error { return schema.Mermaid(b, strange) })
	for _, want := range []string{`a_b_c_d["a.b/c-d"]`, `a_b_c_d_2["a.b/c.d"]`, `a_b_c_d_3["a.b/c_d"]`, `boolean x_y_z "x-y.z: boolean"`, `enum x9x "9x: `} {
		if !strings.Contains(diagram, want) {
			t.Errorf("%s is not in\n%s", want, diagram)
		}
	}
}

func TestWhatAFieldDoesNotHaveIsCalledNone(t *testing.T) {
	t.Parallel()
	with := library()
	with.Databases[0].Collections[0].Attributes[0].Default = []byte(`"untitled"`)
	delta, err := schema.Diff(library(), with)
	if err != nil {
		t.Fatal(err)
	}
	want := `default none → "untitled"`
	if got := rendered(t, func(b *strings.Builder) error { return delta.Text(b, library(), with) }); !strings.Contains(got, want) {
		t.Errorf("%q is not in\n%s", want, got)
	}
	if len(delta.Changes) != 1 || !strings.Contains(delta.Changes[0].String(), want) {
		t.Errorf("%q is not in %v", want, delta.Changes)
	}
}
