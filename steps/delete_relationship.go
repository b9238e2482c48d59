package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteRelationship is DropRelationship under the name that files use: links
// are archived and both sides deleted, in the step's place.
type DeleteRelationship struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`

	client *appwrite.Client
}

// Kind is "delete_relationship".
func (s DeleteRelationship) Kind() string { return "delete_relationship" }

// Target is the relationship.
func (s DeleteRelationship) Target() engine.Ref { return s.drop().Target() }

func (s DeleteRelationship) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

func (s DeleteRelationship) drop() DropRelationship {
	return DropRelationship{Database: s.Database, Collection: s.Collection, Key: s.Key, client: s.client}
}

// Validate checks ids and key.
func (s DeleteRelationship) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	return c.err
}

// Capture is DropRelationship's.
func (s DeleteRelationship) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.drop().Capture(ctx, site)
}

// Apply is DropRelationship's.
func (s DeleteRelationship) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.drop().Apply(ctx, site, before)
}

// Settle is DropRelationship's.
func (s DeleteRelationship) Settle(ctx context.Context, site engine.Site, before engine.Memento) error {
	return s.drop().Settle(ctx, site, before)
}

// Probe is DropRelationship's.
func (s DeleteRelationship) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.drop().Probe(ctx, site, before)
}

// Inverse is DropRelationship's.
func (s DeleteRelationship) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.drop().Inverse(before, after)
}
