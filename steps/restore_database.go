package steps

import (
	"context"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RestoreDatabase brings back what DropDatabase deleted, through the API that
// had made it: disabled at first, then collection by collection. Its inverse is
// DropDatabase.
type RestoreDatabase struct {
	ID          string               `json:"id"`
	Database    DatabaseImage        `json:"database"`
	Collections []ArchivedCollection `json:"collections,omitempty"`

	client *appwrite.Client
}

// Kind is "restore_database".
func (s RestoreDatabase) Kind() string { return "restore_database" }

// Target is the database.
func (s RestoreDatabase) Target() engine.Ref { return databaseRef(s.ID) }

func (s RestoreDatabase) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the id.
func (s RestoreDatabase) Validate() error {
	c := check{kind: s.Kind()}
	c.id("id", s.ID)
	return c.err
}

// hidden is the database as it is while it is being restored.
func (s RestoreDatabase) hidden() DatabaseImage {
	image := s.Database
	image.Enabled = false
	return image
}

// Capture makes sure that the id is free and every archive can be read.
func (s RestoreDatabase) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists, "name %q", live.Name)
	}
	for _, collection := range s.Collections {
		if _, err := openArchive(ctx, site, collection.Archive); err != nil {
			return nil, err
		}
	}
	return absent()
}

// begun reports whether a live database is what a restoration makes, at any
// time of it.
func (s RestoreDatabase) begun(live DatabaseImage) bool {
	return same(live, s.hidden()) || same(live, s.Database)
}

// Apply brings the database back as far as it is not.
func (s RestoreDatabase) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	switch {
	case err != nil:
		return nil, err
	case found && !s.begun(live):
		return nil, stopped(s.Target(), engine.ErrForeign, "%s", differences(s.Database, live))
	case !found:
		if _, err := s.client.CreateDatabase(ctx, s.database(s.hidden())); err != nil {
			return nil, err
		}
	}
	for _, part := range s.parts() {
		if _, err := part.Apply(ctx, site, nil); err != nil {
			return nil, err
		}
	}
	if !same(s.hidden(), s.Database) { // see RestoreCollection.reveal
		if _, err := s.client.UpdateDatabase(ctx, s.database(s.Database)); err != nil {
			return nil, err
		}
	}
	return s.observe(ctx)
}

// parts are the steps that restore the collections.
func (s RestoreDatabase) parts() []RestoreCollection {
	parts := make([]RestoreCollection, len(s.Collections))
	for i, c := range s.Collections {
		parts[i] = RestoreCollection{
			Database: s.ID, ID: c.ID, Collection: c.Collection, Archive: c.Archive,
			client: s.client,
		}
	}
	return parts
}

func (s RestoreDatabase) database(image DatabaseImage) appwrite.Database {
	return appwrite.Database{ID: s.ID, Name: image.Name, Enabled: image.Enabled, Type: image.Type}
}

// observe sums up what is there now, for the undo of this undo.
func (s RestoreDatabase) observe(ctx context.Context) (engine.Observation, error) {
	collections, err := DropDatabase{ID: s.ID, client: s.client}.survey(ctx)
	if err != nil {
		return nil, err
	}
	return encode(DatabaseContents{Database: s.Database, Collections: collections})
}

// Settle has nothing to wait for: every part was awaited before the next.
func (s RestoreDatabase) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks at the database and at each collection.
func (s RestoreDatabase) Probe(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findDatabase(ctx, s.client, s.ID)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case !same(live, s.Database) && same(live, s.hidden()):
		return partial("the database is still disabled")
	case !same(live, s.Database):
		return foreign("%s", differences(s.Database, live))
	}
	for _, part := range s.parts() {
		finding, err := part.Probe(ctx, site, nil)
		if err != nil {
			return engine.Finding{}, err
		}
		detail := fmt.Sprintf("%s: %s", part.Target(), finding.Detail)
		switch finding.State {
		case engine.StateAfter:
		case engine.StateForeign:
			return foreign("%s", detail)
		case engine.StateBefore, engine.StatePartial:
			return partial("%s", detail)
		}
	}
	observed, err := s.observe(ctx)
	return engine.Finding{State: engine.StateAfter, After: observed}, err
}

// Inverse drops the database again, expecting it as restored.
func (s RestoreDatabase) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect, err := restored[DatabaseContents](after)
	if err != nil {
		return nil, err
	}
	return []engine.Step{DropDatabase{ID: s.ID, Expect: expect, client: s.client}}, nil
}
