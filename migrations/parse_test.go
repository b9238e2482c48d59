package migrations_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// example is the migration that the documents show.
const example = `description: Product catalogue
database: shop
steps:
  - create_collection: { id: products, name: Products, permissions: ['read("any")'] }
  - create_attribute:  { collection: products, key: title, type: string, size: 255, required: true }
  - create_index:      { collection: products, key: by_title, type: key, attributes: [title] }
  - create_document:   { collection: products, id: lamp, data: { title: Lamp } }
`

const exampleName = "migrations/20261121093000_create_products.yaml"

func parse(t *testing.T, text string) *migrations.Migration {
	t.Helper()
	m, err := migrations.Parse(exampleName, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func checksum(t *testing.T, m *migrations.Migration) string {
	t.Helper()
	sum, err := m.Checksum()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestParseReadsTheExample(t *testing.T) {
	t.Parallel()
	m := parse(t, example)
	if m.Version != "20261121093000" || m.Name != "create_products" || m.Description != "Product catalogue" || m.HasDown {
		t.Errorf("read %+v", m)
	}
	var lines []string
	for _, step := range m.Up {
		lines = append(lines, step.ID+" "+step.Change.Target().String()+" at "+step.At.String())
	}
	want := []string{
		"create_collection-1 collection shop/products at migrations/20261121093000_create_products.yaml:4:5",
		"create_attribute-2 attribute shop/products/title at migrations/20261121093000_create_products.yaml:5:5",
		"create_index-3 index shop/products/by_title at migrations/20261121093000_create_products.yaml:6:5",
		"create_document-4 document shop/products/lamp at migrations/20261121093000_create_products.yaml:7:5",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameStepsHaveTheSameChecksumInAnyWordsAndFormat(t *testing.T) {
	t.Parallel()
	built := migrations.New("20261121093000", "create_products", func(s *steps.Builder) {
		products := s.Database("shop").Collection("products")
		products.Create("Products", steps.Permissions(`read("any")`))
		products.String("title", 255).Required()
		products.Index("by_title", steps.Key, "title")
		products.Document("lamp").Create(map[string]any{"title": "Lamp"})
	})
	if _, err := migrations.NewSet(built); err != nil {
		t.Fatal(err)
	}
	want := checksum(t, parse(t, example))
	tables := `# The same in TablesDB's words, keys in another order, in block style.
steps:
  - create_table:
      name: "Products"
      id: products
      database: shop
      permissions:
        - read("any")
  - create_column: { required: true, type: string, key: title, table: products, size: 255, database: shop }
  - create_index: { table: products, key: by_title, type: key, columns: [title], database: shop }
  - create_row: { table: products, id: lamp, data: { title: Lamp }, database: shop }
down:
  - delete_table: { id: products, database: shop }
`
	for name, m := range map[string]*migrations.Migration{
		"TablesDB words": parse(t, tables), "Go": built, "a byte order mark": parse(t, "\ufeff"+example),
	} {
		if got := checksum(t, m); got != want {
			t.Errorf("%s: checksum %s, want %s", name, got, want)
		}
	}
	other := strings.Replace(example, "size: 255", "size: 256", 1)
	if checksum(t, parse(t, other)) == want {
		t.Error("another size has the same checksum")
	}
}

func TestNumbersKeepEveryDigit(t *testing.T) {
	t.Parallel()
	m := parse(t, `database: d
steps:
  - create_document:
      collection: c
      id: x
      data: { int64: 9223372036854775807, long: 179769313486231570000000000000, e: 1e5, hex: 0x10, plus: +7, point: .5, under: 1_000, text: "007", day: 2026-11-21 }
`)
	step, ok := m.Up[0].Change.(steps.CreateDocument)
	if !ok {
		t.Fatalf("step is %T", m.Up[0].Change)
	}
	got := map[string]string{}
	for key, v := range step.Data {
		got[key] = strings.TrimSpace(sprint(v))
	}
	want := map[string]string{
		"int64": "9223372036854775807", "long": "179769313486231570000000000000", "e": "1e5", "hex": "16", "plus": "7",
		"point": "0.5", "under": "1000", "text": "007", "day": "2026-11-21",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesAreToldWithPlaceAndHint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":         {"stepz: []\nsteps:\n  - assert: {database: d, exists: true}\n", `:1:1: unknown key "stepz": a migration has description, hold, replaces, database, steps, down (did you mean steps?)`},
		"unknown kind":        {"steps:\n  - create_colection: {id: a}\n", `:2:5: unknown kind of step "create_colection" (did you mean create_collection?)`},
		"unknown table kind":  {"steps:\n  - create_tabel: {id: a}\n", `(did you mean create_table?)`},
		"unknown field":       {"database: d\nsteps:\n  - create_attribute: {collection: c, key: k, type: string, sise: 5}\n", `:3:61: create_attribute has no field "sise"`},
		"nearest field":       {"database: d\nsteps:\n  - create_attribute: {collection: c, key: k, type: string, sise: 5}\n", `(did you mean size?)`},
		"field of an inverse": {"database: d\nsteps:\n  - update_database: {id: d, expect: {}}\n", `has no field "expect"`},
		"wrong type":          {"database: d\nsteps:\n  - create_collection: {id: 5, name: N}\n", `:3:29: id must be a string, not a number: quote it if it is text`},
		"wrong flag":          {"database: d\nsteps:\n  - create_collection: {id: c, name: N, enabled: yes}\n", `enabled must be true or false, not a string`},
		"no database":         {"steps:\n  - delete_collection: {id: c}\n", `delete_collection needs database (did you mean a line "database: …" at the top`},
		"missing field":       {"database: d\nsteps:\n  - create_index: {collection: c, key: k, type: key}\n", `:3:5: create_index needs attributes`},
		"both words":          {"database: d\nsteps:\n  - delete_attribute: {collection: c, table: c, key: k}\n", `:3:39: "collection" and its other name are both given`},
		"duplicate key":       {"database: d\ndatabase: e\nsteps: []\n", `:2:1: mapping key "database" already defined`},
		"duplicate id":        {"database: d\nsteps:\n  - id: a\n    delete_collection: {id: c}\n  - id: a\n    delete_collection: {id: b}\n", `step id "a" is taken by the step on line 4`},
		"two kinds":           {"database: d\nsteps:\n  - delete_collection: {id: c}\n    delete_database: {id: c}\n", `:4:5: "delete_database" beside "delete_collection"`},
		"no steps":            {"description: x\n", `a migration needs steps`},
		"empty steps":         {"steps: []\n", `a migration needs at least one step`},
		"empty file":          {"# nothing\n", `:1:1: the file is empty`},
		"two documents":       {"steps: []\n---\nsteps: []\n", `:3:1: a second YAML document begins here`},
		"anchor":              {"database: &d shop\nsteps: []\n", `:1:11: anchors, aliases and merge keys are not taken`},
		"octal or decimal":    {"database: d\nsteps:\n  - create_document: {collection: c, id: x, data: {a: 010}}\n", `010 can be read as octal or as decimal`},
		"own rule":            {"database: d\nsteps:\n  - create_collection: {id: _c, name: N}\n", `:3:29: create_collection: id "_c"`},
		"bad attribute":       {"database: d\nsteps:\n  - create_attribute: {collection: c, key: k, type: sting, size: 5}\n", `:3:53: create_attribute: type "sting"`},
		"retry":               {"database: d\nsteps:\n  - delete_collection: {id: c}\n    retry: {budget: 5}\n", `:4:21: retry.budget must be text such as 1m30s`},
		"unclosed":            {"steps: [\n", `:1:8: `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := migrations.Parse(exampleName, []byte(c.text))
			var syntax *migrations.SyntaxError
			if !errors.As(err, &syntax) || !errors.Is(err, migrations.ErrMalformed) {
				t.Fatalf("error is %v", err)
			}
			var all []string
			for _, p := range syntax.Problems {
				all = append(all, p.String())
			}
			if !strings.Contains(strings.Join(all, "\n"), c.want) {
				t.Errorf("problems are\n%s\nwant %s", strings.Join(all, "\n"), c.want)
			}
		})
	}
}

func TestEveryMistakeOfAFileIsToldAndShown(t *testing.T) {
	t.Parallel()
	_, err := migrations.Parse(exampleName, []byte("database: d\nsteps:\n  - create_colection: {id: a}\n  - create_index: {colection: c}\n"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"20261121093000_create_products.yaml:3:5: unknown kind", "    3 |   - create_colection: {id: a}\n      |     ^",
		"20261121093000_create_products.yaml:4:20: create_index has no field \"colection\"", "      |                    ^",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestLoadTakesYAMLFilesOnlyAndTellsEveryBrokenOne(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	folder := fstest.MapFS{
		"m/20260101000000_a.yaml": file(example), "m/20250101000000_b.yml": file(example), "m/README.md": file("# hello"),
		"m/backstep.sum": file(""), "m/sub/20260101000000_c.yaml": file("nonsense"), "m/.hidden.yaml": file("nonsense"),
	}
	set, err := migrations.LoadSet(folder, "m", migrations.New("20250601000000", "built", func(s *steps.Builder) { s.Database("d").Create("D") }))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range set.All() {
		ids = append(ids, m.ID())
	}
	if diff := cmp.Diff([]string{"20250101000000_b", "20250601000000_built", "20260101000000_a"}, ids); diff != "" {
		t.Error(diff)
	}
	folder["m/products.yaml"] = file(example)
	folder["m/20260101000001_x.yaml"] = file("steps: {}")
	_, err = migrations.LoadSet(folder, "m")
	for _, want := range []string{"m/products.yaml: a migration file is called", "m/20260101000001_x.yaml:1:8: steps must be a list"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestNewSetRefusesTwoMigrationsOfOneVersion(t *testing.T) {
	t.Parallel()
	up := func(s *steps.Builder) { s.Database("d").Create("D") }
	_, err := migrations.NewSet(migrations.New("20250601000000", "a", up), migrations.New("20250601000000", "b", up))
	if !errors.Is(err, migrations.ErrDuplicate) || !strings.Contains(err.Error(), "a (built in Go) and b (built in Go)") {
		t.Errorf("error is %v", err)
	}
	for name, m := range map[string]*migrations.Migration{
		"version": migrations.New("2025", "a", up), "name": migrations.New("20250601000000", "a b", up),
		"steps": migrations.New("20250601000000", "a", func(*steps.Builder) {}),
		"step":  migrations.New("20250601000000", "a", func(s *steps.Builder) { s.Database("_").Create("D") }),
	} {
		if _, err := migrations.NewSet(m); !errors.Is(err, migrations.ErrMalformed) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestWriteIsReadBackAsTheSameSteps(t *testing.T) {
	t.Parallel()
	m := parse(t, `database: shop
steps:
  - create_collection: { id: products, name: "Products: \"new\" & <old>", permissions: ['read("any")'], enabled: false }
  - create_attribute: { collection: products, key: "true", type: enum, elements: ["yes", "0x1", "a b", "ä", "#", "5"], default: "5" }
  - create_attribute: { collection: products, key: n, type: integer, min: -9223372036854775808, max: 9007199254740993, default: 3 }
    retry: { attempts: 3, budget: 1m30s }
  - create_document: { collection: products, id: x, data: { a: [1, 1.5, null, true, {"b c": "d\ne\u0001"}], z: 123456789012345678901234567890 } }
  - assert: { collection: products, count: 1, where: [{method: equal, attribute: a, values: [1]}] }
`)
	var b strings.Builder
	if err := migrations.Write(&b, "It's: new", migrations.Changes(m.Up), "imported\nfrom x"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "# imported\n# from x\ndescription: \"It's: new\"\ndatabase: shop\nsteps:\n") {
		t.Errorf("written:\n%s", b.String())
	}
	again := parse(t, b.String())
	if checksum(t, again) != checksum(t, m) || again.Description != "It's: new" {
		t.Errorf("read back differently:\n%s", b.String())
	}
}
