package steps

import (
	"context"
	"encoding/json"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// RestoreCollection brings back what DropCollection deleted: disabled at first,
// then attributes, documents with their ids, permissions and (from 1.8) times,
// relationships and links, defaults, required, indexes, and last the
// collection's own permissions. Its inverse is DropCollection.
type RestoreCollection struct {
	Database   string             `json:"database"`
	ID         string             `json:"id"`
	Collection CollectionImage    `json:"collection"`
	Archive    journal.ArchiveRef `json:"archive"`

	client *appwrite.Client
}

// Kind is "restore_collection".
func (s RestoreCollection) Kind() string { return "restore_collection" }

// Target is the collection.
func (s RestoreCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s RestoreCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and that there is an archive.
func (s RestoreCollection) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("id", s.ID)
	if !present(s.Archive) {
		c.fail("archive", "is missing")
	}
	return c.err
}

// Capture makes sure that the id is free and the archive can be read.
func (s RestoreCollection) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists, "name %q", live.Name)
	}
	if _, err := openArchive(ctx, site, s.Archive); err != nil {
		return nil, err
	}
	return absent()
}

// hidden is the collection as it is while it is being restored.
func (s RestoreCollection) hidden() CollectionImage {
	image := s.Collection
	image.Enabled, image.Permissions = false, []string{}
	return image
}

// begun reports whether a live collection is what a restoration makes, at any
// time of it.
func (s RestoreCollection) begun(live CollectionImage) bool {
	return s.hidden().equal(live) || s.Collection.equal(live)
}

// Apply brings the collection back as far as it is not.
func (s RestoreCollection) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	r, err := s.restorer(ctx, site)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	for _, phase := range []func(context.Context) error{r.attributes, r.documents, r.relationships, r.times, r.definitions, r.indexes} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.reveal(ctx); err != nil {
		return nil, err
	}
	return s.observe(ctx)
}

// restorer opens the archive.
func (s RestoreCollection) restorer(ctx context.Context, site engine.Site) (restorer, error) {
	schema, err := openArchive(ctx, site, s.Archive)
	return restorer{
		client: s.client, site: site, database: s.Database, id: s.ID, schema: schema, archive: s.Archive,
	}, err
}

// open makes the hidden collection, unless an earlier attempt has.
func (s RestoreCollection) open(ctx context.Context) error {
	if err := removeBarrier(ctx, s.client, s.Target()); err != nil {
		return err
	}
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case err != nil:
		return err
	case found && !s.begun(live):
		return stopped(s.Target(), engine.ErrForeign, "%s", differences(s.hidden(), live))
	case found:
		return nil
	}
	_, err = s.client.CreateCollection(ctx, s.Database, s.hidden().collection(s.Database, s.ID))
	return err
}

// reveal gives the collection back what it was hidden from. It sends nothing
// where that is nothing: a request whose effect cannot be seen could not be
// waited for, and would hide the collection again after a later step.
func (s RestoreCollection) reveal(ctx context.Context) error {
	if s.hidden().equal(s.Collection) {
		return nil
	}
	_, err := s.client.UpdateCollection(ctx, s.Database, s.Collection.collection(s.Database, s.ID))
	return err
}

// observe sums up what is there now, for the undo of this undo.
func (s RestoreCollection) observe(ctx context.Context) (engine.Observation, error) {
	c, found, err := survey(ctx, s.client, s.Database, s.ID, func(archivedItem, json.RawMessage) error { return nil })
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "it was restored and is not there")
	}
	return encode(Contents{Collection: c.Schema.Collection, Digest: c.Digest})
}

// Settle has nothing to wait for: every part was awaited before the next.
func (s RestoreCollection) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the collection with its archive. It may be hidden in the end
// too, so that alone tells nothing: each part is looked for.
func (s RestoreCollection) Probe(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case !s.Collection.equal(live) && s.hidden().equal(live):
		return partial("the collection is still hidden")
	case !s.Collection.equal(live):
		return foreign("%s", differences(s.Collection, live))
	}
	r, err := s.restorer(ctx, site)
	if err != nil {
		return engine.Finding{}, err
	}
	missing, err := r.unfinished(ctx)
	switch {
	case err != nil:
		return lost(err)
	case missing != "":
		return partial("%s", missing)
	}
	observed, err := s.observe(ctx)
	return engine.Finding{State: engine.StateAfter, After: observed}, err
}

// Inverse drops the collection again, expecting it as restored.
func (s RestoreCollection) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect, err := restored[Contents](after)
	if err != nil {
		return nil, err
	}
	undo := DropCollection{Database: s.Database, ID: s.ID, Expect: expect, client: s.client}
	return []engine.Step{undo}, nil
}
