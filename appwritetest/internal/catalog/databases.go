package catalog

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// CreateDatabase adds a database; kind is "legacy" or "tablesdb".
func (c *Catalog) CreateDatabase(id, name string, enabled bool, kind string) (*Database, error) {
	if _, err := c.Database(id); err == nil {
		return nil, apierr.Conflict("database_already_exists", "Database with the requested ID '%s' already exists.", id)
	}
	now := c.now()
	d := &Database{
		ID: id, Sequence: c.nextSequence(), Name: name, Enabled: enabled, Type: kind,
		CreatedAt: now, UpdatedAt: now,
	}
	c.databases.add(c.Profile.Fold(d.ID), d)
	c.databaseChanged(d)
	return d, nil
}

// UpdateDatabase replaces enabled, and the name unless it is empty.
func (c *Catalog) UpdateDatabase(id, name string, enabled bool) (*Database, error) {
	d, err := c.Database(id)
	if err != nil {
		return nil, err
	}
	if name != "" {
		d.Name = name
	}
	d.Enabled, d.UpdatedAt = enabled, c.now()
	c.databaseChanged(d)
	return d, nil
}

// DeleteDatabase removes a database at once; its records are purged by the
// worker.
func (c *Catalog) DeleteDatabase(id string) error {
	d, err := c.Database(id)
	if err != nil {
		return err
	}
	c.databases.remove(c.Profile.Fold(d.ID))
	c.dirty[databaseName(d)] = nil
	for _, col := range d.collections.all {
		c.forget(col)
		c.orphans[d.Sequence] = append(c.orphans[d.Sequence], col.tables()...)
	}
	c.enqueue(worker.Job{Kind: worker.DeleteDatabase, Database: d.ID, DatabaseSequence: d.Sequence})
	return nil
}
