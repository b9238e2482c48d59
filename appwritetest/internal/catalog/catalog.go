package catalog

import (
	"log/slog"
	"slices"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Config is what a Catalog needs; every field but Shelf is required.
type Config struct {
	Profile profile.Profile
	Now     func() time.Time
	// Enqueue hands a job to the worker, which calls Run.
	Enqueue func(worker.Job)
	Store   store.Store
	Logger  *slog.Logger
	// Shelf keeps the catalog in a file; nil keeps it in memory only.
	Shelf Shelf
}

// Catalog is the schema of a whole project.
type Catalog struct {
	Config

	databases   roll[*Database]
	collections map[int64]*Collection // by sequence
	orphans     map[int64][]int64     // tables to purge, by sequence of the deleted owner
	sequence    int64                 // the last one given out
	jobs        []worker.Job          // queued and not finished
	dirty       map[string]func() any // what Save has to write, by name; nil removes
}

// New returns an empty catalog.
func New(config Config) *Catalog {
	return &Catalog{
		Config:      config,
		collections: map[int64]*Collection{},
		orphans:     map[int64][]int64{},
		dirty:       map[string]func() any{},
	}
}

// Databases returns the databases in order of creation.
func (c *Catalog) Databases() []*Database { return slices.Clone(c.databases.all) }

// Database finds a database by id, as the backend compares ids.
func (c *Catalog) Database(id string) (*Database, error) {
	if d := c.databases.find(c.Profile.Fold(id)); d != nil {
		return d, nil
	}
	return nil, apierr.NotFound("database_not_found", "Database with the requested ID '%s' could not be found.", id)
}

// Collection finds a collection by the ids of its database and its own.
func (c *Catalog) Collection(database, id string) (*Collection, error) {
	d, err := c.Database(database)
	if err != nil {
		return nil, err
	}
	if col := c.sibling(d, id); col != nil {
		return col, nil
	}
	return nil, collectionNotFound(id)
}

func collectionNotFound(id string) error {
	return apierr.NotFound("collection_not_found", "Collection with the requested ID '%s' could not be found.", id)
}

// CollectionBySequence finds a collection that was not deleted, or nil.
func (c *Catalog) CollectionBySequence(sequence int64) *Collection { return c.collections[sequence] }

// sibling finds a collection in a database, or nil.
func (c *Catalog) sibling(d *Database, id string) *Collection {
	return d.collections.find(c.Profile.Fold(id))
}

// attribute finds an attribute by key, as the backend compares keys, or nil.
func (c *Catalog) attribute(col *Collection, key string) *Attribute {
	folded := c.Profile.Fold(key)
	for _, a := range col.Attributes {
		if c.Profile.Fold(a.Key) == folded {
			return a
		}
	}
	return nil
}

// index finds an index by key, as the backend compares keys, or nil.
func (c *Catalog) index(col *Collection, key string) *Index {
	folded := c.Profile.Fold(key)
	for _, x := range col.Indexes {
		if c.Profile.Fold(x.Key) == folded {
			return x
		}
	}
	return nil
}

// enqueue hands a job to the worker and remembers it until it is done.
func (c *Catalog) enqueue(job worker.Job) {
	c.jobs = append(c.jobs, job)
	c.stateChanged()
	c.Enqueue(job)
}

func (c *Catalog) nextSequence() int64 {
	c.sequence++
	return c.sequence
}

// now is the server's clock at the precision the store keeps.
func (c *Catalog) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
