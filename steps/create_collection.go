package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateCollection creates a collection without attributes. Its inverse is
// DropCollection.
type CreateCollection struct {
	Database         string   `json:"database"`
	ID               string   `json:"id"`
	Name             string   `json:"name"`
	Permissions      []string `json:"permissions,omitempty"`
	DocumentSecurity bool     `json:"document_security,omitempty"`
	Enabled          *bool    `json:"enabled,omitempty"` // nil: true

	client *appwrite.Client
}

// Kind is "create_collection".
func (s CreateCollection) Kind() string { return "create_collection" }

// Target is the collection.
func (s CreateCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s CreateCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids, name and permissions.
func (s CreateCollection) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("id", s.ID)
	c.name(s.Name)
	c.permissions("permissions", s.Permissions)
	return c.err
}

// Capture makes sure that the id is free.
func (s CreateCollection) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists,
			"name %q; a collection that delete_collection retires goes at the end of the run: to use its id again within the run, use drop_collection",
			live.Name)
	}
	return absent()
}

// Apply creates the collection, or adopts the one an earlier attempt has made.
func (s CreateCollection) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	_, err := s.client.CreateCollection(ctx, s.Database, s.image().collection(s.Database, s.ID))
	if err != nil && !taken(err) {
		return nil, err
	}
	live, found, findErr := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case findErr != nil:
		return nil, findErr
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "it was created and is not there")
	case !s.image().equal(live), err != nil && !site.Doubtful:
		return nil, stopped(s.Target(), engine.ErrForeign, "a collection of this id appeared meanwhile")
	}
	return encode(live)
}

// Settle has nothing to wait for.
func (s CreateCollection) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the collection.
func (s CreateCollection) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findCollection(ctx, s.client, s.Database, s.ID)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case s.image().equal(live):
		return foundAfter(live)
	default:
		return foreign("the collection is not as created: %s", differences(s.image(), live))
	}
}

// Inverse drops the collection as it was created: without anything in it.
func (s CreateCollection) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect := s.image()
	if len(after) > 0 {
		var err error
		if expect, err = recall[CollectionImage](after); err != nil {
			return nil, err
		}
	}
	undo := DropCollection{Database: s.Database, ID: s.ID, Expect: &Contents{Collection: expect}, client: s.client}
	return []engine.Step{undo}, nil
}

// image is what the step makes.
func (s CreateCollection) image() CollectionImage {
	return CollectionImage{
		Name:             s.Name,
		Enabled:          s.Enabled == nil || *s.Enabled,
		DocumentSecurity: s.DocumentSecurity,
		Permissions:      append([]string{}, s.Permissions...),
	}
}
