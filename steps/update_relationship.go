package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpdateRelationship changes what happens to related documents on deletion,
// which is all that can change; RenameAttribute renames. Its inverse is another
// UpdateRelationship.
type UpdateRelationship struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	OnDelete   string `json:"on_delete"`
	// Expect is what an undo believes to find; leave it nil.
	Expect *RelationshipImage `json:"expect,omitempty"`

	client *appwrite.Client
}

// Kind is "update_relationship".
func (s UpdateRelationship) Kind() string { return "update_relationship" }

// Target is the relationship.
func (s UpdateRelationship) Target() engine.Ref {
	return relationshipRef(s.Database, s.Collection, s.Key)
}

func (s UpdateRelationship) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and the word.
func (s UpdateRelationship) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	c.oneOf("on_delete", s.OnDelete, Restrict, Cascade, SetNull)
	return c.err
}

// Capture reads the relationship.
func (s UpdateRelationship) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	return s.update().capture(ctx, func(live RelationshipImage) (RelationshipImage, error) {
		live.OnDelete = s.OnDelete
		return live, nil
	})
}

// Apply writes the change and reads it back.
func (s UpdateRelationship) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.update().apply(ctx, site, before)
}

// Settle has nothing to wait for.
func (s UpdateRelationship) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the relationship with both images.
func (s UpdateRelationship) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.update().probe(ctx, before)
}

// Inverse writes the old word back, expecting the new one; a change of nothing
// has none.
func (s UpdateRelationship) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[change[RelationshipImage]](memento)
	if err != nil || s.update().equal(m.Before, m.After) {
		return nil, err
	}
	undo := UpdateRelationship{
		Database: s.Database, Collection: s.Collection, Key: s.Key,
		OnDelete: m.Before.OnDelete, Expect: &m.After, client: s.client,
	}
	return []engine.Step{undo}, nil
}

func (s UpdateRelationship) update() update[RelationshipImage] {
	return update[RelationshipImage]{
		target: s.Target(),
		expect: s.Expect,
		equal:  func(a, b RelationshipImage) bool { return same(a, b) },
		path:   direct[RelationshipImage],
		read: func(ctx context.Context) (RelationshipImage, bool, error) {
			live, found, err := findRelationship(ctx, s.client, s.Target())
			if err == nil && found && live.Status != appwrite.StatusAvailable {
				err = stopped(s.Target(), ErrMissing, "the relationship is %s", live.Status)
			}
			return live.RelationshipImage, found, err
		},
		write: func(ctx context.Context, _, to RelationshipImage) error {
			_, err := s.client.UpdateRelationship(ctx, s.Database, s.Collection, s.Key, appwrite.RelationshipPatch{OnDelete: to.OnDelete})
			return err
		},
	}
}
