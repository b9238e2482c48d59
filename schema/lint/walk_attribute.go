package lint

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

func (w *walker) createAttribute(s steps.CreateAttribute) {
	c := w.collection(s.Database, s.Collection)
	if c == nil {
		return
	}
	w.taken("attribute", s.Key, "collection "+c.path(), c.keys())
	a := &attribute{made: w.m.Version, Attribute: schema.Attribute{
		Key: s.Key, Type: s.Type, Size: s.Size, Required: s.Required, Array: s.Array, Default: s.Default,
		Min: s.Min, Max: s.Max, Elements: s.Elements, Encrypt: s.Encrypt,
	}}
	if was := c.gone[s.Key]; was != nil && !was.copied && (was.Type != s.Type || was.Array != s.Array) {
		w.finding(CodeTypeChange, []string{"type", "array"}, "add the new one under another key, copy the values, delete the old one, then rename",
			"%s/%s was %s and becomes %s: its values are not carried over", c.path(), s.Key, described(was.Attribute), described(a.Attribute))
	}
	if s.Required && w.mayHold(c) {
		f := w.finding(CodeRequiredAdded, []string{"required"}, "add it as optional, fill it, then make it required in a migration of its own",
			"%s is added to %s as required: documents that are there keep null, and every update of one fails until it is filled", s.Key, c.path())
		w.asks(f, c.question(), c.live != "")
	}
	c.attributes = append(c.attributes, a)
	delete(w.facts, c.path()+"/"+s.Key) // of another one, that had its key
	w.schemaStep(c)
	w.limits(c)
}

// described is what type an attribute has, in words.
func described(a schema.Attribute) string {
	if a.Array {
		return "a list of " + a.Type
	}
	return a.Type
}

func (w *walker) updateAttribute(s steps.UpdateAttribute) {
	c, a := w.attribute(s.Database, s.Collection, s.Key)
	if c == nil || !w.suits(c, a, s.Key, false) {
		return
	}
	w.schemaStep(c)
	if a == nil { // it is there, and nothing told what it is
		a = &attribute{Attribute: schema.Attribute{Key: s.Key, Type: s.Type}, live: s.Key}
		w.narrowings(c, a, s)
		return
	}
	if s.Type != "" && s.Type != a.Type || s.Array != nil && *s.Array != a.Array || s.Encrypt != nil && *s.Encrypt != a.Encrypt {
		w.finding(CodeTypeChange, []string{"type", "array", "encrypt"}, "add the new one under another key, copy the values, delete the old one, then rename",
			"%s/%s is %s, and Appwrite changes neither type, array nor encryption of an attribute in place", c.path(), s.Key, described(a.Attribute))
		return
	}
	w.narrowings(c, a, s)
	if s.Required != nil && *s.Required {
		delete(w.filled, c.path()+"/"+s.Key)
	}
	a.change(s)
	w.limits(c)
}

// change makes the effect of an update.
func (a *attribute) change(s steps.UpdateAttribute) {
	if s.Required != nil {
		a.complete = a.complete || a.Required // until then, no document could lack it
		a.Required = *s.Required
	}
	if s.Default != nil {
		a.Default = s.Default
		if string(s.Default) == "null" {
			a.Default = nil
		}
	}
	if s.Size != 0 {
		a.Size = s.Size
	}
	if s.Min != "" {
		a.Min = s.Min
	}
	if s.Max != "" {
		a.Max = s.Max
	}
	if s.Elements != nil {
		a.Elements = s.Elements
	}
}

// narrowings finds what documents may not fit any more.
func (w *walker) narrowings(c *collection, a *attribute, s steps.UpdateAttribute) {
	requires := s.Required != nil && *s.Required
	empty := a.made == w.m.Version && !a.filled // it holds nothing but null
	if !w.mayHold(c) || empty && !requires {
		return
	}
	path, live := c.path()+"/"+s.Key, c.live != "" && a.live != ""
	where := func(method, value string) []string {
		return []string{fmt.Sprintf("  - assert: { database: %s, collection: %s, empty: true, where: [{ method: %s, attribute: %s%s }] }", word(s.Database), word(s.Collection), method, word(s.Key), value)}
	}
	if requires && !a.Required && !a.complete && !w.none(c, s.Key, lacking) {
		f := w.finding(CodeMadeRequired, []string{"required"}, "fill it in an earlier migration, and assert here that no document lacks it",
			"%s becomes required: the migration stops where a document lacks it", path)
		if !a.Encrypt { // no query looks into that
			f.Insert = where(isNull, "")
		}
		w.asks(f, c.question(a).null(a, true), live)
	}
	fits := w.none(c, s.Key, unfitting)
	if s.Size != 0 && (a.Size == 0 || s.Size < a.Size) && (a.Size != 0 || c.open) && !fits {
		f := w.finding(CodeSizeShrinks, []string{"size"}, "shorten the values first, or leave the size",
			"%s is shortened%s to %d characters: the migration stops where a value is longer", path, from(a.Size), s.Size)
		w.asks(f, c.question(a).where(func(v any) bool { t, ok := v.(string); return ok && int64(utf8.RuneCountInString(t)) > s.Size }), live)
	}
	if !fits {
		w.bounds(c, a, s, live)
	}
	removed := without(a.Elements, s.Elements)
	if s.Elements != nil && len(removed) > 0 && !w.none(c, s.Key, holdingAny(removed)) {
		f := w.finding(CodeElementsRemoved, []string{"elements"}, "change the documents that hold them first, and assert here that none is left",
			"%s loses the elements %s: the migration stops where a document holds one", path, words(removed))
		f.Insert = where("equal", ", values: "+list(removed))
		w.asks(f, c.question(a).where(func(v any) bool { t, ok := v.(string); return ok && slices.Contains(removed, t) }), live)
	}
}

