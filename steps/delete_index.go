package steps

import (
	"context"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteIndex deletes an index. Its inverse is CreateIndex.
type DeleteIndex struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// Expect is what an undo believes to find; leave it nil.
	Expect *IndexImage `json:"expect,omitempty"`

	client *appwrite.Client
}

// deletedIndex is the memento of DeleteIndex.
type deletedIndex struct {
	Index  IndexImage `json:"index"`
	Status string     `json:"status"`
}

// Kind is "delete_index".
func (s DeleteIndex) Kind() string { return "delete_index" }

// Target is the index.
func (s DeleteIndex) Target() engine.Ref { return indexRef(s.Database, s.Collection, s.Key) }

func (s DeleteIndex) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and key.
func (s DeleteIndex) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	return c.err
}

// Capture records the definition.
func (s DeleteIndex) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to delete")
	}
	return encode(deletedIndex{Index: imageOfIndex(live), Status: live.Status})
}

// foreignness says how the captured index differs from what an undo believes.
func (s DeleteIndex) foreignness(m deletedIndex) string {
	if s.Expect == nil || s.Expect.equal(m.Index) {
		return ""
	}
	return differences(*s.Expect, m.Index)
}

// Apply asks for the removal.
func (s DeleteIndex) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[deletedIndex](memento)
	if err != nil {
		return nil, err
	}
	why := s.foreignness(m)
	if spared(site, why) {
		return absent() // it is somebody else's now
	}
	if err := destructible(site, s.Target(), why); err != nil {
		return nil, err
	}
	live, found, err := findMadeIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return nil, err
	case !found:
		return absent()
	case !m.Index.equal(imageOfIndex(live)):
		return nil, stopped(s.Target(), engine.ErrForeign, "%s", differences(m.Index, imageOfIndex(live)))
	}
	if err := deleteIndex(ctx, s.client, s.Target()); err != nil {
		return nil, err
	}
	return absent()
}

// Settle waits until the index is gone.
func (s DeleteIndex) Settle(ctx context.Context, site engine.Site, memento engine.Memento) error {
	m, err := recall[deletedIndex](memento)
	if err != nil {
		return err
	}
	if spared(site, s.foreignness(m)) {
		return nil
	}
	return awaitNoIndex(ctx, s.client, s.Target())
}

// Probe looks for the index.
func (s DeleteIndex) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[deletedIndex](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return foundAfter(struct{}{})
	case !m.Index.equal(imageOfIndex(live)):
		return foreign("%s", differences(m.Index, imageOfIndex(live)))
	case live.Status != m.Status:
		return partial("the index is %s", live.Status)
	}
	if why := s.foreignness(m); why != "" {
		return foreign("%s", why)
	}
	return untouched()
}

// Inverse creates the index again.
func (s DeleteIndex) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[deletedIndex](memento)
	if err != nil {
		return nil, err
	}
	if m.Status == appwrite.StatusFailed || m.Status == appwrite.StatusStuck {
		return nil, stopped(s.Target(), engine.ErrIrreversible, "it was %s when it was deleted, on %s",
			m.Status, strings.Join(m.Index.Attributes, ", "))
	}
	undo := CreateIndex{
		Database: s.Database, Collection: s.Collection, Key: s.Key, Type: m.Index.Type,
		Attributes: m.Index.Attributes, Orders: m.Index.Orders, Lengths: m.Index.Lengths, client: s.client,
	}
	return []engine.Step{undo}, nil
}
