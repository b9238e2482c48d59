package schema

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// maxItems is how many elements a list parameter may have.
const maxItems = 100

// inline checks the schema that comes with a new collection: attributes, then
// indexes.
func (r *Room) inline(attributes, indexes []any) ([]catalog.Definition, []catalog.IndexDefinition, error) {
	definitions, err := inlineItems(attributes, r.inlineAttribute, func(d catalog.Definition) string { return d.Key })
	if err != nil {
		return nil, nil, apierr.Argument("Invalid attributes: %v", err)
	}
	if len(indexes) > profile.MaxIndexes {
		return nil, nil, apierr.Argument("Maximum of %d indexes allowed", profile.MaxIndexes)
	}
	built, err := inlineItems(indexes, inlineIndex, func(d catalog.IndexDefinition) string { return d.Key })
	if err != nil {
		return nil, nil, apierr.Argument("Invalid indexes: %v", err)
	}
	return definitions, built, nil
}

// inlineItems reads items of one kind, whose keys must differ.
func inlineItems[D any](items []any, read func(any) (D, error), key func(D) string) ([]D, error) {
	var definitions []D
	for _, item := range items {
		d, err := read(item)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(definitions, func(other D) bool { return key(other) == key(d) }) {
			return nil, fmt.Errorf("duplicate key %q", key(d))
		}
		definitions = append(definitions, d)
	}
	return definitions, nil
}

// inlineAttribute reads one attribute. Members that it does not know, encrypt
// among them, count for nothing.
func (r *Room) inlineAttribute(item any) (catalog.Definition, error) {
	o, ok := item.(*phpjson.Object)
	if !ok {
		return catalog.Definition{}, errors.New("each attribute must be an object")
	}
	in := inlineItem{object: o}
	d := catalog.Definition{
		Key:      in.text("key", api.ID),
		Type:     in.text("type", api.OneOf(r.inlineTypes()...)),
		Required: in.flag("required"),
		Array:    in.flag("array"),
		Format:   in.optional("format"),
	}
	if d.Type == catalog.TypeString {
		d.Size = int(in.number("size", 1, 1<<30))
	}
	in.shape(&d)
	in.checkMembers(d)
	if in.why == "" {
		in.why = r.inlineDefault(d)
	}
	if err := catalog.CheckRange(d); err != nil {
		in.complain(err.Error())
	}
	if in.why != "" {
		return catalog.Definition{}, fmt.Errorf("attribute %q: %s", d.Key, in.why)
	}
	return d, nil
}

func (r *Room) inlineTypes() []string {
	types := []string{
		catalog.TypeString, catalog.TypeInteger, catalog.TypeDouble, catalog.TypeBoolean, catalog.TypeDatetime,
		catalog.TypePoint, catalog.TypeLine, catalog.TypePolygon,
	}
	if r.catalog.Profile.BigInt() {
		types = append(types, catalog.TypeBigInt)
	}
	return types
}

// inlineDefault says what is wrong with a definition's default.
func (r *Room) inlineDefault(d catalog.Definition) string {
	if d.Default == nil {
		return ""
	}
	if d.Required || d.Array {
		return "a required attribute or an array cannot have a default"
	}
	for _, k := range r.kinds() {
		if k.stored.Type != d.Type || (d.Type == catalog.TypeString && k.stored.Format != d.Format) {
			continue
		}
		if _, why := k.value(d.Default); why != "" {
			return why
		}
	}
	if s, ok := d.Default.(string); ok && d.Type == catalog.TypeString && utf8.RuneCountInString(s) > d.Size {
		return "the default is longer than the size"
	}
	return ""
}

// inlineItem reads members of one item and keeps the first complaint.
type inlineItem struct {
	object *phpjson.Object
	why    string
}

func (in *inlineItem) complain(why string) {
	if in.why == "" {
		in.why = why
	}
}

func (in *inlineItem) text(name string, check api.Check) string {
	value, _ := in.object.Get(name)
	converted, why := check(value)
	if why != "" {
		in.complain(name + ": " + why)
		return ""
	}
	return converted.(string)
}

