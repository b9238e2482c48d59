package catalog

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Attribute finds an attribute of a collection in any status.
func (c *Catalog) Attribute(database, collection, key string) (*Collection, *Attribute, error) {
	col, err := c.Collection(database, collection)
	if err != nil {
		return nil, nil, err
	}
	if a := c.attribute(col, key); a != nil {
		return col, a, nil
	}
	return nil, nil, attributeNotFound(key)
}

// CreateAttribute adds an attribute that the worker then makes available. Its
// own values are looked at before it is known where it would go.
func (c *Catalog) CreateAttribute(database, collection string, d Definition) (*Attribute, error) {
	if err := cmp.Or(checkDefaultLength(d), CheckRange(d)); err != nil {
		return nil, err
	}
	col, err := c.Collection(database, collection)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(checkDefault(d), c.checkNew(col, d)); err != nil {
		return nil, err
	}
	a := c.addAttribute(col, d)
	c.schemaJob(worker.CreateAttribute, col, d.Key)
	return a, nil
}

// checkNew looks at what a new attribute needs from its collection.
func (c *Catalog) checkNew(col *Collection, d Definition) error {
	if d.Required && spatial(d.Type) {
		if empty, err := c.empty(col); err != nil || !empty {
			return cmp.Or(err, error(apierr.BadRequest("document_invalid_structure",
				"Failed to add required spatial column: existing rows present. Make the column optional.")))
		}
	}
	if err := checkRoom(col, d); err != nil {
		return err
	}
	if c.attribute(col, d.Key) != nil {
		return attributeExists(d.Key)
	}
	return nil
}

func (c *Catalog) addAttribute(col *Collection, d Definition) *Attribute {
	now := c.now()
	a := &Attribute{Definition: d, Status: Processing, CreatedAt: now, UpdatedAt: now}
	col.Attributes = append(col.Attributes, a)
	c.collectionChanged(col)
	return a
}

// DeleteAttribute marks an attribute for the worker to remove.
func (c *Catalog) DeleteAttribute(database, collection, key string) error {
	col, a, err := c.Attribute(database, collection, key)
	if err != nil {
		return err
	}
	if a.Status == Available {
		a.Status = Deleting
		c.collectionChanged(col)
	}
	if a.Relation != nil && a.Relation.TwoWay {
		if err := c.markOtherSide(col, a); err != nil {
			return err
		}
	}
	c.schemaJob(worker.DeleteAttribute, col, a.Key)
	return nil
}

// checkDefault refuses a default where there cannot be one.
func checkDefault(d Definition) error {
	if d.Default != nil && d.Required {
		return apierr.BadRequest("attribute_default_unsupported", "Cannot set default value for required attribute '%s'", d.Key)
	}
	if d.Default != nil && d.Array {
		return apierr.BadRequest("attribute_default_unsupported", "Cannot set default value for array attribute '%s'", d.Key)
	}
	return nil
}

// checkDefaultLength is a rule of creation only: updates may set a longer one.
func checkDefaultLength(d Definition) error {
	if text, ok := d.Default.(string); ok && textual(d.Type) && utf8.RuneCountInString(text) > d.Size {
		return valueInvalid("Default value is longer than %d characters", d.Size)
	}
	return nil
}

// markOtherSide marks the other side of a two-way relationship for removal.
func (c *Catalog) markOtherSide(col *Collection, a *Attribute) error {
	related, other := c.relatedTo(col, a), c.otherSide(col, a)
	if related == nil {
		return collectionNotFound(a.Relation.Collection)
	}
	if other == nil {
		return attributeNotFound(a.Relation.TwoWayKey)
	}
	if other.Status == Available {
		other.Status = Deleting
		c.collectionChanged(related)
	}
	return nil
}

// CheckRange wants min ≤ default ≤ max, and the default of an enum among its
// elements.
func CheckRange(d Definition) error {
	if d.Min != nil && d.Max != nil {
		if CompareNumbers(d.Min, d.Max) > 0 {
			return valueInvalid("Minimum value must be lesser than maximum value")
		}
		if d.Default != nil && (CompareNumbers(d.Default, d.Min) < 0 || CompareNumbers(d.Default, d.Max) > 0) {
			return valueInvalid("Default value is outside the range")
		}
	}
	if d.Format == FormatEnum && d.Default != nil && !slices.ContainsFunc(d.Elements, func(e string) bool { return e == d.Default }) {
		return valueInvalid("Default value not found in elements")
	}
	return nil
}

// textual says whether values of a type are text.
func textual(kind string) bool {
	switch kind {
	case TypeString, TypeVarchar, TypeText, TypeMediumText, TypeLongText:
		return true
	}
	return false
}

func spatial(kind string) bool { return kind == TypePoint || kind == TypeLine || kind == TypePolygon }

// CompareNumbers orders two of int64 and float64.
func CompareNumbers(a, b any) int {
	x, xInt := a.(int64)
	y, yInt := b.(int64)
	if xInt && yInt {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	switch f, g := toFloat(a), toFloat(b); {
	case f < g:
		return -1
	case f > g:
		return 1
	}
	return 0
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

func valueInvalid(format string, args ...any) error {
	return apierr.BadRequest("attribute_value_invalid", format, args...)
}

func attributeNotFound(key string) error {
	return apierr.NotFound("attribute_not_found", "Attribute with the requested ID '%s' could not be found.", key)
}

func attributeExists(key string) error {
	return apierr.Conflict("attribute_already_exists", "Attribute with the requested key '%s' already exists.", key)
}
