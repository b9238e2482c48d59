package steps

import (
	"context"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// DropRelationship archives the links of a relationship and deletes both sides
// of it. Either side's key names it. Its inverse is RestoreRelationship.
type DropRelationship struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// Expect is what an undo believes to find; nil: whatever is there may go.
	Expect *Links `json:"expect,omitempty"`

	client *appwrite.Client
}

// droppedRelationship is the memento of DropRelationship.
type droppedRelationship struct {
	Relationship RelationshipImage  `json:"relationship"`
	Status       string             `json:"status"`
	Links        journal.ArchiveRef `json:"links,omitzero"`
	Digest       string             `json:"digest,omitempty"`
	First        []string           `json:"first,omitempty"` // documents that are linked
}

// Kind is "drop_relationship".
func (s DropRelationship) Kind() string { return "drop_relationship" }

// Target is the relationship.
func (s DropRelationship) Target() engine.Ref {
	return relationshipRef(s.Database, s.Collection, s.Key)
}

func (s DropRelationship) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and key.
func (s DropRelationship) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	return c.err
}

// Capture records the definition and archives the links.
func (s DropRelationship) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, found, err := findRelationship(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	}
	m := droppedRelationship{Relationship: live.RelationshipImage, Status: live.Status}
	if live.Status == appwrite.StatusAvailable {
		m.Links, m.First, m.Digest, err = archiveLinks(ctx, s.client, site, s.Database, m.Relationship)
		if err != nil {
			return nil, err
		}
	}
	return encode(m)
}

// foreignness says what somebody else has done to the relationship since the run made it.
func (s DropRelationship) foreignness(m droppedRelationship) string {
	switch {
	case s.Expect == nil:
		return ""
	case !same(s.Expect.Relationship, m.Relationship):
		return differences(s.Expect.Relationship, m.Relationship)
	case s.Expect.Digest == "" && m.Digest != "":
		return fmt.Sprintf("documents have been linked, the first are %v", m.First)
	case s.Expect.Digest != m.Digest:
		return "the links have changed"
	default:
		return ""
	}
}

// Apply looks for links made since the archive was closed, then deletes.
func (s DropRelationship) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[droppedRelationship](memento)
	if err != nil {
		return nil, err
	}
	why := s.foreignness(m)
	if spared(site, why) {
		return absent() // it holds what others have linked, so it stays
	}
	if err := destructible(site, s.Target(), why); err != nil {
		return nil, err
	}
	if _, _, err := findMadeAttribute(ctx, s.client, s.Target()); err != nil {
		return nil, err
	}
	live, found, err := findRelationship(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return absent()
	case !same(m.Relationship, live.RelationshipImage):
		return nil, stopped(s.Target(), engine.ErrForeign, "%s", differences(m.Relationship, live.RelationshipImage))
	}
	if live.Status == appwrite.StatusAvailable && m.Status == appwrite.StatusAvailable {
		now, err := digestLinks(ctx, s.client, s.Database, m.Relationship)
		if err != nil {
			return nil, err
		}
		if now != m.Digest {
			return nil, stopped(s.Target(), ErrLateWrite, "stop the writers and run again")
		}
	}
	if err := deleteAttribute(ctx, s.client, s.Target()); err != nil {
		return nil, err
	}
	return absent()
}

// Settle waits until both sides are gone.
func (s DropRelationship) Settle(ctx context.Context, site engine.Site, memento engine.Memento) error {
	m, err := recall[droppedRelationship](memento)
	if err != nil {
		return err
	}
	if spared(site, s.foreignness(m)) {
		return nil
	}
	return awaitNoRelationship(ctx, s.client, s.Database, m.Relationship)
}

// Probe looks for both sides.
func (s DropRelationship) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[droppedRelationship](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := findRelationship(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return s.otherSide(ctx, m.Relationship)
	case !same(m.Relationship, live.RelationshipImage):
		return foreign("%s", differences(m.Relationship, live.RelationshipImage))
	case live.Status != m.Status:
		return partial("the relationship is %s", live.Status)
	}
	if why := s.foreignness(m); why != "" {
		return foreign("%s", why)
	}
	return untouched()
}

// otherSide makes sure that nothing of the relationship is left.
func (s DropRelationship) otherSide(ctx context.Context, image RelationshipImage) (engine.Finding, error) {
	for _, side := range image.awaited() {
		live, found, err := findAttribute(ctx, s.client, relationshipRef(s.Database, side.Collection, side.Attribute))
		if err != nil {
			return lost(err)
		}
		if found && live.Relationship != nil && same(image, imageOfRelationship(side.Collection, live)) {
			return partial("one side is still %s", live.Status)
		}
	}
	return foundAfter(struct{}{})
}

// Inverse restores the relationship and its links.
func (s DropRelationship) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[droppedRelationship](memento)
	if err != nil {
		return nil, err
	}
	undo := RestoreRelationship{Database: s.Database, Relationship: m.Relationship, Links: m.Links, client: s.client}
	return []engine.Step{undo}, nil
}
