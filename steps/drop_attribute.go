package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// DropAttribute archives an attribute's values and deletes it at once, with the
// indexes that it is part of. Its inverse is RestoreAttribute. DeleteAttribute
// does the same at the end of the run.
type DropAttribute struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// Expect is what an undo believes to find; nil: whatever is there may go.
	Expect *Values `json:"expect,omitempty"`

	client *appwrite.Client
}

// droppedAttribute is the memento of DropAttribute.
type droppedAttribute struct {
	Attribute AttributeImage     `json:"attribute"`
	Status    string             `json:"status"`
	Indexes   []IndexImage       `json:"indexes,omitempty"`
	Values    journal.ArchiveRef `json:"values,omitzero"`
	Digest    string             `json:"digest,omitempty"` // of the values
	Count     int64              `json:"count,omitempty"`  // values other than the default
	First     []string           `json:"first,omitempty"`  // documents that hold one
	Operators []string           `json:"operators,omitempty"`
}

// Kind is "drop_attribute".
func (s DropAttribute) Kind() string { return "drop_attribute" }

// Target is the attribute.
func (s DropAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s DropAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and key.
func (s DropAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	return c.err
}

// Capture records the definition and the indexes, and archives the values.
func (s DropAttribute) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	case live.Relationship != nil:
		return nil, stopped(s.Target(), ErrRefused, "it is a relationship: use delete_relationship")
	}
	m := droppedAttribute{Attribute: imageOfAttribute(live), Status: live.Status}
	if m.Indexes, err = indexesOn(ctx, s.client, s.Target()); err != nil {
		return nil, err
	}
	if live.Status == appwrite.StatusAvailable {
		var values valuesFound
		if m.Values, values, err = archiveValues(ctx, s.client, site, s.Target(), m.Attribute); err != nil {
			return nil, err
		}
		m.Digest, m.Count, m.First = values.Digest, values.Count, values.First
		server, err := s.client.Detect(ctx)
		if err != nil {
			return nil, err
		}
		if server.Capabilities.Operators {
			m.Operators = values.Operators
		}
	}
	return encode(m)
}

// indexesOn gives the indexes, in any usable status, that an attribute is part of.
func indexesOn(ctx context.Context, client *appwrite.Client, ref engine.Ref) ([]IndexImage, error) {
	all, err := client.ListIndexes(ctx, ref.Database, ref.Collection)
	if err != nil {
		return nil, err
	}
	var on []IndexImage
	for _, index := range all {
		if slices.Contains(index.Attributes, ref.Key) && index.Status == appwrite.StatusAvailable {
			on = append(on, imageOfIndex(index))
		}
	}
	return on, nil
}

// foreignness says what somebody else has done to the attribute since the run made it.
func (s DropAttribute) foreignness(m droppedAttribute) string {
	switch {
	case s.Expect == nil:
		return ""
	case !same(s.Expect.Attribute, m.Attribute):
		return differences(s.Expect.Attribute, m.Attribute)
	case s.Expect.Digest == "" && m.Count > 0:
		return fmt.Sprintf("%d documents hold values, the first are %v", m.Count, m.First)
	case s.Expect.Digest != "" && s.Expect.Digest != m.Digest:
		return "the values have changed"
	default:
		return ""
	}
}

// Apply looks for values written since the archive was closed, then deletes the
// indexes and the attribute.
func (s DropAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[droppedAttribute](memento)
	if err != nil {
		return nil, err
	}
	live, found, err := findMadeAttribute(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	if !found {
		return absent()
	}
	why := s.foreignness(m)
	if spared(site, why) {
		return absent() // it holds what others have written, so it stays
	}
	if err := destructible(site, s.Target(), why); err != nil {
		return nil, err
	}
	if live.Status == appwrite.StatusAvailable {
		if err := s.unchanged(ctx, m, live); err != nil {
			return nil, err
		}
	}
	for _, index := range m.Indexes {
		if err := removeIndex(ctx, s.client, indexRef(s.Database, s.Collection, index.Key)); err != nil {
			return nil, err
		}
	}
	if err := deleteAttribute(ctx, s.client, s.Target()); err != nil {
		return nil, err
	}
	return absent()
}

// unchanged fails when the attribute is no longer as archived.
func (s DropAttribute) unchanged(ctx context.Context, m droppedAttribute, live appwrite.Attribute) error {
	if !same(m.Attribute, imageOfAttribute(live)) {
		return stopped(s.Target(), engine.ErrForeign, "%s", differences(m.Attribute, imageOfAttribute(live)))
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if !slices.ContainsFunc(m.Indexes, index.equal) {
			return stopped(s.Target(), ErrLateWrite, "index %q was made on it: run again", index.Key)
		}
	}
	now, err := tally(ctx, s.client, s.Target(), m.Attribute, forget)
	if err != nil {
		return err
	}
	if m.Status == appwrite.StatusAvailable && now.Digest != m.Digest {
		return stopped(s.Target(), ErrLateWrite, "stop the writers and run again")
	}
	return nil
}

// Settle waits until the attribute is gone.
func (s DropAttribute) Settle(ctx context.Context, site engine.Site, memento engine.Memento) error {
	m, err := recall[droppedAttribute](memento)
	if err != nil {
		return err
	}
	if spared(site, s.foreignness(m)) {
		return nil
	}
	return awaitNoAttribute(ctx, s.client, s.Target())
}

// Probe looks for the attribute and its indexes.
func (s DropAttribute) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[droppedAttribute](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return foundAfter(struct{}{})
	case live.Relationship != nil || !same(m.Attribute, imageOfAttribute(live)):
		return foreign("%s", differences(m.Attribute, imageOfAttribute(live)))
	case live.Status != m.Status:
		return partial("the attribute is %s", live.Status)
	}
	if why := s.foreignness(m); why != "" {
		return foreign("%s", why)
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case len(indexes) < len(m.Indexes):
		return partial("%d of %d indexes are gone", len(m.Indexes)-len(indexes), len(m.Indexes))
	default:
		return untouched()
	}
}

// Inverse restores the attribute. It is irreversible when a text value looks
// like an operator, since only an update could put it back.
func (s DropAttribute) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[droppedAttribute](memento)
	if err != nil {
		return nil, err
	}
	if len(m.Operators) > 0 {
		return nil, &StepError{
			Target: s.Target(), Err: engine.ErrIrreversible, Documents: m.Operators,
			Reason: "values read like operators, which an update would carry out",
		}
	}
	undo := RestoreAttribute{
		Database: s.Database, Collection: s.Collection,
		Attribute: m.Attribute, Indexes: m.Indexes, Values: m.Values, client: s.client,
	}
	return []engine.Step{undo}, nil
}
