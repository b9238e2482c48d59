package catalog

import (
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// CreateRelationship adds a relationship, and its other side in the related
// collection when it is two-way.
func (c *Catalog) CreateRelationship(database, collection, key string, r Relation) (*Attribute, error) {
	col, err := c.Collection(database, collection)
	if err != nil {
		return nil, err
	}
	related := c.sibling(col.Database, r.Collection)
	if related == nil {
		return nil, apierr.NotFound("collection_not_found", "Collection with the requested ID '%s' could not be found.", r.Collection)
	}
	r.Side = "parent"
	d := Definition{Key: key, Type: TypeRelationship, Relation: &r}
	if err := c.checkRelation(col, d); err != nil {
		return nil, err
	}
	if err := c.checkNew(col, d); err != nil {
		return nil, err
	}
	a := c.addAttribute(col, d)
	if r.TwoWay {
		if c.attribute(related, r.TwoWayKey) != nil {
			return nil, attributeExists(r.TwoWayKey)
		}
		c.addAttribute(related, childOf(col, d))
	}
	c.attributeJob(worker.CreateAttribute, col, key)
	return a, nil
}

// childOf is the other side of a relationship.
func childOf(parent *Collection, d Definition) Definition {
	r := *d.Relation
	r.Collection, r.TwoWayKey, r.Side = parent.ID, d.Key, "child"
	return Definition{Key: d.Relation.TwoWayKey, Type: TypeRelationship, Relation: &r}
}

// checkRelation refuses clashes with other relationships of the collection.
func (c *Catalog) checkRelation(col *Collection, d Definition) error {
	fold := c.Profile.Fold
	for _, a := range col.Attributes {
		if a.Relation == nil {
			continue
		}
		switch {
		case fold(a.Key) == fold(d.Key):
			return attributeExists(d.Key)
		case fold(a.Relation.TwoWayKey) == fold(d.Relation.TwoWayKey) && a.Relation.Collection == d.Relation.Collection:
			return attributeExists(d.Relation.TwoWayKey)
		case a.Relation.Type == "manyToMany" && d.Relation.Type == "manyToMany" && a.Relation.Collection == d.Relation.Collection:
			return attributeExists(d.Key)
		}
	}
	return nil
}

// otherSide finds the visible other side of a two-way relationship, or nil.
func (c *Catalog) otherSide(col *Collection, a *Attribute) *Attribute {
	if a.Relation == nil || !a.Relation.TwoWay {
		return nil
	}
	related := c.sibling(col.Database, a.Relation.Collection)
	if related == nil {
		return nil
	}
	return c.attribute(related, a.Relation.TwoWayKey)
}

// materializeRelation brings both sides into the effective schemas. A one-way
// relationship has a hidden child there too.
func (c *Catalog) materializeRelation(col *Collection, a *Attribute) error {
	related := c.sibling(col.Database, a.Relation.Collection)
	if related == nil {
		return apierr.NotFound("collection_not_found", "Related collection not found")
	}
	if err := c.addToSchema(col, a.Definition); err != nil {
		return err
	}
	return c.addToSchema(related, childOf(col, a.Definition))
}

func (c *Catalog) dematerializeRelation(col *Collection, a *Attribute) error {
	dropFromSchema(col, a.Key)
	if related := c.sibling(col.Database, a.Relation.Collection); related != nil {
		dropFromSchema(related, a.Relation.TwoWayKey)
	}
	return nil
}

// unrelate removes the relationships that point at a deleted collection.
func (c *Catalog) unrelate(d *Database, id string) {
	for _, col := range d.collections {
		for _, a := range slices.Clone(col.Attributes) {
			if a.Relation != nil && c.Profile.Fold(a.Relation.Collection) == c.Profile.Fold(id) {
				dropFromSchema(col, a.Key)
				col.Attributes = without(col.Attributes, a)
			}
		}
	}
}

// UpdateRelationship changes what a deletion does, or the key.
func (c *Catalog) UpdateRelationship(database, collection, key, onDelete, newKey string) (*Attribute, error) {
	col, a, err := c.Attribute(database, collection, key)
	if err != nil {
		return nil, err
	}
	if a.Status != Available {
		return nil, apierr.BadRequest("attribute_not_available", "Attribute '%s' is not yet available", key)
	}
	if a.Relation == nil {
		return nil, apierr.Unknown("not a relationship")
	}
	other := c.otherSide(col, a)
	changed, otherRelation := *a.Relation, Relation{}
	if other != nil {
		otherRelation = *other.Relation
	}
	if onDelete != "" {
		changed.OnDelete, otherRelation.OnDelete = onDelete, onDelete
	}
	if newKey != "" && newKey != a.Key {
		if err := c.rename(col, a, newKey); err != nil {
			return nil, err
		}
		otherRelation.TwoWayKey = newKey
	}
	d := a.Definition
	d.Relation = &changed
	if newKey != "" {
		d.Key = newKey
	}
	c.store(col, a.Key, d)
	a.Definition = d
	if other != nil {
		other.Relation = &otherRelation
		c.store(c.sibling(col.Database, changed.Collection), other.Key, other.Definition)
	}
	return a, nil
}
