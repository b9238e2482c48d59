package catalog

import (
	"errors"
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
		return nil, collectionNotFound(r.Collection)
	}
	r.Side, r.Sequence = "parent", related.Sequence
	d := Definition{Key: key, Type: TypeRelationship, Relation: &r}
	if err := c.checkRelation(col, d); err != nil {
		return nil, err
	}
	if err := c.checkNew(col, d); err != nil {
		return nil, err
	}
	a := c.addAttribute(col, d)
	if r.TwoWay {
		if err := c.addOtherSide(col, related, d); err != nil {
			return nil, err
		}
	}
	c.schemaJob(worker.CreateAttribute, col, key)
	return a, nil
}

// addOtherSide adds the visible child to the related collection. When it
// cannot be there, the parent stays behind in processing and nobody will ever
// finish it; only 1.7 takes it back.
func (c *Catalog) addOtherSide(col, related *Collection, d Definition) error {
	child := childOf(col, d)
	err := checkRoom(related, child)
	if err == nil && c.attribute(related, child.Key) != nil {
		err = c.taken(child.Key)
	}
	if err == nil {
		c.addAttribute(related, child)
		return nil
	}
	if !c.Profile.TablesDB() {
		col.Attributes = without(col.Attributes, c.attribute(col, d.Key))
	}
	return err
}

// childOf is the other side of a relationship.
func childOf(parent *Collection, d Definition) Definition {
	r := *d.Relation
	r.Collection, r.Sequence, r.TwoWayKey, r.Side = parent.ID, parent.Sequence, d.Key, "child"
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

// relatedTo finds the collection at the other end of a relationship, or nil.
func (c *Catalog) relatedTo(col *Collection, a *Attribute) *Collection {
	if a.Relation == nil {
		return nil
	}
	return c.sibling(col.Database, a.Relation.Collection)
}

// otherSide finds the visible other side of a two-way relationship, or nil.
func (c *Catalog) otherSide(col *Collection, a *Attribute) *Attribute {
	related := c.relatedTo(col, a)
	if related == nil || !a.Relation.TwoWay {
		return nil
	}
	return c.attribute(related, a.Relation.TwoWayKey)
}

// materializeRelation brings both sides into the effective schemas. A one-way
// relationship has a hidden child there too.
func (c *Catalog) materializeRelation(col *Collection, a *Attribute) error {
	related := c.relatedTo(col, a)
	if related == nil {
		return apierr.NotFound("collection_not_found", "Related collection not found")
	}
	parent, child := a.Definition, childOf(col, a.Definition)
	parent.Lost = related == col
	hidden := related.Schema.Attribute(child.Key) != nil && (!child.Relation.HasColumn() || c.Profile.AtLeast(1, 9, 0))
	if err := c.addToSchema(col, parent); err != nil {
		return err
	}
	if hidden {
		// A hidden child without a column does not mind who else has its key,
		// and from 1.9 on nobody does.
		return c.indexRelation(col, col.Schema.Attribute(parent.Key))
	}
	if err := c.addToSchema(related, child); err != nil {
		dropFromSchema(col, parent.Key)
		return err
	}
	return errors.Join(
		c.indexRelation(col, col.Schema.Attribute(parent.Key)),
		c.indexRelation(related, related.Schema.Attribute(child.Key)))
}

func (c *Catalog) dematerializeRelation(col *Collection, a *Attribute) error {
	err := c.dropRelation(col, a.Key)
	if related := c.relatedTo(col, a); related != nil {
		err = errors.Join(err, c.dropRelation(related, a.Relation.TwoWayKey))
	}
	return err
}

// dropRelation forgets one side in the effective schema. An orphan that was
// never built may carry the key of a plain attribute: that one stays.
func (c *Catalog) dropRelation(col *Collection, key string) error {
	held := col.Schema.Attribute(key)
	if held == nil || held.Relation == nil {
		return nil
	}
	err := c.unindexRelation(col, held)
	dropFromSchema(col, key)
	return err
}

// unrelate removes the relationships that point at a deleted collection. The
// API schema knows it by id only, so a relationship with a new collection of
// that id goes as well; storage is not mistaken.
func (c *Catalog) unrelate(d *Database, id string, sequence int64) {
	for _, col := range d.collections.all {
		for _, a := range slices.Clone(col.Attributes) {
			if a.Relation != nil && c.Profile.Fold(a.Relation.Collection) == c.Profile.Fold(id) {
				col.Attributes = without(col.Attributes, a)
				c.collectionChanged(col)
			}
		}
		for _, held := range slices.Clone(col.Schema.Attributes) {
			if held.Relation != nil && held.Relation.Sequence == sequence {
				if err := c.dropRelation(col, held.Key); err != nil {
					c.Logger.Error("purge failed", "collection", col.ID, "relationship", held.Key, "error", err)
				}
				c.collectionChanged(col)
			}
		}
	}
}

// UpdateRelationship changes what a deletion does, or the key. An onDelete
// that is left out shows as "restrict" from then on, while storage keeps to
// what it was told before.
func (c *Catalog) UpdateRelationship(database, collection, key, onDelete, newKey string) (*Attribute, error) {
	col, a, err := c.Attribute(database, collection, key)
	if err != nil {
		return nil, err
	}
	if a.Status != Available {
		return nil, apierr.BadRequest("attribute_not_available", "The requested attribute '%s' is not yet available.", key)
	}
	if a.Relation == nil {
		return nil, apierr.Unknown("%s is not a relationship", key)
	}
	if newKey != "" && c.refusesKey(col, a.Key, newKey) {
		return nil, apierr.Unknown("Relationship already exists")
	}
	change := relationChange{onDelete: onDelete, key: newKey}
	other, related := c.otherSide(col, a), c.relatedTo(col, a)
	c.redefineRelation(related, a.Relation.TwoWayKey, relationChange{onDelete: onDelete, twoWayKey: newKey})
	c.redefineRelation(col, a.Key, change)
	if change.onDelete == "" {
		change.onDelete = "restrict"
	}
	change.apply(&a.Definition)
	a.UpdatedAt = c.now()
	c.collectionChanged(col)
	if related != nil {
		c.collectionChanged(related)
	}
	if other != nil {
		relationChange{onDelete: change.onDelete, twoWayKey: newKey}.apply(&other.Definition)
	}
	return a, nil
}

// refusesKey says whether storage can not rename a relationship: the key is
// another's in any letter case, or its own.
func (c *Catalog) refusesKey(col *Collection, own, key string) bool {
	return slices.ContainsFunc(col.Schema.Attributes, func(d Definition) bool {
		return d.Key == key || (d.Key != own && c.Profile.Fold(d.Key) == c.Profile.Fold(key))
	})
}

// relationChange says what becomes of one side; empty fields keep.
type relationChange struct{ onDelete, key, twoWayKey string }

func (change relationChange) apply(d *Definition) {
	r := *d.Relation
	if change.onDelete != "" {
		r.OnDelete = change.onDelete
	}
	if change.twoWayKey != "" {
		r.TwoWayKey = change.twoWayKey
	}
	if change.key != "" {
		d.Key = change.key
	}
	d.Relation = &r
}

// redefineRelation applies a change to the effective schema.
func (c *Catalog) redefineRelation(col *Collection, key string, change relationChange) {
	if col == nil {
		return
	}
	if held := col.Schema.Attribute(key); held != nil && held.Relation != nil {
		d := *held
		change.apply(&d)
		c.redefine(col, key, d)
	}
}
