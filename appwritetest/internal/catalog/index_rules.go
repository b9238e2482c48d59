package catalog

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// checkIndex applies the rules of APPWRITE §10.1 and completes the lengths.
func (c *Catalog) checkIndex(col *Collection, d *IndexDefinition) error {
	for _, key := range d.Attributes {
		if strings.HasPrefix(key, "$") {
			continue
		}
		if err := c.checkIndexed(col, key); err != nil {
			return err
		}
	}
	return c.checkIndexRules(col, d)
}

// checkIndexed looks at one attribute of an index to be.
func (c *Catalog) checkIndexed(col *Collection, key string) error {
	a := find(col.Attributes, key)
	if a == nil {
		return apierr.BadRequest("attribute_unknown", "The attribute '%s' required for the index could not be found. Please confirm all your attributes are in the available state.", key)
	}
	switch {
	case a.Type == TypeRelationship:
		return apierr.BadRequest("attribute_type_invalid", "Cannot create an index for a relationship attribute: %s", a.Key)
	case a.Status != Available:
		return apierr.BadRequest("attribute_not_available", "The requested attribute '%s' is not yet available.", a.Key)
	}
	return c.checkArray(a.Definition)
}

// checkArray refuses arrays where the version indexes none.
func (c *Catalog) checkArray(d Definition) error {
	if d.Array && c.Profile.AtLeast(1, 9, 0) {
		return indexInvalid("Creating indexes on array attributes is not currently supported.").AsWritten()
	}
	return nil
}

// checkIndexRules looks at the index as a whole and completes its lengths.
func (c *Catalog) checkIndexRules(col *Collection, d *IndexDefinition) error {
	if !knownIndexType(d.Type) && c.Profile.AtLeast(1, 9, 0) {
		return indexInvalid("%v", errIndexType(d.Type))
	}
	if len(d.Attributes) == 0 {
		return indexInvalid("No attributes provided for index")
	}
	for i, key := range d.Attributes {
		twin := func(other string) bool { return strings.EqualFold(other, key) }
		if slices.ContainsFunc(d.Attributes[:i], twin) {
			return indexInvalid("Duplicate attributes provided")
		}
	}
	if slices.Contains([]string{"primary", "_created_at", "_updated_at", "_tenant_id"}, strings.ToLower(d.Key)) {
		return indexInvalid("Index key name is reserved")
	}
	if err := checkSpatialIndex(col, *d); err != nil {
		return err
	}
	c.completeLengths(d)
	if err := checkLengths(col.Attributes, *d); err != nil {
		return err
	}
	for i, length := range d.Lengths {
		d.Lengths[i] = max(length, 0)
	}
	return completeArrays(col, d)
}

// WholeValue is the length of an attribute in an index for which the client
// gave none. It is shown as 0.
const WholeValue = math.MinInt

// completeLengths gives every attribute a length. From 1.8 on 0 means the whole
// value as well; to 1.7 it is a length of its own.
func (c *Catalog) completeLengths(d *IndexDefinition) {
	d.Lengths = slices.Clone(d.Lengths)
	for i := range d.Attributes {
		if i == len(d.Lengths) {
			d.Lengths = append(d.Lengths, WholeValue)
		}
		if d.Lengths[i] == 0 && c.Profile.TablesDB() {
			d.Lengths[i] = WholeValue
		}
	}
}

// knownIndexType says whether storage knows a type. Requests may come with one
// in another letter case, which older versions find out in the worker.
func knownIndexType(kind string) bool {
	return slices.Contains([]string{"key", "fulltext", "unique", "spatial"}, kind)
}

func errIndexType(kind string) error {
	return fmt.Errorf("Unknown index type: %s", kind) //nolint:staticcheck // the server's own text
}

