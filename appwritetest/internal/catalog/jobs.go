package catalog

import (
	"errors"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// errInjected is the storage error of a job that was made to fail.
var errInjected = errors.New("storage failed")

// Run carries out a job of the worker. The caller holds the project lock.
func (c *Catalog) Run(job worker.Job, verdict worker.Verdict) {
	if i := slices.Index(c.jobs, job); i >= 0 {
		c.jobs = slices.Delete(c.jobs, i, i+1)
		c.stateChanged()
	}
	if verdict != worker.DieBefore {
		c.run(job, verdict)
	}
	if err := c.Save(); err != nil {
		c.Logger.Error("a job was not kept", "job", job, "error", err)
	}
}

func (c *Catalog) run(job worker.Job, verdict worker.Verdict) {
	col := c.collections[job.CollectionSequence]
	if col != nil {
		c.collectionChanged(col)
	}
	switch {
	case job.Kind == worker.DeleteCollection:
		c.purgeCollection(job)
	case job.Kind == worker.DeleteDatabase:
		c.purge(job.DatabaseSequence)
	case col == nil: // deleted meanwhile: the job fails without a trace
	case job.Kind == worker.CreateAttribute:
		c.runCreateAttribute(col, job.Key, verdict)
	case job.Kind == worker.DeleteAttribute:
		c.runDeleteAttribute(col, job.Key, verdict)
	case job.Kind == worker.CreateIndex:
		c.runCreateIndex(col, job.Key, verdict)
	case job.Kind == worker.DeleteIndex:
		c.runDeleteIndex(col, job.Key, verdict)
	}
}

func (c *Catalog) schemaJob(kind worker.Kind, col *Collection, key string) {
	c.enqueue(worker.Job{
		Kind: kind, Database: col.Database.ID, DatabaseSequence: col.Database.Sequence,
		Collection: col.ID, CollectionSequence: col.Sequence, Key: key,
	})
}

func (c *Catalog) runCreateAttribute(col *Collection, key string, verdict worker.Verdict) {
	a := c.attribute(col, key)
	if a == nil {
		return
	}
	if related := c.relatedTo(col, a); related != nil {
		c.collectionChanged(related)
	}
	err := errInjected
	if verdict != worker.Fail {
		err = c.materialize(col, a)
	}
	if verdict == worker.DieAfter {
		return
	}
	now := c.now()
	a.Status, a.Error, a.UpdatedAt = Available, "", now
	if err != nil {
		a.Status, a.Error = Failed, err.Error() // the other side waits for good
		return
	}
	if other := c.otherSide(col, a); other != nil {
		other.Status, other.Error, other.UpdatedAt = Available, "", now
	}
}

// materialize brings an attribute into the effective schema.
func (c *Catalog) materialize(col *Collection, a *Attribute) error {
	if a.Relation != nil {
		return c.materializeRelation(col, a)
	}
	return c.addToSchema(col, a.Definition)
}

func (c *Catalog) addToSchema(col *Collection, d Definition) error {
	if col.Schema.Attribute(d.Key) != nil {
		return errors.New("Attribute already exists")
	}
	d.Column = c.nextSequence()
	col.Schema.Attributes = append(slices.Clip(col.Schema.Attributes), d)
	return nil
}

func (c *Catalog) runDeleteAttribute(col *Collection, key string, verdict worker.Verdict) {
	a := c.attribute(col, key)
	if a == nil {
		return
	}
	if related := c.relatedTo(col, a); related != nil {
		c.collectionChanged(related)
	}
	err := errInjected
	if verdict != worker.Fail {
		err = c.dematerialize(col, a)
	}
	if verdict == worker.DieAfter {
		return
	}
	other := c.otherSide(col, a)
	if err != nil {
		for _, side := range []*Attribute{a, other} {
			if side != nil {
				side.Status, side.Error, side.UpdatedAt = Stuck, err.Error(), c.now()
			}
		}
		return
	}
	col.Attributes = without(col.Attributes, a)
	if other != nil {
		related := c.relatedTo(col, a)
		related.Attributes = without(related.Attributes, other)
	}
}

// dematerialize takes an attribute out of storage and out of the indexes. An
// attribute that storage does not know is simply gone.
func (c *Catalog) dematerialize(col *Collection, a *Attribute) error {
	if a.Relation != nil {
		return c.dematerializeRelation(col, a)
	}
	if col.Schema.Attribute(a.Key) == nil {
		return nil
	}
	if err := c.shrinkIndexes(col, a.Key); err != nil {
		return err
	}
	dropFromSchema(col, a.Key)
	return nil
}

// dropFromSchema forgets the definition; the store keeps values under a column
// number that nobody asks for again.
func dropFromSchema(col *Collection, key string) {
	col.Schema.Attributes = slices.DeleteFunc(slices.Clone(col.Schema.Attributes),
		func(d Definition) bool { return d.Key == key })
}

func (c *Catalog) purgeCollection(job worker.Job) {
	for _, d := range c.databases.all {
		if d.Sequence == job.DatabaseSequence {
			c.unrelate(d, job.Collection, job.CollectionSequence)
		}
	}
	c.purge(job.CollectionSequence)
}

// purge drops the tables that a deleted database or collection has left.
func (c *Catalog) purge(owner int64) {
	for _, table := range c.orphans[owner] {
		if err := c.Store.DropTable(table); err != nil {
			c.Logger.Error("purge failed", "table", table, "error", err)
		}
	}
	delete(c.orphans, owner)
	c.stateChanged()
}

func without[T comparable](list []T, gone T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool { return item == gone })
}
