package schema

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/nearest"
)

// The limits of what one attribute can hold, the same on every version.
const (
	maxStringSize  = 1 << 30 // characters
	maxVarcharSize = 16381
)

// attribute reads one attribute or column. A nil result was refused or left out.
func (r *reader) attribute(n *node) *declared {
	f := r.open(n, "attribute")
	if f == nil {
		return nil
	}
	d := &declared{Attribute: Attribute{At: n.at}}
	d.Key = f.key()
	if d.Key == "" {
		r.refuse(n.at, "an attribute needs a key")
		return nil
	}
	if slices.Contains(systemAttributes(), d.Key) {
		r.notice(n.at, "every document has %s: left out", d.Key)
		return nil
	}
	if r.leaving(f, "attribute "+d.Key) {
		return nil
	}
	typeNode := f.take("type")
	if typeNode == nil || typeNode.kind != kindString {
		r.refuse(n.at, "attribute %s needs a type", d.Key)
		return nil
	}
	array := r.typeWord(f, typeNode, &d.Attribute)
	if n := f.by["elements"]; d.Type == appwrite.TypeString && n != nil && len(n.items) > 0 && f.take("size") == nil {
		r.notice(typeNode.at, "a string with elements and without a size is taken as enum")
		d.Type = appwrite.TypeEnum
	}
	d.Required = f.truth(false, "required")
	d.Array = f.truth(array, "array")
	if d.Type == appwrite.TypeRelationship {
		r.relationship(f, d)
	} else {
		r.plain(f, d)
	}
	f.done("$createdAt", "$updatedAt", "$sequence", "error")
	return d
}

