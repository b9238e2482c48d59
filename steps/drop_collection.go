package steps

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// DropCollection archives a collection with everything in it and deletes it at
// once. Its inverse is RestoreCollection. DeleteCollection does the same at the
// end of the run.
type DropCollection struct {
	Database string `json:"database"`
	ID       string `json:"id"`
	// Expect is what an undo believes to find; nil: whatever is there may go.
	Expect *Contents `json:"expect,omitempty"`

	client *appwrite.Client
}

// Contents is what an undo believes a collection to be and to hold.
type Contents struct {
	Collection CollectionImage `json:"collection"`
	// Digest is of attributes, indexes, documents and links; "" means that
	// there is nothing but the collection itself.
	Digest string `json:"digest,omitempty"`
}

// droppedCollection is the memento of DropCollection.
type droppedCollection struct {
	Collection CollectionImage    `json:"collection"`
	Archive    journal.ArchiveRef `json:"archive"`
	Digest     string             `json:"digest,omitempty"`
	Documents  int64              `json:"documents,omitempty"`
	Attributes int                `json:"attributes,omitempty"`
	// Linked says that other objects refer to the collection, so that the
	// worker has more to purge than storage.
	Linked bool `json:"linked,omitempty"`
}

// Kind is "drop_collection".
func (s DropCollection) Kind() string { return "drop_collection" }

// Target is the collection.
func (s DropCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s DropCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids.
func (s DropCollection) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("id", s.ID)
	return c.err
}

// Capture archives schema, documents and links.
func (s DropCollection) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	_, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	}
	archive, c, err := archiveCollection(ctx, s.client, site, s.Database, s.ID)
	if err != nil {
		return nil, err
	}
	return encode(droppedCollection{
		Collection: c.Schema.Collection,
		Archive:    archive,
		Digest:     c.Digest,
		Documents:  c.Documents,
		Attributes: len(c.Schema.Attributes) + len(c.Schema.Relationships),
		Linked:     len(c.Schema.Relationships)+len(c.Schema.Indexes) > 0,
	})
}

// foreignness says what somebody else has done to the collection since the run made it.
func (s DropCollection) foreignness(m droppedCollection) string {
	switch {
	case s.Expect == nil:
		return ""
	case !s.Expect.Collection.equal(m.Collection):
		return differences(s.Expect.Collection, m.Collection)
	case s.Expect.Digest == "" && m.Digest != "":
		return fmt.Sprintf("it holds %d documents and %d attributes that the run did not make", m.Documents, m.Attributes)
	case s.Expect.Digest != m.Digest:
		return "documents or schema have changed"
	default:
		return ""
	}
}

// Apply looks for what was written since the archive was closed, then deletes.
func (s DropCollection) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[droppedCollection](memento)
	if err != nil {
		return nil, err
	}
	_, found, err := findCollection(ctx, s.client, s.Database, s.ID)
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
	if err := s.unchanged(ctx, m); err != nil {
		return nil, err
	}
	if err := notFoundIsFine(s.client.DeleteCollection(ctx, s.Database, s.ID)); err != nil {
		return nil, err
	}
	return absent()
}

// unchanged fails when the collection is no longer as archived.
func (s DropCollection) unchanged(ctx context.Context, m droppedCollection) error {
	now, found, err := survey(ctx, s.client, s.Database, s.ID, func(archivedItem, json.RawMessage) error { return nil })
	switch {
	case err != nil || !found:
		return err
	case !m.Collection.equal(now.Schema.Collection):
		return stopped(s.Target(), engine.ErrForeign, "%s", differences(m.Collection, now.Schema.Collection))
	case m.Digest != now.Digest:
		return stopped(s.Target(), ErrLateWrite,
			"%d documents now, %d archived; API keys write even to a disabled collection: stop the writers and run again",
			now.Documents, m.Documents)
	default:
		return nil
	}
}

// Settle waits for the worker where the purge can reach other objects.
func (s DropCollection) Settle(ctx context.Context, site engine.Site, memento engine.Memento) error {
	m, err := recall[droppedCollection](memento)
	if err != nil || !m.Linked || spared(site, s.foreignness(m)) {
		return err
	}
	return passWorker(ctx, s.client, s.Target())
}

// Probe looks for the collection.
func (s DropCollection) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[droppedCollection](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return foundAfter(struct{}{})
	case !m.Collection.equal(live):
		return foreign("%s", differences(m.Collection, live))
	}
	if why := s.foreignness(m); why != "" {
		return foreign("%s", why)
	}
	return untouched()
}

// Inverse restores the collection from its archive.
func (s DropCollection) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[droppedCollection](memento)
	if err != nil {
		return nil, err
	}
	undo := RestoreCollection{
		Database: s.Database, ID: s.ID, Collection: m.Collection, Archive: m.Archive, client: s.client,
	}
	return []engine.Step{undo}, nil
}
