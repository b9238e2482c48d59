package schema

import (
	"slices"
	"strings"
)

// A collection being read.
type collection struct {
	Collection
	database   *database
	attributes []*declared
}

// The database that Appwrite 1.0 moved everything into that had none before.
const unnamedDatabase = "default"

// collection reads one collection or table. db is the database it is nested in,
// nil when it names one itself.
func (r *reader) collection(n *node, db *database, family string) {
	f := r.open(n, "collection")
	if f == nil {
		return
	}
	c := &collection{Collection: Collection{At: n.at}}
	c.ID = f.text("$id", "id", "collectionId", "tableId")
	if c.ID == "" {
		r.refuse(n.at, "a collection needs an $id")
		return
	}
	c.Name = f.text("name")
	if c.Name == "" {
		r.notice(n.at, "collection %s has no name: its id is taken", c.ID)
		c.Name = c.ID
	}
	c.Enabled = f.truth(true, "enabled")
	r.security(f, c)
	c.Permissions = r.permissions(f)
	if c.database = r.home(f, c, db, family); c.database == nil {
		return
	}
	for _, item := range f.list("attributes", "columns") {
		if a := r.attribute(item); a != nil {
			c.add(r, a)
		}
	}
	for _, item := range f.list("indexes") {
		if index, ok := r.index(item); ok {
			c.cutLengths(r, &index)
			c.addIndex(r, index)
		}
	}
	if n := f.take("rules"); n != nil {
		r.refuse(n.at, "rules are the attributes of Appwrite before 0.12: export the project from a newer version")
	}
	f.done("$createdAt", "$updatedAt", "$sequence", "bytesMax", "bytesUsed")
	for _, other := range c.database.collections {
		if other.ID == c.ID {
			r.twin(c, other)
			return
		}
	}
	c.database.collections = append(c.database.collections, c)
}

// security reads whether documents have permissions of their own, in the words
// of every version.
func (r *reader) security(f *fields, c *collection) {
	c.DocumentSecurity = f.truth(false, "documentSecurity", "rowSecurity")
	n := f.take("permission")
	if n == nil {
		return
	}
	switch {
	case n.kind != kindString || n.text != "document" && n.text != "collection":
		r.refuse(n.at, "permission must be \"document\" or \"collection\"")
	case f.take("documentSecurity", "rowSecurity") != nil && c.DocumentSecurity != (n.text == "document"):
		r.refuse(n.at, "contradicts documentSecurity")
	default:
		c.DocumentSecurity = n.text == "document"
		r.notice(n.at, "permission %q, of Appwrite before 1.0, is taken as documentSecurity: %t", n.text, c.DocumentSecurity)
	}
}

// home finds the database that a collection belongs to.
func (r *reader) home(f *fields, c *collection, nested *database, family string) *database {
	id := f.text("databaseId")
	switch {
	case nested != nil && id != "" && id != nested.ID:
		r.refuse(f.by["databaseId"].at, "collection %s is inside database %s", c.ID, nested.ID)
		return nil
	case nested != nil:
		return nested
	case id != "":
		if db := r.find(id); db != nil {
			return db
		}
		return r.unlisted(id, id, family, c.At, "database %s is not listed: it is made too, with its id for a name")
	}
	var listed []*database
	for _, db := range r.databases {
		if db.listed {
			listed = append(listed, db)
		}
	}
	switch len(listed) {
	case 0:
		if db := r.find(unnamedDatabase); db != nil {
			return db
		}
		return r.unlisted(unnamedDatabase, "Default", family, c.At, "no database is named: %s is made, as Appwrite 1.0 did for collections from before")
	case 1:
		r.notice(c.At, "collection %s names no database: the only one listed, %s, is taken", c.ID, listed[0].ID)
		return listed[0]
	default:
		r.refuse(c.At, "collection %s does not say which of the %d databases it belongs to", c.ID, len(listed))
		return nil
	}
}

func (r *reader) unlisted(id, name, family string, at Position, message string) *database {
	r.notice(at, message, id)
	db := &database{Database: Database{ID: id, Name: name, Enabled: true, Type: family, At: at}}
	r.databases = append(r.databases, db)
	return db
}

// twin deals with a collection that is declared a second time.
func (r *reader) twin(c, earlier *collection) {
	for _, a := range c.attributes {
		if b := earlier.attribute(a.Key); b != nil {
			a.complete(b)
			b.complete(a)
		}
	}
	same := c.Name == earlier.Name && c.Enabled == earlier.Enabled && c.DocumentSecurity == earlier.DocumentSecurity &&
		slices.Equal(c.Permissions, earlier.Permissions) && len(c.attributes) == len(earlier.attributes) && len(c.Indexes) == len(earlier.Indexes)
	for i := 0; same && i < len(c.attributes); i++ {
		same = c.attributes[i].equal(earlier.attributes[i])
	}
	for i := 0; same && i < len(c.Indexes); i++ {
		same = len(compareIndex(c.Indexes[i], earlier.Indexes[i])) == 0
	}
	if !same {
		r.refuse(c.At, "collection %s is declared twice and differently, first on line %d", c.ID, earlier.At.Line)
		return
	}
	r.notice(c.At, "collection %s is declared twice: once is enough", c.ID)
}

