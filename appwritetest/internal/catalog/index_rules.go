package catalog

import (
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
	i := slices.IndexFunc(col.Attributes, func(a *Attribute) bool { return a.Key == key })
	if i < 0 {
		return apierr.BadRequest("attribute_unknown", "The attribute '%s' required for the index could not be found.", key)
	}
	a := col.Attributes[i]
	switch {
	case a.Type == TypeRelationship:
		return apierr.BadRequest("attribute_type_invalid", "Cannot create an index for a relationship attribute: %s", a.Key)
	case a.Status != Available:
		return apierr.BadRequest("attribute_not_available", "Attribute '%s' is not yet available", a.Key)
	case a.Array && c.Profile.AtLeast(1, 9, 0):
		return indexInvalid("Creating indexes on array attributes is not currently supported.").AsWritten()
	}
	return nil
}

// checkIndexRules looks at the index as a whole.
func (c *Catalog) checkIndexRules(col *Collection, d *IndexDefinition) error {
	if len(d.Attributes) == 0 {
		return indexInvalid("No attributes provided for index")
	}
	for i, key := range d.Attributes {
		if slices.Contains(d.Attributes[:i], key) {
			return indexInvalid("Duplicate attributes provided")
		}
	}
	if len(d.Lengths) > len(d.Attributes) {
		return indexInvalid("Invalid index lengths. Count of lengths must be equal or less than the number of attributes.")
	}
	if slices.Contains([]string{"primary", "_created_at", "_updated_at", "_tenant_id"}, strings.ToLower(d.Key)) {
		return indexInvalid("Index key name is reserved")
	}
	lengths := make([]int, len(d.Attributes))
	copy(lengths, d.Lengths)
	total := 0
	for i, key := range d.Attributes {
		length, err := indexedLength(col, d.Type, key, lengths[i])
		if err != nil {
			return err
		}
		total += length
	}
	if d.Type != "fulltext" && total > profile.MaxIndexLength {
		return indexInvalid("Index length is longer than the maximum: %d", profile.MaxIndexLength)
	}
	d.Lengths = lengths
	return nil
}

// indexedLength is what one attribute adds to the length of an index.
func indexedLength(col *Collection, kind, key string, given int) (int, error) {
	size, text := 1, false
	for _, a := range col.Attributes {
		if a.Key == key {
			switch a.Type {
			case TypeString, TypeVarchar, TypeText, TypeMediumText, TypeLongText:
				size, text = a.Size, true
			case TypeDouble:
				size = 2
			}
		}
	}
	if kind == "fulltext" && !text {
		return 0, indexInvalid("Attribute \"%s\" cannot be part of a fulltext index, must be of type string", key)
	}
	if given != 0 && !text {
		return 0, indexInvalid("Cannot set a length on \"%s\" attributes", key)
	}
	if given > size {
		return 0, indexInvalid("Index length %d is larger than the size for %s: %d", given, key, size)
	}
	if given > 0 {
		size = given
	}
	return size, nil
}

// shrinkIndexes takes a dropped attribute out of every index. An index that
// is left empty, or the same as another, goes.
func (c *Catalog) shrinkIndexes(col *Collection, key string) error {
	for _, x := range slices.Clone(col.Indexes) {
		i := slices.Index(x.Attributes, key)
		if i < 0 {
			continue
		}
		reduced := x.IndexDefinition
		reduced.Attributes = slices.Delete(slices.Clone(reduced.Attributes), i, i+1)
		reduced.Lengths = cut(reduced.Lengths, i)
		reduced.Orders = cut(reduced.Orders, i)
		if err := c.replaceIndex(col, x, reduced); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) replaceIndex(col *Collection, x *Index, reduced IndexDefinition) error {
	i := slices.IndexFunc(col.Schema.Indexes, func(p PhysicalIndex) bool { return p.Key == x.Key })
	twin := slices.ContainsFunc(col.Indexes, func(other *Index) bool {
		return other != x && slices.Equal(other.Attributes, reduced.Attributes) && slices.Equal(other.Orders, reduced.Orders)
	})
	if i >= 0 {
		old := col.Schema.Indexes[i]
		if err := c.demolish(col, x.Key); err != nil {
			return err
		}
		if len(reduced.Attributes) > 0 && !twin {
			if err := c.build(col, reduced); err != nil {
				return firstError(err, c.build(col, old.IndexDefinition))
			}
		}
	}
	if len(reduced.Attributes) == 0 || twin {
		col.Indexes = without(col.Indexes, x)
		return nil
	}
	x.IndexDefinition = reduced
	return nil
}

func cut[T any](list []T, i int) []T {
	if i >= len(list) {
		return list
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}

func indexInvalid(format string, args ...any) *apierr.Error {
	return apierr.BadRequest("index_invalid", format, args...)
}
