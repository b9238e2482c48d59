package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// DropDatabase archives a database, every collection in an archive of its own,
// and deletes it at once. Its inverse is RestoreDatabase. DeleteDatabase does
// the same at the end of the run.
type DropDatabase struct {
	ID string `json:"id"`
	// Expect is what an undo believes to find; nil: whatever is there may go.
	Expect *DatabaseContents `json:"expect,omitempty"`

	client *appwrite.Client
}

// DatabaseContents is what an undo believes a database to be and to hold.
type DatabaseContents struct {
	Database    DatabaseImage       `json:"database"`
	Collections map[string]Contents `json:"collections,omitempty"` // by id
}

// ArchivedCollection is one collection of an archived database.
type ArchivedCollection struct {
	ID         string             `json:"id"`
	Collection CollectionImage    `json:"collection"`
	Digest     string             `json:"digest,omitempty"`
	Documents  int64              `json:"documents,omitempty"`
	Archive    journal.ArchiveRef `json:"archive"`
}

// droppedDatabase is the memento of DropDatabase.
type droppedDatabase struct {
	Database    DatabaseImage        `json:"database"`
	Collections []ArchivedCollection `json:"collections,omitempty"`
}

// Kind is "drop_database".
func (s DropDatabase) Kind() string { return "drop_database" }

// Target is the database.
func (s DropDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s DropDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the id.
func (s DropDatabase) Validate() error {
	c := check{kind: s.Kind()}
	c.id("id", s.ID)
	return c.err
}

// Capture archives every collection.
func (s DropDatabase) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	}
	m := droppedDatabase{Database: live}
	collections, err := s.client.ListCollections(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, collection := range collections {
		archive, c, err := archiveCollection(ctx, s.client, site, s.ID, collection.ID)
		if err != nil {
			return nil, err
		}
		m.Collections = append(m.Collections, ArchivedCollection{
			ID: collection.ID, Collection: c.Schema.Collection, Digest: c.Digest, Documents: c.Documents, Archive: archive,
		})
	}
	return encode(m)
}

// foreignness says what somebody else has done to the database since the run made it.
func (s DropDatabase) foreignness(m droppedDatabase) string {
	if s.Expect == nil {
		return ""
	}
	if !s.Expect.Database.matches(m.Database) {
		return differences(s.Expect.Database, m.Database)
	}
	for _, have := range m.Collections {
		want, expected := s.Expect.Collections[have.ID]
		switch {
		case !expected:
			return fmt.Sprintf("collection %q, with %d documents, is not the run's", have.ID, have.Documents)
		case !want.Collection.equal(have.Collection) || want.Digest != have.Digest:
			return fmt.Sprintf("collection %q has changed", have.ID)
		}
	}
	if len(m.Collections) < len(s.Expect.Collections) {
		return "collections are missing"
	}
	return ""
}

// Apply looks for what was written since the archives were closed, then deletes.
func (s DropDatabase) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[droppedDatabase](memento)
	if err != nil {
		return nil, err
	}
	live, found, err := findDatabase(ctx, s.client, s.ID)
	if err != nil {
		return nil, err
	}
	if !found {
		return absent()
	}
	why := s.foreignness(m)
	if spared(site, why) {
		return absent() // it holds what others have made, so it stays
	}
	if err := destructible(site, s.Target(), why); err != nil {
		return nil, err
	}
	if !same(m.Database, live) {
		return nil, stopped(s.Target(), engine.ErrForeign, "%s", differences(m.Database, live))
	}
	if err := s.unchanged(ctx, m); err != nil {
		return nil, err
	}
	if err := notFoundIsFine(s.client.DeleteDatabase(ctx, s.ID)); err != nil {
		return nil, err
	}
	return absent()
}

// unchanged fails when a collection is no longer as archived.
func (s DropDatabase) unchanged(ctx context.Context, m droppedDatabase) error {
	now, err := s.survey(ctx)
	if err != nil {
		return err
	}
	for _, archived := range m.Collections {
		live, there := now[archived.ID]
		if !there || !live.Collection.equal(archived.Collection) || live.Digest != archived.Digest {
			return stopped(collectionRef(s.ID, archived.ID), ErrLateWrite, "stop the writers and run again")
		}
		delete(now, archived.ID)
	}
	if len(now) > 0 {
		return stopped(s.Target(), ErrLateWrite, "collections were added: %v", slices.Sorted(maps.Keys(now)))
	}
	return nil
}

// survey sums up every collection.
func (s DropDatabase) survey(ctx context.Context) (map[string]Contents, error) {
	collections, err := s.client.ListCollections(ctx, s.ID)
	if err != nil {
		return nil, notFoundIsFine(err)
	}
	all := make(map[string]Contents, len(collections))
	for _, collection := range collections {
		c, found, err := survey(ctx, s.client, s.ID, collection.ID, func(archivedItem, json.RawMessage) error { return nil })
		if err != nil {
			return nil, err
		}
		if found {
			all[collection.ID] = Contents{Collection: c.Schema.Collection, Digest: c.Digest}
		}
	}
	return all, nil
}

// Settle has nothing to wait for: the database is gone as soon as the server
// answers, and one made under its id is another to the worker.
func (s DropDatabase) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the database.
func (s DropDatabase) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[droppedDatabase](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := findDatabase(ctx, s.client, s.ID)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return foundAfter(struct{}{})
	case !same(m.Database, live):
		return foreign("%s", differences(m.Database, live))
	}
	if why := s.foreignness(m); why != "" {
		return foreign("%s", why)
	}
	return untouched()
}

// Inverse restores the database from its archives.
func (s DropDatabase) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[droppedDatabase](memento)
	if err != nil {
		return nil, err
	}
	undo := RestoreDatabase{ID: s.ID, Database: m.Database, Collections: m.Collections, client: s.client}
	return []engine.Step{undo}, nil
}
