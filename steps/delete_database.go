package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteDatabase deletes a database late: in its place it is disabled,
// and DropDatabase ends the run.
type DeleteDatabase struct {
	ID string `json:"id"`

	client *appwrite.Client
}

// Kind is "delete_database".
func (s DeleteDatabase) Kind() string { return "delete_database" }

// Target is the database.
func (s DeleteDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s DeleteDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the id.
func (s DeleteDatabase) Validate() error {
	c := check{kind: s.Kind()}
	c.id("id", s.ID)
	return c.err
}

// Split gives both parts.
func (s DeleteDatabase) Split() (now, last engine.Step) {
	return RetireDatabase(s), s.drop()
}

// drop is what the step amounts to when nobody splits it.
func (s DeleteDatabase) drop() DropDatabase {
	return DropDatabase{ID: s.ID, client: s.client}
}

// Capture is DropDatabase's.
func (s DeleteDatabase) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.drop().Capture(ctx, site)
}

// Apply is DropDatabase's.
func (s DeleteDatabase) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.drop().Apply(ctx, site, before)
}

// Settle is DropDatabase's.
func (s DeleteDatabase) Settle(ctx context.Context, site engine.Site, before engine.Memento) error {
	return s.drop().Settle(ctx, site, before)
}

// Probe is DropDatabase's.
func (s DeleteDatabase) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.drop().Probe(ctx, site, before)
}

// Inverse is DropDatabase's.
func (s DeleteDatabase) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.drop().Inverse(before, after)
}