func (in *inlineItem) optional(name string) string {
	if value, _ := in.object.Get(name); value != nil {
		return in.text(name, api.Text(0, 0))
	}
	return ""
}

func (in *inlineItem) flag(name string) bool {
	value, _ := in.object.Get(name)
	b, ok := value.(bool)
	if value != nil && !ok {
		in.complain(name + " must be a boolean")
	}
	return b
}

func (in *inlineItem) number(name string, low, high int64) int64 {
	value, _ := in.object.Get(name)
	n, ok := value.(int64)
	if !ok || n < low || n > high {
		in.complain(fmt.Sprintf("%s must be an integer from %d to %d", name, low, high))
	}
	return n
}

// shape reads what depends on the type. An integer is 4 bytes wide unless its
// size says 8, whatever its bounds.
func (in *inlineItem) shape(d *catalog.Definition) {
	d.Default, _ = in.object.Get("default")
	switch d.Type {
	case catalog.TypeString:
		in.stringFormat(d)
		return
	case catalog.TypeInteger:
		d.Size = 4
		if size, _ := in.object.Get("size"); atLeast8(size) {
			d.Size = 8
		}
	case catalog.TypeBigInt:
		d.Size = 8
	}
	if d.Format != "" {
		in.complain("no format is known for " + d.Type)
	}
	in.bounds(d)
}

func atLeast8(size any) bool {
	n, ok := size.(int64)
	return ok && n >= 8
}

// bounds reads what only numbers have. A fraction will do as the bound of an
// integer.
func (in *inlineItem) bounds(d *catalog.Definition) {
	format := map[string]string{
		catalog.TypeInteger: catalog.FormatInt, catalog.TypeBigInt: catalog.FormatBigInt, catalog.TypeDouble: catalog.FormatFloat,
	}[d.Type]
	if format == "" {
		return
	}
	d.Min, d.Max = in.bound("min"), in.bound("max")
	if signed, _ := in.object.Get("signed"); signed != nil {
		d.Unsigned = !in.flag("signed")
	}
	if d.Min != nil || d.Max != nil {
		size := d.Size
		complete(d) // an absent bound is the widest
		d.Format, d.Size = format, size
	}
}

// checkMembers refuses members that do not suit the type.
func (in *inlineItem) checkMembers(d catalog.Definition) {
	numeric := d.Type == catalog.TypeInteger || d.Type == catalog.TypeBigInt || d.Type == catalog.TypeDouble
	for _, name := range []string{"min", "max", "signed"} {
		if value, _ := in.object.Get(name); value != nil && !numeric {
			in.complain(name + " can only be used with numbers")
		}
	}
}

func (in *inlineItem) bound(name string) any {
	value, _ := in.object.Get(name)
	if value == nil {
		return nil
	}
	converted, why := api.Number(value)
	if why != "" {
		in.complain(name + ": " + why)
	}
	return converted
}

func (in *inlineItem) stringFormat(d *catalog.Definition) {
	formats := []string{"", catalog.FormatEmail, catalog.FormatEnum, catalog.FormatIP, catalog.FormatURL}
	if !slices.Contains(formats, d.Format) {
		in.complain("format must be one of " + strings.Join(formats, " "))
	}
	if d.Format != catalog.FormatEnum {
		return
	}
	value, _ := in.object.Get("elements")
	list, why := api.ListOf(element, math.MaxInt)(value)
	elements, _ := list.([]any)
	if why != "" || len(elements) == 0 {
		in.complain("elements are missing")
	}
	for _, element := range elements {
		d.Elements = append(d.Elements, element.(string))
	}
}

// element accepts an element of an enum: text of up to 255 bytes, not empty,
// which to PHP "0" is as well.
func element(value any) (any, string) {
	text, ok := value.(string)
	if !ok || text == "" || text == "0" || len(text) > 255 {
		return nil, "an element must be a text of up to 255 bytes"
	}
	return text, ""
}

func (in *inlineItem) list(name string, check api.Check) []any {
	value, given := in.object.Get(name)
	if !given || value == nil {
		return nil
	}
	list, why := api.ListOf(check, maxItems)(value)
	if why != "" {
		in.complain(name + ": " + why)
		return nil
	}
	return list.([]any)
}
