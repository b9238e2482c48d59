package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// The types of an index.
const (
	Key      = "key"
	Unique   = "unique"
	Fulltext = "fulltext"
	Spatial  = "spatial" // since 1.8
)

// CreateIndex creates an index. Its inverse is DeleteIndex.
type CreateIndex struct {
	Database   string   `json:"database"`
	Collection string   `json:"collection"`
	Key        string   `json:"key"`
	Type       string   `json:"type"`
	Attributes []string `json:"attributes"`
	Orders     []string `json:"orders,omitempty"`  // ASC or DESC for each attribute, or fewer
	Lengths    []int    `json:"lengths,omitempty"` // indexed characters; 0: all

	client *appwrite.Client
}

// Kind is "create_index".
func (s CreateIndex) Kind() string { return "create_index" }

// Target is the index.
func (s CreateIndex) Target() engine.Ref { return indexRef(s.Database, s.Collection, s.Key) }

func (s CreateIndex) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the definition as far as it does not depend on the attributes.
func (s CreateIndex) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	if slices.Contains([]string{"primary", "_created_at", "_updated_at", "_tenant_id"}, strings.ToLower(s.Key)) {
		c.fail("key", "%q is reserved", s.Key)
	}
	c.oneOf("type", s.Type, Key, Unique, Fulltext, Spatial)
	if len(s.Attributes) < 1 || len(s.Attributes) > 100 {
		c.fail("attributes", "must be 1 to 100 keys, not %d", len(s.Attributes))
	}
	for i, key := range s.Attributes {
		if !slices.Contains([]string{"$id", "$createdAt", "$updatedAt"}, key) {
			c.id("attributes", key)
		}
		if slices.Contains(s.Attributes[:i], key) {
			c.fail("attributes", "names %q twice", key)
		}
	}
	if len(s.Orders) > len(s.Attributes) {
		c.fail("orders", "are more than the attributes")
	}
	for _, order := range s.Orders {
		c.oneOf("orders", strings.ToUpper(order), "", "ASC", "DESC")
	}
	if len(s.Lengths) > len(s.Attributes) {
		c.fail("lengths", "are more than the attributes")
	}
	for _, length := range s.Lengths {
		if length < 0 {
			c.fail("lengths", "must not be negative")
		}
	}
	return c.err
}

// Capture makes sure that the key is free, the attributes are there and can be
// indexed, and, for a unique index, that no two documents are alike.
func (s CreateIndex) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := findLastingIndex(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists, "type %s on %s, %s", live.Type, strings.Join(live.Attributes, ", "), live.Status)
	}
	if err := s.indexable(ctx); err != nil {
		return nil, err
	}
	if err := s.distinct(ctx); err != nil {
		return nil, err
	}
	return absent()
}

// indexable refuses attributes that cannot be part of the index.
func (s CreateIndex) indexable(ctx context.Context) error {
	server, err := s.client.Detect(ctx)
	if err != nil {
		return err
	}
	attributes, err := s.client.ListAttributes(ctx, s.Database, s.Collection)
	if err != nil {
		err = unlessAbsent(err, s.Target())
		return err
	}
	for _, key := range s.Attributes {
		if strings.HasPrefix(key, "$") {
			continue
		}
		attribute := keyed(attributes, key)
		switch {
		case attribute == nil:
			return stopped(attributeRef(s.Database, s.Collection, key), ErrMissing, "index %q needs it", s.Key)
		case attribute.Relationship != nil:
			return stopped(s.Target(), ErrRefused, "relationship %q cannot be indexed", key)
		case attribute.Array && !server.Capabilities.ArrayIndexes:
			return stopped(s.Target(), ErrRefused, "array %q cannot be indexed on Appwrite %s", key, server.Version)
		case attribute.Status != appwrite.StatusAvailable:
			return stopped(attributeRef(s.Database, s.Collection, key), ErrMissing, "index %q needs it and it is %s", s.Key, attribute.Status)
		}
	}
	return nil
}

