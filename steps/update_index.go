package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpdateIndex gives an index another definition under its key. The server
// cannot change an index, so it is deleted and created anew: in between, queries
// that need it are slow or, for fulltext, refused, and a unique one lets
// duplicates in, which fails the step. Its inverse is UpdateIndex.
type UpdateIndex struct {
	Database   string   `json:"database"`
	Collection string   `json:"collection"`
	Key        string   `json:"key"`
	Type       string   `json:"type"`
	Attributes []string `json:"attributes"`
	Orders     []string `json:"orders,omitempty"`  // ASC or DESC for each attribute, or fewer
	Lengths    []int    `json:"lengths,omitempty"` // indexed characters; 0: all
	// Expect is what an undo believes to find; leave it nil.
	Expect *IndexImage `json:"expect,omitempty"`

	client *appwrite.Client
}

// Kind is "update_index".
func (s UpdateIndex) Kind() string { return "update_index" }

// Target is the index.
func (s UpdateIndex) Target() engine.Ref { return indexRef(s.Database, s.Collection, s.Key) }

func (s UpdateIndex) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the definition as CreateIndex does.
func (s UpdateIndex) Validate() error {
	err := s.creation().Validate()
	if field, ok := err.(*FieldError); ok { //nolint:errorlint // Validate returns it unwrapped
		field.Kind = s.Kind()
	}
	return err
}

// creation is the second half of the step.
func (s UpdateIndex) creation() CreateIndex {
	return CreateIndex{
		Database: s.Database, Collection: s.Collection, Key: s.Key, Type: s.Type,
		Attributes: s.Attributes, Orders: s.Orders, Lengths: s.Lengths, client: s.client,
	}
}

// Capture records the definition and makes sure that the new one can be.
func (s UpdateIndex) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found && s.Expect != nil: // the step undone had only deleted
		return encode(IndexImage{})
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to update")
	case live.Status != appwrite.StatusAvailable && s.Expect == nil:
		return nil, stopped(s.Target(), ErrRefused, "it is %s: delete it and create it again", live.Status)
	}
	if err := s.creation().indexable(ctx); err != nil {
		return nil, err
	}
	if err := s.creation().distinct(ctx); err != nil {
		return nil, err
	}
	return encode(imageOfIndex(live))
}

// foreignness says how the index found differs from what may be replaced.
func (s UpdateIndex) foreignness(before, live IndexImage) string {
	switch {
	case s.creation().image().equal(live):
		return ""
	case s.Expect != nil && !s.Expect.equal(live):
		return differences(*s.Expect, live)
	case !before.equal(live):
		return differences(before, live)
	default:
		return ""
	}
}

// Apply deletes the old index, waits until it is gone, and asks for the new one.
func (s UpdateIndex) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	before, err := recall[IndexImage](memento)
	if err != nil {
		return nil, err
	}
	after := s.creation().image()
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case found && after.equal(before):
		return encode(after)
	case found && !after.equal(imageOfIndex(live)):
		why := s.foreignness(before, imageOfIndex(live))
		if spared(site, why) {
			return encode(imageOfIndex(live)) // it is somebody else's now
		}
		if err := destructible(site, s.Target(), why); err != nil {
			return nil, err
		}
		if err := removeIndex(ctx, s.client, s.Target()); err != nil {
			return nil, err
		}
	}
	// Whatever equals the new definition now is this step's: the key was taken
	// by the old one until it went.
	if err := makeIndex(ctx, s.client, s.Target(), after, true); err != nil {
		return nil, err
	}
	return encode(after)
}

// Settle waits as CreateIndex does.
func (s UpdateIndex) Settle(ctx context.Context, site engine.Site, memento engine.Memento) error {
	if site.OnConflict == engine.ConflictMerge {
		live, found, err := findIndex(ctx, s.client, s.Target())
		if err != nil || (found && !s.creation().image().equal(imageOfIndex(live))) {
			return err
		}
	}
	return s.creation().Settle(ctx, site, memento)
}

// Probe looks for the index: the old one, the new one, or, half-way, none.
func (s UpdateIndex) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	before, err := recall[IndexImage](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	after := s.creation().image()
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return partial("the old index is gone and the new one is not there")
	case live.Status != appwrite.StatusAvailable:
		return partial("the index is %s %s", live.Status, live.Error)
	case after.equal(imageOfIndex(live)):
		return foundAfter(after)
	}
	if why := s.foreignness(before, imageOfIndex(live)); why != "" {
		return foreign("%s", why)
	}
	return untouched()
}

// Inverse gives the old definition back, expecting the new one.
func (s UpdateIndex) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	before, err := recall[IndexImage](memento)
	if err != nil {
		return nil, err
	}
	expect := s.creation().image()
	switch {
	case expect.equal(before):
		return nil, nil
	case before.Key == "":
		return s.creation().Inverse(nil, nil)
	}
	return []engine.Step{UpdateIndex{
		Database: s.Database, Collection: s.Collection, Key: s.Key, Type: before.Type,
		Attributes: before.Attributes, Orders: before.Orders, Lengths: before.Lengths,
		Expect: &expect, client: s.client,
	}}, nil
}
