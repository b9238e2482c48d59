package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
)

// problems lists what no version of Appwrite takes.
func problems(m Model) []Problem {
	c := &collector{}
	databases := names{}
	for _, db := range m.Databases {
		c.named("database", db.ID, db.Name, db.At)
		c.once(databases, "database", db.ID, db.At)
		collections := names{}
		for _, col := range db.Collections {
			c.named("collection", col.ID, col.Name, col.At)
			c.once(collections, "collection", col.ID, col.At)
			if n := len(col.Permissions); n > 100 {
				c.refuse(col.At, "collection %s has %d permissions: at most 100 are allowed", col.ID, n)
			}
			c.contents(db, col)
		}
	}
	return c.problems
}

var idRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$`)

// named holds id and name against Appwrite's rules.
func (c *collector) named(what, id, name string, at Position) {
	c.identifier(what, id, at)
	if n := utf8.RuneCountInString(name); n < 1 || n > 128 {
		c.refuse(at, "the name of %s %s has %d characters: 1 to 128 are allowed", what, id, n)
	}
}

func (c *collector) identifier(what, id string, at Position) {
	if id == "unique()" {
		c.refuse(at, "%s unique(): such an id is another one every time: write the one that is meant", what)
		return
	}
	if !idRule.MatchString(id) {
		c.refuse(at, "%s %.60q: ids and keys are up to 36 letters, digits, '.', '_' and '-', the first a letter or a digit", what, id)
	}
}

// names are those seen so far, in lower case: MariaDB does not tell letter case apart.
type names map[string]string

// once refuses a name that is taken, in whatever letter case.
func (c *collector) once(seen names, what, name string, at Position) {
	folded := strings.ToLower(name)
	if earlier, taken := seen[folded]; taken {
		c.exceeds(LimitLetterCase, at, "%s %s: the name is taken by %s, and letter case does not tell names apart", what, name, earlier)
		return
	}
	seen[folded] = what + " " + name
}

// contents holds the attributes and indexes of a collection against the rules.
func (c *collector) contents(db Database, col Collection) {
	keys := names{}
	for _, a := range col.Attributes {
		c.identifier("attribute", a.Key, a.At)
		c.once(keys, "attribute", a.Key, a.At)
		if a.Encrypt && (a.Type == appwrite.TypeString || a.Type == appwrite.TypeVarchar) && a.Size < 150 {
			c.refuse(a.At, "attribute %s: an encrypted attribute needs a size of at least 150, not %d", a.Key, a.Size)
		}
	}
	for _, other := range db.Collections {
		for _, a := range other.Attributes {
			if a.Relationship == nil || a.Relationship.Related != col.ID {
				continue
			}
			// The other side of a one-way relationship is hidden: it is in the
			// way of attributes, not of its like.
			side := keys
			if !a.Relationship.TwoWay {
				side = maps.Clone(keys)
			}
			c.once(side, "the other side of relationship "+a.Key+" of "+other.ID+", key", a.Relationship.TwoWayKey, a.At)
		}
	}
	c.relationships(db, col)
	indexes := names{}
	for _, x := range col.Indexes {
		c.identifier("index", x.Key, x.At)
		c.once(indexes, "index", x.Key, x.At)
		c.indexRules(col, x)
	}
}

// relationships refuses pairs that Appwrite does not keep apart.
func (c *collector) relationships(db Database, col Collection) {
	for i, a := range col.Attributes {
		if a.Relationship == nil {
			continue
		}
		if related := db.collection(a.Relationship.Related); related != nil && related.ID != col.ID {
			for _, b := range related.Attributes {
				if r := b.Relationship; r != nil && r.Related == col.ID && r.TwoWay && r.Type == "manyToMany" && a.Relationship.Type == "manyToMany" {
					c.refuse(a.At, "relationship %s is manyToMany to %s, as %s is the other way: Appwrite takes one", a.Key, related.ID, b.Key)
				}
			}
		}
		c.identifier("twoWayKey", a.Relationship.TwoWayKey, a.At)
		for _, b := range col.Attributes[:i] {
			switch {
			case b.Relationship == nil || b.Relationship.Related != a.Relationship.Related:
			case strings.EqualFold(b.Relationship.TwoWayKey, a.Relationship.TwoWayKey):
				c.refuse(a.At, "relationships %s and %s to %s have the same twoWayKey %s", b.Key, a.Key, a.Relationship.Related, a.Relationship.TwoWayKey)
			case a.Relationship.Type == "manyToMany" && b.Relationship.Type == "manyToMany":
				c.refuse(a.At, "relationships %s and %s are both manyToMany to %s: Appwrite takes one", b.Key, a.Key, a.Relationship.Related)
			}
		}
	}
}

func (d *Database) collection(id string) *Collection {
	i := slices.IndexFunc(d.Collections, func(c Collection) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &d.Collections[i]
}

func (c *Collection) attribute(key string) *Attribute {
	i := slices.IndexFunc(c.Attributes, func(a Attribute) bool { return a.Key == key })
	if i < 0 {
		return nil
	}
	return &c.Attributes[i]
}

// indexRules holds an index against the rules that every version has.
func (c *collector) indexRules(col Collection, x Index) {
	if slices.Contains([]string{"primary", "_created_at", "_updated_at", "_tenant_id"}, strings.ToLower(x.Key)) {
		c.refuse(x.At, "index key %s is reserved", x.Key)
	}
	for i, key := range x.Attributes {
		if slices.Contains(x.Attributes[:i], key) {
			c.refuse(x.At, "index %s names %s twice", x.Key, key)
			continue
		}
		length := 0
		if i < len(x.Lengths) {
			length = x.Lengths[i]
		}
		c.indexed(col, x, key, length)
	}
}

// indexed holds one attribute of an index against the rules.
func (c *collector) indexed(col Collection, x Index, key string, length int) {
	if slices.Contains([]string{"$id", "$createdAt", "$updatedAt"}, key) {
		if x.Type == "spatial" || x.Type == "fulltext" && key != "$id" || length > 0 && key != "$id" {
			c.refuse(x.At, "index %s: %s takes neither a length nor a %s index", x.Key, key, x.Type)
		}
		return
	}
	a := col.attribute(key)
	if a == nil {
		c.refuse(x.At, "index %s covers %q, which collection %s does not have", x.Key, key, col.ID)
		return
	}
	geometry := slices.Contains([]string{appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon}, a.Type)
	switch text := characters(*a); {
	case a.Relationship != nil:
		c.refuse(x.At, "index %s covers %s, a relationship: Appwrite indexes those itself", x.Key, key)
	case geometry != (x.Type == "spatial"):
		c.refuse(x.At, "index %s: spatial indexes are for points, lines and polygons, and only they are: %s is of type %s", x.Key, key, a.Type)
	case geometry && (len(x.Attributes) > 1 || !a.Required || len(x.Orders) > 0):
		c.refuse(x.At, "index %s: a spatial index covers one required attribute and has no orders", x.Key)
	case x.Type == "fulltext" && (text == 0 || a.Array):
		c.refuse(x.At, "index %s: a fulltext index covers text, %s is of type %s", x.Key, key, shape(*a))
	case x.Type == "unique" && a.Array:
		c.refuse(x.At, "index %s: a unique index cannot cover %s, a list", x.Key, key)
	case length > 0 && !a.Array && (text == 0 || length > text): // of a list, any is taken and none kept
		c.refuse(x.At, "index %s: a length of %d does not fit %s, of type %s", x.Key, length, key, shape(*a))
	}
}

// shape names an attribute's type for people.
func shape(a Attribute) string {
	if a.Array {
		return "list of " + a.Type
	}
	return a.Type
}
