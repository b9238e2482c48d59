package schema

import (
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
)

// relationship reads what makes an attribute a relationship.
func (r *reader) relationship(f *fields, d *declared) {
	rel := &Relationship{OnDelete: "restrict"}
	d.Relationship = rel
	rel.Related = f.word("relatedCollection", "relatedTable", "relatedCollectionId", "relatedTableId")
	rel.Type = f.text("relationType", "relationshipType")
	rel.TwoWay = f.truth(false, "twoWay")
	rel.TwoWayKey = f.text("twoWayKey")
	if word := f.text("onDelete"); word != "" {
		rel.OnDelete = word
	}
	d.side = f.text("side")
	if !slices.Contains([]string{"oneToOne", "oneToMany", "manyToOne", "manyToMany"}, rel.Type) {
		r.refuse(d.At, "relationship %s is oneToOne, oneToMany, manyToOne or manyToMany, not %q", d.Key, rel.Type)
	}
	if !slices.Contains([]string{"cascade", "restrict", "setNull"}, rel.OnDelete) {
		r.refuse(d.At, "relationship %s: onDelete is cascade, restrict or setNull, not %q", d.Key, rel.OnDelete)
	}
	if !slices.Contains([]string{"", "parent", "child"}, d.side) {
		r.refuse(d.At, "relationship %s: side is parent or child, not %q", d.Key, d.side)
	}
	if d.Required {
		r.notice(d.At, "relationship %s cannot be required in Appwrite: made optional", d.Key)
		d.Required = false
	}
	// The type says how many there are; exports show array beside it.
	d.Array = false
	if n := f.take("default"); n != nil {
		r.notice(n.at, "a relationship has no default: left out")
	}
	for _, name := range []string{"size", "min", "max", "elements", "encrypt", "format"} {
		f.take(name)
	}
}

// inverse gives a relationship's type as seen from the other side.
func inverse(relationship string) string {
	switch relationship {
	case "oneToMany":
		return "manyToOne"
	case "manyToOne":
		return "oneToMany"
	default:
		return relationship
	}
}

// complete finds out where relationships lead that do not say so. Some versions
// of the CLI leave it out; the keys of a two-way pair give it away.
func (r *reader) complete(db *database) {
	found := map[*declared]string{}
	for _, c := range db.collections {
		for _, a := range c.attributes {
			if a.Relationship == nil || a.Relationship.Related != "" {
				continue
			}
			related := db.otherSides(c, a)
			if len(related) != 1 {
				r.refuse(a.At, "relationship %s does not say which collection it leads to", a.Key)
				continue
			}
			r.notice(a.At, "relationship %s does not say which collection it leads to: %s, which has its other side %s, is taken", a.Key, related[0], a.Relationship.TwoWayKey)
			found[a] = related[0]
		}
	}
	for a, related := range found {
		a.Relationship.Related = related
	}
}

// complete takes where a relationship leads from a second declaration of it.
func (d *declared) complete(twin *declared) {
	if d.Relationship != nil && twin.Relationship != nil && d.Relationship.Related == "" {
		d.Relationship.Related = twin.Relationship.Related
	}
}

// otherSides names the collections that have what can only be the other side of
// a two-way relationship of c.
func (db *database) otherSides(c *collection, a *declared) []string {
	var ids []string
	for _, other := range db.collections {
		b := other.attribute(a.Relationship.TwoWayKey)
		if b == nil || b == a || b.Relationship == nil || !a.Relationship.TwoWay || !b.Relationship.TwoWay {
			continue
		}
		if b.Relationship.TwoWayKey == a.Key && (b.Relationship.Related == "" || b.Relationship.Related == c.ID) {
			ids = append(ids, other.ID)
		}
	}
	return ids
}

// pair leaves each two-way relationship once in the database, at its parent.
func (r *reader) pair(db *database) {
	for _, c := range db.collections {
		for _, a := range c.attributes {
			if a.Relationship != nil && a.Relationship.TwoWayKey == "" {
				a.Relationship.TwoWayKey = c.ID // as Appwrite does
			}
		}
	}
	for _, c := range db.collections {
		c.attributes = slices.DeleteFunc(c.attributes, func(a *declared) bool { return r.isOtherSide(db, c, a) })
	}
}

// isOtherSide tells whether a is the child of a two-way pair, having made sure
// that the parent says the same.
func (r *reader) isOtherSide(db *database, c *collection, a *declared) bool {
	if a.Relationship == nil || a.side == "parent" {
		return false
	}
	rel := a.Relationship
	related := db.find(rel.Related)
	if related == nil {
		return false // told by references
	}
	if !rel.TwoWay {
		if a.side == "child" {
			r.notice(a.At, "the hidden side of a one-way relationship is not declared: left out")
			return true
		}
		return false
	}
	partner := related.attribute(rel.TwoWayKey)
	switch {
	case partner == nil && a.side == "child":
		r.notice(a.At, "only the child side of relationship %s is listed: made from %s.%s", a.Key, rel.Related, rel.TwoWayKey)
		related.attributes = append(related.attributes, &declared{side: "parent", Attribute: Attribute{
			At: a.At, Key: rel.TwoWayKey, Type: appwrite.TypeRelationship,
			Relationship: &Relationship{Related: c.ID, Type: rel.Type, TwoWay: true, TwoWayKey: a.Key, OnDelete: rel.OnDelete},
		}})
		return true
	case partner == nil || partner == a:
		return false
	case partner.Relationship == nil:
		r.refuse(a.At, "relationship %s needs the key %s in %s, which is an attribute of type %s", a.Key, rel.TwoWayKey, rel.Related, partner.Type)
		return false
	case !r.partners(c, a, partner):
		return false
	}
	// Where the file does not say which side is the parent, the first one is.
	return a.side == "child" || partner.side == "parent" || partner.At.before(a.At)
}

// partners tells whether both sides say the same, and refuses them otherwise.
func (r *reader) partners(c *collection, a, partner *declared) bool {
	mine, theirs := a.Relationship, partner.Relationship
	sameType := mine.Type == theirs.Type || mine.Type == inverse(theirs.Type)
	if theirs.Related != c.ID || theirs.TwoWayKey != a.Key || !theirs.TwoWay || !sameType || mine.OnDelete != theirs.OnDelete ||
		a.side == "child" && partner.side == "child" {
		r.refuse(a.At, "relationship %s and its other side on line %d contradict each other", a.Key, partner.At.Line)
		return false
	}
	return true
}

func (db *database) find(id string) *collection {
	for _, c := range db.collections {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (c *collection) attribute(key string) *declared {
	for _, a := range c.attributes {
		if a.Key == key {
			return a
		}
	}
	return nil
}

// settle makes the model of what has been read.
func (r *reader) settle() {
	for _, db := range r.databases {
		r.complete(db)
		r.pair(db)
		for _, c := range db.collections {
			r.references(db, c)
			for _, a := range c.attributes {
				c.Attributes = append(c.Attributes, a.Attribute)
			}
			db.Collections = append(db.Collections, c.Collection)
		}
		r.file.Model.Databases = append(r.file.Model.Databases, db.Database)
	}
	r.problems = append(r.problems, problems(r.file.Model)...)
}

// references refuses relationships and indexes that lead nowhere.
func (r *reader) references(db *database, c *collection) {
	for _, a := range c.attributes {
		if rel := a.Relationship; rel != nil && rel.Related != "" && db.find(rel.Related) == nil {
			r.refuse(a.At, "relationship %s leads to collection %s, which database %s does not have", a.Key, rel.Related, db.ID)
		}
	}
}
