package schema

import (
	"encoding/json"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// outsideRow is how many bytes of a row a value takes that is stored elsewhere.
const outsideRow = 20

// copyOver makes an attribute anew beside the old one. Documents are copied
// while everybody still reads and writes the old one; then that gets a spare
// key, so that late writers fail instead of being lost, and what they have
// written until then is copied, too.
func (c *collectionDiff) copyOver(p attributePair) {
	was, now := *p.was, *p.now
	fresh, aside := c.spare(now.Key, "_new"), c.spare(was.Key, "_old")
	fill := c.copyFill(p)
	c.put(partCopy, p.change,
		createAttribute(c.id(), c.to.ID, renamedTo(bare(now), fresh)),
		c.filling(fresh, was.Key, fill))
	c.setAside(partCopy, p, aside)
	c.put(partCopy, p.change, c.filling(fresh, aside, fill))
	c.settle(p, fresh)
	at := partDiscard
	if c.room > roomy {
		at = partCopy
	}
	c.put(at, p.change, c.deletion(aside))
}

// settle gives an attribute that was made under a spare key its own, and what
// it could not have before its values.
func (c *collectionDiff) settle(p attributePair, fresh string) {
	c.put(partSettle, p.change, steps.RenameAttribute{Database: c.id(), Collection: c.to.ID, Key: fresh, NewKey: p.now.Key})
	c.put(partSettle, p.change, c.update(p.now.Key, bare(*p.now), c.withoutDefault(p))...)
}

// copyAround makes wide text anew where there is no room for old and new side
// by side: by way of a spare attribute that is stored outside the row.
func (c *collectionDiff) copyAround(p attributePair) {
	was, now := *p.was, *p.now
	spare, aside, fresh := c.spare(now.Key, "_text"), c.spare(was.Key, "_old"), c.spare(now.Key, "_new")
	fill := c.copyFill(p)
	outside := Attribute{Key: spare, Type: appwrite.TypeString, Size: 1 << 20, Array: now.Array}
	c.put(partCopy, p.change,
		createAttribute(c.id(), c.to.ID, outside),
		c.filling(spare, was.Key, nil))
	c.setAside(partCopy, p, aside)
	c.put(partCopy, p.change,
		c.filling(spare, aside, nil),
		c.deletion(aside),
		createAttribute(c.id(), c.to.ID, renamedTo(bare(now), fresh)),
		c.filling(fresh, spare, fill),
		c.deletion(spare))
	c.settle(p, fresh)
}

// setAside gives an attribute a spare key. It becomes optional first: documents
// are made without it from now on.
func (c *collectionDiff) setAside(at part, p attributePair, aside string) {
	if p.was.Required {
		optional := *p.was
		optional.Required = false
		c.put(at, p.change, c.update(p.was.Key, *p.was, optional)...)
	}
	c.put(at, p.change, steps.RenameAttribute{Database: c.id(), Collection: c.to.ID, Key: p.was.Key, NewKey: aside})
}

// copyFill gives the value for documents that have none to copy.
func (c *collectionDiff) copyFill(p attributePair) json.RawMessage {
	if !p.now.Required {
		return c.toldFill(p.now.Key)
	}
	return c.fillFor(*p.now, p.was)
}

// filling gives the step that fills an attribute: from another one, everywhere,
// or with one value where there is none.
func (c *collectionDiff) filling(key, from string, value json.RawMessage) engine.Step {
	return steps.FillAttribute{
		Database: c.id(), Collection: c.to.ID, Key: key, From: from, Value: value, Overwrite: from != "",
	}
}

// fillFor gives the value for documents that have none: what was told, else the
// default that stood in for it until now, as far as it means the same.
func (c *collectionDiff) fillFor(now Attribute, was *Attribute) json.RawMessage {
	if told := c.toldFill(now.Key); told != nil {
		return told
	}
	if was == nil || was.Default == nil || was.Type != now.Type || was.Array || now.Array {
		return nil
	}
	if fits(now, was.Default) != nil {
		return nil
	}
	return was.Default
}

func (c *collectionDiff) toldFill(key string) json.RawMessage {
	for _, f := range c.fills {
		if f.Database == c.id() && f.Collection == c.to.ID && f.Key == key {
			return f.Value
		}
	}
	return nil
}

func renamedTo(a Attribute, key string) Attribute {
	a.Key = key
	return a
}
