package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/schema"
)

func canonical(t *testing.T, m schema.Model) []byte {
	t.Helper()
	data, err := schema.Canonical(m)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) {
		t.Fatalf("no JSON: %s", data)
	}
	return data
}

// taken gives the models of the untidy files that are taken, by their seed.
func taken(t *testing.T, files uint64) map[uint64]schema.Model {
	t.Helper()
	models := map[uint64]schema.Model{}
	for seed := range files {
		if file, err := read(untidy(rand.New(rand.NewPCG(seed, 0)))); err == nil {
			models[seed] = file.Model
		}
	}
	if len(models) < int(files)/10 {
		t.Fatalf("only %d of %d files are taken", len(models), files)
	}
	return models
}

func shuffle[T any](r *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// respelled says the same as m in other words: another order of everything that
// has none, repeated permissions, "write" for its three, numbers spelled
// otherwise, what Appwrite assumes said, two-way relationships at the other end.
func respelled(r *rand.Rand, m schema.Model) schema.Model {
	out := schema.Model{Databases: shuffle(r, m.Databases)}
	for i := range out.Databases {
		db := &out.Databases[i]
		db.Type = []string{"", "legacy", "tablesdb"}[r.IntN(3)]
		db.Collections = shuffle(r, db.Collections)
		for j := range db.Collections {
			c := &db.Collections[j]
			c.Permissions = respelledPermissions(r, c.Permissions)
			c.Attributes, c.Indexes = shuffle(r, c.Attributes), shuffle(r, c.Indexes)
			for k := range c.Attributes {
				c.Attributes[k] = respelledAttribute(r, c.Attributes[k])
			}
			for k := range c.Indexes {
				x := &c.Indexes[k]
				x.Orders = slices.Clone(x.Orders)
				for len(x.Orders) < len(x.Attributes) {
					x.Orders = append(x.Orders, "ASC")
				}
				x.Lengths = append(slices.Clone(x.Lengths), make([]int, len(x.Attributes)-len(x.Lengths))...)
			}
		}
		turnOne(r, db)
	}
	return out
}

func respelledPermissions(r *rand.Rand, list []string) []string {
	var out []string
	for _, p := range list {
		role := strings.TrimPrefix(p, "create")
		if role != p && slices.Contains(list, "update"+role) && slices.Contains(list, "delete"+role) {
			out = append(out, "write"+role)
		}
		out = append(out, p, strings.ReplaceAll(p, `"`, `'`))
	}
	return shuffle(r, out)
}

func respelledAttribute(r *rand.Rand, a schema.Attribute) schema.Attribute {
	spell := func(number string) string {
		if number == "" || strings.ContainsAny(number, `"[{eEtfn`) {
			return number
		}
		return []string{number, number + "e0", strings.TrimSuffix(number, ".0") + "e+00"}[r.IntN(3)]
	}
	a.Min, a.Max = json.Number(spell(string(a.Min))), json.Number(spell(string(a.Max)))
	switch {
	case a.Default == nil:
	case a.Default[0] == '"': // every letter as an escape
		text, b := "", strings.Builder{}
		if json.Unmarshal(a.Default, &text) == nil {
			for _, letter := range text {
				fmt.Fprintf(&b, `\u%04x`, letter)
			}
			a.Default = json.RawMessage(` "` + b.String() + `" `)
		}
	default:
		a.Default = json.RawMessage(spell(string(a.Default)))
	}
	return a
}

// turnOne declares one of the two-way relationships at its other end.
func turnOne(r *rand.Rand, db *schema.Database) {
	for i := range db.Collections {
		for j, a := range db.Collections[i].Attributes {
			if a.Relationship == nil || !a.Relationship.TwoWay || r.IntN(2) == 0 {
				continue
			}
			for k := range db.Collections {
				if db.Collections[k].ID != a.Relationship.Related {
					continue
				}
				other := map[string]string{"oneToMany": "manyToOne", "manyToOne": "oneToMany"}[a.Relationship.Type]
				turned := schema.Attribute{Key: a.Relationship.TwoWayKey, Type: a.Type, Relationship: &schema.Relationship{
					Related: db.Collections[i].ID, Type: other, TwoWay: true, TwoWayKey: a.Key, OnDelete: a.Relationship.OnDelete,
				}}
				if other == "" {
					turned.Relationship.Type = a.Relationship.Type
				}
				db.Collections[i].Attributes = slices.Delete(db.Collections[i].Attributes, j, j+1)
				db.Collections[k].Attributes = append(db.Collections[k].Attributes, turned)
				return
			}
		}
	}
}

func TestTheCanonicalFormIsStableUnderShufflingAndSpelling(t *testing.T) {
	t.Parallel()
	turned := 0
	for seed, m := range taken(t, 400) {
		want := canonical(t, m)
		for round := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, round))
			other := respelled(r, m)
			if got := canonical(t, other); !bytes.Equal(got, want) {
				t.Fatalf("seed %d, round %d: the same model in other words is\n%s\nnot\n%s", seed, round, got, want)
			}
			if diff := schema.Compare(m, other); len(diff) > 0 {
				t.Fatalf("seed %d, round %d: the same model in other words differs: %v", seed, round, diff)
			}
			if !bytes.Contains(want, []byte(`"two_way":true`)) {
				continue
			}
			turned++
		}
	}
	if turned == 0 {
		t.Error("no model with a two-way relationship was tried")
	}
}

