package steps

import (
	"context"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// RestoreRelationship brings back what DropRelationship deleted, links included.
// Its inverse is DropRelationship.
type RestoreRelationship struct {
	Database     string             `json:"database"`
	Relationship RelationshipImage  `json:"relationship"`
	Links        journal.ArchiveRef `json:"links,omitzero"`

	client *appwrite.Client
}

// Kind is "restore_relationship".
func (s RestoreRelationship) Kind() string { return "restore_relationship" }

// Target is the relationship by its parent's key.
func (s RestoreRelationship) Target() engine.Ref { return s.Relationship.ref(s.Database) }

func (s RestoreRelationship) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks what CreateRelationship checks.
func (s RestoreRelationship) Validate() error {
	return s.create().Validate()
}

// create gives the step that makes the relationship without its links.
func (s RestoreRelationship) create() CreateRelationship {
	i := s.Relationship
	return CreateRelationship{
		Database: s.Database, Collection: i.Collection, Key: i.Key, Related: i.Related,
		Type: i.Type, TwoWay: i.TwoWay, TwoWayKey: i.TwoWayKey, OnDelete: i.OnDelete, client: s.client,
	}
}

// Capture makes sure that the keys are free on both sides, or still the
// relationship's own because it was not dropped to the end.
func (s RestoreRelationship) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	left, err := s.left(ctx)
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return absent()
	}
	return s.create().Capture(ctx, site)
}

// Apply makes the relationship as far as it is not there, then links documents.
func (s RestoreRelationship) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	if err := calm(ctx, s.client, s.Database, s.Relationship.Collection); err != nil {
		return nil, err
	}
	left, err := s.left(ctx)
	if err != nil {
		return nil, err
	}
	if len(left) < len(s.Relationship.awaited()) || slices.ContainsFunc(left, func(a appwrite.Attribute) bool { return a.Status != appwrite.StatusAvailable }) {
		if err := s.clear(ctx, left); err != nil {
			return nil, err
		}
		if err := makeRelationship(ctx, s.client, s.Database, s.Relationship, true); err != nil {
			return nil, err
		}
	}
	if err := settleRelationship(ctx, s.client, s.Database, s.Relationship); err != nil {
		return nil, err
	}
	l := &linker{client: s.client, database: s.Database, image: s.Relationship}
	if err := s.pages(ctx, site, l.write); err != nil {
		return nil, err
	}
	if err := l.result(); err != nil {
		return nil, err
	}
	return s.observe(ctx)
}

// left gives the sides that are there, in whatever status.
func (s RestoreRelationship) left(ctx context.Context) ([]appwrite.Attribute, error) {
	var sides []appwrite.Attribute
	for _, side := range s.Relationship.awaited() {
		live, found, err := findAttribute(ctx, s.client, relationshipRef(s.Database, side.Collection, side.Attribute))
		if err != nil {
			return nil, err
		}
		if found && live.Relationship != nil && same(s.Relationship, imageOfRelationship(side.Collection, live)) {
			sides = append(sides, live)
		}
	}
	return sides, nil
}

// clear removes what is left of a relationship that was not dropped, or not
// made, to the end. Its links are in the archive.
func (s RestoreRelationship) clear(ctx context.Context, left []appwrite.Attribute) error {
	if len(left) == 0 {
		return nil
	}
	for _, side := range s.Relationship.awaited() {
		if err := deleteAttribute(ctx, s.client, relationshipRef(s.Database, side.Collection, side.Attribute)); err != nil {
			return err
		}
	}
	return awaitNoRelationship(ctx, s.client, s.Database, s.Relationship)
}

// pages reads the archive a batch at a time.
func (s RestoreRelationship) pages(ctx context.Context, site engine.Site, each func(context.Context, []archivedLink) error) error {
	if !present(s.Links) {
		return nil
	}
	return inBatches(decoded[archivedLink](site.Archives.Read(ctx, s.Links)), func(page []archivedLink) error { return each(ctx, page) })
}

// observe sums up what is there now, for the undo of this undo.
func (s RestoreRelationship) observe(ctx context.Context) (engine.Observation, error) {
	sum, err := digestLinks(ctx, s.client, s.Database, s.Relationship)
	if err != nil {
		return nil, err
	}
	return encode(Links{Relationship: s.Relationship, Digest: sum})
}

// Settle makes sure that both sides are available.
func (s RestoreRelationship) Settle(ctx context.Context, _ engine.Site, _ engine.Memento) error {
	return s.client.WaitAvailable(ctx, s.Database, s.Relationship.awaited())
}

// Probe looks for the relationship and the archived links.
func (s RestoreRelationship) Probe(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Finding, error) {
	finding, err := probeRelationship(ctx, s.client, s.Database, s.Relationship)
	if err != nil || finding.State != engine.StateAfter {
		return finding, err
	}
	l, open := &linker{client: s.client, database: s.Database, image: s.Relationship}, 0
	err = s.pages(ctx, site, func(ctx context.Context, page []archivedLink) error {
		pending, err := l.lacking(ctx, page)
		open += len(pending)
		return err
	})
	switch {
	case err != nil:
		return engine.Finding{}, err
	case open > 0:
		return partial("%d documents are not linked yet", open)
	}
	finding.After, err = s.observe(ctx)
	return finding, err
}

// Inverse drops the relationship again, expecting it as restored.
func (s RestoreRelationship) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect, err := restored[Links](after)
	if err != nil {
		return nil, err
	}
	undo := DropRelationship{
		Database: s.Database, Collection: s.Relationship.Collection, Key: s.Relationship.Key,
		Expect: expect, client: s.client,
	}
	return []engine.Step{undo}, nil
}
