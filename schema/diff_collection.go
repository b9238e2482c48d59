package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// tightness says how much care a collection's room needs.
type tightness int

const (
	roomy tightness = iota // old and new fit side by side
	tight                  // what goes is dropped at once, before what comes
	// tightest: wide text is copied through a spare attribute that is stored
	// outside the row, so that old and new are never there together.
	tightest
)

// A part is one of the things that are done to a collection's attributes and
// indexes, in this order: what is in the way goes first, and what serves
// queries last.
type part int

const (
	partUnindex part = iota // indexes that are in the way
	partDelete              // attributes that go
	partShrink              // sizes that get smaller, before others get larger
	partRename              // keys, to spare ones where the new one is taken
	partCopy                // attributes that are made anew from the old ones
	partSettle              // spare keys to new ones
	partAlter               // everything else that the server does in place
	partCreate              // attributes that come
	partIndex               // indexes that come or change
	partLate                // indexes that go, which have served until here
	partDiscard             // the old ones of attributes made anew
	parts
)

// collectionDiff is the way of one collection that both models have.
type collectionDiff struct {
	*databaseDiff
	from, to Collection
	room     tightness
	pairs    []attributePair
	spares   names
	queue    [parts][]queued
}

// attributePair is an attribute before and after; one of them is nil where it
// comes or goes.
type attributePair struct {
	was, now *Attribute
	way      attributeWay
	change   *Change // of the pair, nil where it stays as it is
}

// renamed reports whether the pair's key is another one afterwards.
func (p attributePair) renamed() bool { return p.was != nil && p.now != nil && p.was.Key != p.now.Key }

func newCollectionDiff(db *databaseDiff, from, to Collection) *collectionDiff {
	c := &collectionDiff{
		databaseDiff: db, from: from, to: to,
		room: db.tight[db.to.ID+"/"+to.ID], spares: names{},
	}
	for _, key := range slices.Concat(db.from.keysIn(from.ID), db.to.keysIn(to.ID)) {
		c.spares[strings.ToLower(key)] = key
	}
	c.pairs = c.paired()
	return c
}

// keysIn gives every key that is taken among the attributes of a collection,
// those of other collections' relationships to it included, hidden ones too.
func (d *Database) keysIn(id string) []string {
	var keys []string
	for _, col := range d.Collections {
		for _, a := range col.Attributes {
			if col.ID == id {
				keys = append(keys, a.Key)
			}
			if a.Relationship != nil && a.Relationship.Related == id {
				keys = append(keys, a.Relationship.TwoWayKey)
			}
		}
	}
	return keys
}

// paired matches the attributes: by what was told to be renamed, else by key.
func (c *collectionDiff) paired() []attributePair {
	told := map[string]string{} // new key → old key
	for _, r := range c.renames {
		if r.Database == c.databaseDiff.to.ID && r.Collection == c.to.ID {
			told[r.To] = r.From
		}
	}
	source := func(key string) *Attribute {
		if old, renamed := told[key]; renamed {
			return c.from.attribute(old)
		}
		for _, old := range told {
			if old == key {
				return nil // it has another key now
			}
		}
		return c.from.attribute(key)
	}
	var pairs []attributePair
	matchedOnes := map[string]bool{}
	for i := range c.to.Attributes {
		p := attributePair{now: &c.to.Attributes[i]}
		if p.was = source(p.now.Key); p.was != nil {
			matchedOnes[p.was.Key] = true
		}
		pairs = append(pairs, p)
	}
	for i := range c.from.Attributes {
		if was := &c.from.Attributes[i]; !matchedOnes[was.Key] {
			pairs = append(pairs, attributePair{was: was})
		}
	}
	for i := range pairs {
		pairs[i].way = pairs[i].choose(c.to.ID)
	}
	return pairs
}