// systemAttributes are those that nobody declares.
func systemAttributes() []string {
	return []string{"$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "$databaseId", "$collectionId", "$tableId"}
}

// declared is an attribute as a file puts it, with what the model leaves out.
type declared struct {
	Attribute
	side string // of a relationship: parent, child or "" when not said
}

// typeWord finds the attribute's type from type and format, and tells whether
// the type is written as a list of it.
func (r *reader) typeWord(f *fields, n *node, a *Attribute) (array bool) {
	word, array := strings.CutSuffix(n.text, "[]")
	format := ""
	if g := f.take("format"); g != nil {
		format = g.text
	}
	a.Type = word
	if lower := strings.ToLower(word); lower != word {
		a.Type = lower
	}
	switch a.Type {
	case "double":
		a.Type = appwrite.TypeFloat
	case "linestring":
		a.Type = appwrite.TypeLine
	case "int", "long":
		a.Type = appwrite.TypeInteger
	case "bool":
		a.Type = appwrite.TypeBoolean
	case "date", "timestamp":
		a.Type = appwrite.TypeDatetime
	}
	usual := []string{a.Type, "double", "linestring"}
	if !slices.Contains(usual, word) || array {
		r.notice(n.at, "type %q is taken as %s", n.text, a.Type)
	}
	if !slices.Contains(attributeTypes(), a.Type) {
		hint := ""
		if near := nearest.Word(a.Type, attributeTypes()); near != "" {
			hint = ": did you mean " + near + "?"
		}
		r.refuse(n.at, "Appwrite has no attribute type %q%s", n.text, hint)
		return array
	}
	switch {
	case format == "" || format == a.Type:
	case a.Type == appwrite.TypeString && slices.Contains([]string{appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL}, format):
		a.Type = format
	case slices.Contains([]string{"intRange", "bigintRange", "floatRange"}, format) && numeric(a.Type):
		// what the server calls bounds
	default:
		r.refuse(f.at, "format %q does not go with type %s", format, word)
	}
	return array
}

func attributeTypes() []string {
	return []string{
		appwrite.TypeString, appwrite.TypeVarchar, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText,
		appwrite.TypeInteger, appwrite.TypeBigInt, appwrite.TypeFloat, appwrite.TypeBoolean, appwrite.TypeDatetime,
		appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL,
		appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon, appwrite.TypeRelationship,
	}
}

func numeric(word string) bool {
	return word == appwrite.TypeInteger || word == appwrite.TypeBigInt || word == appwrite.TypeFloat
}

// plain reads what an attribute that is no relationship may have.
func (r *reader) plain(f *fields, d *declared) {
	a := &d.Attribute
	r.size(f, a)
	r.bounds(f, a)
	r.elements(f, a)
	if a.Encrypt = f.truth(false, "encrypt"); a.Encrypt && !slices.Contains(encryptable(), a.Type) {
		r.refuse(a.At, "attribute %s of type %s cannot be encrypted", a.Key, a.Type)
	}
	if slices.Contains([]string{appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon}, a.Type) && a.Array {
		r.refuse(a.At, "attribute %s of type %s cannot be a list", a.Key, a.Type)
	}
	r.fallback(f, a)
	// Exports fill in the members of every type.
	for _, name := range []string{"signed", "filters"} {
		f.take(name)
	}
	for _, name := range []string{"relatedCollection", "relatedTable", "relationType", "twoWay", "twoWayKey", "onDelete", "side"} {
		if n := f.take(name); n != nil {
			r.notice(n.at, "means nothing on an attribute of type %s: left out", a.Type)
		}
	}
}

func encryptable() []string {
	return []string{appwrite.TypeString, appwrite.TypeVarchar, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText}
}

// size reads the size of a string; other types have a fixed one.
func (r *reader) size(f *fields, a *Attribute) {
	size, given := f.whole("size")
	limit := int64(maxStringSize)
	switch a.Type {
	case appwrite.TypeString:
	case appwrite.TypeVarchar:
		limit = maxVarcharSize
	default:
		if n := f.by["size"]; given && size != 0 && !slices.Contains(fixedSizes(a.Type), size) {
			r.notice(n.at, "attributes of type %s have no size: left out", a.Type)
		}
		return
	}
	switch {
	case !given && f.take("size") != nil: // refused already
	case !given && r.stringSize > 0:
		r.notice(a.At, "attribute %s has no size: %d is taken, as asked", a.Key, r.stringSize)
		a.Size = min(r.stringSize, limit)
	case !given:
		r.refuse(a.At, "attribute %s of type %s needs a size: Appwrite has no default for it", a.Key, a.Type)
	case size < 1:
		r.refuse(f.by["size"].at, "a size of %d holds nothing", size)
	case size > limit && a.Type == appwrite.TypeString:
		r.notice(f.by["size"].at, "larger than any string: the largest size, %d, is taken", limit)
		a.Size = limit
	case size > limit:
		r.refuse(f.by["size"].at, "a varchar holds at most %d characters, not %d: use string or text", limit, size)
	default:
		a.Size = size
	}
}

// fixedSizes are the sizes that servers and exports show for types without a
// size of their own.
func fixedSizes(word string) []int64 {
	switch word {
	case appwrite.TypeEmail:
		return []int64{254}
	case appwrite.TypeEnum:
		return []int64{255}
	case appwrite.TypeIP:
		return []int64{39}
	case appwrite.TypeURL:
		return []int64{2000}
	case appwrite.TypeText:
		return []int64{65535}
	case appwrite.TypeMediumText:
		return []int64{16777215}
	case appwrite.TypeLongText:
		return []int64{2147483647, 4294967295}
	case appwrite.TypeInteger:
		return []int64{4, 8}
	case appwrite.TypeBigInt, appwrite.TypeFloat:
		return []int64{8}
	default:
		return nil
	}
}

// bounds reads min and max.
func (r *reader) bounds(f *fields, a *Attribute) {
	for _, name := range []string{"min", "max"} {
		n := f.take(name)
		if n == nil {
			continue
		}
		if !numeric(a.Type) {
			r.notice(n.at, "means nothing on an attribute of type %s: left out", a.Type)
			continue
		}
		if n.kind == kindString && n.text == "" {
			r.notice(n.at, "is empty: no bound")
			continue
		}
		value := r.number(n)
		if value == nil {
			continue
		}
		bound := r.bound(n, value, a.Type == appwrite.TypeFloat, name == "max")
		if name == "min" {
			a.Min = bound
		} else {
			a.Max = bound
		}
	}
	if low, high := rat(a.Min), rat(a.Max); low != nil && high != nil && low.Cmp(high) > 0 {
		r.refuse(a.At, "attribute %s: min %s is above max %s", a.Key, a.Min, a.Max)
	}
}

// bound gives the canonical text of a bound, "" for one that binds nothing.
func (r *reader) bound(n *node, value *big.Rat, float, upper bool) json.Number {
	if float {
		near, _ := value.Float64()
		if math.Abs(near) >= math.MaxFloat64 {
			if math.IsInf(near, 0) {
				r.notice(n.at, "%.24s… is beyond every float: no bound", n.text)
			}
			return outermost(r, n, (near > 0) == upper, "")
		}
		return floatText(near)
	}
	limit := big.NewInt(math.MinInt64)
	if upper {
		limit = big.NewInt(math.MaxInt64)
	}
	whole := new(big.Int).Div(value.Num(), value.Denom()) // towards minus infinity
	if !value.IsInt() {
		if !upper {
			whole.Add(whole, big.NewInt(1))
		}
		r.notice(n.at, "%s is taken as %s, which bounds the same integers", n.text, whole)
	}
	if cmp := whole.CmpAbs(limit); whole.Sign() == limit.Sign() && cmp >= 0 {
		if cmp > 0 {
			r.notice(n.at, "%.24s is beyond every integer: no bound", n.text)
		}
		return ""
	}
	if !whole.IsInt64() {
		return outermost(r, n, false, "")
	}
	return json.Number(whole.String())
}

// outermost refuses a bound at the wrong end, such as a min above every value.
func outermost(r *reader, n *node, rightEnd bool, bound json.Number) json.Number {
	if !rightEnd {
		r.refuse(n.at, "%.24s leaves no value allowed", n.text)
	}
	return bound
}

// floatText writes a float as JSON, exactly and without an exponent where that
// stays readable.
func floatText(v float64) json.Number {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return json.Number(strconv.FormatFloat(v+0, 'f', -1, 64)) // +0: no "-0"
	}
	return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
}

