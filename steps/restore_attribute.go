package steps

import (
	"context"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// RestoreAttribute brings back what DropAttribute deleted: the attribute,
// optional and without default at first, then its values, then default and
// required, then its indexes. Its inverse is DropAttribute.
type RestoreAttribute struct {
	Database   string             `json:"database"`
	Collection string             `json:"collection"`
	Attribute  AttributeImage     `json:"attribute"`
	Indexes    []IndexImage       `json:"indexes,omitempty"`
	Values     journal.ArchiveRef `json:"values,omitzero"`

	client *appwrite.Client
}

// Kind is "restore_attribute".
func (s RestoreAttribute) Kind() string { return "restore_attribute" }

// Target is the attribute.
func (s RestoreAttribute) Target() engine.Ref {
	return attributeRef(s.Database, s.Collection, s.Attribute.Key)
}

func (s RestoreAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and the definition.
func (s RestoreAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.definition(s.Attribute)
	return c.err
}

// Capture makes sure that the key is free, or still the attribute's own because
// it was not dropped to the end.
func (s RestoreAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findAttribute(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	if found && s.position(imageOfAttribute(live)) < 0 {
		return nil, stopped(s.Target(), ErrExists, "type %s, %s", live.Type, live.Status)
	}
	return absent()
}

// position places a definition on the way from bare to whole; -1 when it is
// not on it.
func (s RestoreAttribute) position(live AttributeImage) int {
	way := attributePath(s.Attribute.bare(), s.Attribute)
	return slices.IndexFunc(way, func(i AttributeImage) bool { return same(i, live) })
}

// Apply brings the attribute back as far as it is not.
func (s RestoreAttribute) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	if err := calm(ctx, s.client, s.Database, s.Collection); err != nil {
		return nil, err
	}
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case found && s.position(imageOfAttribute(live)) < 0:
		return nil, stopped(s.Target(), engine.ErrForeign, "an attribute of this key appeared meanwhile")
	case !found || live.Status != appwrite.StatusAvailable:
		if found {
			if err := removeAttribute(ctx, s.client, s.Target()); err != nil {
				return nil, err
			}
		}
		if err := makeAttribute(ctx, s.client, s.Target(), s.Attribute.bare(), true); err != nil {
			return nil, err
		}
		if err := settleAttribute(ctx, s.client, s.Target(), s.Attribute.bare()); err != nil {
			return nil, err
		}
	}
	if err := s.fill(ctx, site); err != nil {
		return nil, err
	}
	image, _, err := readAvailable(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	if !same(image, s.Attribute) {
		if err := writeAttribute(s.client, s.Target())(ctx, image, s.Attribute); err != nil {
			return nil, err
		}
	}
	for _, index := range s.Indexes {
		if err := ensureIndex(ctx, s.client, indexRef(s.Database, s.Collection, index.Key), index); err != nil {
			return nil, err
		}
	}
	return s.observe(ctx)
}

// observe sums up what is there now, for the undo of this undo.
func (s RestoreAttribute) observe(ctx context.Context) (engine.Observation, error) {
	found, err := tally(ctx, s.client, s.Target(), s.Attribute, forget)
	if err != nil {
		return nil, err
	}
	return encode(Values{Attribute: s.Attribute, Digest: found.Digest})
}

// fill writes the archived values into the documents that have none.
func (s RestoreAttribute) fill(ctx context.Context, site engine.Site) error {
	if !present(s.Values) {
		return nil
	}
	filler, err := newFiller(ctx, s.client, s.Target())
	if err != nil {
		return err
	}
	return filler.fill(ctx, site, s.Values)
}

// Settle makes sure that attribute and indexes are available.
func (s RestoreAttribute) Settle(ctx context.Context, _ engine.Site, _ engine.Memento) error {
	awaited := []appwrite.Awaited{{Collection: s.Collection, Attribute: s.Attribute.Key}}
	for _, index := range s.Indexes {
		awaited = append(awaited, appwrite.Awaited{Collection: s.Collection, Index: index.Key})
	}
	return s.client.WaitAvailable(ctx, s.Database, awaited)
}

// Probe looks for the attribute, its indexes and the archived values.
func (s RestoreAttribute) Probe(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case live.Relationship != nil || s.position(imageOfAttribute(live)) < 0:
		return foreign("%s", differences(s.Attribute, imageOfAttribute(live)))
	case live.Status != appwrite.StatusAvailable || !same(s.Attribute, imageOfAttribute(live)):
		return partial("the attribute is %s and not whole yet", live.Status)
	}
	indexes, err := indexesOn(ctx, s.client, s.Target())
	if err != nil {
		return lost(err)
	}
	if len(indexes) < len(s.Indexes) {
		return partial("%d of %d indexes are back", len(indexes), len(s.Indexes))
	}
	if present(s.Values) {
		filler, err := newFiller(ctx, s.client, s.Target())
		if err != nil {
			return engine.Finding{}, err
		}
		pending, err := filler.pending(ctx, site, s.Values)
		if err != nil {
			return engine.Finding{}, err
		}
		if pending {
			return partial("not all values are back")
		}
	}
	observed, err := s.observe(ctx)
	return engine.Finding{State: engine.StateAfter, After: observed}, err
}

// Inverse drops the attribute again, expecting it as restored.
func (s RestoreAttribute) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	expect, err := restored[Values](after)
	if err != nil {
		return nil, err
	}
	undo := DropAttribute{
		Database: s.Database, Collection: s.Collection, Key: s.Attribute.Key, Expect: expect, client: s.client,
	}
	return []engine.Step{undo}, nil
}