// plan queues everything about the collection.
func (c *collectionDiff) plan() {
	for i := range c.pairs {
		p := &c.pairs[i]
		p.change = c.attributeChange(*p)
	}
	c.renameKeys()
	for _, p := range c.pairs {
		c.attribute(p)
	}
	c.indexes()
	for _, list := range c.queue {
		c.databaseDiff.queue[stageAttributes] = append(c.databaseDiff.queue[stageAttributes], list...)
	}
	c.flags()
}

// put queues steps on the collection itself.
func (c *collectionDiff) put(at part, change *Change, list ...engine.Step) {
	for _, step := range list {
		c.queue[at] = append(c.queue[at], queued{change, step})
	}
}

// flags changes name, permissions and flags.
func (c *collectionDiff) flags() {
	fields := changedFields(collectionFields(c.from, c.to))
	if len(fields) == 0 {
		return
	}
	change := c.change(Changed, InPlace, collectionAt(c.id(), c.to.ID), c.to.At)
	change.Fields = fields
	step := steps.UpdateCollection{Database: c.id(), ID: c.to.ID}
	for _, f := range fields {
		switch f.Name {
		case "name":
			step.Name = c.to.Name
		case "enabled":
			step.Enabled = &c.to.Enabled
		case "documentSecurity":
			step.DocumentSecurity = &c.to.DocumentSecurity
		case "permissions":
			permissions := append([]string{}, canonicalPermissions(c.to.Permissions)...)
			step.Permissions = &permissions
		}
	}
	c.add(stageFlags, change, step)
}

// id is the database's.
func (c *collectionDiff) id() string { return c.databaseDiff.to.ID }

// spare gives a key that nothing in the collection has, before or after.
func (c *collectionDiff) spare(key, suffix string) string {
	spare := c.spares.spare(key, suffix)
	c.spares[strings.ToLower(spare)] = spare
	return spare
}

// spare gives a key like another that is not among the names.
func (n names) spare(key, suffix string) string {
	const longest = 36
	for i := 1; ; i++ {
		end := suffix
		if i > 1 {
			end += strconv.Itoa(i)
		}
		spare := key[:min(len(key), longest-len(end))] + end
		if _, taken := n[strings.ToLower(spare)]; !taken {
			return spare
		}
	}
}

// renameKeys queues the renames of attributes that stay what they are. Where the
// new key is taken, by one that is renamed itself or made anew, they go through
// a spare key. Copied attributes take their new key when they are copied.
func (c *collectionDiff) renameKeys() {
	taken := c.occupied()
	rename := func(at part, p *attributePair, from, to string) {
		c.put(at, p.change, steps.RenameAttribute{Database: c.id(), Collection: c.to.ID, Key: from, NewKey: to})
	}
	for i := range c.pairs {
		p := &c.pairs[i]
		switch {
		case !p.renamed() || !p.way.keepsAttribute():
		case !taken[strings.ToLower(p.now.Key)] || strings.EqualFold(p.was.Key, p.now.Key):
			rename(partRename, p, p.was.Key, p.now.Key)
		default:
			spare := c.spare(p.was.Key, "_moving")
			rename(partRename, p, p.was.Key, spare)
			rename(partSettle, p, spare, p.now.Key)
		}
	}
}

// occupied gives the keys, in lower case, that are taken when attributes and
// relationships have been deleted and nothing has been renamed yet.
func (c *collectionDiff) occupied() map[string]bool {
	taken := map[string]bool{}
	for _, p := range c.pairs {
		if p.was != nil && p.way.keepsKey() {
			taken[strings.ToLower(p.was.Key)] = true
		}
	}
	for _, col := range c.databaseDiff.from.Collections {
		target := c.databaseDiff.to.collection(col.ID)
		for _, a := range col.Attributes {
			if a.Relationship == nil || a.Relationship.Related != c.to.ID || target == nil {
				continue
			}
			if now := target.attribute(a.Key); now != nil && now.Relationship != nil {
				taken[strings.ToLower(a.Relationship.TwoWayKey)] = true
			}
		}
	}
	return taken
}
