package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpdateCollection changes a collection's own fields. Its inverse is another
// UpdateCollection.
type UpdateCollection struct {
	Database         string    `json:"database"`
	ID               string    `json:"id"`
	Name             string    `json:"name,omitempty"`              // empty keeps it
	Permissions      *[]string `json:"permissions,omitempty"`       // nil keeps them
	DocumentSecurity *bool     `json:"document_security,omitempty"` // nil keeps it
	Enabled          *bool     `json:"enabled,omitempty"`           // nil keeps it
	// Expect is what an undo believes to find; leave it nil.
	Expect *CollectionImage `json:"expect,omitempty"`

	client *appwrite.Client
}

// Kind is "update_collection".
func (s UpdateCollection) Kind() string { return "update_collection" }

// Target is the collection.
func (s UpdateCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s UpdateCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and values, and that there is something to change.
func (s UpdateCollection) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("id", s.ID)
	if s.Name != "" {
		c.name(s.Name)
	}
	if s.Permissions != nil {
		c.permissions("permissions", *s.Permissions)
	}
	if s.Name == "" && s.Permissions == nil && s.DocumentSecurity == nil && s.Enabled == nil {
		c.fail("name", "or another field to change must be given")
	}
	return c.err
}

// Capture reads the collection.
func (s UpdateCollection) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	return s.update().capture(ctx, func(live CollectionImage) (CollectionImage, error) {
		if s.Name != "" {
			live.Name = s.Name
		}
		if s.Permissions != nil {
			live.Permissions = append([]string{}, *s.Permissions...)
		}
		if s.DocumentSecurity != nil {
			live.DocumentSecurity = *s.DocumentSecurity
		}
		if s.Enabled != nil {
			live.Enabled = *s.Enabled
		}
		return live, nil
	})
}

// Apply writes the collection whole and reads it back.
func (s UpdateCollection) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.update().apply(ctx, site, before)
}

// Settle has nothing to wait for.
func (s UpdateCollection) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the collection with both images.
func (s UpdateCollection) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.update().probe(ctx, before)
}

// Inverse writes the old values back, expecting the new ones; a change of
// nothing has none.
func (s UpdateCollection) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[change[CollectionImage]](memento)
	if err != nil || s.update().equal(m.Before, m.After) {
		return nil, err
	}
	old := m.Before
	undo := UpdateCollection{
		Database: s.Database, ID: s.ID,
		Name: old.Name, Permissions: &old.Permissions, DocumentSecurity: &old.DocumentSecurity, Enabled: &old.Enabled,
		Expect: &m.After, client: s.client,
	}
	return []engine.Step{undo}, nil
}

func (s UpdateCollection) update() update[CollectionImage] {
	return update[CollectionImage]{
		target: s.Target(),
		expect: s.Expect,
		equal:  CollectionImage.equal,
		path:   direct[CollectionImage],
		read: func(ctx context.Context) (CollectionImage, bool, error) {
			return findCollection(ctx, s.client, s.Database, s.ID)
		},
		write: func(ctx context.Context, _, to CollectionImage) error {
			_, err := s.client.UpdateCollection(ctx, s.Database, to.collection(s.Database, s.ID))
			return err
		},
	}
}
