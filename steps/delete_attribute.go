package steps

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteAttribute deletes an attribute late: RetireAttribute in its place, and
// DropAttribute at the end of the run. Where row width or counts leave no room
// for the tombstone beside what follows, AtOnce does without one.
type DeleteAttribute struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// AtOnce drops in the step's place.
	AtOnce bool `json:"at_once,omitempty"`

	client *appwrite.Client
}

// Kind is "delete_attribute".
func (s DeleteAttribute) Kind() string { return "delete_attribute" }

// Target is the attribute.
func (s DeleteAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s DeleteAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks ids and key.
func (s DeleteAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	return c.err
}

// Split draws a tombstone and gives both parts.
func (s DeleteAttribute) Split() (now, last engine.Step) {
	if s.AtOnce {
		return s.drop(), nil
	}
	tombstone := drawTombstone(s.Key)
	return RetireAttribute{
			Database: s.Database, Collection: s.Collection, Key: s.Key, Tombstone: tombstone, client: s.client,
		}, DropAttribute{
			Database: s.Database, Collection: s.Collection, Key: tombstone, client: s.client,
		}
}

// drawTombstone gives a key that nobody else uses and people recognise.
func drawTombstone(key string) string {
	nonce := strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	return "gone_" + nonce + "_" + strings.ReplaceAll(key[:min(len(key), 18)], ".", "_")
}

// drop is what the step amounts to when nobody splits it.
func (s DeleteAttribute) drop() DropAttribute {
	return DropAttribute{Database: s.Database, Collection: s.Collection, Key: s.Key, client: s.client}
}

// Capture is DropAttribute's.
func (s DeleteAttribute) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	return s.drop().Capture(ctx, site)
}

// Apply is DropAttribute's.
func (s DeleteAttribute) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return s.drop().Apply(ctx, site, before)
}

// Settle is DropAttribute's.
func (s DeleteAttribute) Settle(ctx context.Context, site engine.Site, before engine.Memento) error {
	return s.drop().Settle(ctx, site, before)
}

// Probe is DropAttribute's.
func (s DeleteAttribute) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	return s.drop().Probe(ctx, site, before)
}

// Inverse is DropAttribute's.
func (s DeleteAttribute) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	return s.drop().Inverse(before, after)
}
