package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RetireDatabase takes a database out of its users' reach without destroying
// anything: it is disabled. API keys can still write to it. It is the first part
// of DeleteDatabase; its inverse is UpdateDatabase.
type RetireDatabase struct {
	ID string `json:"id"`

	client *appwrite.Client
}

// Kind is "retire_database".
func (s RetireDatabase) Kind() string { return "retire_database" }

// Target is the database.
func (s RetireDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s RetireDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the id.
func (s RetireDatabase) Validate() error { return s.update().Validate() }

// update is the change that retiring is.
func (s RetireDatabase) update() UpdateDatabase {
	off := false
	return UpdateDatabase{ID: s.ID, Enabled: &off, client: s.client}
}

// Capture is UpdateDatabase's.
func (s RetireDatabase) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.update().Capture(ctx, site)
}

// Apply is UpdateDatabase's.
func (s RetireDatabase) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.update().Apply(ctx, site, before)
}

// Settle has nothing to wait for.
func (s RetireDatabase) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe is UpdateDatabase's.
func (s RetireDatabase) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.update().Probe(ctx, site, before)
}

// Inverse is UpdateDatabase's.
func (s RetireDatabase) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.update().Inverse(before, after)
}
