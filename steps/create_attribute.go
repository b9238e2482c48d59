package steps

import (
	"context"
	"encoding/json"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateAttribute creates an attribute of any type but relationship. Its
// inverse is DropAttribute.
type CreateAttribute struct {
	Database   string          `json:"database"`
	Collection string          `json:"collection"`
	Key        string          `json:"key"`
	Type       string          `json:"type"`           // one of appwrite's Type constants
	Size       int64           `json:"size,omitempty"` // characters; string and varchar only, and needed there
	Required   bool            `json:"required,omitempty"`
	Default    json.RawMessage `json:"default,omitempty"` // JSON; nil or null: none
	Array      bool            `json:"array,omitempty"`
	Min        json.Number     `json:"min,omitempty"`      // integer, bigint and float only; "": none
	Max        json.Number     `json:"max,omitempty"`      // a max above 2147483647, or none, makes an integer 64 bits wide
	Elements   []string        `json:"elements,omitempty"` // enum only, and needed there
	Encrypt    bool            `json:"encrypt,omitempty"`  // text only, size 150 or more; cannot be queried then

	client *appwrite.Client
}

// Kind is "create_attribute".
func (s CreateAttribute) Kind() string { return "create_attribute" }

// Target is the attribute.
func (s CreateAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s CreateAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks the definition against the server's rules.
func (s CreateAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.definition(s.given())
	return c.err
}

// Capture makes sure that the key is free and the server knows the type.
func (s CreateAttribute) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	if err := s.supported(ctx); err != nil {
		return nil, err
	}
	live, found, err := findAttribute(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(s.Target(), ErrExists, "type %s, %s", live.Type, live.Status)
	}
	return absent()
}

// supported refuses types that the server's version does not have.
func (s CreateAttribute) supported(ctx context.Context) error {
	server, err := s.client.Detect(ctx)
	if err != nil {
		return err
	}
	can, since := true, ""
	switch s.Type {
	case appwrite.TypeBigInt:
		can, since = server.Capabilities.BigInt, "1.9.5"
	case appwrite.TypeVarchar, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText:
		can, since = server.Capabilities.TextTypes, "1.9.0"
	case appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon:
		can, since = server.Capabilities.Spatial, "1.8.0"
	}
	if !can {
		return stopped(s.Target(), ErrRefused, "type %s needs Appwrite %s, the server is %s", s.Type, since, server.Version)
	}
	return nil
}

// Apply asks for the attribute, or takes over what an earlier attempt has left,
// removing a creation that failed.
func (s CreateAttribute) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	if err := makeAttribute(ctx, s.client, s.Target(), s.image(), site.Doubtful); err != nil {
		return nil, err
	}
	return encode(s.image())
}

// Settle waits until the attribute is available; one that failed is made anew.
func (s CreateAttribute) Settle(ctx context.Context, _ engine.Site, _ engine.Memento) error {
	return settleAttribute(ctx, s.client, s.Target(), s.image())
}

// Probe looks for the attribute and its status.
func (s CreateAttribute) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, found, err := findAttribute(ctx, s.client, s.Target())
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return untouched()
	case live.Relationship != nil || !same(s.image(), imageOfAttribute(live)):
		return foreign("the attribute is not as created: %s", differences(s.image(), imageOfAttribute(live)))
	case live.Status != appwrite.StatusAvailable:
		return partial("the attribute is %s", live.Status)
	default:
		return foundAfter(s.image())
	}
}

// Inverse drops the attribute, expecting nobody to have put values into it.
func (s CreateAttribute) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	expect := s.image()
	undo := DropAttribute{
		Database: s.Database, Collection: s.Collection, Key: s.Key,
		Expect: &Values{Attribute: expect}, client: s.client,
	}
	return []engine.Step{undo}, nil
}

// image is what the step makes, in canonical form.
func (s CreateAttribute) image() AttributeImage { return imageOfAttribute(s.given().attribute()) }

// given is the definition as it was written.
func (s CreateAttribute) given() AttributeImage {
	return AttributeImage{
		Key: s.Key, Type: s.Type, Required: s.Required, Array: s.Array, Default: canonicalValue(s.Default),
		Size: s.Size, Encrypt: s.Encrypt, Min: s.Min, Max: s.Max, Elements: s.Elements,
	}
}
