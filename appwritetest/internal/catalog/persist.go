package catalog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Shelf keeps named values beyond the process.
type Shelf interface {
	Load(ctx context.Context, prefix string) (map[string][]byte, error)
	// Save replaces values, all or none; nil removes one.
	Save(changes map[string][]byte) error
}

// The names under which the catalog keeps itself.
const (
	shelfPrefix      = "catalog/"
	stateName        = shelfPrefix + "state"
	databasePrefix   = shelfPrefix + "database/"
	collectionPrefix = shelfPrefix + "collection/"
)

// state is what belongs to no single database.
type state struct {
	Sequence int64
	Orphans  map[int64][]int64
	Jobs     []worker.Job // queued and not finished
}

// storedCollection is a collection with its database by sequence.
type storedCollection struct {
	DatabaseSequence int64
	Collection       Collection
}

// Load fills an empty catalog from its shelf and queues the jobs that were not
// finished.
func (c *Catalog) Load(ctx context.Context) error {
	if c.Shelf == nil {
		return nil
	}
	gob.Register([]any{}) // the only value of Definition.Default that gob must be told of
	values, err := c.Shelf.Load(ctx, shelfPrefix)
	if err != nil {
		return err
	}
	if err := c.loadDatabases(values); err != nil {
		return err
	}
	if err := c.loadCollections(values); err != nil {
		return err
	}
	return c.loadState(values[stateName])
}

func (c *Catalog) loadDatabases(values map[string][]byte) error {
	databases, err := decodeAll[Database](values, databasePrefix)
	slices.SortFunc(databases, func(a, b *Database) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, d := range databases {
		c.databases.add(c.Profile.Fold(d.ID), d)
	}
	return err
}

// loadCollections puts every collection into its database.
func (c *Catalog) loadCollections(values map[string][]byte) error {
	stored, err := decodeAll[storedCollection](values, collectionPrefix)
	slices.SortFunc(stored, func(a, b *storedCollection) int {
		return cmp.Compare(a.Collection.Sequence, b.Collection.Sequence)
	})
	for _, s := range stored {
		for _, d := range c.databases.all {
			if d.Sequence == s.DatabaseSequence {
				s.Collection.Database = d
				d.collections.add(c.Profile.Fold(s.Collection.ID), &s.Collection)
				c.collections[s.Collection.Sequence] = &s.Collection
			}
		}
	}
	return err
}

func (c *Catalog) loadState(value []byte) error {
	if value == nil {
		return nil
	}
	s := state{}
	if err := decode(stateName, value, &s); err != nil {
		return err
	}
	c.sequence, c.jobs = s.Sequence, s.Jobs
	if s.Orphans != nil {
		c.orphans = s.Orphans
	}
	for _, job := range s.Jobs {
		c.Enqueue(job)
	}
	return nil
}

// Save writes what has changed since the last time. Without a shelf it does
// nothing.
func (c *Catalog) Save() error {
	if c.Shelf == nil || len(c.dirty) == 0 {
		clear(c.dirty)
		return nil
	}
	changes := map[string][]byte{}
	for name, value := range c.dirty {
		if value == nil {
			changes[name] = nil
			continue
		}
		var encoded bytes.Buffer
		if err := gob.NewEncoder(&encoded).Encode(value()); err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		changes[name] = encoded.Bytes()
	}
	clear(c.dirty)
	return c.Shelf.Save(changes)
}

// databaseChanged notes that a database is to be saved.
func (c *Catalog) databaseChanged(d *Database) {
	c.dirty[databaseName(d)] = func() any { return d }
	c.stateChanged()
}

// collectionChanged notes that a collection is to be saved.
func (c *Catalog) collectionChanged(col *Collection) {
	c.dirty[collectionName(col)] = func() any {
		stored := storedCollection{DatabaseSequence: col.Database.Sequence, Collection: *col}
		stored.Collection.Database = nil
		return stored
	}
	c.stateChanged()
}

func (c *Catalog) stateChanged() {
	c.dirty[stateName] = func() any { return state{Sequence: c.sequence, Orphans: c.orphans, Jobs: c.jobs} }
}

func databaseName(d *Database) string { return fmt.Sprint(databasePrefix, d.Sequence) }

func collectionName(col *Collection) string { return fmt.Sprint(collectionPrefix, col.Sequence) }

// decodeAll decodes every value whose name begins with prefix.
func decodeAll[T any](values map[string][]byte, prefix string) ([]*T, error) {
	var all []*T
	for name, value := range values {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		decoded := new(T)
		if err := decode(name, value, decoded); err != nil {
			return nil, err
		}
		all = append(all, decoded)
	}
	return all, nil
}

func decode(name string, value []byte, into any) error {
	if err := gob.NewDecoder(bytes.NewReader(value)).Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
