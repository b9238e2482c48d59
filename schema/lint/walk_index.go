package lint

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

func (w *walker) createIndex(x schema.Index, database, id string) {
	c := w.collection(database, id)
	if c == nil {
		return
	}
	var names []string
	for _, other := range c.indexes {
		names = append(names, other.Key)
	}
	w.taken("index", x.Key, "collection "+c.path(), names)
	w.indexed(c, x, c.distinct(x))
}

func (w *walker) updateIndex(s steps.UpdateIndex) {
	c := w.collection(s.Database, s.Collection)
	if c == nil {
		return
	}
	if old := c.index(s.Key); old == nil && !c.open {
		w.missing("index", c.path()+"/"+s.Key, false, "key")
	}
	x := schema.Index{Key: s.Key, Type: s.Type, Attributes: s.Attributes, Orders: s.Orders, Lengths: s.Lengths}
	distinct := c.distinct(x)
	c.indexes = slices.DeleteFunc(c.indexes, func(x *schema.Index) bool { return x.Key == s.Key })
	w.indexed(c, x, distinct)
}

// distinct says that no two documents are alike in what an index covers: in
// their id, or because of a unique index that is there and covers no more of them.
func (c *collection) distinct(x schema.Index) bool {
	return slices.Contains(x.Attributes, "$id") || slices.ContainsFunc(c.indexes, func(y *schema.Index) bool {
		return y.Type == "unique" && !slices.ContainsFunc(y.Attributes, func(key string) bool {
			at := slices.Index(x.Attributes, key)
			return at < 0 || length(x, at) < length(*y, slices.Index(y.Attributes, key))
		})
	})
}

// length is how many characters of an attribute an index covers.
func length(x schema.Index, at int) int {
	if at < len(x.Lengths) && x.Lengths[at] > 0 {
		return x.Lengths[at]
	}
	return math.MaxInt
}

// indexed looks at an index that comes, and puts it into the collection.
func (w *walker) indexed(c *collection, x schema.Index, distinct bool) {
	var live []*attribute
	for _, key := range x.Attributes {
		if strings.HasPrefix(key, "$") {
			continue
		}
		a := w.has(c, key, "attributes", "columns")
		if _, other := c.other(key); other != nil {
			w.finding(CodeServer, []string{"attributes", "columns"}, "leave it out", "index %s covers %s, a relationship: Appwrite indexes those itself", x.Key, key)
		}
		distinct = distinct || w.none(c, key, holding) // nothing but null, which may repeat
		if a == nil {
			continue
		}
		live = append(live, a)
		distinct = distinct || a.made == w.m.Version && !a.filled
	}
	if x.Type == "unique" && w.mayHold(c) && !distinct {
		f := w.finding(CodeUniqueOverData, []string{"type"}, "look for duplicates first (backstep lint --live), and mend them in an earlier migration",
			"unique index %s over %s of %s fails where two documents are alike, letter case and accents aside", x.Key, words(x.Attributes), c.path())
		known := c.live != "" && len(live) == len(x.Attributes) && !slices.ContainsFunc(live, func(a *attribute) bool { return a.live == "" })
		w.asks(f, c.question(live...).duplicates(), known)
	}
	x.Attributes = slices.Clone(x.Attributes)
	c.indexes = append(c.indexes, &x)
	w.schemaStep(c)
	w.limits(c)
}

func (w *walker) deleteIndex(s steps.DeleteIndex) {
	c := w.collection(s.Database, s.Collection)
	if c == nil {
		return
	}
	w.schemaStep(c)
	x := c.index(s.Key)
	if x == nil {
		if !c.open {
			w.missing("index", c.path()+"/"+s.Key, false, "key")
		}
		return
	}
	for _, key := range x.Attributes {
		if a := c.attribute(key); a != nil && a.Array && !w.in.Limits.ArrayIndexes && !w.m.HasDown {
			w.finding(CodeIrreversible, nil, "say in down: what to do instead",
				"index %s of %s covers the list %s: this server deletes such an index and cannot make it again", x.Key, c.path(), key)
		}
	}
	c.indexes = slices.DeleteFunc(c.indexes, func(o *schema.Index) bool { return o == x })
}

// limits holds a collection against the limits of the server, as it is now: what
// is deleted late still takes its room.
func (w *walker) limits(c *collection) {
	now := map[schema.Limit]string{}
	special := func(a *attribute) bool { return a.Relationship != nil || a.Encrypt }
	if w.crowded(c) || slices.ContainsFunc(c.attributes, special) {
		now = w.exceeded(c, true)
	} else if len(c.indexes) > 0 || !w.in.Limits.TextTypes || !w.in.Limits.Spatial || !w.in.Limits.BigInt {
		now = refusals(c, &database{id: c.database.id, name: c.database.name, collections: []*collection{c}}, true, w.in.Limits)
	}
	for _, limit := range []schema.Limit{schema.LimitRowWidth, schema.LimitAttributes, schema.LimitIndexes} {
		reason, over := now[limit]
		if !over {
			delete(c.restrictive, string(limit))
			continue
		}
		w.exceeds(c, limit, string(limit), reason, w.exceeded(c, false)[limit] == "")
	}
	if now[schema.LimitFeature] != "" { // which tells of lists in indexes, too
		delete(now, noLimit)
	}
	for _, limit := range []schema.Limit{schema.LimitIndexLength, schema.LimitFeature, noLimit} {
		if reason, over := now[limit]; over {
			for one := range strings.SplitSeq(reason, "\n") {
				w.exceeds(c, limit, one, one, false)
			}
		}
	}
}

