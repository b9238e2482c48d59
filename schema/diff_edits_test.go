package schema_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/backstep-dev/backstep/schema"
)

// editor changes a model at random, as people do.
type editor struct {
	r *rand.Rand
	destiny
	limits schema.Limits
	n      int // of made-up names
}

// randomEdit gives a model with one to three changes, and what was told of them.
func randomEdit(r *rand.Rand, from schema.Model, limits schema.Limits) (destiny, []string) {
	e := &editor{r: r, destiny: destiny{from: from, to: copied(from)}, limits: limits}
	var done []string
	for wanted := 1 + r.IntN(3); len(done) < wanted; {
		to, renames := copied(e.to), slices.Clone(e.renames)
		what := e.once()
		if what == "" || schema.Check(e.to, limits) != nil {
			e.to, e.renames = to, renames // it makes no sense: another one
			continue
		}
		done = append(done, what)
	}
	e.renames = slices.DeleteFunc(e.renames, func(r schema.Rename) bool {
		c := findCollection(e.to, r.Database, r.Collection)
		return c == nil || findAttribute(c, r.To) == nil // removed since
	})
	e.plainLists()
	e.fill()
	return e.destiny, done
}

// plainLists takes orders and lengths from indexes on lists: servers that have
// such indexes choose them.
func (e *editor) plainLists() {
	for _, db := range e.to.Databases {
		for _, c := range db.Collections {
			for i, x := range c.Indexes {
				if slices.ContainsFunc(x.Attributes, func(key string) bool { a := findAttribute(&c, key); return a != nil && a.Array }) {
					c.Indexes[i].Orders, c.Indexes[i].Lengths = nil, nil
				}
			}
		}
	}
}

// copied gives a model of its own.
func copied(m schema.Model) schema.Model {
	out := schema.Model{Databases: slices.Clone(m.Databases)}
	for i := range out.Databases {
		db := &out.Databases[i]
		db.Collections = slices.Clone(db.Collections)
		for j := range db.Collections {
			c := &db.Collections[j]
			c.Attributes, c.Indexes = slices.Clone(c.Attributes), slices.Clone(c.Indexes)
			c.Permissions = slices.Clone(c.Permissions)
			for k := range c.Attributes {
				if r := c.Attributes[k].Relationship; r != nil {
					twin := *r
					c.Attributes[k].Relationship = &twin
				}
			}
			for k := range c.Indexes {
				c.Indexes[k].Attributes = slices.Clone(c.Indexes[k].Attributes)
			}
		}
	}
	return out
}

