// Package randomtest makes random migrations and knows, by a model of its own,
// what they should lead to. Its test runs them with random faults and crashes.
package randomtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Model is what a project should hold, in the few words that matter.
type Model struct {
	Databases map[string]*Database
	// ID gives the id of a database that migrations call by a name.
	ID func(name string) string
	// Fills says that a write to a document puts defaults where its other
	// fields are null. 1.7 has no other way to write; on later servers steps
	// write so that null stays, as long as there are no relationships.
	Fills bool

	// defaults are all that attributes of a collection have ever had, by the
	// collection's path. Clones share them.
	defaults map[string]map[string]bool
}

// Database is a database of a Model.
type Database struct {
	Name        string
	Collections map[string]*Collection
}

// Collection is a collection of a Model.
type Collection struct {
	Name        string
	Permissions []string
	Attributes  map[string]Attribute
	Indexes     map[string]Index
	Documents   map[string]map[string]any
}

// Attribute is an attribute of a Model.
type Attribute struct {
	Type     string // string, integer or boolean
	Size     int64
	Required bool
	Default  any // nil: none
}

// Index is an index of a Model.
type Index struct {
	Type       string
	Attributes []string
}

// NewModel is an empty project, or the empty part of one whose databases have
// the ids that id gives, on a server that fills nulls when it writes or not.
func NewModel(id func(name string) string, fills bool) *Model {
	return &Model{Databases: map[string]*Database{}, ID: id, Fills: fills, defaults: map[string]map[string]bool{}}
}

// Clone copies the model so deeply that neither sees the other's changes.
func (m *Model) Clone() *Model {
	out := NewModel(m.ID, m.Fills)
	out.defaults = m.defaults
	for id, d := range m.Databases {
		nd := &Database{Name: d.Name, Collections: map[string]*Collection{}}
		for cid, c := range d.Collections {
			nc := &Collection{
				Name: c.Name, Permissions: slices.Clone(c.Permissions),
				Attributes: maps.Clone(c.Attributes), Indexes: map[string]Index{}, Documents: map[string]map[string]any{},
			}
			for k, ix := range c.Indexes {
				nc.Indexes[k] = Index{ix.Type, slices.Clone(ix.Attributes)}
			}
			for k, doc := range c.Documents {
				nc.Documents[k] = maps.Clone(doc)
			}
			nd.Collections[cid] = nc
		}
		out.Databases[id] = nd
	}
	return out
}

// hadDefault remembers a default that documents may have been filled with.
func (m *Model) hadDefault(collection [2]string, value any) {
	path := collection[0] + "/" + collection[1]
	if m.defaults[path] == nil {
		m.defaults[path] = map[string]bool{}
	}
	m.defaults[path][text(value)] = true
}

// fill replaces absent values by defaults, as the server does when it creates a
// document.
func (c *Collection) fill(doc map[string]any) {
	for key, at := range c.Attributes {
		if doc[key] == nil {
			doc[key] = at.Default
		}
	}
}

// write changes fields of a document. A write that changes nothing is none, so
// that it fills in no defaults either.
func (c *Collection) write(doc, data map[string]any, fills bool) {
	changed := false
	for key, value := range data {
		changed = changed || doc[key] != value
		doc[key] = value
	}
	if changed && fills {
		c.fill(doc)
	}
}

// fits says whether the server would take the document: nothing required is
// missing.
func (c *Collection) fits(doc map[string]any) bool {
	for key, at := range c.Attributes {
		if at.Required && doc[key] == nil {
			return false
		}
	}
	return true
}

// filled says whether a write would leave the document's other fields alone:
// nothing is missing and no default is waiting. 1.7 increments by writing the
// document, later servers do not.
func (c *Collection) filled(doc map[string]any) bool {
	for key, at := range c.Attributes {
		if doc[key] == nil && (at.Required || at.Default != nil) {
			return false
		}
	}
	return true
}

// Describe gives each object's path and what it should look like, comparable
// with Observed.
func (m *Model) Describe() map[string]string {
	return m.describe(func(string, string) any { return nil })
}

// DescribeUndone is Describe for a project in which changes have been undone.
// Where writing fills, nothing can put null back under a default, so a field
// that should be null may hold what was the default at some time.
func (m *Model) DescribeUndone(observed map[string]string) map[string]string {
	if !m.Fills {
		return m.Describe()
	}
	return m.describe(func(path, key string) any {
		var document struct{ Data map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(observed[path]), &document); err != nil {
			return nil
		}
		collection, _, _ := strings.Cut(path, "/documents/")
		if value := document.Data[key]; m.defaults[collection][string(value)] {
			return value
		}
		return nil
	})
}

// describe is Describe; instead gives what is there where null should be.
func (m *Model) describe(instead func(path, key string) any) map[string]string {
	out := map[string]string{}
	for id, d := range m.Databases {
		out[id] = line(map[string]any{"name": d.Name, "enabled": true})
		for cid, c := range d.Collections {
			path := id + "/" + cid
			permissions := c.Permissions
			if permissions == nil {
				permissions = []string{}
			}
			out[path] = line(map[string]any{"name": c.Name, "enabled": true, "permissions": permissions})
			for key, at := range c.Attributes {
				fields := map[string]any{"type": at.Type, "required": at.Required, "default": at.Default, "status": "available"}
				if at.Type == "string" {
					fields["size"] = at.Size
				}
				out[path+"/attributes/"+key] = line(fields)
			}
			for key, ix := range c.Indexes {
				out[path+"/indexes/"+key] = line(map[string]any{"type": ix.Type, "attributes": ix.Attributes, "status": "available"})
			}
			for key, doc := range c.Documents {
				path := path + "/documents/" + key
				fields := map[string]any{}
				for k := range c.Attributes {
					if fields[k] = doc[k]; doc[k] == nil {
						fields[k] = instead(path, k)
					}
				}
				out[path] = line(map[string]any{"data": fields, "permissions": []string{}})
			}
		}
	}
	return out
}

func line(fields map[string]any) string {
	data, err := json.Marshal(fields)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