// noLimit stands for the rules that every server has.
const noLimit schema.Limit = ""

func (w *walker) exceeds(c *collection, limit schema.Limit, told, reason string, late bool) {
	if c.restrictive[told] {
		return
	}
	if c.restrictive == nil {
		c.restrictive = map[string]bool{}
	}
	c.restrictive[told] = true
	rule := map[schema.Limit]struct{ code, fix string }{
		schema.LimitRowWidth:    {CodeRowWidth, "make texts shorter, or longer than 16381 characters, which are stored outside the row"},
		schema.LimitAttributes:  {CodeAttributeCount, "move some to a collection of their own"},
		schema.LimitIndexes:     {CodeIndexCount, "drop indexes that others cover"},
		schema.LimitIndexLength: {CodeIndexLength, "give lengths, or index a shorter attribute"},
		noLimit:                 {CodeServer, "change it, or leave it out: no server takes it"},
		schema.LimitFeature:     {CodeServer, "choose what this server has, or set lint.server in backstep.yaml to the one that it is for"},
	}[limit]
	fix := rule.fix
	if late {
		reason += " (what this migration deletes takes its room until the migration ends)"
		fix = "delete in an earlier migration what makes room, or at_once"
	}
	w.finding(rule.code, nil, fix, "%s", reason)
}

// crowded says that a collection may exceed a limit of the server, by what it
// holds at most: a look that is cheap, since there is one for every step.
func (w *walker) crowded(c *collection) bool {
	attributes, indexes, width := 0, len(c.indexes), 1067 // a row's own fields
	for _, a := range c.attributes {
		attributes++
		width += schema.RowBytes(a.Attribute)
	}
	for _, o := range c.database.collections {
		for _, a := range o.attributes {
			if a.Relationship != nil && (o == c || a.Relationship.Related == c.shape.ID) {
				attributes++
				indexes++
				width += schema.RowBytes(a.Attribute)
			}
		}
	}
	over := func(n, limit int) bool { return limit > 0 && n >= limit }
	return over(attributes, w.in.Limits.Attributes) || over(indexes, w.in.Limits.Indexes) || over(width, w.in.Limits.RowWidth)
}

// exceeded gives the limits that a collection exceeds, with the reasons.
func (w *walker) exceeded(c *collection, dying bool) map[schema.Limit]string {
	near := &database{id: c.database.id, name: c.database.name, enabled: true}
	for _, o := range c.database.collections { // those that count: it, and what is related to it
		if o == c || slices.ContainsFunc(o.attributes, func(a *attribute) bool {
			return a.Relationship != nil && a.Relationship.Related == c.shape.ID
		}) {
			near.collections = append(near.collections, o)
		}
	}
	return refusals(c, near, dying, w.in.Limits)
}

// refusals gives what a check refuses about a collection of a database. Of an
// index it sees the attributes that are known.
func refusals(c *collection, d *database, dying bool, limits schema.Limits) map[schema.Limit]string {
	found := map[schema.Limit]string{}
	model := d.model(dying)
	for _, col := range model.Collections {
		for i, x := range col.Indexes {
			col.Indexes[i] = known(col, x)
		}
	}
	var refused *schema.RefusedError
	if !errors.As(schema.Check(schema.Model{Databases: []schema.Database{model}}, limits), &refused) {
		return found
	}
	for _, p := range refused.Problems {
		if p.At.Path != c.shape.ID {
			continue
		}
		if found[p.Limit] != "" {
			found[p.Limit] += "\n"
		}
		found[p.Limit] += p.Reason
	}
	return found
}

// known gives an index without the attributes that nothing has told of.
func known(col schema.Collection, x schema.Index) schema.Index {
	told := func(key string) bool {
		return strings.HasPrefix(key, "$") || slices.ContainsFunc(col.Attributes, func(a schema.Attribute) bool { return a.Key == key })
	}
	if !slices.ContainsFunc(x.Attributes, func(key string) bool { return !told(key) }) {
		return x
	}
	part := x
	part.Attributes, part.Orders, part.Lengths = nil, nil, nil
	for i, key := range x.Attributes {
		if !told(key) {
			continue
		}
		part.Attributes = append(part.Attributes, key)
		length := 0
		if i < len(x.Lengths) {
			length = x.Lengths[i]
		}
		part.Lengths = append(part.Lengths, length)
	}
	return part
}
