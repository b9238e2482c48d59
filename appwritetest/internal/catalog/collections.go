package catalog

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// NewCollection is what a client says about a collection to create.
type NewCollection struct {
	ID               string
	Name             string
	Permissions      []string
	DocumentSecurity bool
	Enabled          bool
	// Inline checks and returns what is created with the collection, at once
	// (1.9). It is called when nothing else stands in the way.
	Inline func() ([]Definition, []IndexDefinition, error)
}

// CreateCollection adds a collection, with its inline schema or not at all.
func (c *Catalog) CreateCollection(database string, n NewCollection) (*Collection, error) {
	d, err := c.Database(database)
	if err != nil {
		return nil, err
	}
	if c.sibling(d, n.ID) != nil {
		return nil, collectionExists(n.ID)
	}
	now := c.now()
	col := &Collection{
		ID: n.ID, Sequence: c.nextSequence(), Database: d, Name: n.Name, Enabled: n.Enabled,
		DocumentSecurity: n.DocumentSecurity, Permissions: n.Permissions, CreatedAt: now, UpdatedAt: now,
	}
	attributes, indexes, err := n.Inline()
	if err != nil {
		return nil, err
	}
	if err := c.inline(col, attributes, indexes); err != nil {
		c.forget(col)
		return nil, err
	}
	d.collections.add(c.Profile.Fold(col.ID), col)
	c.collections[col.Sequence] = col
	c.collectionChanged(col)
	return col, nil
}

// CollectionChange is what a client says in an update; absent pointers keep.
type CollectionChange struct {
	Name             *string
	Permissions      *[]string
	DocumentSecurity bool
	Enabled          bool
}

// UpdateCollection applies a change.
func (c *Catalog) UpdateCollection(database, id string, change CollectionChange) (*Collection, error) {
	col, err := c.Collection(database, id)
	if err != nil {
		return nil, err
	}
	if change.Name != nil {
		col.Name = *change.Name
	}
	if change.Permissions != nil {
		col.Permissions = *change.Permissions
	}
	col.DocumentSecurity, col.Enabled, col.UpdatedAt = change.DocumentSecurity, change.Enabled, c.now()
	c.collectionChanged(col)
	return col, nil
}

// DeleteCollection removes a collection at once; its records, and the
// relationships of other collections that point at it, go with the worker.
func (c *Catalog) DeleteCollection(database, id string) error {
	col, err := c.Collection(database, id)
	if err != nil {
		return err
	}
	d := col.Database
	d.collections.remove(c.Profile.Fold(col.ID))
	c.forget(col)
	c.orphans[col.Sequence] = col.tables()
	c.enqueue(worker.Job{
		Kind: worker.DeleteCollection, Database: d.ID, DatabaseSequence: d.Sequence,
		Collection: col.ID, CollectionSequence: col.Sequence,
	})
	return nil
}

// forget takes a collection out of the lookups.
func (c *Catalog) forget(col *Collection) {
	delete(c.collections, col.Sequence)
	c.dirty[collectionName(col)] = nil
}

func collectionExists(id string) error {
	return apierr.Conflict("collection_already_exists", "Collection with the requested ID '%s' already exists.", id)
}
