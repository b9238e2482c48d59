package lint

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/schema"
)

// world is what the databases look like at one point of the migrations, as far
// as that is known without asking a server.
type world struct {
	databases []*database
	// open says that there may be databases that nothing told of.
	open bool
}

type database struct {
	id          string
	name        string
	enabled     bool
	made        string // the version that created it, "" before the first migration
	open        bool   // it may hold collections that nothing told of
	collections []*collection
}

type collection struct {
	database    *database
	shape       schema.Collection // without attributes and indexes
	made        string
	live        string // its id in the live project, "" where a migration is yet to make it
	open        bool   // it may hold attributes and indexes that nothing told of
	attributes  []*attribute
	indexes     []*schema.Index
	written     int                   // documents that this migration creates in it
	touched     bool                  // a migration has changed documents in it
	gone        map[string]*attribute // deleted in this migration, by key
	restrictive map[string]bool       // limits known to be exceeded
	documents   map[string]string     // ids of those that migrations have created, by their lower case
}

type attribute struct {
	schema.Attribute
	made string
	live string // its key in the live project
	// copied says that this migration has put its values into another attribute.
	copied bool
	// filled says that this migration has put values into it, complete that it
	// has made sure that no document lacks one.
	filled, complete bool
	// dying attributes are deleted late: until the migration ends they take room.
	dying bool
}

// worldOf gives the world of a model that is all there is.
func worldOf(m schema.Model) *world {
	w := &world{}
	for _, db := range m.Databases {
		d := &database{id: db.ID, name: db.Name, enabled: db.Enabled}
		w.databases = append(w.databases, d)
		for _, col := range db.Collections {
			c := d.add(col, "")
			c.live = col.ID
			for _, a := range col.Attributes {
				c.attributes = append(c.attributes, &attribute{Attribute: a, live: a.Key})
			}
			for _, x := range col.Indexes {
				c.indexes = append(c.indexes, &x)
			}
		}
	}
	return w
}

// add puts a collection into the database.
func (d *database) add(shape schema.Collection, made string) *collection {
	shape.Attributes, shape.Indexes = nil, nil
	c := &collection{database: d, shape: shape, made: made, gone: map[string]*attribute{}, documents: map[string]string{}}
	d.collections = append(d.collections, c)
	return c
}

// database gives a database, or nil. One that may well be there without
// anything having told of it is taken to be.
func (w *world) database(id string) *database {
	for _, d := range w.databases {
		if d.id == id {
			return d
		}
	}
	if !w.open {
		return nil
	}
	d := &database{id: id, name: id, enabled: true, open: true}
	w.databases = append(w.databases, d)
	return d
}

// collection is like database.
func (w *world) collection(database, id string) *collection {
	d := w.database(database)
	if d == nil {
		return nil
	}
	for _, c := range d.collections {
		if c.shape.ID == id {
			return c
		}
	}
	if !d.open {
		return nil
	}
	c := d.add(schema.Collection{ID: id, Name: id, Enabled: true}, "")
	c.open, c.live = true, id
	return c
}

// attribute gives an attribute that is known, or nil. Relationships are found
// from either side.
func (c *collection) attribute(key string) *attribute {
	for _, a := range c.attributes {
		if a.Key == key && !a.dying {
			return a
		}
	}
	return nil
}

// other gives the relationship of another collection whose other side is here
// under a key, with the collection that holds it.
func (c *collection) other(key string) (*collection, *attribute) {
	for _, o := range c.database.collections {
		for _, a := range o.attributes {
			if r := a.Relationship; r != nil && r.TwoWay && r.Related == c.shape.ID && r.TwoWayKey == key && !a.dying {
				return o, a
			}
		}
	}
	return nil, nil
}

func (c *collection) index(key string) *schema.Index {
	for _, x := range c.indexes {
		if x.Key == key {
			return x
		}
	}
	return nil
}

// using gives the indexes that an attribute is part of.
func (c *collection) using(key string) []*schema.Index {
	var found []*schema.Index
	for _, x := range c.indexes {
		if slices.Contains(x.Attributes, key) {
			found = append(found, x)
		}
	}
	return found
}

// path is how the collection is called in messages.
func (c *collection) path() string { return c.database.id + "/" + c.shape.ID }

// model gives a database as package schema has it. The place of each object
// is its own name, so that what Check finds can be told apart.
func (d *database) model(dying bool) schema.Database {
	out := schema.Database{ID: d.id, Name: d.name, Enabled: d.enabled}
	for _, c := range d.collections {
		col := c.shape
		col.At = schema.Position{Path: c.shape.ID}
		for _, a := range c.attributes {
			if a.dying && !dying {
				continue
			}
			one := a.Attribute
			one.At = col.At
			if a.dying {
				one.Key = tombstone(a)
			}
			col.Attributes = append(col.Attributes, one)
		}
		for _, x := range c.indexes {
			one := *x
			one.At = col.At
			col.Indexes = append(col.Indexes, one)
		}
		out.Collections = append(out.Collections, col)
	}
	return out
}

// tombstone is a key that no attribute has, for one that is on its way out.
func tombstone(a *attribute) string {
	return strings.Repeat("z", 3) + "." + a.Key[:min(len(a.Key), 30)]
}

// unsure makes everything possible: something that cannot be read has acted.
func (w *world) unsure() {
	w.open = true
	for _, d := range w.databases {
		d.open = true
		for _, c := range d.collections {
			c.open = true
			c.touched = true
			c.documents = map[string]string{}
		}
	}
}

// turn ends a migration: what it deleted is gone, what it wrote is there.
func (w *world) turn() {
	for _, d := range w.databases {
		for _, c := range d.collections {
			c.attributes = slices.DeleteFunc(c.attributes, func(a *attribute) bool { return a.dying })
			c.written, c.gone = 0, map[string]*attribute{}
			for _, a := range c.attributes {
				a.copied, a.filled, a.complete = false, false, false
			}
		}
	}
}

// model gives all that is known.
func (w *world) model() schema.Model {
	var m schema.Model
	for _, d := range w.databases {
		m.Databases = append(m.Databases, d.model(false))
	}
	return m
}
