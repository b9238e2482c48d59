package catalog

import (
	"errors"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// inline gives a new collection its schema at once, or fails as a whole.
func (c *Catalog) inline(col *Collection, attributes []Definition, indexes []IndexDefinition) error {
	for _, d := range attributes {
		if c.attribute(col, d.Key) != nil {
			return collectionExists(col.ID) // two keys in different letter case
		}
		c.addAttribute(col, d).Status = Available
		if err := c.addToSchema(col, d); err != nil {
			return err
		}
	}
	if len(col.Attributes) > profile.MaxAttributes || col.RowBytes() >= profile.MaxRowBytes {
		return apierr.BadRequest("collection_limit_exceeded", "The maximum size of collection '%s' is exceeded.", col.ID)
	}
	for _, d := range indexes {
		if err := c.inlineIndex(col, d); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) inlineIndex(col *Collection, d IndexDefinition) error {
	err := c.checkIndex(col, &d)
	if errors.Is(err, &apierr.Error{Type: "attribute_unknown"}) {
		return indexInvalid("%v", err)
	}
	if err != nil {
		return err
	}
	c.addIndex(col, d).Status = Available
	return c.build(col, d)
}
