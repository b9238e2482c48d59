package schema

import (
	"slices"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// indexes queues what happens to the indexes. New ones are made before old ones
// go, so that queries stay served; an index that changes under its key is
// deleted and made again in one step, since two cannot have one key, and the
// server renames none.
func (c *collectionDiff) indexes() {
	early := len(c.from.Indexes)+len(c.to.Indexes)+len(c.databaseDiff.to.keysIn(c.to.ID)) > c.limits.Indexes && c.limits.Indexes > 0
	matched(c.from.Indexes, c.to.Indexes, func(x Index) string { return x.Key }, func(_ string, was, now *Index) {
		switch {
		case was == nil:
			change := c.change(Added, ByCreation, indexAt(c.id(), c.to.ID, now.Key), now.At)
			c.put(partIndex, change, createIndex(c.id(), c.to.ID, *now))
			uniqueOnly(change, *now)
		case now == nil:
			change := c.change(Removed, ByDeletion, indexAt(c.id(), c.to.ID, was.Key), was.At)
			at := partLate
			if early || c.inTheWay(*was) || c.remade(*was) != nil {
				at = partUnindex
			}
			c.put(at, change, c.deleteIndex(was.Key))
		default:
			c.index(*was, *now)
		}
	})
}

// index queues what happens to an index that both models have.
func (c *collectionDiff) index(was, now Index) {
	fields := changedFields(compareIndex(c.followed(was), now))
	change := c.remade(was)
	if len(fields) > 0 {
		change = c.change(Changed, ByRebuild, indexAt(c.id(), c.to.ID, now.Key), now.At)
		change.Fields = fields
		uniqueOnly(change, now)
	}
	switch {
	case change == nil:
	case c.inTheWay(was):
		c.put(partUnindex, change, c.deleteIndex(was.Key))
		c.put(partIndex, change, createIndex(c.id(), c.to.ID, now))
	default: // it has changed, or is on an attribute that was made anew
		c.put(partIndex, change, c.updateIndex(now))
	}
}

func uniqueOnly(change *Change, x Index) {
	if x.Type == steps.Unique {
		condition(change, "no two documents have the same %v", x.Attributes)
	}
}

// pair finds an attribute by its old key.
func (c *collectionDiff) pair(was string) *attributePair {
	i := slices.IndexFunc(c.pairs, func(p attributePair) bool { return p.was != nil && p.was.Key == was })
	if i < 0 {
		return nil
	}
	return &c.pairs[i]
}

// followed gives an index as the server has it when attributes have their new
// keys.
func (c *collectionDiff) followed(x Index) Index {
	x.Attributes = slices.Clone(x.Attributes)
	for i, key := range x.Attributes {
		if p := c.pair(key); p != nil && p.now != nil {
			x.Attributes[i] = p.now.Key
		}
	}
	return x
}

// remade gives the change that makes one of the index's attributes anew; nil
// when all of them stay.
func (c *collectionDiff) remade(x Index) *Change {
	for _, key := range x.Attributes {
		if p := c.pair(key); p != nil && !p.way.keepsAttribute() {
			return p.change
		}
	}
	return nil
}

// dropped reports whether one of the index's attributes goes, with its values.
func (c *collectionDiff) dropped(x Index) bool {
	return slices.ContainsFunc(x.Attributes, func(key string) bool {
		p := c.pair(key)
		return p != nil && (p.way == wayDelete || p.way == wayReplace)
	})
}

// inTheWay reports whether an index has to go before its attributes change: one
// of them goes, or changes its length, which an index that does not stay may
// not allow; or old attributes are dropped at once.
func (c *collectionDiff) inTheWay(x Index) bool {
	if c.dropped(x) || c.room > roomy && c.remade(x) != nil {
		return true
	}
	stays := c.to.index(x.Key) != nil && len(compareIndex(c.followed(x), *c.to.index(x.Key))) == 0
	return !stays && slices.ContainsFunc(x.Attributes, func(key string) bool {
		p := c.pair(key)
		return p != nil && p.way == wayAlter && (p.was.Size != p.now.Size || p.was.Required != p.now.Required)
	})
}

func (c *collectionDiff) deleteIndex(key string) engine.Step {
	return steps.DeleteIndex{Database: c.id(), Collection: c.to.ID, Key: key}
}

func (c *collectionDiff) updateIndex(x Index) engine.Step {
	return steps.UpdateIndex{
		Database: c.id(), Collection: c.to.ID, Key: x.Key, Type: x.Type,
		Attributes: x.Attributes, Orders: x.Orders, Lengths: x.Lengths,
	}
}

func createIndex(database, collection string, x Index) engine.Step {
	return steps.CreateIndex{
		Database: database, Collection: collection, Key: x.Key, Type: x.Type,
		Attributes: x.Attributes, Orders: x.Orders, Lengths: x.Lengths,
	}
}
