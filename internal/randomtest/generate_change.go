package randomtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

func (g generator) createDocument() engine.Step {
	id, c, ok := g.collection()
	key := g.fresh("doc")
	if !ok || len(c.Attributes) == 0 || c.Documents[key] != nil {
		return nil
	}
	data := g.fields(c, true)
	if len(data) == 0 {
		return nil
	}
	doc := maps.Clone(data)
	c.fill(doc)
	c.Documents[key] = doc
	return steps.CreateDocument{Database: id[0], Collection: id[1], ID: key, Data: data}
}

func (g generator) updateDocument() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "document", c.Documents, c.fits)
	data := g.fields(c, false)
	g.spare(c, c.Documents[key], data)
	if key == "" || len(data) == 0 {
		return nil
	}
	c.write(c.Documents[key], data, g.model.Fills)
	return steps.UpdateDocument{Database: id[0], Collection: id[1], ID: key, Data: data}
}

// spare leaves out what could not be undone: where writing fills nulls, nothing
// puts null back under a default.
func (g generator) spare(c *Collection, doc, data map[string]any) {
	for key := range data {
		if doc != nil && g.model.Fills && doc[key] == nil && c.Attributes[key].Default != nil {
			delete(data, key)
		}
	}
}

func (g generator) upsertDocument() engine.Step {
	id, c, ok := g.collection()
	if !ok || len(c.Attributes) == 0 {
		return nil
	}
	key := pick(g, "document", c.Documents, c.fits)
	if key == "" || rapid.Bool().Draw(g.t, "new") {
		key = g.fresh("up")
	}
	data := g.fields(c, true)
	g.spare(c, c.Documents[key], data)
	if len(data) == 0 {
		return nil
	}
	if doc := c.Documents[key]; doc != nil {
		c.write(doc, data, g.model.Fills)
	} else {
		c.Documents[key] = maps.Clone(data)
		c.fill(c.Documents[key])
	}
	return steps.UpsertDocument{Database: id[0], Collection: id[1], ID: key, Data: data}
}

func (g generator) deleteDocument() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "document", c.Documents, c.fits)
	if key == "" {
		return nil
	}
	delete(c.Documents, key)
	return steps.DeleteDocument{Database: id[0], Collection: id[1], ID: key}
}

func (g generator) increment() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	attribute := pick(g, "attribute", c.Attributes, func(at Attribute) bool { return at.Type == "integer" })
	key := pick(g, "document", c.Documents, func(doc map[string]any) bool { return c.filled(doc) && doc[attribute] != nil })
	if attribute == "" || key == "" {
		return nil
	}
	now, _ := strconv.ParseInt(c.Documents[key][attribute].(json.Number).String(), 10, 64)
	c.Documents[key][attribute] = json.Number(strconv.FormatInt(now+3, 10))
	return steps.Increment{Database: id[0], Collection: id[1], ID: key, Attribute: attribute, By: "3", AllowRace: true}
}

func (g generator) createIndex() engine.Step {
	id, c, ok := g.collection()
	if !ok || len(c.Indexes) > 3 {
		return nil
	}
	key := g.fresh("ix")
	attribute := pick(g, "attribute", c.Attributes, nil)
	if _, taken := c.Indexes[key]; attribute == "" || taken {
		return nil
	}
	c.Indexes[key] = Index{"key", []string{attribute}}
	return steps.CreateIndex{Database: id[0], Collection: id[1], Key: key, Type: "key", Attributes: []string{attribute}}
}

func (g generator) deleteIndex() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "index", c.Indexes, nil)
	if key == "" {
		return nil
	}
	delete(c.Indexes, key)
	return steps.DeleteIndex{Database: id[0], Collection: id[1], Key: key}
}

func (g generator) renameAttribute() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "attribute", c.Attributes, nil)
	renamed := g.fresh("r")
	if _, taken := c.Attributes[renamed]; key == "" || taken {
		return nil
	}
	c.Attributes[renamed] = c.Attributes[key]
	delete(c.Attributes, key)
	for _, doc := range c.Documents {
		doc[renamed] = doc[key]
		delete(doc, key)
	}
	for name, ix := range c.Indexes {
		if i := slices.Index(ix.Attributes, key); i >= 0 {
			ix.Attributes[i] = renamed
			c.Indexes[name] = ix
		}
	}
	return steps.RenameAttribute{Database: id[0], Collection: id[1], Key: key, NewKey: renamed}
}

func (g generator) deleteAttribute() engine.Step {
	id, c, ok := g.collection()
	if !ok || len(c.Attributes) < 2 {
		return nil
	}
	key := pick(g, "attribute", c.Attributes, nil)
	delete(c.Attributes, key)
	for _, doc := range c.Documents {
		delete(doc, key)
	}
	for name, ix := range c.Indexes {
		if slices.Contains(ix.Attributes, key) {
			delete(c.Indexes, name)
		}
	}
	return steps.DeleteAttribute{Database: id[0], Collection: id[1], Key: key}
}

func (g generator) updateCollection() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	name := g.fresh("named")
	c.Name = name
	return steps.UpdateCollection{Database: id[0], ID: id[1], Name: name}
}

func (g generator) growAttribute() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "attribute", c.Attributes, func(at Attribute) bool { return at.Type == "string" })
	if key == "" {
		return nil
	}
	at := c.Attributes[key]
	at.Size += 10
	c.Attributes[key] = at
	return steps.UpdateAttribute{Database: id[0], Collection: id[1], Key: key, Size: at.Size}
}

// changeDefault sets or clears a default.
func (g generator) changeDefault() engine.Step {
	id, c, ok := g.collection()
	if !ok {
		return nil
	}
	key := pick(g, "attribute", c.Attributes, func(at Attribute) bool { return !at.Required })
	if key == "" {
		return nil
	}
	at := c.Attributes[key]
	step := steps.UpdateAttribute{Database: id[0], Collection: id[1], Key: key}
	if at.Default != nil && rapid.Bool().Draw(g.t, "clear") {
		at.Default, step.Default = nil, json.RawMessage("null")
	} else {
		at.Default = g.value(at.Type)
		step.Default = encoded(at.Default)
		g.model.hadDefault(id, at.Default)
	}
	c.Attributes[key] = at
	return step
}

func (g generator) deleteCollection() engine.Step {
	id, _, ok := g.collection()
	if !ok || rapid.IntRange(0, 2).Draw(g.t, "keep") > 0 {
		return nil
	}
	delete(g.model.Databases[id[0]].Collections, id[1])
	return steps.DeleteCollection{Database: id[0], ID: id[1]}
}

func (g generator) deleteDatabase() engine.Step {
	id, ok := g.database()
	if !ok || rapid.IntRange(0, 4).Draw(g.t, "keep") > 0 {
		return nil
	}
	delete(g.model.Databases, id)
	return steps.DeleteDatabase{ID: id}
}