// distinct fails when the index is unique and documents are alike in it.
func (s CreateIndex) distinct(ctx context.Context) error {
	if s.Type != Unique {
		return nil
	}
	twins, err := findTwins(ctx, s.client, s.Target(), s.image())
	if err != nil || twins.Count == 0 {
		return err
	}
	return &StepError{
		Target: s.Target(), Err: ErrDuplicates, Documents: twins.First,
		Reason: repeats(twins.Count, strings.Join(s.Attributes, ", ")),
	}
}

// repeats says how many documents have the values of another.
func repeats(count int64, attributes string) string {
	if count == 1 {
		return "1 document repeats the " + attributes + " of another"
	}
	return fmt.Sprintf("%d documents repeat the %s of another", count, attributes)
}

// Apply asks for the index, or takes over what an earlier attempt has left.
func (s CreateIndex) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	if err := makeIndex(ctx, s.client, s.Target(), s.image(), site.Doubtful); err != nil {
		return nil, err
	}
	return encode(s.image())
}

// Settle waits until the index is available. A unique one is held against the
// documents again: from 1.9 the server calls it available even where it found
// duplicates and built nothing.
func (s CreateIndex) Settle(ctx context.Context, _ engine.Site, _ engine.Memento) error {
	err := settleIndex(ctx, s.client, s.Target(), s.image(), func() error { return s.distinct(ctx) })
	if err != nil || s.Type != Unique {
		return err
	}
	server, err := s.client.Detect(ctx)
	if err != nil || !server.Capabilities.FalseUnique {
		return err
	}
	return s.distinct(ctx)
}

// Probe looks for the index and its status.
func (s CreateIndex) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findIndex(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case !s.image().equal(imageOfIndex(live)):
		return foreign("the index is not as created: %s", differences(s.image(), imageOfIndex(live)))
	case live.Status != appwrite.StatusAvailable:
		return partial("the index is %s %s", live.Status, live.Error)
	default:
		return foundAfter(s.image())
	}
}

// Inverse deletes the index, expecting it as created.
func (s CreateIndex) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	expect := s.image()
	undo := DeleteIndex{Database: s.Database, Collection: s.Collection, Key: s.Key, Expect: &expect, client: s.client}
	return []engine.Step{undo}, nil
}

// image is what the step makes.
func (s CreateIndex) image() IndexImage {
	return imageOfIndex(appwrite.Index{
		Key: s.Key, Type: s.Type, Attributes: s.Attributes, Orders: s.Orders, Lengths: s.Lengths,
	})
}

// makeIndex asks for an index; see makeAttribute.
func makeIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref, image IndexImage, mine bool) error {
	_, err := client.CreateIndex(ctx, ref.Database, ref.Collection, image.index())
	if err == nil || !taken(err) {
		return err
	}
	live, found, findErr := findIndex(ctx, client, ref)
	switch {
	case findErr != nil:
		return findErr
	case !found:
		return err
	case !mine || !image.equal(imageOfIndex(live)):
		return stopped(ref, engine.ErrForeign, "an index of this key appeared meanwhile")
	case live.Status == appwrite.StatusAvailable || live.Status == appwrite.StatusProcessing:
		return nil
	}
	if err := removeIndex(ctx, client, ref); err != nil {
		return err
	}
	_, err = client.CreateIndex(ctx, ref.Database, ref.Collection, image.index())
	return err
}

// ensureIndex makes an index that an undo brings back, unless it is there, and
// waits for it.
func ensureIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref, image IndexImage) error {
	if err := makeIndex(ctx, client, ref, image, true); err != nil {
		return err
	}
	step := CreateIndex{
		Database: ref.Database, Collection: ref.Collection, Key: image.Key, Type: image.Type,
		Attributes: image.Attributes, Orders: image.Orders, Lengths: image.Lengths, client: client,
	}
	return step.Settle(ctx, engine.Site{}, nil)
}
