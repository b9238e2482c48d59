package catalog

import (
	"math"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// AttributeChange is what a client says in an update of a plain attribute. The
// server does not look which type's route it came through: everything below is
// decided by what the attribute is.
type AttributeChange struct {
	Required bool
	Default  any
	Size     int      // 0 keeps
	Min, Max any      // nil keeps
	Elements []string // of an enum
	NewKey   string   // "" keeps
}

// UpdateAttribute applies a change to an available attribute at once.
func (c *Catalog) UpdateAttribute(database, collection, key string, change AttributeChange) (*Attribute, error) {
	col, a, err := c.Attribute(database, collection, key)
	if err != nil {
		return nil, err
	}
	if a.Status != Available {
		return nil, apierr.BadRequest("attribute_not_available", "The requested attribute '%s' is not yet available.", key)
	}
	shown := a.Definition
	shown.Required, shown.Default = change.Required, change.Default
	if change.Size > 0 {
		shown.Size = change.Size
	}
	if err := checkDefault(shown); err != nil {
		return nil, err
	}
	if err := narrow(&shown, change); err != nil {
		return nil, err
	}
	if err := c.alter(col, a, shown, change.NewKey); err != nil {
		return nil, err
	}
	if change.NewKey != "" {
		shown.Key = change.NewKey
	}
	a.Definition, a.UpdatedAt = shown, c.now()
	c.collectionChanged(col)
	return a, nil
}

// narrow takes over bounds or elements and holds the default against them.
func narrow(d *Definition, change AttributeChange) error {
	switch d.Format {
	case FormatInt, FormatBigInt, FormatFloat:
		if change.Min != nil {
			d.Min = change.Min
		}
		if change.Max != nil {
			d.Max = change.Max
		}
		if _, whole := d.Default.(int64); d.Default != nil && !whole && d.Format != FormatFloat {
			return valueInvalid("Default value must be an integer")
		}
	case FormatEnum:
		if len(change.Elements) == 0 {
			return valueInvalid("Enum elements must not be empty")
		}
		d.Elements = change.Elements
	}
	return CheckRange(*d)
}

// alter carries a change over to the effective schema, or refuses it whole.
func (c *Catalog) alter(col *Collection, a *Attribute, shown Definition, newKey string) error {
	held := col.Schema.Attribute(a.Key)
	if held == nil {
		return attributeNotFound(a.Key)
	}
	if held.Relation != nil || (shown.Size > 0 && !sizable(held.Type)) {
		return apierr.Unknown("%s cannot be changed like this", a.Key)
	}
	effective := shown
	effective.Column = held.Column
	if shown.Type == TypeInteger {
		effective.Size = held.Size // a column keeps its width
	}
	if !shown.Required {
		var err error
		if effective.Default, err = inheritDefault(*held, shown.Default); err != nil {
			return err
		}
	}
	if err := c.checkResize(col, a.Definition, shown); err != nil {
		return err
	}
	if err := checkSpatialNull(col, shown); err != nil {
		return err
	}
	if newKey != "" {
		if err := c.rename(col, a, newKey); err != nil {
			return err
		}
		effective.Key = newKey
	}
	c.redefine(col, a.Key, effective)
	return nil
}

// sizable says whether storage lets a type have a size.
func sizable(kind string) bool {
	return textual(kind) || kind == TypeInteger || kind == TypeBigInt
}

// inheritDefault is the default that storage ends up with. Null does not clear
// it: storage takes it for "as it was", and then trips over a float default
// that was written as a whole number.
func inheritDefault(held Definition, asked any) (any, error) {
	if asked == nil {
		if f := toFloat(held.Default); held.Type == TypeDouble && f == math.Trunc(f) {
			return nil, apierr.Unknown("default of %s is an integer, not a double", held.Key)
		}
		return held.Default, nil
	}
	var fits bool
	switch held.Type {
	case TypeInteger, TypeBigInt:
		_, fits = asked.(int64)
	case TypeDouble:
		fits = !math.IsNaN(toFloat(asked))
	case TypeBoolean:
		_, fits = asked.(bool)
	case TypePoint, TypeLine, TypePolygon:
		_, fits = asked.([]any)
	default:
		_, fits = asked.(string)
	}
	if !fits {
		return nil, apierr.Unknown("default of %s is of another type than %s", held.Key, held.Type)
	}
	return asked, nil
}

// checkResize looks at width, indexes and stored data.
func (c *Catalog) checkResize(col *Collection, before, after Definition) error {
	if after.Size == before.Size || !textual(after.Type) {
		return nil
	}
	if col.RowBytes()-before.rowBytes()+after.rowBytes() >= profile.MaxRowBytes {
		return attributeLimit(col)
	}
	for _, x := range col.Indexes {
		if err := checkResizedIndex(resized(col, after), x.IndexDefinition); err != nil {
			return err
		}
	}
	if after.Size > before.Size || after.Array {
		return nil
	}
	longest, err := c.longestText(col, before.Key)
	if err == nil && longest > after.Size {
		err = apierr.BadRequest("attribute_invalid_resize", "Existing data is too large for the new size of '%s'.", before.Key)
	}
	return err
}

// checkSpatialNull keeps an attribute required while a spatial index covers it.
func checkSpatialNull(col *Collection, d Definition) error {
	for _, x := range col.Schema.Indexes {
		if x.Type == "spatial" && !d.Required && slices.Contains(x.Attributes, d.Key) {
			return indexInvalid("Spatial indexes do not allow null values. Mark the attribute \"%s\" as required", d.Key)
		}
	}
	return nil
}

// checkResizedIndex looks at an index as if it were made now.
func checkResizedIndex(attributes []*Attribute, d IndexDefinition) error {
	for i := range d.Lengths {
		if d.Lengths[i] == 0 {
			d.Lengths = slices.Clone(d.Lengths)
			d.Lengths[i] = WholeValue
		}
	}
	return checkLengths(attributes, d)
}

// resized is the collection's attributes with one of them replaced.
func resized(col *Collection, d Definition) []*Attribute {
	attributes := slices.Clone(col.Attributes)
	for i, a := range attributes {
		if a.Key == d.Key {
			attributes[i] = &Attribute{Definition: d}
		}
	}
	return attributes
}

// redefine replaces a definition in the effective schema.
func (c *Catalog) redefine(col *Collection, key string, d Definition) {
	col.Schema.Attributes = slices.Clone(col.Schema.Attributes)
	if held := col.Schema.Attribute(key); held != nil {
		*held = d
	}
}

// rename changes the key of an attribute in the indexes of both schemas.
func (c *Catalog) rename(col *Collection, a *Attribute, key string) error {
	if other := c.attribute(col, key); other != nil && other != a {
		return c.nameTaken(col, a.Key, other.Key, key)
	}
	for _, x := range col.Indexes {
		x.Attributes = renamed(x.Attributes, a.Key, key)
	}
	col.Schema.Indexes = slices.Clone(col.Schema.Indexes)
	for i := range col.Schema.Indexes {
		x := &col.Schema.Indexes[i]
		x.Attributes = renamed(x.Attributes, a.Key, key)
	}
	return nil
}

// nameTaken is the error about a new key that another attribute has.
func (c *Catalog) nameTaken(col *Collection, from, to, asked string) error {
	for _, x := range col.Indexes {
		if to == asked && slices.Contains(x.Attributes, from) && slices.Contains(x.Attributes, to) {
			return indexInvalid("Duplicate attributes provided")
		}
	}
	return c.taken(asked)
}

// taken is the error about a key that storage finds in use.
func (c *Catalog) taken(key string) error {
	if !c.Profile.TablesDB() {
		return apierr.Conflict("document_already_exists", "Document with the requested ID already exists.")
	}
	return attributeExists(key)
}

func renamed(keys []string, from, to string) []string {
	keys = slices.Clone(keys)
	for i := range keys {
		if keys[i] == from {
			keys[i] = to
		}
	}
	return keys
}
