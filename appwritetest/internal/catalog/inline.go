package catalog

// inline gives a new collection its schema at once, or fails as a whole.
func (c *Catalog) inline(col *Collection, attributes []Definition, indexes []IndexDefinition) error {
	for _, d := range attributes {
		if c.attribute(col, d.Key) != nil {
			return collectionExists(col.ID)
		}
		a := c.addAttribute(col, d)
		a.Status = Available
		if err := c.addToSchema(col, d); err != nil {
			return err
		}
	}
	for _, d := range indexes {
		if err := c.checkIndexRules(col, &d); err != nil {
			return err
		}
		x := c.addIndex(col, d)
		x.Status = Available
		if err := c.build(col, d); err != nil {
			return err
		}
	}
	return nil
}