// checkSpatialIndex keeps spatial attributes and spatial indexes together.
func checkSpatialIndex(col *Collection, d IndexDefinition) error {
	for _, key := range d.Attributes {
		a := find(col.Attributes, key)
		isSpatial := a != nil && spatial(a.Type)
		switch {
		case isSpatial && d.Type != "spatial":
			return indexInvalid("Cannot create %s index on the spatial attribute \"%s\"", d.Type, key)
		case d.Type != "spatial":
			continue
		case !isSpatial:
			return indexInvalid("Spatial index can only be created on spatial attributes")
		case len(d.Attributes) > 1:
			return indexInvalid("Spatial index can be created on a single spatial attribute")
		case !a.Required:
			return indexInvalid("Spatial indexes do not allow null values. Mark the attribute \"%s\" as required", key)
		case len(d.Orders) > 0:
			return indexInvalid("Spatial indexes with explicit orders are not supported")
		}
	}
	return nil
}

// arrayIndexLength is what the server forces on an array in a key index.
const arrayIndexLength = 255

// NoOrder stands in Orders for an attribute before an array for which no order
// was sent: the server leaves a gap there.
const NoOrder = "-"

// completeArrays gives the one array that an index may have its fixed length
// and takes its order away.
func completeArrays(col *Collection, d *IndexDefinition) error {
	arrays := 0
	for i, key := range d.Attributes {
		a := find(col.Attributes, key)
		if a == nil || !a.Array {
			continue
		}
		if d.Type != "key" {
			return indexInvalid("\"%s\" index is forbidden on array attributes", d.Type)
		}
		if arrays++; arrays > 1 {
			return indexInvalid("An index may only contain one array attribute")
		}
		d.Lengths[i] = arrayIndexLength
		for len(d.Orders) <= i {
			d.Orders = append(slices.Clone(d.Orders), NoOrder)
		}
		d.Orders[i] = ""
	}
	return nil
}

// checkLengths compares the lengths of an index with what it covers. A fulltext
// index is asked for nothing but text.
func checkLengths(attributes []*Attribute, d IndexDefinition) error {
	if len(d.Lengths) > len(d.Attributes) && d.Type != "fulltext" {
		return indexInvalid("Invalid index lengths. Count of lengths must be equal or less than the number of attributes.")
	}
	total := 0
	for i, key := range d.Attributes {
		length, err := indexedLength(attributes, d.Type, key, d.Lengths[i])
		if err != nil {
			return err
		}
		total += length
	}
	if total > profile.MaxIndexLength {
		return indexInvalid("Index length is longer than the maximum: %d", profile.MaxIndexLength)
	}
	return nil
}

// indexedLength is what one attribute adds to the length of an index.
func indexedLength(attributes []*Attribute, kind, key string, given int) (int, error) {
	a := indexed(attributes, key)
	isText := a != nil && textual(a.Type)
	switch {
	case kind == "fulltext" && !isText:
		return 0, indexInvalid("Attribute \"%s\" cannot be part of a fulltext index, must be of type string", key)
	case a != nil && a.Array:
		return arrayIndexLength, nil
	case kind == "fulltext":
		return 0, nil
	case given != WholeValue && given != 0 && !isText:
		return 0, indexInvalid("Cannot set a length on \"%s\" attributes", key)
	case isText && given == WholeValue:
		return a.Size, nil
	case isText && given > a.Size:
		return 0, indexInvalid("Index length %d is larger than the size for %s: %d", given, key, a.Size)
	case isText && given < 0:
		return 0, indexInvalid("Negative index length provided for %s", key)
	case isText:
		return given, nil
	case a != nil && a.Type == TypeDouble:
		return 2, nil
	}
	return 1, nil
}

// idIndexLength is the length of $id in an index.
const idIndexLength = 255

// indexed is find with the record's id among the attributes.
func indexed(attributes []*Attribute, key string) *Attribute {
	if key == "$id" {
		return &Attribute{Definition: Definition{Key: key, Type: TypeString, Size: idIndexLength}}
	}
	return find(attributes, key)
}

// find returns the attribute with exactly this key, or nil.
func find(attributes []*Attribute, key string) *Attribute {
	for _, a := range attributes {
		if a.Key == key {
			return a
		}
	}
	return nil
}

func indexInvalid(format string, args ...any) *apierr.Error {
	return apierr.BadRequest("index_invalid", format, args...)
}
