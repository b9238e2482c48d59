package steps

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
)

// attributeTypes are the types a plain attribute can have.
func attributeTypes() []string {
	return []string{
		appwrite.TypeString, appwrite.TypeVarchar, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText,
		appwrite.TypeInteger, appwrite.TypeBigInt, appwrite.TypeFloat, appwrite.TypeBoolean, appwrite.TypeDatetime,
		appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL,
		appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon,
	}
}

// textual reports whether attributes of the type hold free text, which can be encrypted.
func textual(kind string) bool {
	return sized(kind) || kind == appwrite.TypeText || kind == appwrite.TypeMediumText || kind == appwrite.TypeLongText
}

// spatial reports whether attributes of the type hold a geometry.
func spatial(kind string) bool {
	return kind == appwrite.TypePoint || kind == appwrite.TypeLine || kind == appwrite.TypePolygon
}

// definition holds an attribute's definition against the server's rules.
func (c *check) definition(i AttributeImage) {
	c.id("key", i.Key)
	if i.Type == appwrite.TypeRelationship {
		c.fail("type", "is relationship: use create_relationship")
	}
	c.oneOf("type", i.Type, attributeTypes()...)
	c.size(i)
	c.bounds(i)
	c.elements(i)
	if i.Array && spatial(i.Type) {
		c.fail("array", "cannot be combined with type %s", i.Type)
	}
	if i.Encrypt && !textual(i.Type) {
		c.fail("encrypt", "is for text, not for type %s", i.Type)
	}
	if i.Encrypt && sized(i.Type) && i.Size < 150 {
		c.fail("encrypt", "needs a size of at least 150, not %d", i.Size)
	}
	if i.Default != nil {
		c.defaultValue(i)
	}
}

// size checks the length of string and varchar.
func (c *check) size(i AttributeImage) {
	most := map[string]int64{appwrite.TypeString: 1073741824, appwrite.TypeVarchar: 16381}[i.Type]
	switch {
	case most == 0 && i.Size != 0:
		c.fail("size", "is for string and varchar, not for type %s", i.Type)
	case most > 0 && (i.Size < 1 || i.Size > most):
		c.fail("size", "of type %s must be 1 to %d, not %d", i.Type, most, i.Size)
	}
}

// bounds checks min and max.
func (c *check) bounds(i AttributeImage) {
	given := map[string]json.Number{"min": i.Min, "max": i.Max}
	for _, field := range []string{"min", "max"} {
		bound := given[field]
		switch {
		case bound == "":
		case !ranged(i.Type):
			c.fail(field, "is for integer, bigint and float, not for type %s", i.Type)
		case i.Type == appwrite.TypeFloat:
			if _, err := bound.Float64(); err != nil {
				c.fail(field, "%s is not a number", bound)
			}
		default:
			if _, err := strconv.ParseInt(bound.String(), 10, 64); err != nil {
				c.fail(field, "%s is not an integer of 64 bits", bound)
			}
		}
	}
	if i.Min != "" && i.Max != "" && compareNumbers(i.Min, i.Max) > 0 {
		c.fail("min", "%s is greater than max %s", i.Min, i.Max)
	}
}

// elements checks the values of an enum.
func (c *check) elements(i AttributeImage) {
	if i.Type != appwrite.TypeEnum {
		if len(i.Elements) > 0 {
			c.fail("elements", "is for enum, not for type %s", i.Type)
		}
		return
	}
	if len(i.Elements) < 1 || len(i.Elements) > 100 {
		c.fail("elements", "must be 1 to 100 values, not %d", len(i.Elements))
	}
	for _, element := range i.Elements {
		if n := utf8.RuneCountInString(element); n < 1 || n > 255 {
			c.fail("elements", "%q must have 1 to 255 characters", element)
		}
	}
}

// defaultValue checks that a default is allowed and is a value of the attribute.
func (c *check) defaultValue(i AttributeImage) {
	switch {
	case i.Required:
		c.fail("default", "cannot be combined with required")
	case i.Array:
		c.fail("default", "cannot be combined with array")
	}
	var value any
	if err := decodeStrict(i.Default, &value); err != nil {
		c.fail("default", "is not JSON: %v", err)
		return
	}
	if !typed(i.Type, value) {
		c.fail("default", "%s is no value of type %s", i.Default, i.Type)
		return
	}
	if reason := i.misfit(value); reason != "" {
		c.fail("default", "%s %s", i.Default, reason)
	}
}

