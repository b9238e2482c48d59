package randomtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// Migration draws steps that work one after the other on model, which is
// changed as they would change it.
func Migration(t *rapid.T, model *Model, length int) []engine.Step {
	var drawn []engine.Step
	for len(drawn) < length {
		g := generator{t: t, model: model, n: len(drawn)}
		step := g.step()
		if step == nil {
			continue
		}
		if err := steps.Validate(step); err != nil {
			t.Fatalf("the generator made an invalid step: %v", err)
		}
		drawn = append(drawn, step)
	}
	return drawn
}

// generator draws one step.
type generator struct {
	t     *rapid.T
	model *Model
	n     int
}

func (g generator) step() engine.Step {
	kinds := []func() engine.Step{
		g.createDatabase, g.createCollection, g.createCollection, g.createAttribute, g.createAttribute,
		g.createAttribute, g.createDocument, g.createDocument, g.createIndex, g.updateDocument,
		g.deleteDocument, g.renameAttribute, g.deleteAttribute, g.deleteIndex, g.updateCollection,
		g.growAttribute, g.changeDefault, g.upsertDocument, g.increment, g.deleteCollection, g.deleteDatabase,
	}
	return rapid.SampledFrom(kinds).Draw(g.t, "kind")()
}

// Breaking draws a step that cannot be done on model: it creates what exists.
func Breaking(t *rapid.T, model *Model) engine.Step {
	g := generator{t: t, model: model}
	if id, c, ok := g.collection(); ok {
		return steps.CreateCollection{Database: id[0], ID: id[1], Name: c.Name}
	}
	if id, ok := g.database(); ok {
		return steps.CreateDatabase{ID: id, Name: "again"}
	}
	return steps.CreateCollection{Database: model.ID("nowhere"), ID: "c", Name: "c"}
}

func (g generator) database() (string, bool) {
	ids := slices.Sorted(maps.Keys(g.model.Databases))
	if len(ids) == 0 {
		return "", false
	}
	return rapid.SampledFrom(ids).Draw(g.t, "database"), true
}

func (g generator) collection() ([2]string, *Collection, bool) {
	var ids [][2]string
	for _, id := range slices.Sorted(maps.Keys(g.model.Databases)) {
		for _, cid := range slices.Sorted(maps.Keys(g.model.Databases[id].Collections)) {
			ids = append(ids, [2]string{id, cid})
		}
	}
	if len(ids) == 0 {
		return [2]string{}, nil, false
	}
	id := rapid.SampledFrom(ids).Draw(g.t, "collection")
	return id, g.model.Databases[id[0]].Collections[id[1]], true
}

// pick draws a key of a map, "" from an empty one.
func pick[V any](g generator, label string, m map[string]V, ok func(V) bool) string {
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if ok == nil || ok(m[k]) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return rapid.SampledFrom(keys).Draw(g.t, label)
}

func (g generator) fresh(prefix string) string { return fmt.Sprintf("%s%d", prefix, g.n) }

func (g generator) createDatabase() engine.Step {
	if len(g.model.Databases) > 1 {
		return nil
	}
	id := g.model.ID(g.fresh("db"))
	if g.model.Databases[id] != nil {
		return nil
	}
	g.model.Databases[id] = &Database{Name: id, Collections: map[string]*Collection{}}
	return steps.CreateDatabase{ID: id, Name: id}
}

func (g generator) createCollection() engine.Step {
	db, ok := g.database()
	id := g.fresh("col")
	if !ok || g.model.Databases[db].Collections[id] != nil {
		return nil
	}
	c := &Collection{Name: id, Attributes: map[string]Attribute{}, Indexes: map[string]Index{}, Documents: map[string]map[string]any{}}
	if rapid.Bool().Draw(g.t, "open") {
		c.Permissions = []string{`read("any")`}
	}
	g.model.Databases[db].Collections[id] = c
	return steps.CreateCollection{Database: db, ID: id, Name: id, Permissions: c.Permissions}
}

func (g generator) createAttribute() engine.Step {
	id, c, ok := g.collection()
	key := g.fresh("a")
	if _, taken := c.attribute(key); !ok || taken || len(c.Attributes) > 5 {
		return nil
	}
	at := Attribute{Type: rapid.SampledFrom([]string{"string", "integer", "boolean"}).Draw(g.t, "type")}
	switch rapid.IntRange(0, 2).Draw(g.t, "shape") {
	case 0:
		at.Required = len(c.Documents) == 0
	case 1:
		at.Default = g.value(at.Type)
		g.model.hadDefault(id, at.Default)
	}
	if at.Type == "string" {
		at.Size = 20
	}
	c.Attributes[key] = at
	return steps.CreateAttribute{
		Database: id[0], Collection: id[1], Key: key, Type: at.Type, Size: at.Size,
		Required: at.Required, Default: encoded(at.Default),
	}
}

func (c *Collection) attribute(key string) (Attribute, bool) {
	if c == nil {
		return Attribute{}, false
	}
	at, ok := c.Attributes[key]
	return at, ok
}

func encoded(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	return json.RawMessage(text(v))
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (g generator) value(kind string) any {
	switch kind {
	case "string":
		return rapid.SampledFrom([]string{"", "a", "lamp", "0", "ß"}).Draw(g.t, "text")
	case "integer":
		return json.Number(fmt.Sprint(rapid.Int64Range(-5, 1<<40).Draw(g.t, "number")))
	default:
		return rapid.Bool().Draw(g.t, "flag")
	}
}

// fields draws values for some attributes, for all that are required.
func (g generator) fields(c *Collection, all bool) map[string]any {
	data := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(c.Attributes)) {
		at := c.Attributes[key]
		if (at.Required && all) || rapid.Bool().Draw(g.t, "set") {
			data[key] = g.value(at.Type)
		}
	}
	return data
}
