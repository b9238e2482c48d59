package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RetireCollection takes a collection out of its users' reach without
// destroying anything: it is disabled and loses its permissions. API keys can
// still write to it. It is the first part of DeleteCollection; its inverse is
// UpdateCollection.
type RetireCollection struct {
	Database string `json:"database"`
	ID       string `json:"id"`

	client *appwrite.Client
}

// Kind is "retire_collection".
func (s RetireCollection) Kind() string { return "retire_collection" }

// Target is the collection.
func (s RetireCollection) Target() engine.Ref { return collectionRef(s.Database, s.ID) }

func (s RetireCollection) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids.
func (s RetireCollection) Validate() error { return s.update().Validate() }

// update is the change that retiring is.
func (s RetireCollection) update() UpdateCollection {
	off := false
	return UpdateCollection{Database: s.Database, ID: s.ID, Enabled: &off, Permissions: &[]string{}, client: s.client}
}

// Capture is UpdateCollection's.
func (s RetireCollection) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.update().Capture(ctx, site)
}

// Apply is UpdateCollection's.
func (s RetireCollection) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.update().Apply(ctx, site, before)
}

// Settle has nothing to wait for.
func (s RetireCollection) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe is UpdateCollection's.
func (s RetireCollection) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.update().Probe(ctx, site, before)
}

// Inverse is UpdateCollection's.
func (s RetireCollection) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.update().Inverse(before, after)
}
