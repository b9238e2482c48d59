package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RetireAttribute takes an attribute out of use without destroying anything: its
// indexes go, it becomes optional and gets a tombstone for a key, so that
// writers fail at once and the undo is a rename. It is the first part of
// DeleteAttribute; its inverse is ReviveAttribute.
type RetireAttribute struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	Tombstone  string `json:"tombstone"`

	client *appwrite.Client
}

// retired is the memento of RetireAttribute and what ReviveAttribute brings back.
type retired struct {
	Attribute AttributeImage `json:"attribute"`
	Indexes   []IndexImage   `json:"indexes,omitempty"`
}

// Kind is "retire_attribute".
func (s RetireAttribute) Kind() string { return "retire_attribute" }

// Target is the attribute under its own key.
func (s RetireAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s RetireAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and keys.
func (s RetireAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	c.id("tombstone", s.Tombstone)
	return c.err
}

// Capture records the definition and the indexes.
func (s RetireAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := readAvailable(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	return encode(retired{Attribute: live, Indexes: indexes})
}

// Apply removes the indexes, then renames.
func (s RetireAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[retired](memento)
	if err != nil {
		return nil, err
	}
	for _, index := range m.Indexes {
		if err := removeIndex(ctx, s.client, indexRef(s.Database, s.Collection, index.Key)); err != nil {
			return nil, err
		}
	}
	plain, err := s.plain(m)
	if err != nil {
		return nil, err
	}
	return s.update().apply(ctx, site, plain)
}

// Settle has nothing to wait for: Apply waited for the indexes, and the server
// renames while it answers.
func (s RetireAttribute) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for both keys and for the indexes.
func (s RetireAttribute) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[retired](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	plain, err := s.plain(m)
	if err != nil {
		return engine.Finding{}, err
	}
	finding, err := s.update().probe(ctx, plain)
	if err != nil || finding.State != engine.StateBefore {
		return finding, err
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	if err != nil {
		return lost(err)
	}
	if len(indexes) < len(m.Indexes) {
		return partial("%d of %d indexes are gone", len(m.Indexes)-len(indexes), len(m.Indexes))
	}
	return finding, nil
}

// Inverse revives the attribute.
func (s RetireAttribute) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[retired](memento)
	if err != nil {
		return nil, err
	}
	undo := ReviveAttribute{
		Database: s.Database, Collection: s.Collection, Tombstone: s.Tombstone,
		Attribute: m.Attribute, Indexes: m.Indexes, client: s.client,
	}
	return []engine.Step{undo}, nil
}

// plain gives the rename as an update's memento.
func (s RetireAttribute) plain(m retired) (engine.Memento, error) {
	return encode(change[AttributeImage]{Before: m.Attribute, After: buried(m.Attribute, s.Tombstone)})
}

func (s RetireAttribute) update() update[AttributeImage] {
	return tombstoneUpdate(s.client, s.Target(), s.Tombstone)
}

// buried gives an attribute as it is under its tombstone. A default stays: it is
// what documents made meanwhile would have had.
func buried(image AttributeImage, tombstone string) AttributeImage {
	image.Key, image.Required = tombstone, false
	return image
}

// tombstoneUpdate moves an attribute between its key and its tombstone.
func tombstoneUpdate(client *appwrite.Client, ref engine.Ref, tombstone string) update[AttributeImage] {
	under := attributeRef(ref.Database, ref.Collection, tombstone)
	return update[AttributeImage]{
		target: ref,
		equal:  func(a, b AttributeImage) bool { return same(a, b) },
		path:   direct[AttributeImage],
		read: func(ctx context.Context) (AttributeImage, bool, error) {
			own, isOwn, err := readAvailable(ctx, client, ref)
			if err != nil {
				return own, false, err
			}
			grave, isGrave, err := readAvailable(ctx, client, under)
			switch {
			case err != nil:
				return own, false, err
			case isOwn && isGrave:
				return own, false, stopped(ref, ErrExists, "beside its tombstone %q", tombstone)
			case isOwn:
				return own, true, nil
			default:
				return grave, isGrave, nil
			}
		},
		write: writeAttribute(client, ref),
	}
}
