package schema

import (
	"encoding/json"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// attributeWay is how an attribute gets from what it is to what it shall be.
type attributeWay int

const (
	wayKeep     attributeWay = iota // nothing but perhaps the key changes
	wayAlter                        // in place
	wayCopy                         // made anew beside the old one, from its values
	wayReplace                      // made anew without its values
	wayCreate                       // it comes
	wayDelete                       // it goes
	wayRelated                      // a relationship that changes in place
	wayRebuild                      // a relationship made anew, with its links
	wayUnlink                       // a relationship becomes ids in a plain attribute
	wayLink                         // ids in a plain attribute become a relationship
	wayRetarget                     // a relationship made anew without its links
)

// keepsAttribute reports whether it is the same attribute on the server.
func (w attributeWay) keepsAttribute() bool {
	return w == wayKeep || w == wayAlter || w == wayRelated
}

// keepsKey reports whether the old key is still taken when attributes and
// relationships that go have gone.
func (w attributeWay) keepsKey() bool { return w.keepsAttribute() || w == wayCopy || w == wayLink }

// choose finds the way of a pair.
func (p attributePair) choose(collection string) attributeWay {
	was, now := p.was, p.now
	switch {
	case was == nil:
		return wayCreate
	case now == nil:
		return wayDelete
	case len(compareAttribute(*was, *now)) == 0:
		return wayKeep
	case was.Relationship != nil && now.Relationship != nil:
		return relationshipWay(*was.Relationship, *now.Relationship)
	case was.Relationship != nil:
		if steps.Converts(was.Type, now.Type) {
			return wayUnlink
		}
		return wayRetarget
	case now.Relationship != nil:
		if steps.Converts(was.Type, now.Type) && now.Relationship.linkable(collection) {
			return wayLink
		}
		return wayReplace
	case was.Type == now.Type && was.Array == now.Array && was.Encrypt == now.Encrypt && alterable(*was, *now):
		return wayAlter
	case steps.Converts(was.Type, now.Type):
		return wayCopy
	default:
		return wayReplace
	}
}

// alterable reports whether the server can do in place what differs in two
// attributes of one type. An integer is 32 bits wide for good when it is made
// with a max that fits, and a whole default of a float can be cleared only where
// the bounds leave room for a fraction.
func alterable(was, now Attribute) bool {
	const widest32 = "2147483647"
	narrow := func(a Attribute) bool {
		high := rat(a.Max)
		return high != nil && high.Cmp(rat(widest32)) <= 0
	}
	switch was.Type {
	case appwrite.TypeInteger:
		return !narrow(was) || narrow(now)
	case appwrite.TypeFloat:
		return was.Default == nil || now.Default != nil || was.Min == "" || was.Max == "" || rat(was.Min).Cmp(rat(was.Max)) < 0
	default:
		return true
	}
}

// attribute queues the steps of one pair, renames aside.
func (c *collectionDiff) attribute(p attributePair) {
	switch p.way {
	case wayKeep:
	case wayCreate:
		c.create(p)
	case wayDelete:
		c.remove(p)
	case wayAlter:
		c.alter(p)
	case wayCopy:
		if c.room == tightest && RowBytes(*p.now) > outsideRow {
			c.copyAround(p)
		} else {
			c.copyOver(p)
		}
	case wayReplace:
		c.remove(p)
		c.create(p)
	case wayRelated, wayRebuild, wayUnlink, wayLink, wayRetarget:
		c.relationship(p)
	}
}

// attributeChange notes what happens to a pair; nil where nothing does.
func (c *collectionDiff) attributeChange(p attributePair) *Change {
	switch p.way {
	case wayKeep:
		if !p.renamed() {
			return nil
		}
	case wayCreate:
		change := c.change(Added, ByCreation, attributeAt(c.id(), c.to.ID, *p.now), p.now.At)
		return change
	case wayDelete:
		change := c.change(Removed, ByDeletion, attributeAt(c.id(), c.to.ID, *p.was), p.was.At)
		if p.was.Relationship != nil {
			lose(change, LossRelationship, "the links of the documents are not carried over")
		} else {
			lose(change, LossAttribute, "the values of the documents are not carried over")
		}
		return change
	default:
	}
	ways := map[attributeWay]Way{wayCopy: ByCopy, wayUnlink: ByCopy, wayLink: ByCopy, wayRebuild: ByRebuild, wayReplace: ByRebuild, wayRetarget: ByRebuild}
	way, ok := ways[p.way]
	if !ok {
		way = InPlace
	}
	change := c.change(Changed, way, attributeAt(c.id(), c.to.ID, *p.now), p.now.At)
	if p.renamed() {
		change.Action, change.Was = Renamed, p.was.Key
	}
	change.Fields = changedFields(compareAttribute(*p.was, *p.now))
	switch p.way {
	case wayReplace:
		lose(change, LossType, "values of type "+shape(*p.was)+" do not convert to "+shape(*p.now))
	case wayRetarget:
		lose(change, LossTarget, "links to documents of "+p.was.Relationship.Related+" mean nothing afterwards")
	default:
		conditions(change, *p.was, *p.now)
		if p.now.Required && !p.was.Required && c.fillFor(*p.now, p.was) == nil {
			condition(change, "every document has a value, or one to fill in is given")
		}
	}
	return change
}

// conditions says what stored values must be like.
func conditions(change *Change, was, now Attribute) {
	if was.Type != now.Type || was.Array && !now.Array || was.Relationship != nil {
		condition(change, "every value means the same as %s", shape(now))
	}
	if now.Size > 0 && (was.Size > now.Size || was.Size == 0) {
		condition(change, "no value is longer than %d characters", now.Size)
	}
	for _, f := range change.Fields {
		switch {
		case f.Name == "min" && now.Min != "" || f.Name == "max" && now.Max != "":
			condition(change, "no value is beyond %s %s", f.Name, f.To)
		case f.Name == "elements" && len(now.Elements) > 0:
			condition(change, "every value is one of %s", strings.Join(now.Elements, ", "))
		case f.Name == "relationship":
			condition(change, "the links fit %s", f.To)
		}
	}
}

// create makes an attribute that comes. One that is required is optional until
// the documents have a value.
func (c *collectionDiff) create(p attributePair) {
	if p.now.Relationship != nil {
		c.add(stageRelate, p.change, createRelationship(c.id(), c.to.ID, *p.now))
		return
	}
	now := c.withoutDefault(p)
	fill := c.fillFor(now, nil)
	if !now.Required && fill == nil {
		c.put(partCreate, p.change, createAttribute(c.id(), c.to.ID, now))
		return
	}
	c.put(partCreate, p.change, createAttribute(c.id(), c.to.ID, bare(now)))
	if fill != nil {
		c.put(partCreate, p.change, c.filling(now.Key, "", fill))
	} else {
		condition(p.change, "the collection has no documents, or a value to fill in is given")
	}
	c.put(partCreate, p.change, c.update(now.Key, bare(now), now)...)
}

// remove takes an attribute away.
func (c *collectionDiff) remove(p attributePair) {
	if p.was.Relationship != nil {
		c.add(stageUnrelate, p.change, steps.DeleteRelationship{Database: c.id(), Collection: c.to.ID, Key: p.was.Key})
		return
	}
	c.put(partDelete, p.change, c.deletion(p.was.Key))
}

func (c *collectionDiff) deletion(key string) engine.Step {
	return steps.DeleteAttribute{Database: c.id(), Collection: c.to.ID, Key: key, AtOnce: c.room > roomy || c.gainsDefault()}
}

// alter changes an attribute in place: what takes less room first.
func (c *collectionDiff) alter(p attributePair) {
	key, at, now := p.now.Key, partAlter, c.withoutDefault(p)
	if RowBytes(*p.now) < RowBytes(*p.was) || p.now.Size < p.was.Size {
		key, at = p.was.Key, partShrink
	}
	was := *p.was
	if fill := c.fillFor(now, p.was); fill != nil && now.Required && !was.Required {
		// Null can be put back only where there is no default.
		c.put(at, p.change, c.update(key, was, bare(was))...)
		was = bare(was)
		c.put(at, p.change, c.filling(key, "", fill))
	}
	c.put(at, p.change, c.update(key, was, now)...)
}

// update gives the step that changes what differs in two attributes of one
// type; none where nothing does.
func (c *collectionDiff) update(key string, was, now Attribute) []engine.Step {
	step := steps.UpdateAttribute{Database: c.id(), Collection: c.to.ID, Key: key}
	differing := compareAttribute(was, now)
	if len(differing) == 0 {
		return nil
	}
	for _, f := range differing {
		switch f.name {
		case "required":
			step.Required = &now.Required
		case "default":
			if step.Default = now.Default; now.Default == nil {
				step.Default = json.RawMessage("null")
			}
		case "size":
			step.Size = now.Size
		case "min":
			step.Min = boundOr(now.Min, leastOf(now.Type))
		case "max":
			step.Max = boundOr(now.Max, greatestOf(now.Type))
		case "elements":
			step.Elements = now.Elements
		}
	}
	return []engine.Step{step}
}

func boundOr(bound, limit json.Number) json.Number {
	if bound == "" {
		return limit
	}
	return bound
}

// leastOf is the least number of a type, which as a bound is none.
func leastOf(kind string) json.Number {
	if kind == appwrite.TypeFloat {
		return "-1.7976931348623157e+308"
	}
	return "-9223372036854775808"
}

func greatestOf(kind string) json.Number {
	if kind == appwrite.TypeFloat {
		return "1.7976931348623157e+308"
	}
	return "9223372036854775807"
}

// bare gives an attribute as it is made before documents have values in it.
func bare(a Attribute) Attribute {
	a.Required, a.Default = false, nil
	return a
}