// Every kind of change shows: the canonical form leaves nothing out that Compare sees.
func TestTwoModelsHaveOneCanonicalFormExactlyWhenNothingDiffers(t *testing.T) {
	t.Parallel()
	models := taken(t, 120)
	same, different := 0, 0
	for i, a := range models {
		for j, b := range models {
			if (i+j)%7 != 0 && i != j {
				continue
			}
			equal := bytes.Equal(canonical(t, a), canonical(t, b))
			if diff := schema.Compare(a, b); equal != (len(diff) == 0) {
				t.Fatalf("seeds %d and %d: same bytes %t, differences %v", i, j, equal, diff)
			}
			if equal {
				same++
			} else {
				different++
			}
		}
	}
	if same == 0 || different == 0 {
		t.Errorf("%d pairs same, %d different: the test compares nothing", same, different)
	}
}

func TestEveryFieldOfTheModelShowsInTheCanonicalForm(t *testing.T) {
	t.Parallel()
	base := func() schema.Model {
		return schema.Model{Databases: []schema.Database{{ID: "d", Name: "D", Enabled: true, Collections: []schema.Collection{
			{
				ID: "c", Name: "C", Enabled: true,
				Attributes: []schema.Attribute{{Key: "a", Type: "string", Size: 9}, {Key: "r", Type: "relationship", Relationship: &schema.Relationship{
					Related: "e", Type: "oneToOne", TwoWayKey: "c", OnDelete: "restrict",
				}}},
				Indexes: []schema.Index{{Key: "i", Type: "key", Attributes: []string{"a", "$id"}}},
			}, {ID: "e", Name: "E", Enabled: true},
		}}}}
	}
	type parts struct {
		d *schema.Database
		c *schema.Collection
		a *schema.Attribute
		r *schema.Relationship
		x *schema.Index
	}
	want := canonical(t, base())
	changes := map[string]func(parts){
		"database id":       func(p parts) { p.d.ID = "x" },
		"database name":     func(p parts) { p.d.Name = "x" },
		"database enabled":  func(p parts) { p.d.Enabled = false },
		"collection name":   func(p parts) { p.c.Name = "x" },
		"enabled":           func(p parts) { p.c.Enabled = false },
		"document security": func(p parts) { p.c.DocumentSecurity = true },
		"permissions":       func(p parts) { p.c.Permissions = []string{`read("any")`} },
		"key":               func(p parts) { p.a.Key = "b" },
		"type":              func(p parts) { p.a.Type = "varchar" },
		"size":              func(p parts) { p.a.Size = 10 },
		"required":          func(p parts) { p.a.Required = true },
		"array":             func(p parts) { p.a.Array = true },
		"default":           func(p parts) { p.a.Default = []byte(`""`) },
		"encrypt":           func(p parts) { p.a.Encrypt = true },
		"min":               func(p parts) { p.a.Min = "0" },
		"max":               func(p parts) { p.a.Max = "0" },
		"elements":          func(p parts) { p.a.Elements = []string{"x"} },
		"related":           func(p parts) { p.r.Related = "c" },
		"relation":          func(p parts) { p.r.Type = "manyToMany" },
		"two-way":           func(p parts) { p.r.TwoWay = true },
		"two-way key":       func(p parts) { p.r.TwoWayKey = "x" },
		"on delete":         func(p parts) { p.r.OnDelete = "cascade" },
		"index key":         func(p parts) { p.x.Key = "x" },
		"index type":        func(p parts) { p.x.Type = "unique" },
		"index attributes":  func(p parts) { p.x.Attributes = []string{"$id", "a"} },
		"orders":            func(p parts) { p.x.Orders = []string{"ASC", "DESC"} },
		"lengths":           func(p parts) { p.x.Lengths = []int{5} },
	}
	for name, change := range changes {
		m := base()
		d := &m.Databases[0]
		c := &d.Collections[0]
		change(parts{d: d, c: c, a: &c.Attributes[0], r: c.Attributes[1].Relationship, x: &c.Indexes[0]})
		if bytes.Equal(canonical(t, m), want) {
			t.Errorf("%s: the change does not show", name)
		}
		if len(schema.Compare(base(), m)) == 0 {
			t.Errorf("%s: Compare does not see the change", name)
		}
	}
}
