package catalog

import "github.com/backstep-dev/backstep/appwritetest/internal/store"

// The columns of a many-to-many relationship's junction, which is the table
// with the number of the parent side's column. Each is indexed under its own
// number.
const (
	JunctionParent int64 = 1
	JunctionChild  int64 = 2
)

// HasColumn says whether this side of a relationship keeps the related id in a
// column of its own.
func (r *Relation) HasColumn() bool {
	switch r.Type {
	case "oneToOne":
		return r.Side == "parent" || r.TwoWay
	case "oneToMany":
		return r.Side == "child"
	case "manyToOne":
		return r.Side == "parent"
	}
	return false
}

// indexRelation lets records be found through one side of a relationship,
// whose definition storage has. The ids of a oneToOne are unique.
func (c *Catalog) indexRelation(col *Collection, d *Definition) error {
	if d.Relation.HasColumn() {
		return c.Store.AddIndex(col.Sequence, store.Index{
			Number: d.Column, Columns: []int64{d.Column}, Unique: d.Relation.Type == "oneToOne",
		})
	}
	if d.Relation.Type != "manyToMany" || d.Relation.Side != "parent" {
		return nil
	}
	for _, column := range []int64{JunctionParent, JunctionChild} {
		if err := c.Store.AddIndex(d.Column, store.Index{Number: column, Columns: []int64{column}}); err != nil {
			return err
		}
	}
	return nil
}

// unindexRelation forgets what indexRelation built.
func (c *Catalog) unindexRelation(col *Collection, d *Definition) error {
	if d.Relation.Type == "manyToMany" && d.Relation.Side == "parent" {
		return c.Store.DropTable(d.Column)
	}
	return c.Store.DropIndex(col.Sequence, d.Column)
}

// tables returns the tables of a collection: its own, and the junctions of the
// relationships that it is the parent of.
func (col *Collection) tables() []int64 {
	tables := []int64{col.Sequence}
	for _, d := range col.Schema.Attributes {
		if d.Relation != nil && d.Relation.Type == "manyToMany" && d.Relation.Side == "parent" {
			tables = append(tables, d.Column)
		}
	}
	return tables
}
