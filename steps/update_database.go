package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpdateDatabase changes a database's name or switches it on or off. Its inverse
// is another UpdateDatabase.
type UpdateDatabase struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`    // empty keeps it
	Enabled *bool  `json:"enabled,omitempty"` // nil keeps it
	// Expect is what an undo believes to find; leave it nil.
	Expect *DatabaseImage `json:"expect,omitempty"`

	client *appwrite.Client
}

// Kind is "update_database".
func (s UpdateDatabase) Kind() string { return "update_database" }

// Target is the database.
func (s UpdateDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s UpdateDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the id, and that there is something to change.
func (s UpdateDatabase) Validate() error {
	c := check{kind: s.Kind()}
	c.id("id", s.ID)
	if s.Name != "" {
		c.name(s.Name)
	}
	if s.Name == "" && s.Enabled == nil {
		c.fail("name", "or enabled must be given")
	}
	return c.err
}

// Capture reads the database.
func (s UpdateDatabase) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	return s.update().capture(ctx, func(live DatabaseImage) (DatabaseImage, error) {
		if s.Name != "" {
			live.Name = s.Name
		}
		if s.Enabled != nil {
			live.Enabled = *s.Enabled
		}
		return live, nil
	})
}

// Apply writes the database whole and reads it back.
func (s UpdateDatabase) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.update().apply(ctx, site, before)
}

// Settle has nothing to wait for.
func (s UpdateDatabase) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the database with both images.
func (s UpdateDatabase) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.update().probe(ctx, before)
}

// Inverse writes the old values back, expecting the new ones; a change of
// nothing has none.
func (s UpdateDatabase) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[change[DatabaseImage]](memento)
	if err != nil || s.update().equal(m.Before, m.After) {
		return nil, err
	}
	undo := UpdateDatabase{
		ID: s.ID, Name: m.Before.Name, Enabled: &m.Before.Enabled, Expect: &m.After, client: s.client,
	}
	return []engine.Step{undo}, nil
}

func (s UpdateDatabase) update() update[DatabaseImage] {
	return update[DatabaseImage]{
		target: s.Target(),
		expect: s.Expect,
		equal:  func(a, b DatabaseImage) bool { return same(a, b) },
		path:   direct[DatabaseImage],
		read: func(ctx context.Context) (DatabaseImage, bool, error) {
			return findDatabase(ctx, s.client, s.ID)
		},
		write: func(ctx context.Context, _, to DatabaseImage) error {
			_, err := s.client.UpdateDatabase(ctx, appwrite.Database{
				ID: s.ID, Name: to.Name, Enabled: to.Enabled, Type: to.Type,
			})
			return err
		},
	}
}
