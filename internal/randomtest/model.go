// Package randomtest makes random migrations and knows, by a model of its own,
// what they should lead to. Its test runs them with random faults and crashes.
package randomtest

import (
	"encoding/json"
	"maps"
	"slices"
)

// Model is what a project should hold, in the few words that matter.
type Model struct {
	Databases map[string]*Database
	// ID gives the id of a database that migrations call by a name.
	ID func(name string) string
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
// the ids that id gives.
func NewModel(id func(name string) string) *Model {
	return &Model{Databases: map[string]*Database{}, ID: id}
}

// Clone copies the model so deeply that neither sees the other's changes.
func (m *Model) Clone() *Model {
	out := NewModel(m.ID)
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

// fill replaces absent values by defaults, as the server does on every write
// of a single document.
func (c *Collection) fill(doc map[string]any) {
	for key, at := range c.Attributes {
		if doc[key] == nil {
			doc[key] = at.Default
		}
	}
}

// write changes fields of a document. A write that changes nothing is none, so
// that it fills in no defaults either.
func (c *Collection) write(doc, data map[string]any) {
	changed := false
	for key, value := range data {
		changed = changed || doc[key] != value
		doc[key] = value
	}
	if changed {
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
				fields := map[string]any{}
				for k := range c.Attributes {
					fields[k] = doc[k]
				}
				out[path+"/documents/"+key] = line(map[string]any{"data": fields, "permissions": []string{}})
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
