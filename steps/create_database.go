package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateDatabase creates a database. Its inverse is DropDatabase.
type CreateDatabase struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled *bool  `json:"enabled,omitempty"` // nil: true
	// Type is the API to make it through, "legacy" or "tablesdb"; empty means
	// the one in use. Before 1.8 there is only the first.
	Type string `json:"type,omitempty"`

	client *appwrite.Client
}

// Kind is "create_database".
func (s CreateDatabase) Kind() string { return "create_database" }

// Target is the database.
func (s CreateDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s CreateDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks id, name and type.
func (s CreateDatabase) Validate() error {
	c := check{kind: s.Kind()}
	c.id("id", s.ID)
	c.name(s.Name)
	c.oneOf("type", s.Type, "", appwrite.TypeLegacy, appwrite.TypeTablesDB)
	return c.err
}

// Capture makes sure that the id is free.
func (s CreateDatabase) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists, "name %q", live.Name)
	}
	return absent()
}

// Apply creates the database, or adopts the one an earlier attempt has made.
func (s CreateDatabase) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	_, err := s.client.CreateDatabase(ctx, s.database())
	if err != nil && !taken(err) {
		return nil, err
	}
	live, found, findErr := findDatabase(ctx, s.client, s.ID)
	switch {
	case findErr != nil:
		return nil, findErr
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "it was created and is not there")
	case !s.made(live), err != nil && !site.Doubtful:
		return nil, stopped(s.Target(), engine.ErrForeign, "a database of this id appeared meanwhile")
	}
	return encode(live)
}

// Settle has nothing to wait for.
func (s CreateDatabase) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the database.
func (s CreateDatabase) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	switch {
	case err != nil:
		return engine.Finding{}, err
	case !found:
		return engine.Finding{State: engine.StateBefore}, nil
	case s.made(live):
		return foundAfter(live)
	default:
		return foreign("the database is not as created: %s", differences(s.image(), live))
	}
}

// Inverse drops the database as it was created: empty.
func (s CreateDatabase) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect, err := recall[DatabaseImage](after)
	if err != nil {
		return nil, err
	}
	if len(after) == 0 {
		expect = s.image()
	}
	return []engine.Step{DropDatabase{ID: s.ID, Expect: &DatabaseContents{Database: expect}, client: s.client}}, nil
}

// image is what the step makes; the type is known only when it was asked for.
func (s CreateDatabase) image() DatabaseImage {
	return DatabaseImage{Name: s.Name, Enabled: s.Enabled == nil || *s.Enabled, Type: s.Type}
}

// made reports whether a live database is what the step makes.
func (s CreateDatabase) made(live DatabaseImage) bool { return s.image().matches(live) }

func (s CreateDatabase) database() appwrite.Database {
	i := s.image()
	return appwrite.Database{ID: s.ID, Name: i.Name, Enabled: i.Enabled, Type: i.Type}
}