func (w *walker) bounds(c *collection, a *attribute, s steps.UpdateAttribute, live bool) {
	narrower := func(bound, was json.Number, sign int) bool {
		if bound == "" || unbounded(a.Type, bound) {
			return false
		}
		return was == "" || unbounded(a.Type, was) || compare(bound, was)*sign > 0
	}
	low, high := narrower(s.Min, a.Min, 1), narrower(s.Max, a.Max, -1)
	if !low && !high || c.open && a.Type == "" {
		return
	}
	var parts []string
	field := "max"
	if low {
		parts, field = append(parts, "at least "+s.Min.String()), "min"
	}
	if high {
		parts = append(parts, "at most "+s.Max.String())
	}
	f := w.finding(CodeBoundsNarrow, []string{field}, "change the documents that do not fit first, and assert here that none is left",
		"%s/%s is narrowed to %s: the migration stops where a value is outside", c.path(), s.Key, words(parts))
	w.asks(f, c.question(a).where(func(v any) bool {
		n, ok := v.(json.Number)
		return ok && (low && compare(n, s.Min) < 0 || high && compare(n, s.Max) > 0)
	}), live)
}

func from(size int64) string {
	if size == 0 {
		return ""
	}
	return fmt.Sprintf(" from %d", size)
}

func without(was, is []string) []string {
	return slices.DeleteFunc(slices.Clone(was), func(e string) bool { return slices.Contains(is, e) })
}

// list writes texts as a YAML list.
func list(texts []string) string {
	data, err := json.Marshal(texts)
	if err != nil {
		return "[]" // texts always encode
	}
	return string(data)
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return new(big.Rat)
	}
	return r
}

func compare(a, b json.Number) int { return rational(a).Cmp(rational(b)) }

// unbounded says that a bound is the limit of its type, or beyond.
func unbounded(kind string, bound json.Number) bool {
	limit := "9223372036854775807"
	if kind == appwrite.TypeFloat {
		limit = "1e308"
	}
	return new(big.Rat).Abs(rational(bound)).Cmp(rational(json.Number(limit))) >= 0
}

func (w *walker) renameAttribute(s steps.RenameAttribute) {
	c, a := w.attribute(s.Database, s.Collection, s.Key)
	if c == nil {
		return
	}
	w.schemaStep(c)
	if !strings.EqualFold(s.Key, s.NewKey) {
		w.taken("attribute", s.NewKey, "collection "+c.path(), c.keys(), "new_key")
	}
	if c.made != w.m.Version && (a == nil || a.made != w.m.Version && !a.copied) {
		w.finding(CodeRename, []string{"new_key"}, fmt.Sprintf("backstep new --expand-contract rename %s.%s %s", s.Collection, s.Key, s.NewKey),
			"deployed clients that read or write %s/%s fail from the moment it is called %s", c.path(), s.Key, s.NewKey)
	}
	w.facts[c.path()+"/"+s.NewKey] = w.facts[c.path()+"/"+s.Key]
	delete(w.facts, c.path()+"/"+s.Key)
	if a == nil {
		if _, other := c.other(s.Key); other != nil {
			other.Relationship.TwoWayKey = s.NewKey
		}
		return
	}
	a.Key = s.NewKey
	for _, x := range c.using(s.Key) {
		for i, key := range x.Attributes {
			if key == s.Key {
				x.Attributes[i] = s.NewKey
			}
		}
	}
}

func (w *walker) deleteAttribute(s steps.DeleteAttribute) {
	c, a := w.attribute(s.Database, s.Collection, s.Key)
	if c == nil || !w.suits(c, a, s.Key, false) || a == nil && !c.open {
		return
	}
	w.schemaStep(c)
	for _, x := range c.using(s.Key) {
		f := w.finding(CodeIndexLost, nil, "delete the index by name first, so that everybody sees it go",
			"index %s of %s uses %s and is deleted along: queries that rely on it will be slow or fail", x.Key, c.path(), s.Key)
		f.Insert = []string{fmt.Sprintf("  - delete_index: { database: %s, collection: %s, key: %s }", word(s.Database), word(s.Collection), word(x.Key))}
	}
	copied := a != nil && a.copied
	fresh := a != nil && a.made == w.m.Version && !a.filled
	if w.mayHold(c) && !w.none(c, s.Key, holding) && !copied && !fresh {
		f := w.finding(CodeDropAttribute, nil, "make sure first that nothing is lost, or say with a nolint why its values may go",
			"this deletes %s/%s with its values", c.path(), s.Key)
		if a == nil || !a.Encrypt {
			f.Insert = []string{fmt.Sprintf("  - assert: { database: %s, collection: %s, empty: true, where: [{ method: isNotNull, attribute: %s }] }", word(s.Database), word(s.Collection), word(s.Key))}
		}
		if a != nil && a.live != "" && c.live != "" {
			w.asks(f, c.question(a).null(a, false), true)
		}
	}
	c.indexes = slices.DeleteFunc(c.indexes, func(x *schema.Index) bool { return slices.Contains(x.Attributes, s.Key) })
	if a == nil {
		return
	}
	c.gone[s.Key] = a
	if a.dying = !s.AtOnce; s.AtOnce {
		c.attributes = slices.DeleteFunc(c.attributes, func(o *attribute) bool { return o == a })
	}
}
