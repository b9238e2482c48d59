package steps

import (
	"context"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RenameAttribute gives an attribute or relationship another key; values and
// indexes stay. Its inverse is another RenameAttribute.
type RenameAttribute struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	NewKey     string `json:"new_key"`

	client *appwrite.Client
}

// Kind is "rename_attribute".
func (s RenameAttribute) Kind() string { return "rename_attribute" }

// Target is the attribute under its present key.
func (s RenameAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s RenameAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks both keys.
func (s RenameAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	c.id("new_key", s.NewKey)
	if s.Key == s.NewKey {
		c.fail("new_key", "%q is the key it has", s.NewKey)
	}
	return c.err
}

// renamed is the memento of RenameAttribute: the attribute under its old key.
type renamed struct {
	Attribute    *AttributeImage    `json:"attribute,omitempty"`
	Relationship *RelationshipImage `json:"relationship,omitempty"`
}

// Capture makes sure that the attribute is in use and its new key is free.
func (s RenameAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	all, err := s.client.ListAttributes(ctx, s.Database, s.Collection)
	if err != nil {
		err = unlessAbsent(err, s.Target())
		return nil, err
	}
	live := keyed(all, s.Key)
	switch {
	case live == nil:
		return nil, stopped(s.Target(), ErrMissing, "nothing to rename")
	case live.Status != appwrite.StatusAvailable:
		return nil, stopped(s.Target(), ErrMissing, "the attribute is %s %s", live.Status, live.Error)
	}
	for _, other := range all {
		if other.Key != s.Key && strings.EqualFold(other.Key, s.NewKey) {
			return nil, stopped(attributeRef(s.Database, s.Collection, other.Key), ErrExists, "%s cannot take its key", s.Target())
		}
	}
	return encode(s.image(*live))
}

// image is what a rename must leave as it is.
func (s RenameAttribute) image(live appwrite.Attribute) renamed {
	if live.Relationship != nil {
		image := imageOfRelationship(s.Collection, live)
		return renamed{Relationship: &image}
	}
	image := imageOfAttribute(live)
	return renamed{Attribute: &image}
}

// Apply renames, sending the definition again as the server demands.
func (s RenameAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	finding, err := s.Probe(ctx, site, memento)
	if err != nil {
		return nil, err
	}
	switch finding.State {
	case engine.StateAfter:
		return finding.After, nil
	case engine.StateForeign, engine.StatePartial:
		return nil, stopped(s.Target(), engine.ErrForeign, "%s", finding.Detail)
	case engine.StateBefore:
	}
	m, err := recall[renamed](memento)
	if err != nil {
		return nil, err
	}
	if m.Relationship != nil {
		_, err = s.client.UpdateRelationship(ctx, s.Database, s.Collection, s.Key, appwrite.RelationshipPatch{
			OnDelete: m.Relationship.OnDelete, NewKey: s.NewKey,
		})
	} else {
		to := *m.Attribute
		to.Key = s.NewKey
		err = writeAttribute(s.client, s.Target())(ctx, *m.Attribute, to)
	}
	if err != nil {
		return nil, err
	}
	finding, err = s.Probe(ctx, site, memento)
	if err == nil && finding.State != engine.StateAfter {
		err = stopped(s.Target(), engine.ErrForeign, "after the rename: %s", finding.Detail)
	}
	return finding.After, err
}

// Settle has nothing to wait for: the server renames while it answers.
func (s RenameAttribute) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for both keys, spelled exactly.
func (s RenameAttribute) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	all, err := s.client.ListAttributes(ctx, s.Database, s.Collection)
	if err != nil {
		err = unlessAbsent(err, s.Target())
		return lost(err)
	}
	before, after := keyed(all, s.Key), keyed(all, s.NewKey)
	switch {
	case before != nil && after == nil:
		return untouched()
	case before == nil && after != nil:
		return foundAfter(s.image(*after))
	case before == nil:
		return foreign("there is neither %q nor %q", s.Key, s.NewKey)
	default:
		return foreign("there are both %q and %q", s.Key, s.NewKey)
	}
}

// Inverse renames back.
func (s RenameAttribute) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	undo := RenameAttribute{Database: s.Database, Collection: s.Collection, Key: s.NewKey, NewKey: s.Key, client: s.client}
	return []engine.Step{undo}, nil
}

// keyed finds an attribute by its exact key.
func keyed(all []appwrite.Attribute, key string) *appwrite.Attribute {
	i := slices.IndexFunc(all, func(a appwrite.Attribute) bool { return a.Key == key })
	if i < 0 {
		return nil
	}
	return &all[i]
}