// typed reports whether a decoded JSON value has the shape of a type.
func typed(kind string, value any) bool {
	switch kind {
	case appwrite.TypeInteger, appwrite.TypeBigInt:
		n, ok := value.(json.Number)
		if !ok {
			return false
		}
		_, err := strconv.ParseInt(n.String(), 10, 64)
		return err == nil
	case appwrite.TypeFloat:
		n, ok := value.(json.Number)
		if !ok {
			return false
		}
		_, err := n.Float64()
		return err == nil
	case appwrite.TypeBoolean:
		_, ok := value.(bool)
		return ok
	case appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon:
		_, ok := value.([]any)
		return ok
	default:
		_, ok := value.(string)
		return ok
	}
}

// misfit says why a value does not fit the definition; "" when it does. Types
// are not checked: stored values have the right one.
func (i AttributeImage) misfit(value any) string {
	switch v := value.(type) {
	case nil:
		if i.Required {
			return "is missing"
		}
	case []any:
		if !i.Array {
			return ""
		}
		for _, element := range v {
			if element == nil {
				continue
			}
			if reason := i.misfit(element); reason != "" {
				return reason
			}
		}
	case string:
		if i.Size > 0 && int64(utf8.RuneCountInString(v)) > i.Size {
			return "is longer than " + strconv.FormatInt(i.Size, 10) + " characters"
		}
		if i.Type == appwrite.TypeEnum && !slices.Contains(i.Elements, v) {
			return "is not one of " + strings.Join(i.Elements, ", ")
		}
	case json.Number:
		if i.Min != "" && compareNumbers(v, i.Min) < 0 {
			return "is less than " + i.Min.String()
		}
		if i.Max != "" && compareNumbers(v, i.Max) > 0 {
			return "is greater than " + i.Max.String()
		}
	}
	return ""
}

// compareNumbers orders two JSON numbers, integers of 64 bits exactly.
func compareNumbers(a, b json.Number) int {
	x, errX := strconv.ParseInt(a.String(), 10, 64)
	y, errY := strconv.ParseInt(b.String(), 10, 64)
	if errX == nil && errY == nil {
		return compare(x, y)
	}
	f, _ := a.Float64()
	g, _ := b.Float64()
	return compare(f, g)
}

func compare[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// whole reports whether a float default is a whole number, which the server
// stores as an integer and then cannot clear.
func whole(i AttributeImage) bool {
	if i.Type != appwrite.TypeFloat || i.Default == nil {
		return false
	}
	f, err := json.Number(i.Default).Float64()
	return err == nil && f == math.Trunc(f)
}

// fraction gives a fractional number within the bounds; false when they leave
// no room for one.
func fraction(i AttributeImage) (json.RawMessage, bool) {
	low, high := -1.0, 1.0
	if i.Min != "" {
		low, _ = i.Min.Float64()
		high = math.Max(high, low+1)
	}
	if i.Max != "" {
		high, _ = i.Max.Float64()
		if i.Min == "" {
			low = math.Min(low, high-1)
		}
	}
	for _, f := range []float64{0.5, low + 0.5, high - 0.5, low + (high-low)/2, low + (high-low)/4} {
		if f >= low && f <= high && f != math.Trunc(f) {
			return json.RawMessage(strconv.FormatFloat(f, 'f', -1, 64)), true
		}
	}
	return nil, false
}

// attributePath gives the images an attribute passes through from one
// definition to another, both included. A default that is to go needs an image
// that is required, since the server ignores null otherwise, and before that
// one with a fraction where the default is a whole float.
func attributePath(from, to AttributeImage) []AttributeImage {
	path := []AttributeImage{from}
	if from.Default == nil || to.Default != nil {
		return append(path, to)
	}
	if whole(from) {
		if value, ok := fraction(from); ok {
			fractional := from
			fractional.Default = value
			path = append(path, fractional)
		}
	}
	if !to.Required {
		required := to
		required.Required = true
		path = append(path, required)
	}
	return append(path, to)
}

// attributePatch gives the request that takes an attribute from one image to
// the next. It sends every field.
func attributePatch(from, to AttributeImage) appwrite.AttributePatch {
	patch := appwrite.AttributePatch{
		Type: to.Type, Required: to.Required, Default: to.Default, Elements: to.Elements,
	}
	if sized(to.Type) {
		patch.Size = &to.Size
	}
	if ranged(to.Type) {
		patch.Min, patch.Max = boundPatch(from.Min, to.Min), boundPatch(from.Max, to.Max)
	}
	if from.Key != to.Key {
		patch.NewKey = to.Key
	}
	return patch
}

// boundPatch sends a bound, or its removal where there was one.
func boundPatch(from, to json.Number) json.Number {
	if to == "" && from != "" {
		return appwrite.Unlimited
	}
	return to
}
