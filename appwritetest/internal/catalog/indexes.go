package catalog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Index finds an index of a collection in any status.
func (c *Catalog) Index(database, collection, key string) (*Collection, *Index, error) {
	col, err := c.Collection(database, collection)
	if err != nil {
		return nil, nil, err
	}
	if x := c.index(col, key); x != nil {
		return col, x, nil
	}
	return nil, nil, apierr.NotFound("index_not_found", "Index with the requested ID '%s' could not be found.", key)
}

// CreateIndex adds an index that the worker then builds.
func (c *Catalog) CreateIndex(database, collection string, d IndexDefinition) (*Index, error) {
	col, err := c.Collection(database, collection)
	if err != nil {
		return nil, err
	}
	if len(col.Indexes) >= profile.MaxIndexes {
		return nil, apierr.BadRequest("index_limit_exceeded", "The maximum number of indexes for collection '%s' has been reached.", col.ID)
	}
	if err := c.checkIndex(col, &d); err != nil {
		return nil, err
	}
	if c.index(col, d.Key) != nil {
		return nil, apierr.Conflict("index_already_exists", "Index with the requested key '%s' already exists.", d.Key)
	}
	x := c.addIndex(col, d)
	c.schemaJob(worker.CreateIndex, col, d.Key)
	return x, nil
}

func (c *Catalog) addIndex(col *Collection, d IndexDefinition) *Index {
	now := c.now()
	x := &Index{
		IndexDefinition: d, Status: Processing, CreatedAt: now, UpdatedAt: now,
		ID: fmt.Sprintf("%d_%d_%s", col.Database.Sequence, col.Sequence, d.Key),
	}
	col.Indexes = append(col.Indexes, x)
	c.collectionChanged(col)
	return x
}

// DeleteIndex marks an index for the worker to remove.
func (c *Catalog) DeleteIndex(database, collection, key string) error {
	col, x, err := c.Index(database, collection, key)
	if err != nil {
		return err
	}
	if x.Status == Available {
		x.Status = Deleting
		c.collectionChanged(col)
	}
	c.schemaJob(worker.DeleteIndex, col, x.Key)
	return nil
}

// physical counts the indexes in storage: those that clients asked for, and one
// for each relationship that has a column.
func (s *Schema) physical() int {
	n := len(s.Indexes)
	for _, d := range s.Attributes {
		if d.Relation != nil && d.Relation.HasColumn() {
			n++
		}
	}
	return n
}

func (c *Catalog) runCreateIndex(col *Collection, key string, verdict worker.Verdict) {
	x := c.index(col, key)
	if x == nil {
		return
	}
	err := errInjected
	if verdict != worker.Fail {
		err = c.build(col, x.IndexDefinition)
	}
	if verdict == worker.DieAfter {
		return
	}
	x.Status, x.Error, x.UpdatedAt = Available, "", c.now()
	if err != nil {
		x.Status, x.Error = Failed, err.Error()
	}
}

// build brings an index into storage. From 1.9 on the server takes a unique
// index over duplicate values for built although nothing enforces it.
func (c *Catalog) build(col *Collection, d IndexDefinition) error {
	if !knownIndexType(d.Type) {
		return errIndexType(d.Type)
	}
	if col.Schema.physical() >= profile.MaxIndexes {
		return errors.New("Index limit reached. Cannot create new index.") //nolint:revive,staticcheck // the server's own text
	}
	p := PhysicalIndex{IndexDefinition: d, Number: c.nextSequence(), Enforced: true}
	if d.Type == "unique" {
		err := c.addUnique(col, p)
		switch {
		case errors.Is(err, store.ErrDuplicate) && c.Profile.AtLeast(1, 9, 0):
			p.Enforced = false
		case errors.Is(err, store.ErrDuplicate):
			return errors.New("Document already exists") //nolint:staticcheck // the server's own text
		case err != nil:
			return err
		}
	}
	col.Schema.Indexes = append(slices.Clip(col.Schema.Indexes), p)
	return nil
}

// addUnique builds the store's part of a unique index. One over the record's
// own fields needs none: the id is unique anyhow.
func (c *Catalog) addUnique(col *Collection, p PhysicalIndex) error {
	columns := make([]int64, 0, len(p.Attributes))
	for _, key := range p.Attributes {
		if d := col.Schema.Attribute(key); d != nil {
			columns = append(columns, d.Column)
		}
	}
	if len(columns) < len(p.Attributes) {
		return nil
	}
	return c.Store.AddIndex(col.Sequence, store.Index{Number: p.Number, Columns: columns, Lengths: p.Lengths, Unique: true})
}

func (c *Catalog) runDeleteIndex(col *Collection, key string, verdict worker.Verdict) {
	x := c.index(col, key)
	if x == nil {
		return
	}
	var err error
	switch {
	case verdict == worker.Fail:
		err = errInjected
	case x.Status != Failed: // a failed one is not in storage
		err = c.demolish(col, x.Key)
	}
	if verdict == worker.DieAfter {
		return
	}
	if err != nil {
		x.Status, x.Error, x.UpdatedAt = Stuck, err.Error(), c.now()
		return
	}
	col.Indexes = without(col.Indexes, x)
}

// demolish takes an index out of storage; one that is not there is an error.
func (c *Catalog) demolish(col *Collection, key string) error {
	i := slices.IndexFunc(col.Schema.Indexes, func(p PhysicalIndex) bool { return p.Key == key })
	if i < 0 {
		return errors.New("Index not found")
	}
	if err := c.Store.DropIndex(col.Sequence, col.Schema.Indexes[i].Number); err != nil {
		return err
	}
	col.Schema.Indexes = slices.Delete(slices.Clone(col.Schema.Indexes), i, i+1)
	return nil
}
