package catalog

import (
	"errors"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// inline gives a new collection its schema at once, or fails as a whole. The
// caller drops the collection on failure.
func (c *Catalog) inline(col *Collection, attributes []Definition, indexes []IndexDefinition) error {
	for _, d := range attributes {
		c.addAttribute(col, d).Status = Available
	}
	for i := range indexes {
		if err := c.checkInlineIndex(col, &indexes[i]); err != nil {
			return err
		}
	}
	for _, a := range col.Attributes {
		if c.attribute(col, a.Key) != a {
			return collectionExists(col.ID) // two keys that differ in letter case only
		}
		if err := c.addToSchema(col, a.Definition); err != nil {
			return err
		}
	}
	if len(col.Attributes) > profile.MaxAttributes || col.RowBytes() >= profile.MaxRowBytes {
		return apierr.BadRequest("collection_limit_exceeded", "The maximum size of collection '%s' is exceeded.", col.ID)
	}
	for _, d := range indexes {
		c.addIndex(col, d).Status = Available
		if err := c.build(col, d); err != nil {
			return err
		}
	}
	return nil
}

// checkInlineIndex is checkIndex in the words of the inline route: an unknown
// attribute makes the index invalid.
func (c *Catalog) checkInlineIndex(col *Collection, d *IndexDefinition) error {
	err := c.checkIndex(col, d)
	if errors.Is(err, &apierr.Error{Type: "attribute_unknown"}) {
		return indexInvalid("%v", err)
	}
	return err
}
