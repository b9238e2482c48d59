package catalog

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// RowBytes is the width of a row with the collection's API schema, in bytes.
func (col *Collection) RowBytes() int {
	total := profile.BaseRowBytes
	for _, a := range col.Attributes {
		total += a.rowBytes()
	}
	return total
}

// rowBytes is what one attribute adds to the row.
func (d Definition) rowBytes() int {
	if d.Array {
		return pointerBytes
	}
	switch d.Type {
	case TypeString, TypeVarchar:
		switch {
		case d.Size <= 255:
			return 4*d.Size + 1
		case d.Size <= maxInlineString:
			return 4*d.Size + 2
		}
		return pointerBytes
	case TypeInteger:
		return d.Size
	case TypeBigInt, TypeDouble:
		return 8
	case TypeBoolean:
		return 1
	case TypeDatetime:
		return 7
	case TypeRelationship:
		return 1021
	case TypePoint:
		return 25
	}
	return pointerBytes
}

const (
	pointerBytes    = 20    // of a value stored outside the row
	maxInlineString = 16381 // characters a string may have inside the row
)

// checkRoom says whether one more attribute fits into the collection.
func checkRoom(col *Collection, d Definition) error {
	if len(col.Attributes)+1 > profile.MaxAttributes || col.RowBytes()+d.rowBytes() >= profile.MaxRowBytes {
		return attributeLimit(col)
	}
	return nil
}

func attributeLimit(col *Collection) error {
	return apierr.BadRequest("attribute_limit_exceeded",
		"The maximum number or size of attributes for collection '%s' has been reached.", col.ID)
}
