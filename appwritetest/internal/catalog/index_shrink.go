package catalog

import (
	"errors"
	"slices"
)

// shrunk is an index that is about to lose a dropped attribute.
type shrunk struct {
	index *Index
	left  IndexDefinition // in storage
	shown IndexDefinition // to clients
	// number is the store's index over what is left; 0 where nothing is
	// enforced.
	number int64
}

// shrinkIndexes takes a dropped attribute out of every index, or fails and
// leaves them all: a unique index may not hold without it. An index that is
// left empty, or the same as another, goes.
func (c *Catalog) shrinkIndexes(col *Collection, key string) error {
	var changes []shrunk
	for _, x := range col.Indexes {
		i := slices.Index(x.Attributes, key)
		if i < 0 {
			continue
		}
		change := shrink(x, i)
		if err := c.enforceLeft(col, &change); err != nil {
			for _, done := range changes {
				err = errors.Join(err, c.Store.DropIndex(col.Sequence, done.number))
			}
			return err
		}
		changes = append(changes, change)
	}
	for _, change := range changes {
		if err := c.replaceIndex(col, change); err != nil {
			return err
		}
	}
	return nil
}

// shrink takes the attribute at a position out of an index. What clients see
// loses every length and order that is equal to the attribute's own.
func shrink(x *Index, i int) shrunk {
	change := shrunk{index: x, left: x.IndexDefinition}
	change.left.Attributes = cut(x.Attributes, i)
	change.left.Lengths = cut(x.Lengths, i)
	change.left.Orders = cut(x.Orders, i)
	change.shown = change.left
	if i < len(x.Lengths) {
		change.shown.Lengths = without(x.Lengths, x.Lengths[i])
	}
	if i < len(x.Orders) {
		change.shown.Orders = without(x.Orders, x.Orders[i])
	}
	return change
}

// enforceLeft builds the store's index over what is left of a unique one.
func (c *Catalog) enforceLeft(col *Collection, change *shrunk) error {
	held := col.Schema.index(change.index.Key)
	if held == nil || !held.Enforced || held.Type != "unique" || len(change.left.Attributes) == 0 {
		return nil
	}
	change.number = c.nextSequence()
	return c.addUnique(col, PhysicalIndex{IndexDefinition: change.left, Number: change.number})
}

// replaceIndex puts what is left in the place of the index.
func (c *Catalog) replaceIndex(col *Collection, change shrunk) error {
	x, left, shown := change.index, change.left, change.shown
	twin := slices.ContainsFunc(col.Indexes, func(other *Index) bool {
		return other != x && slices.Equal(other.Attributes, shown.Attributes) && slices.Equal(other.Orders, shown.Orders)
	})
	held := col.Schema.index(x.Key)
	if held != nil {
		if err := c.Store.DropIndex(col.Sequence, held.Number); err != nil {
			return err
		}
		held.IndexDefinition, held.Number = left, change.number
	}
	x.IndexDefinition = shown
	if len(left.Attributes) > 0 && !twin {
		return nil
	}
	col.Indexes = without(col.Indexes, x)
	if held == nil {
		return nil
	}
	return c.demolish(col, x.Key)
}

func cut[T any](list []T, i int) []T {
	if i >= len(list) {
		return list
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}
