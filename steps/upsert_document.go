package steps

import (
	"context"
	"encoding/json"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpsertDocument creates a document, or changes fields of the one that is there.
// Which of the two is settled when the step is captured; it never uses the
// server's own upsert, which skips some changes and can hit other documents.
type UpsertDocument struct {
	Database    string         `json:"database"`
	Collection  string         `json:"collection"`
	ID          string         `json:"id"`
	Data        map[string]any `json:"data,omitempty"`
	Permissions *[]string      `json:"permissions,omitempty"` // nil: none on a new document, as they are on another

	client *appwrite.Client
}

// upsertMemento is the memento of the step that the upsert has turned into.
type upsertMemento struct {
	Kind    string          `json:"kind"`
	Memento json.RawMessage `json:"memento"`
}

// Kind is "upsert_document".
func (s UpsertDocument) Kind() string { return "upsert_document" }

// Target is the document.
func (s UpsertDocument) Target() engine.Ref { return s.update().Target() }

// Validate checks the fields without a server.
func (s UpsertDocument) Validate() error {
	c := check{kind: s.Kind()}
	var permissions []string
	if s.Permissions != nil {
		permissions = *s.Permissions
	}
	c.document(s.Database, s.Collection, s.ID, s.Data, permissions)
	if len(s.Data) == 0 && s.Permissions == nil {
		c.fail("data", "is missing: there is nothing to write")
	}
	return c.err
}

func (s UpsertDocument) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s UpsertDocument) create() CreateDocument {
	step := CreateDocument{Database: s.Database, Collection: s.Collection, ID: s.ID, Data: s.Data, client: s.client}
	if s.Permissions != nil {
		step.Permissions = *s.Permissions
	}
	return step
}

func (s UpsertDocument) update() UpdateDocument {
	return UpdateDocument{
		Database: s.Database, Collection: s.Collection, ID: s.ID,
		Data: s.Data, Permissions: s.Permissions, client: s.client,
	}
}

// settled gives the step that the upsert has turned into, and its memento.
func (s UpsertDocument) settled(before engine.Memento) (engine.Step, engine.Memento, error) {
	m, err := recall[upsertMemento](before)
	if err != nil {
		return nil, nil, err
	}
	if m.Kind == s.create().Kind() {
		return s.create(), m.Memento, nil
	}
	return s.update(), m.Memento, nil
}

// Capture looks whether the document is there.
func (s UpsertDocument) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	_, found, err := s.update().place().read(ctx, nil)
	if err != nil {
		return nil, err
	}
	var step engine.Step = s.create()
	if found {
		step = s.update()
	}
	m, err := step.Capture(ctx, site)
	if err != nil {
		return nil, err
	}
	return encode(upsertMemento{Kind: step.Kind(), Memento: m})
}

// Apply creates or updates.
func (s UpsertDocument) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	step, m, err := s.settled(before)
	if err != nil {
		return nil, err
	}
	return step.Apply(ctx, site, m)
}

// Receiptable asks the step that the upsert has turned into.
func (s UpsertDocument) Receiptable(before engine.Memento) bool {
	step, m, err := s.settled(before)
	if err != nil {
		return false
	}
	receiptable, ok := step.(engine.Receiptable)
	return ok && receiptable.Receiptable(m)
}

// Committed asks the step that the upsert has turned into.
func (s UpsertDocument) Committed(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	step, m, err := s.settled(before)
	if err != nil {
		return nil, err
	}
	return committed(ctx, step, site, m)
}

// Settle has nothing to wait for.
func (s UpsertDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe asks the step that the upsert has turned into.
func (s UpsertDocument) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	step, m, err := s.settled(before)
	if err != nil {
		return engine.Finding{}, err
	}
	return step.Probe(ctx, site, m)
}

// Inverse deletes what was created, or writes the old values back.
func (s UpsertDocument) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	step, m, err := s.settled(before)
	if err != nil {
		return nil, err
	}
	return step.Inverse(m, after)
}
