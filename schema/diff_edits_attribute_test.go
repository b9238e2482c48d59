package schema_test

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/schema"
)

// attribute changes one attribute of a collection.
func (e *editor) attribute(db *schema.Database, c *schema.Collection) string {
	if len(c.Attributes) == 0 {
		return ""
	}
	i := e.r.IntN(len(c.Attributes))
	a := &c.Attributes[i]
	if a.Relationship != nil {
		return e.relationship(db, c)
	}
	was := a.Type
	switch e.r.IntN(10) {
	case 0:
		key := a.Key
		c.Attributes = slices.Delete(c.Attributes, i, i+1)
		c.Indexes = slices.DeleteFunc(c.Indexes, func(x schema.Index) bool { return slices.Contains(x.Attributes, key) })
		return "attribute removed"
	case 1, 2:
		return e.rename(db, c, a)
	case 3:
		return e.resize(a)
	case 4:
		return e.restrict(a)
	case 5:
		a.Required = !a.Required
		a.Default = nil
		return fmt.Sprint("required ", a.Required)
	case 6:
		if a.Required || a.Array {
			return ""
		}
		if a.Default == nil {
			a.Default = sample(*a)
		} else {
			a.Default = nil
		}
		return "default"
	case 7:
		if a.Type == "point" {
			return "" // there are no lists of points
		}
		a.Array, a.Default = !a.Array, nil
		return "array"
	default:
		e.retype(a)
		return "type " + was + " to " + a.Type
	}
}

// rename gives an attribute another key and mostly tells so.
func (e *editor) rename(db *schema.Database, c *schema.Collection, a *schema.Attribute) string {
	old, key, swap := a.Key, e.name("renamed"), false
	if other := &c.Attributes[e.r.IntN(len(c.Attributes))]; e.r.IntN(4) == 0 && other.Relationship == nil && a.Relationship == nil && other.Key != a.Key {
		key = other.Key // they swap
		if !e.tellRename(db.ID, c.ID, other.Key, old) {
			return ""
		}
		other.Key, swap = old, true
	}
	if e.r.IntN(8) > 0 || swap {
		if !e.tellRename(db.ID, c.ID, old, key) {
			return ""
		}
	}
	a.Key = key
	for _, x := range c.Indexes {
		for i, covered := range x.Attributes {
			switch covered {
			case old:
				x.Attributes[i] = key
			case key:
				x.Attributes[i] = old
			}
		}
	}
	return "renamed " + old + " " + key
}

// tellRename tells of a rename, unless the attribute is a new one, or renamed
// already.
func (e *editor) tellRename(database, collection, from, to string) bool {
	was := findCollection(e.from, database, collection)
	if was == nil || findAttribute(was, from) == nil {
		return false
	}
	for _, r := range e.renames {
		if r.Database == database && r.Collection == collection && (r.From == from || r.To == to) {
			return false
		}
	}
	e.renames = append(e.renames, schema.Rename{Database: database, Collection: collection, From: from, To: to})
	return true
}

func (e *editor) resize(a *schema.Attribute) string {
	if a.Type != "string" && a.Type != "varchar" {
		return ""
	}
	was := a.Size
	a.Size = one[int64](e.r, 1, 2, 30, 64, 300, a.Size*2, a.Size/2)
	if a.Encrypt && a.Size < 150 {
		a.Encrypt = false
	}
	a.Default = nil
	return fmt.Sprint("size ", was, " to ", a.Size)
}

// restrict changes bounds or elements.
func (e *editor) restrict(a *schema.Attribute) string {
	switch a.Type {
	case "enum":
		switch {
		case e.r.IntN(2) == 0:
			a.Elements = append(slices.Clone(a.Elements), e.name("element"))
		case len(a.Elements) > 1:
			a.Elements = slices.Clone(a.Elements[:len(a.Elements)-1])
		}
	case "integer", "bigint", "float":
		a.Min = one[json.Number](e.r, "", "0", "1", "-7", a.Min)
		a.Max = one[json.Number](e.r, "", "1000", "2147483648", a.Max)
	default:
		return ""
	}
	a.Default = nil
	return "bounds of " + a.Type
}

// retype gives an attribute another type, or takes its secret away.
func (e *editor) retype(a *schema.Attribute) {
	fresh := e.made(a.Key)
	fresh.Required, fresh.Array = a.Required, a.Array && fresh.Type != "point"
	if fresh.Required || fresh.Array {
		fresh.Default = nil
	}
	if e.r.IntN(6) == 0 && a.Type == "string" {
		fresh = *a
		fresh.Encrypt = !a.Encrypt
		fresh.Size = max(fresh.Size, 150)
	}
	*a = fresh
}

// relationship adds, removes or changes a relationship.
func (e *editor) relationship(db *schema.Database, c *schema.Collection) string {
	i := slices.IndexFunc(c.Attributes, func(a schema.Attribute) bool { return a.Relationship != nil })
	if i < 0 || e.r.IntN(4) == 0 {
		related := db.Collections[e.r.IntN(len(db.Collections))].ID
		key := e.name("related")
		c.Attributes = append(c.Attributes, schema.Attribute{Key: key, Type: "relationship", Relationship: &schema.Relationship{
			Related: related, Type: one(e.r, "oneToOne", "oneToMany", "manyToOne", "manyToMany"), TwoWay: e.r.IntN(2) == 0,
			TwoWayKey: key + "Back", OnDelete: one(e.r, "cascade", "restrict", "setNull"),
		}})
		return "relationship added"
	}
	a := &c.Attributes[i]
	r := a.Relationship
	switch e.r.IntN(8) {
	case 0:
		c.Attributes = slices.Delete(c.Attributes, i, i+1)
		return "relationship removed"
	case 1:
		r.OnDelete = one(e.r, "cascade", "restrict", "setNull")
		return "relationship onDelete"
	case 2:
		was := r.Type
		r.Type = one(e.r, "oneToOne", "oneToMany", "manyToOne", "manyToMany", "manyToMany")
		return "relationship " + was + " to " + r.Type
	case 3:
		r.TwoWay = !r.TwoWay
		return fmt.Sprint("relationship two way ", r.TwoWay)
	case 4:
		r.TwoWayKey = e.name("back")
		return "relationship two way key"
	case 5:
		r.Related = db.Collections[e.r.IntN(len(db.Collections))].ID
		return "relationship related"
	case 6:
		return e.rename(db, c, a)
	default:
		*a = schema.Attribute{Key: a.Key, Type: "string", Size: 36, Array: takesMany(*a, c.ID)}
		return "relationship to text"
	}
}
