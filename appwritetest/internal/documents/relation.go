package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// hidden says whether an attribute is a side of a relationship that storage
// knows and clients do not: the back of a one-way relationship, or one that
// was lost.
func hidden(d *catalog.Definition) bool {
	return d.Relation != nil && (d.Lost || (d.Relation.Side == "child" && !d.Relation.TwoWay))
}

// holdsMany says whether a side of a relationship holds a list.
func holdsMany(r *catalog.Relation) bool {
	switch r.Type {
	case "oneToMany":
		return r.Side == "parent"
	case "manyToOne":
		return r.Side == "child"
	}
	return r.Type == "manyToMany"
}

// side is one side of a relationship as the records of a collection see it.
type side struct {
	*catalog.Definition
	related *catalog.Collection
	other   *catalog.Definition // the side of the related collection
}

// sides returns the relationships of a collection in the order of its schema.
func (r *Room) sides(col *catalog.Collection) []side {
	var all []side
	for i := range col.Schema.Attributes {
		d := &col.Schema.Attributes[i]
		if d.Relation == nil {
			continue
		}
		related, err := r.Catalog.Collection(col.Database.ID, d.Relation.Collection)
		if err != nil {
			continue // its purge is under way
		}
		if other := related.Schema.Attribute(d.Relation.TwoWayKey); other != nil && other.Relation != nil {
			all = append(all, side{d, related, other})
		}
	}
	return all
}

// side finds a relationship by its key.
func (r *Room) side(col *catalog.Collection, key string) (side, bool) {
	for _, s := range r.sides(col) {
		if s.Key == key {
			return s, true
		}
	}
	return side{}, false
}

// many says whether this side holds a list.
func (s side) many() bool { return holdsMany(s.Relation) }

// own says whether the ids are in this side's column; back, in the other's.
func (s side) own() bool  { return s.Relation.HasColumn() }
func (s side) back() bool { return s.other.Relation.HasColumn() }

// junction is the table of a many-to-many relationship, and which of its two
// columns, which are indexes as well, hold this side's ids and the other's.
func (s side) junction() (table, mine, theirs int64) {
	if s.Relation.Side == "parent" {
		return s.Column, catalog.JunctionParent, catalog.JunctionChild
	}
	return s.other.Column, catalog.JunctionChild, catalog.JunctionParent
}

// target is a related record; its record is nil when it no longer exists.
type target struct {
	id     string
	record *store.Record
}

// targets finds what a record is related to, oldest first.
func (s side) targets(reader store.Reader, record *store.Record) ([]target, error) {
	if s.own() {
		id, ok := record.Value(s.Column).(string)
		if !ok {
			return nil, nil
		}
		found, err := reader.Get(s.related.Sequence, id)
		return []target{{id, found}}, err
	}
	if s.back() {
		records, err := reader.Find(s.related.Sequence, s.other.Column, record.ID)
		found := make([]target, len(records))
		for i, related := range records {
			found[i] = target{related.ID, related}
		}
		return found, err
	}
	if s.Relation.Type != "manyToMany" { // the back of a one-way oneToOne
		records, err := reader.Find(s.related.Sequence, s.other.Column, record.ID)
		if err != nil || len(records) == 0 {
			return nil, err
		}
		return []target{{records[0].ID, records[0]}}, nil
	}
	table, mine, theirs := s.junction()
	pairs, err := reader.Find(table, mine, record.ID)
	if err != nil {
		return nil, err
	}
	found := make([]target, len(pairs))
	for i, pair := range pairs {
		id, _ := pair.Value(theirs).(string)
		related, err := reader.Get(s.related.Sequence, id)
		if err != nil {
			return nil, err
		}
		found[i] = target{id, related}
	}
	return found, nil
}
