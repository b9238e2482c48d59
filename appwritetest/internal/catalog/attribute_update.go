package catalog

import (
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
)

// AttributeChange is what a client says in an update. Endpoint tells which
// type's route was used: the server shapes the change by it, not by the
// attribute.
type AttributeChange struct {
	Endpoint Definition // Type and Format of the route
	Required *bool      // nil keeps
	Default  any
	Size     int      // 0 keeps
	Min, Max any      // nil keeps
	Elements []string // of the enum route
	NewKey   string   // "" keeps
	OnDelete string   // of a relationship; "" keeps
}

// UpdateAttribute applies a change to an available attribute at once.
func (c *Catalog) UpdateAttribute(database, collection, key string, change AttributeChange) (*Attribute, error) {
	col, a, err := c.Attribute(database, collection, key)
	if err != nil {
		return nil, err
	}
	if a.Status != Available {
		return nil, apierr.BadRequest("attribute_not_available", "Attribute '%s' is not yet available", key)
	}
	changed := a.Definition
	if change.Required != nil {
		changed.Required = *change.Required
	}
	changed.Default = change.Default
	if change.Size > 0 {
		changed.Size = change.Size
	}
	if err := c.rangeChange(&changed, change); err != nil {
		return nil, err
	}
	if changed.Default != nil && (changed.Required || changed.Array) {
		return nil, apierr.BadRequest("attribute_default_unsupported", "Cannot set default value for this attribute")
	}
	if err := c.checkUpdate(col, a.Definition, changed); err != nil {
		return nil, err
	}
	if change.NewKey != "" && change.NewKey != a.Key {
		if err := c.rename(col, a, change.NewKey); err != nil {
			return nil, err
		}
		changed.Key = change.NewKey
	}
	c.store(col, a.Key, changed)
	a.Definition = changed
	a.UpdatedAt = c.now()
	return a, nil
}

// rangeChange takes over bounds and elements.
func (c *Catalog) rangeChange(changed *Definition, change AttributeChange) error {
	switch change.Endpoint.Format {
	case FormatInt, FormatBigInt, FormatFloat:
		if change.Min != nil {
			changed.Min = change.Min
		}
		if change.Max != nil {
			changed.Max = change.Max
		}
	case FormatEnum:
		if len(change.Elements) == 0 {
			return valueInvalid("Enum elements must not be empty")
		}
		changed.Elements = change.Elements
	}
	return checkRange(*changed)
}

// checkUpdate looks at stored data, width and indexes.
func (c *Catalog) checkUpdate(col *Collection, before, after Definition) error {
	if after.Size < before.Size && !after.Array && sized(after) {
		longest, err := c.longestText(col, before.Key)
		if err != nil {
			return err
		}
		if longest > after.Size {
			return apierr.BadRequest("attribute_invalid_resize", "Existing data is too large for the new size of '%s'", before.Key)
		}
	}
	if col.RowBytes()-before.rowBytes()+after.rowBytes() >= 65535 && after.rowBytes() > before.rowBytes() {
		return attributeLimit(col)
	}
	return nil
}

// store carries a change over to the effective schema. A default that became
// null stays there, unless the attribute was made required: that is how the
// real server comes to go on using cleared defaults.
func (c *Catalog) store(col *Collection, key string, changed Definition) {
	col.Schema.Attributes = slices.Clone(col.Schema.Attributes)
	d := col.Schema.Attribute(key)
	if d == nil {
		return
	}
	effective := changed
	effective.Column = d.Column
	if changed.Default == nil && !changed.Required {
		effective.Default = d.Default
	}
	*d = effective
}

// rename changes the key of an attribute here and in the indexes.
func (c *Catalog) rename(col *Collection, a *Attribute, key string) error {
	if other := c.attribute(col, key); other != nil && other != a {
		return attributeExists(key)
	}
	for _, x := range col.Indexes {
		x.Attributes = renamed(x.Attributes, a.Key, key)
	}
	for i := range col.Schema.Indexes {
		x := &col.Schema.Indexes[i]
		x.Attributes = renamed(x.Attributes, a.Key, key)
	}
	return nil
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