func rat(n json.Number) *big.Rat {
	if n == "" {
		return nil
	}
	value, err := exact(string(n))
	if err != nil {
		return nil
	}
	return value
}

// elements reads the values of an enum.
func (r *reader) elements(f *fields, a *Attribute) {
	n := f.take("elements")
	if a.Type != appwrite.TypeEnum {
		if n != nil && len(n.items) > 0 {
			r.notice(n.at, "means nothing on an attribute of type %s: left out", a.Type)
		}
		return
	}
	if n == nil {
		r.refuse(a.At, "enum %s needs elements", a.Key)
		return
	}
	a.Elements = []string{}
	seen := map[string]bool{}
	for _, item := range f.list("elements") {
		switch {
		case item.kind == kindNumber || item.kind == kindBool:
			r.notice(item.at, "taken as text")
			if item.kind == kindBool {
				item.text = strconv.FormatBool(item.truth)
			}
		case item.kind != kindString:
			r.refuse(item.at, "an element must be a string, not %v", item.kind)
			continue
		}
		if seen[item.text] {
			r.notice(item.at, "element %q is given twice: once is enough", item.text)
			continue
		}
		if length := utf8.RuneCountInString(item.text); length < 1 || length > 255 {
			r.refuse(item.at, "an element has 1 to 255 characters, not %d", length)
			continue
		}
		seen[item.text] = true
		a.Elements = append(a.Elements, item.text)
	}
	if len(n.items) == 0 {
		r.refuse(n.at, "enum %s allows no value at all", a.Key)
	}
	if len(a.Elements) > 100 {
		r.refuse(n.at, "an enum has at most 100 elements, not %d", len(a.Elements))
	}
}
