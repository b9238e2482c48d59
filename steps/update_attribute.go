package steps

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// UpdateAttribute changes what the server can change about an attribute in
// place. Type, array and encrypt cannot change; they may be named, and must
// then be what they are. Its inverse is another UpdateAttribute.
type UpdateAttribute struct {
	Database   string          `json:"database"`
	Collection string          `json:"collection"`
	Key        string          `json:"key"`
	Type       string          `json:"type,omitempty"`
	Array      *bool           `json:"array,omitempty"`
	Encrypt    *bool           `json:"encrypt,omitempty"`
	Required   *bool           `json:"required,omitempty"` // nil keeps it
	Default    json.RawMessage `json:"default,omitempty"`  // nil keeps it, null clears it
	Size       int64           `json:"size,omitempty"`     // 0 keeps it
	Min        json.Number     `json:"min,omitempty"`      // "" keeps it, the least number of the type removes it
	Max        json.Number     `json:"max,omitempty"`      // "" keeps it, the greatest number of the type removes it
	Elements   []string        `json:"elements,omitempty"` // nil keeps them; else the whole list
	// Restore and Expect make the step an undo: the definition to go back to
	// and the one it believes to find. Leave both nil.
	Restore *AttributeImage `json:"restore,omitempty"`
	Expect  *AttributeImage `json:"expect,omitempty"`
	// Tolerate is how many documents may not fit what an undo goes back to,
	// because they did not fit before either.
	Tolerate int64 `json:"tolerate,omitempty"`

	client *appwrite.Client
}

// attributeChange is the memento of UpdateAttribute.
type attributeChange struct {
	Before AttributeImage `json:"before"`
	After  AttributeImage `json:"after"`
	// Unfit counts documents that do not fit Before although it was in force.
	Unfit int64 `json:"unfit,omitempty"`
}

// Kind is "update_attribute".
func (s UpdateAttribute) Kind() string { return "update_attribute" }

// Target is the attribute.
func (s UpdateAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s UpdateAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks what can be checked without knowing the attribute.
func (s UpdateAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	if s.Type != "" {
		c.oneOf("type", s.Type, attributeTypes()...)
	}
	if s.Size < 0 {
		c.fail("size", "must be positive, not %d", s.Size)
	}
	if s.Required != nil && *s.Required && canonicalValue(s.Default) != nil {
		c.fail("default", "cannot be combined with required")
	}
	changes := s.Required != nil || s.Default != nil || s.Size != 0 || s.Min != "" || s.Max != "" || s.Elements != nil
	if !changes && s.Restore == nil {
		c.fail("key", "is not enough: a field to change must be given")
	}
	return c.err
}

// Capture reads the attribute and, where the change narrows it, every document's
// value: one that would not fit stops the step.
func (s UpdateAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	live, found, err := s.read(ctx)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(s.Target(), ErrMissing, "nothing to update")
	}
	m := attributeChange{Before: live, After: s.over(live)}
	if err := s.allowed(m); err != nil {
		return nil, err
	}
	if narrows(m.Before, m.After) {
		unfit, err := findMisfits(ctx, s.client, s.Target(), m.After)
		if err != nil {
			return nil, err
		}
		if unfit.Count > s.Tolerate {
			return nil, &StepError{
				Target: s.Target(), Err: ErrUnfit, Documents: unfit.First,
				Reason: fmt.Sprintf("%d documents; the value of the first %s", unfit.Count, unfit.Reason),
			}
		}
	}
	if narrows(m.After, m.Before) {
		unfit, err := findMisfits(ctx, s.client, s.Target(), m.Before)
		if err != nil {
			return nil, err
		}
		m.Unfit = unfit.Count
	}
	return encode(m)
}

// over gives the definition that the step makes of another.
func (s UpdateAttribute) over(live AttributeImage) AttributeImage {
	if s.Restore != nil {
		return *s.Restore
	}
	if s.Required != nil {
		live.Required = *s.Required
	}
	if s.Default != nil {
		live.Default = canonicalValue(s.Default)
	}
	if s.Size != 0 {
		live.Size = s.Size
	}
	if s.Min != "" {
		live.Min = canonicalBound(live.Type, s.Min)
	}
	if s.Max != "" {
		live.Max = canonicalBound(live.Type, s.Max)
	}
	if s.Elements != nil {
		live.Elements = s.Elements
	}
	return live
}

