package steps

import (
	"cmp"
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateRelationship relates a collection to another one, or to itself. Its
// inverse is DropRelationship.
type CreateRelationship struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`    // the parent
	Key        string `json:"key,omitempty"` // empty: the related collection's id
	Related    string `json:"related"`       // the related collection's id
	Type       string `json:"type"`          // OneToOne, OneToMany, ManyToOne or ManyToMany
	TwoWay     bool   `json:"two_way,omitempty"`
	TwoWayKey  string `json:"two_way_key,omitempty"` // empty: the parent's id; taken in the related collection even when one-way
	OnDelete   string `json:"on_delete,omitempty"`   // Restrict when empty, Cascade or SetNull

	client *appwrite.Client
}

// Kind is "create_relationship".
func (s CreateRelationship) Kind() string { return "create_relationship" }

// Target is the relationship by its parent's key.
func (s CreateRelationship) Target() engine.Ref { return s.image().ref(s.Database) }

func (s CreateRelationship) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids, keys and words.
func (s CreateRelationship) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("related", s.Related)
	c.id("key", s.image().Key)
	c.id("two_way_key", s.image().TwoWayKey)
	c.oneOf("type", s.Type, OneToOne, OneToMany, ManyToOne, ManyToMany)
	c.oneOf("on_delete", s.image().OnDelete, Restrict, Cascade, SetNull)
	if s.Collection == s.Related && s.image().Key == s.image().TwoWayKey {
		c.fail("two_way_key", "%q must differ from key where a collection is related to itself", s.image().TwoWayKey)
	}
	return c.err
}

// Capture makes sure that the keys are free on both sides.
func (s CreateRelationship) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case found:
		return nil, stopped(s.Target(), ErrExists, "type %s, %s", live.Type, live.Status)
	}
	reason, err := clash(ctx, s.client, s.Database, s.image())
	if err != nil {
		err = unlessAbsent(err, s.Target())
		return nil, err
	}
	if reason != "" {
		return nil, stopped(s.Target(), ErrExists, "%s", reason)
	}
	return absent()
}

// Apply asks for the relationship, or takes over what an earlier attempt has left.
func (s CreateRelationship) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	if err := makeRelationship(ctx, s.client, s.Database, s.image(), site.Doubtful); err != nil {
		return nil, err
	}
	return encode(s.image())
}

// Settle waits until both sides are available.
func (s CreateRelationship) Settle(ctx context.Context, _ engine.Site, _ engine.Memento) error {
	return settleRelationship(ctx, s.client, s.Database, s.image())
}

// Probe looks for the relationship and its status.
func (s CreateRelationship) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	return probeRelationship(ctx, s.client, s.Database, s.image())
}

// probeRelationship looks for a relationship that is to be there.
func probeRelationship(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) (engine.Finding, error) {
	live, found, err := findAttribute(ctx, client, image.ref(database))
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case live.Relationship == nil:
		return foreign("a plain attribute has this key")
	case !same(image, imageOfRelationship(image.Collection, live)):
		return foreign("the relationship is not as created: %s", differences(image, imageOfRelationship(image.Collection, live)))
	case live.Status != appwrite.StatusAvailable:
		return partial("the relationship is %s", live.Status)
	}
	if !image.TwoWay {
		return foundAfter(image)
	}
	back, found, err := findAttribute(ctx, client, relationshipRef(database, image.Related, image.TwoWayKey))
	switch {
	case err != nil:
		return lost(err)
	case !found || back.Status != appwrite.StatusAvailable:
		return partial("the other side is not available")
	default:
		return foundAfter(image)
	}
}

// Inverse drops the relationship, expecting nobody to have linked documents.
func (s CreateRelationship) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	image := s.image()
	undo := DropRelationship{
		Database: s.Database, Collection: s.Collection, Key: image.Key,
		Expect: &Links{Relationship: image}, client: s.client,
	}
	return []engine.Step{undo}, nil
}

// image is what the step makes, with the server's own choices written out.
func (s CreateRelationship) image() RelationshipImage {
	return RelationshipImage{
		Collection: s.Collection,
		Key:        cmp.Or(s.Key, s.Related),
		Related:    s.Related,
		Type:       s.Type,
		TwoWay:     s.TwoWay,
		TwoWayKey:  cmp.Or(s.TwoWayKey, s.Collection),
		OnDelete:   cmp.Or(s.OnDelete, Restrict),
	}
}