func one[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// name makes up a name.
func (e *editor) name(prefix string) string {
	e.n++
	return prefix + strconv.Itoa(e.n)
}

// once makes one change and says which; "" when there is nothing to change so.
func (e *editor) once() string {
	db := &e.to.Databases[e.r.IntN(len(e.to.Databases))]
	if len(db.Collections) == 0 || e.r.IntN(40) == 0 {
		return e.database(db)
	}
	c := &db.Collections[e.r.IntN(len(db.Collections))]
	switch e.r.IntN(20) {
	case 0:
		return e.collection(db, c)
	case 1:
		return e.flags(c)
	case 2, 3, 4:
		return e.index(c)
	case 5, 6, 7:
		return e.relationship(db, c)
	case 8, 9:
		return e.add(c)
	default:
		return e.attribute(db, c)
	}
}

func (e *editor) database(db *schema.Database) string {
	switch e.r.IntN(4) {
	case 0:
		db.Name += "x"
	case 1:
		db.Enabled = !db.Enabled
	case 2:
		e.to.Databases = append(e.to.Databases, schema.Database{ID: e.name("extra"), Name: "Extra", Enabled: true})
	default:
		if len(e.to.Databases) == 1 {
			return ""
		}
		id := db.ID
		e.to.Databases = slices.DeleteFunc(e.to.Databases, func(x schema.Database) bool { return x.ID == id })
	}
	return "database"
}

func (e *editor) collection(db *schema.Database, c *schema.Collection) string {
	if e.r.IntN(2) == 0 {
		fresh := schema.Collection{ID: e.name("fresh"), Name: "Fresh", Enabled: true}
		for range 1 + e.r.IntN(3) {
			fresh.Attributes = append(fresh.Attributes, e.made(e.name("field")))
		}
		db.Collections = append(db.Collections, fresh)
		return "collection added"
	}
	id := c.ID
	db.Collections = slices.DeleteFunc(db.Collections, func(x schema.Collection) bool { return x.ID == id })
	for i := range db.Collections {
		other := &db.Collections[i]
		other.Attributes = slices.DeleteFunc(other.Attributes, func(a schema.Attribute) bool {
			return a.Relationship != nil && a.Relationship.Related == id
		})
	}
	return "collection removed"
}

func (e *editor) flags(c *schema.Collection) string {
	switch e.r.IntN(4) {
	case 0:
		c.Name = "Renamed"
	case 1:
		c.Enabled = !c.Enabled
	case 2:
		c.DocumentSecurity = !c.DocumentSecurity
	default:
		c.Permissions = one(e.r, nil, []string{`read("any")`}, []string{`create("users")`, `read("team:a")`})
	}
	return "flags"
}

// made makes up an attribute.
func (e *editor) made(key string) schema.Attribute {
	a := schema.Attribute{Key: key, Type: one(e.r, "string", "string", "integer", "float", "boolean", "datetime", "email", "enum", "url", "ip", "varchar", "text", "bigint", "point")}
	switch a.Type {
	case "string", "varchar":
		a.Size = one[int64](e.r, 5, 36, 255, 2000)
		a.Encrypt = a.Size == 2000 && a.Type == "string" && e.r.IntN(2) == 0
	case "enum":
		a.Elements = []string{"red", "green", "blue"}
	case "integer":
		a.Max = one[json.Number](e.r, "", "100", "2147483648")
	}
	a.Required = e.r.IntN(4) == 0
	a.Array = a.Type != "point" && e.r.IntN(5) == 0
	if !a.Required && !a.Array && e.r.IntN(3) == 0 {
		a.Default = sample(a)
	}
	return a
}

// sample gives a value that an attribute takes, as JSON.
func sample(a schema.Attribute) json.RawMessage {
	var value any
	switch a.Type {
	case "integer", "bigint", "float":
		value = 9
		switch {
		case within(a, "9"):
		case a.Max != "":
			value = a.Max
		default:
			value = a.Min
		}
	case "boolean":
		value = true
	case "datetime":
		value = "2020-02-03T04:05:06.000+00:00"
	case "email":
		value = "x@example.com"
	case "enum":
		value = a.Elements[0]
	case "url":
		value = "https://example.com/x"
	case "ip":
		value = "10.0.0.9"
	case "point":
		value = []int{1, 2}
	case "line":
		value = [][]int{{1, 2}, {3, 4}}
	case "polygon":
		value = [][][]int{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}
	default:
		value = "9"
	}
	raw, _ := json.Marshal(value)
	return raw
}

func (e *editor) add(c *schema.Collection) string {
	a := e.made(e.name("added"))
	c.Attributes = append(c.Attributes, a)
	return "attribute added: " + a.Type
}

// fill gives values for about half of what becomes required.
func (e *editor) fill() {
	for _, db := range e.to.Databases {
		for _, c := range db.Collections {
			from := findCollection(e.from, db.ID, c.ID)
			for _, a := range c.Attributes {
				if from == nil || !a.Required || a.Relationship != nil {
					continue
				}
				if was := findAttribute(from, a.Key); (was == nil || !was.Required) && e.r.IntN(3) > 0 {
					value := sample(a)
					if a.Array {
						value = json.RawMessage(fmt.Sprintf("[%s]", value))
					}
					e.fills = append(e.fills, schema.Fill{Database: db.ID, Collection: c.ID, Key: a.Key, Value: value})
				}
			}
		}
	}
}

func (e *editor) index(c *schema.Collection) string {
	if len(c.Attributes) == 0 {
		return ""
	}
	i := -1
	if len(c.Indexes) > 0 {
		i = e.r.IntN(len(c.Indexes))
	}
	a := c.Attributes[e.r.IntN(len(c.Attributes))]
	kind := one(e.r, "key", "key", "unique", "fulltext")
	keys := one(e.r, []string{a.Key}, []string{a.Key, "$createdAt"}, []string{a.Key, "$id"})
	switch {
	case kind == "fulltext":
		keys = keys[:1]
	case kind == "unique" && len(keys) > 1:
		keys[1] = "$id" // two documents can be made in one millisecond
	}
	fresh := schema.Index{Key: e.name("by"), Type: kind, Attributes: keys, Orders: one(e.r, nil, []string{"DESC"})}
	if a.Size > 255 {
		fresh.Lengths = []int{50}
	}
	switch {
	case i < 0 || e.r.IntN(3) == 0:
		c.Indexes = append(c.Indexes, fresh)
		return "index added: " + kind
	case e.r.IntN(2) == 0:
		c.Indexes = slices.Delete(c.Indexes, i, i+1)
		return "index removed"
	default:
		fresh.Key = c.Indexes[i].Key
		c.Indexes[i] = fresh
		return "index changed"
	}
}
