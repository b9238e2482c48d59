package steps

import (
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// AttributeBuilder refines an attribute that is created.
type AttributeBuilder struct {
	step CreateAttribute
	err  error
}

// Attribute creates an attribute of any type; see the appwrite.Type constants.
func (c *CollectionBuilder) Attribute(kind, key string) *AttributeBuilder {
	a := &AttributeBuilder{step: CreateAttribute{Database: c.database, Collection: c.id, Key: key, Type: kind}}
	c.b.append(func() (engine.Step, error) { return a.step, a.err }, settings{})
	return a
}

// String creates a text of up to size characters.
func (c *CollectionBuilder) String(key string, size int64) *AttributeBuilder {
	return c.Attribute(appwrite.TypeString, key).size(size)
}

// Varchar creates a text that is stored in its row (since Appwrite 1.9).
func (c *CollectionBuilder) Varchar(key string, size int64) *AttributeBuilder {
	return c.Attribute(appwrite.TypeVarchar, key).size(size)
}

// Text creates a text of up to 16,383 characters (since Appwrite 1.9).
func (c *CollectionBuilder) Text(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeText, key)
}

// MediumText creates a text of up to 4 million characters (since Appwrite 1.9).
func (c *CollectionBuilder) MediumText(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeMediumText, key)
}

// LongText creates a text of up to a billion characters (since Appwrite 1.9).
func (c *CollectionBuilder) LongText(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeLongText, key)
}

// Integer creates an integer.
func (c *CollectionBuilder) Integer(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeInteger, key)
}

// BigInt creates a 64-bit integer (since Appwrite 1.9.5).
func (c *CollectionBuilder) BigInt(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeBigInt, key)
}

// Float creates a floating-point number.
func (c *CollectionBuilder) Float(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeFloat, key)
}

// Boolean creates a truth value.
func (c *CollectionBuilder) Boolean(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeBoolean, key)
}

// Datetime creates a point in time.
func (c *CollectionBuilder) Datetime(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeDatetime, key)
}

// Email creates an e-mail address.
func (c *CollectionBuilder) Email(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeEmail, key)
}

// Enum creates a choice between texts.
func (c *CollectionBuilder) Enum(key string, elements ...string) *AttributeBuilder {
	a := c.Attribute(appwrite.TypeEnum, key)
	a.step.Elements = elements
	return a
}

// IP creates an IP address.
func (c *CollectionBuilder) IP(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeIP, key)
}

// URL creates a URL.
func (c *CollectionBuilder) URL(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeURL, key)
}

// Point creates a point (since Appwrite 1.8).
func (c *CollectionBuilder) Point(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypePoint, key)
}

// Line creates a line (since Appwrite 1.8).
func (c *CollectionBuilder) Line(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypeLine, key)
}

// Polygon creates a polygon (since Appwrite 1.8).
func (c *CollectionBuilder) Polygon(key string) *AttributeBuilder {
	return c.Attribute(appwrite.TypePolygon, key)
}

func (a *AttributeBuilder) size(size int64) *AttributeBuilder {
	a.step.Size = size
	return a
}

// Required refuses documents without a value.
func (a *AttributeBuilder) Required() *AttributeBuilder {
	a.step.Required = true
	return a
}

// Default is the value of documents that name none.
func (a *AttributeBuilder) Default(value any) *AttributeBuilder {
	a.step.Default, a.err = jsonOf(value)
	return a
}

// Array makes it a list of values.
func (a *AttributeBuilder) Array() *AttributeBuilder {
	a.step.Array = true
	return a
}

// Min is the least number allowed, such as -5 or 0.25.
func (a *AttributeBuilder) Min(n json.Number) *AttributeBuilder {
	a.step.Min = n
	return a
}

// Max is the greatest number allowed.
func (a *AttributeBuilder) Max(n json.Number) *AttributeBuilder {
	a.step.Max = n
	return a
}

// Encrypted stores the text encrypted; it cannot be queried then.
func (a *AttributeBuilder) Encrypted() *AttributeBuilder {
	a.step.Encrypt = true
	return a
}

// AttributeUpdate refines a change of an attribute.
type AttributeUpdate struct {
	step UpdateAttribute
	err  error
}

// UpdateAttribute changes an attribute; what is not named stays.
func (c *CollectionBuilder) UpdateAttribute(key string) *AttributeUpdate {
	a := &AttributeUpdate{step: UpdateAttribute{Database: c.database, Collection: c.id, Key: key}}
	c.b.append(func() (engine.Step, error) { return a.step, a.err }, settings{})
	return a
}

// Required says whether documents without a value are refused.
func (a *AttributeUpdate) Required(required bool) *AttributeUpdate {
	a.step.Required = &required
	return a
}

// Default is the value of documents that name none; nil takes it away.
func (a *AttributeUpdate) Default(value any) *AttributeUpdate {
	a.step.Default, a.err = jsonOf(value)
	return a
}

// Size is the new length in characters.
func (a *AttributeUpdate) Size(size int64) *AttributeUpdate {
	a.step.Size = size
	return a
}

// Min is the least number allowed.
func (a *AttributeUpdate) Min(n json.Number) *AttributeUpdate {
	a.step.Min = n
	return a
}

// Max is the greatest number allowed.
func (a *AttributeUpdate) Max(n json.Number) *AttributeUpdate {
	a.step.Max = n
	return a
}

// Elements are the whole new list of an enum.
func (a *AttributeUpdate) Elements(elements ...string) *AttributeUpdate {
	a.step.Elements = elements
	return a
}

// jsonOf gives a Go value as JSON.
func jsonOf(value any) (json.RawMessage, error) {
	raw, err := encode(value)
	if err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	return raw, nil
}
