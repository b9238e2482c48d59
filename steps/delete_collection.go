package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteCollection deletes a collection late: in its place it is disabled and
// loses its permissions, and DropCollection ends the run.
type DeleteCollection struct {
	Database string `json:"database"`
	ID       string `json:"id"`

	client *appwrite.Client
}

// Kind is "delete_collection".
func (s DeleteCollection) Kind() string { return "delete_collection" }

// Target is the collection.
func (s DeleteCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s DeleteCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids.
func (s DeleteCollection) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("id", s.ID)
	return c.err
}

// Split gives both parts.
func (s DeleteCollection) Split() (now, last engine.Step) {
	return RetireCollection(s), s.drop()
}

// drop is what the step amounts to when nobody splits it.
func (s DeleteCollection) drop() DropCollection {
	return DropCollection{Database: s.Database, ID: s.ID, client: s.client}
}

// Capture is DropCollection's.
func (s DeleteCollection) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.drop().Capture(ctx, site)
}

// Apply is DropCollection's.
func (s DeleteCollection) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.drop().Apply(ctx, site, before)
}

// Settle is DropCollection's.
func (s DeleteCollection) Settle(ctx context.Context, site engine.Site, before engine.Memento) error {
	return s.drop().Settle(ctx, site, before)
}

// Probe is DropCollection's.
func (s DeleteCollection) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.drop().Probe(ctx, site, before)
}

// Inverse is DropCollection's.
func (s DeleteCollection) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.drop().Inverse(before, after)
}
