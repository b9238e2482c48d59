package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// ReviveAttribute takes an attribute back from its tombstone, with its
// definition and indexes. Its inverse is RetireAttribute.
type ReviveAttribute struct {
	Database   string         `json:"database"`
	Collection string         `json:"collection"`
	Tombstone  string         `json:"tombstone"`
	Attribute  AttributeImage `json:"attribute"`
	Indexes    []IndexImage   `json:"indexes,omitempty"`

	client *appwrite.Client
}

// Kind is "revive_attribute".
func (s ReviveAttribute) Kind() string { return "revive_attribute" }

// Target is the attribute under its own key.
func (s ReviveAttribute) Target() engine.Ref {
	return attributeRef(s.Database, s.Collection, s.Attribute.Key)
}

func (s ReviveAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids, keys and the definition.
func (s ReviveAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("tombstone", s.Tombstone)
	c.definition(s.Attribute)
	return c.err
}

// Capture makes sure that the tombstone is there and the key is free.
func (s ReviveAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	return s.update().capture(ctx, func(AttributeImage) (AttributeImage, error) { return s.Attribute, nil })
}

// Apply renames, then makes the indexes.
func (s ReviveAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	observed, err := s.update().apply(ctx, site, memento)
	if err != nil {
		return nil, err
	}
	for _, index := range s.Indexes {
		if err := ensureIndex(ctx, s.client, indexRef(s.Database, s.Collection, index.Key), index); err != nil {
			return nil, err
		}
	}
	return observed, nil
}

// Settle has nothing to wait for: Apply waited for the indexes.
func (s ReviveAttribute) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for both keys and for the indexes.
func (s ReviveAttribute) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	finding, err := s.update().probe(ctx, memento)
	if err != nil || finding.State != engine.StateAfter {
		return finding, err
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	if err != nil {
		return lost(err)
	}
	if len(indexes) < len(s.Indexes) {
		return partial("%d of %d indexes are back", len(indexes), len(s.Indexes))
	}
	return finding, nil
}

// Inverse retires the attribute again.
func (s ReviveAttribute) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	undo := RetireAttribute{
		Database: s.Database, Collection: s.Collection, Key: s.Attribute.Key, Tombstone: s.Tombstone, client: s.client,
	}
	return []engine.Step{undo}, nil
}

// update moves from the tombstone as it was left; a tombstone that somebody has
// changed is foreign.
func (s ReviveAttribute) update() update[AttributeImage] {
	u := tombstoneUpdate(s.client, s.Target(), s.Tombstone)
	left := buried(s.Attribute, s.Tombstone)
	u.expect = &left
	return u
}