// allowed refuses what the server would refuse, or accept and not do.
func (s UpdateAttribute) allowed(m attributeChange) error {
	const advice = "create another attribute, copy the values, delete this one and rename the other"
	live := m.Before
	switch {
	case s.Type != "" && s.Type != live.Type:
		return stopped(s.Target(), ErrRefused, "the type cannot change from %s to %s: %s", live.Type, s.Type, advice)
	case s.Array != nil && *s.Array != live.Array:
		return stopped(s.Target(), ErrRefused, "array cannot change: %s", advice)
	case s.Encrypt != nil && *s.Encrypt != live.Encrypt:
		return stopped(s.Target(), ErrRefused, "encrypt cannot change: %s", advice)
	case s.Expect == nil && live.Type == appwrite.TypeInteger && narrow(live) && !narrow(m.After):
		return stopped(s.Target(), ErrRefused, "an integer made with a max of up to 2147483647 is 32 bits wide for good: %s", advice)
	}
	if whole(live) && m.After.Default == nil {
		if _, room := fraction(live); !room {
			return stopped(s.Target(), ErrRefused, "the server cannot clear a whole default where min and max leave no room for a fraction: widen them first")
		}
	}
	c := check{kind: s.Kind()}
	c.definition(m.After)
	return c.err
}

// narrow reports whether an integer may have been made 32 bits wide.
func narrow(i AttributeImage) bool {
	return i.Max != "" && compareNumbers(i.Max, "2147483647") <= 0
}

// Apply writes the definition whole, in as many requests as the server needs
// to forget a default, and reads it back.
func (s UpdateAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	plain, err := s.plain(memento)
	if err != nil {
		return nil, err
	}
	return s.update().apply(ctx, site, plain)
}

// Settle has nothing to wait for.
func (s UpdateAttribute) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe places the definition on the way from one image to the other.
func (s UpdateAttribute) Probe(ctx context.Context, _ engine.Site, memento engine.Memento) (engine.Finding, error) {
	plain, err := s.plain(memento)
	if err != nil {
		return engine.Finding{}, err
	}
	return s.update().probe(ctx, plain)
}

// Inverse writes the old definition back, expecting the new one; a change of
// nothing has none.
func (s UpdateAttribute) Inverse(memento engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[attributeChange](memento)
	if err != nil || same(m.Before, m.After) {
		return nil, err
	}
	undo := UpdateAttribute{
		Database: s.Database, Collection: s.Collection, Key: s.Key,
		Restore: &m.Before, Expect: &m.After, Tolerate: m.Unfit, client: s.client,
	}
	return []engine.Step{undo}, nil
}

// plain gives the part of the memento that every update has.
func (s UpdateAttribute) plain(memento engine.Memento) (engine.Memento, error) {
	m, err := recall[attributeChange](memento)
	if err != nil {
		return nil, err
	}
	return encode(change[AttributeImage]{Before: m.Before, After: m.After})
}

// read finds the attribute, which must be available.
func (s UpdateAttribute) read(ctx context.Context) (AttributeImage, bool, error) {
	return readAvailable(ctx, s.client, s.Target())
}

func (s UpdateAttribute) update() update[AttributeImage] {
	return update[AttributeImage]{
		target: s.Target(),
		expect: s.Expect,
		equal:  func(a, b AttributeImage) bool { return same(a, b) },
		path:   attributePath,
		read:   s.read,
		write:  writeAttribute(s.client, s.Target()),
	}
}

// readAvailable reads a plain attribute that is in use.
func readAvailable(ctx context.Context, client *appwrite.Client, ref engine.Ref) (AttributeImage, bool, error) {
	live, found, err := findAttribute(ctx, client, ref)
	switch {
	case err != nil || !found:
		return AttributeImage{}, false, err
	case live.Relationship != nil:
		return AttributeImage{}, false, stopped(ref, ErrRefused, "it is a relationship: use update_relationship or delete_relationship")
	case live.Status != appwrite.StatusAvailable:
		return AttributeImage{}, false, stopped(ref, ErrMissing, "the attribute is %s %s", live.Status, live.Error)
	}
	return imageOfAttribute(live), true, nil
}

// writeAttribute sends one patch.
func writeAttribute(client *appwrite.Client, ref engine.Ref) func(context.Context, AttributeImage, AttributeImage) error {
	return func(ctx context.Context, from, to AttributeImage) error {
		_, err := client.UpdateAttribute(ctx, ref.Database, ref.Collection, from.Key, attributePatch(from, to))
		return err
	}
}
