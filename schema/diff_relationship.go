package schema

import (
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// relationshipWay finds the way from one relationship to another. The server
// changes what happens on deletion, and both keys where both can be seen.
func relationshipWay(was, now Relationship) attributeWay {
	switch {
	case was.Related != now.Related:
		return wayRetarget
	case was.Type == now.Type && was.TwoWay == now.TwoWay && (was.TwoWay || was.TwoWayKey == now.TwoWayKey):
		return wayRelated
	default:
		return wayRebuild
	}
}

// linkable reports whether documents of the collection can be linked: one way
// from a collection to itself they cannot, on any version.
func (r Relationship) linkable(collection string) bool { return r.TwoWay || r.Related != collection }

// holder gives the key through which links are read and written: the parent's
// own, except where a collection is related to itself; there only the other works.
func (a Attribute) holder(collection string) string {
	if a.Relationship.Related == collection {
		return a.Relationship.TwoWayKey
	}
	return a.Key
}

// relationship queues the steps of a pair of which one is a relationship.
func (c *collectionDiff) relationship(p attributePair) {
	switch {
	case p.way == wayRelated:
		c.alterRelationship(p)
	case p.way == wayRetarget, p.was.Relationship != nil && !p.was.Relationship.linkable(c.to.ID):
		c.remove(p)
		c.create(p)
	case p.way == wayRebuild && !p.now.Relationship.linkable(c.to.ID):
		lose(p.change, LossRelationship, "one way from a collection to itself, documents cannot be linked")
		c.remove(p)
		c.create(p)
	case p.way == wayRebuild:
		c.rebuild(p)
	case p.way == wayUnlink:
		c.unlink(p)
	case p.way == wayLink:
		c.link(p)
	}
}

// alterRelationship changes a relationship in place, the parent's key aside.
func (c *collectionDiff) alterRelationship(p attributePair) {
	was, now := *p.was.Relationship, *p.now.Relationship
	if was.OnDelete != now.OnDelete {
		c.put(partAlter, p.change, steps.UpdateRelationship{
			Database: c.id(), Collection: c.to.ID, Key: p.now.Key, OnDelete: now.OnDelete,
		})
	}
	if was.TwoWayKey == now.TwoWayKey {
		return
	}
	rename := func(at stage, from, to string) {
		c.add(at, p.change, steps.RenameAttribute{Database: c.id(), Collection: now.Related, Key: from, NewKey: to})
	}
	taken := names{}
	for _, key := range c.databaseDiff.from.keysIn(now.Related) {
		taken[strings.ToLower(key)] = key
	}
	if _, conflict := taken[strings.ToLower(now.TwoWayKey)]; !conflict || strings.EqualFold(was.TwoWayKey, now.TwoWayKey) {
		rename(stageUnrelate, was.TwoWayKey, now.TwoWayKey)
		return
	}
	for _, key := range c.databaseDiff.to.keysIn(now.Related) {
		taken[strings.ToLower(key)] = key
	}
	spare := taken.spare(was.TwoWayKey, "_side")
	rename(stageUnrelate, was.TwoWayKey, spare)
	rename(stageRelate, spare, now.TwoWayKey)
}

// rebuild deletes a relationship and makes it again, with the ids of linked
// documents kept in a spare attribute meanwhile: the two cannot be there
// together, since they have a key in common.
func (c *collectionDiff) rebuild(p attributePair) {
	ids := Attribute{Key: c.spare(p.was.Key, "_ids"), Type: appwrite.TypeString, Size: 255, Array: true}
	c.add(stageSave, p.change, createAttribute(c.id(), c.to.ID, ids))
	c.add(stageUnrelate, p.change, c.save(p, ids.Key)...)
	c.add(stageRelate, p.change, createRelationship(c.id(), c.to.ID, *p.now))
	c.add(stageLink, p.change,
		c.filling(p.now.holder(c.to.ID), ids.Key, nil),
		c.deletion(ids.Key))
}

// save copies the links of a relationship into an attribute and deletes it. The
// relationship has a spare key before that, so that late writers fail.
func (c *collectionDiff) save(p attributePair, into string) []engine.Step {
	holder, aside, deleted := p.was.holder(c.to.ID), c.spare(p.was.Key, "_old"), p.was.Key
	if holder == p.was.Key {
		deleted = aside
	}
	return []engine.Step{
		steps.RenameAttribute{Database: c.id(), Collection: c.to.ID, Key: holder, NewKey: aside},
		c.filling(into, aside, nil),
		steps.DeleteRelationship{Database: c.id(), Collection: c.to.ID, Key: deleted},
	}
}

// unlink turns a relationship into an attribute that holds the ids.
func (c *collectionDiff) unlink(p attributePair) {
	fresh := c.spare(p.now.Key, "_new")
	c.add(stageSave, p.change, createAttribute(c.id(), c.to.ID, renamedTo(bare(*p.now), fresh)))
	c.add(stageUnrelate, p.change, c.save(p, fresh)...)
	if fill := c.fillFor(*p.now, nil); fill != nil {
		c.add(stageUnrelate, p.change, c.filling(fresh, "", fill))
	}
	c.settle(p, fresh)
}

// link turns an attribute that holds ids into a relationship.
func (c *collectionDiff) link(p attributePair) {
	aside := c.spare(p.was.Key, "_old")
	c.setAside(partCopy, p, aside)
	c.add(stageRelate, p.change, createRelationship(c.id(), c.to.ID, *p.now))
	c.add(stageLink, p.change, c.filling(p.now.holder(c.to.ID), aside, nil), c.deletion(aside))
}