// add takes an attribute into the collection, unless it is there already.
func (c *collection) add(r *reader, a *declared) {
	for _, other := range c.attributes {
		switch {
		case other.Key == a.Key && other.equal(a):
			r.notice(a.At, "attribute %s is defined twice: once is enough", a.Key)
			return
		case other.Key == a.Key:
			r.refuse(a.At, "attribute %s is defined twice and differently, first on line %d", a.Key, other.At.Line)
			return
		}
	}
	c.attributes = append(c.attributes, a)
}

func (d *declared) equal(other *declared) bool {
	return d.side == other.side && d.Key == other.Key && len(compareAttribute(d.Attribute, other.Attribute)) == 0
}

// addIndex takes an index into the collection, unless it is there already.
func (c *collection) addIndex(r *reader, index Index) {
	for _, other := range c.Indexes {
		switch {
		case other.Key == index.Key && len(compareIndex(other, index)) == 0:
			r.notice(index.At, "index %s is defined twice: once is enough", index.Key)
			return
		case other.Key == index.Key:
			r.refuse(index.At, "index %s is defined twice and differently, first on line %d", index.Key, other.At.Line)
			return
		}
	}
	c.Indexes = append(c.Indexes, index)
}

// index reads one index.
func (r *reader) index(n *node) (Index, bool) {
	f := r.open(n, "index")
	if f == nil {
		return Index{}, false
	}
	x := Index{At: n.at}
	x.Key = f.key()
	if x.Key == "" {
		r.refuse(n.at, "an index needs a key")
		return x, false
	}
	if r.leaving(f, "index "+x.Key) {
		return x, false
	}
	x.Type = f.text("type")
	if lower := strings.ToLower(x.Type); lower != x.Type {
		r.notice(f.by["type"].at, "type %q is taken as %s", x.Type, lower)
		x.Type = lower
	}
	if !slices.Contains([]string{"key", "unique", "fulltext", "spatial"}, x.Type) {
		r.refuse(n.at, "index %s: Appwrite has key, unique, fulltext and spatial indexes, not %q", x.Key, x.Type)
		return x, false
	}
	for _, item := range f.list("attributes", "columns") {
		if item.kind != kindString {
			r.refuse(item.at, "must be the key of an attribute, not %v", item.kind)
			return x, false
		}
		x.Attributes = append(x.Attributes, item.text)
	}
	r.orders(f, &x)
	r.lengths(f, &x)
	f.done("$id", "$createdAt", "$updatedAt", "$sequence", "error")
	if len(x.Attributes) > 0 {
		return x, true
	}
	if r.leaveIndexes {
		r.notice(n.at, "index %s names no attribute: left out, as asked", x.Key)
	} else {
		r.refuse(n.at, "index %s names no attribute: the file does not say what it indexes", x.Key)
	}
	return x, false
}

// orders reads the sort orders; what is missing or empty is ascending.
func (r *reader) orders(f *fields, x *Index) {
	for i, item := range f.list("orders") {
		word := strings.ToUpper(item.text)
		switch {
		case item.kind == kindNull || item.kind == kindString && word == "":
			if i < len(x.Attributes) {
				r.notice(item.at, "an empty order is the usual one, ASC")
			}
			word = "ASC"
		case item.kind != kindString || word != "ASC" && word != "DESC":
			r.refuse(item.at, "an order is ASC or DESC")
			return
		case word != item.text:
			r.notice(item.at, "order %q is taken as %s", item.text, word)
		}
		if i >= len(x.Attributes) {
			r.notice(item.at, "index %s has an order for which it has no attribute: left out", x.Key)
			continue
		}
		x.Orders = append(x.Orders, word)
	}
}

// cutLengths makes lengths that are larger than their attribute all of it.
func (c *collection) cutLengths(r *reader, x *Index) {
	for i, length := range x.Lengths {
		a := c.attribute(x.Attributes[i])
		if a == nil || a.Array || characters(a.Attribute) == 0 || length <= characters(a.Attribute) {
			continue
		}
		r.notice(x.At, "index %s: a length of %d is more than attribute %s holds: all of it is indexed", x.Key, length, a.Key)
		x.Lengths[i] = 0
	}
}

// lengths reads how much of each attribute is indexed; 0 is all of it.
func (r *reader) lengths(f *fields, x *Index) {
	for i, item := range f.list("lengths") {
		length := 0
		if item.kind != kindNull {
			value := r.number(item)
			if value == nil {
				return
			}
			if !value.IsInt() || !value.Num().IsInt64() || value.Num().Int64() < 0 || value.Num().Int64() > maxStringSize {
				r.refuse(item.at, "a length is a whole number of characters")
				return
			}
			length = int(value.Num().Int64())
		}
		if i >= len(x.Attributes) {
			r.notice(item.at, "index %s has a length for which it has no attribute: left out", x.Key)
			continue
		}
		x.Lengths = append(x.Lengths, length)
	}
}
