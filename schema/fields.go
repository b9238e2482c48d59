package schema

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/internal/nearest"
)

// collector gathers what a reader has to say.
type collector struct {
	notices  []Notice
	problems []Problem
}

func (c *collector) notice(at Position, format string, args ...any) {
	c.notices = append(c.notices, Notice{At: at, Message: fmt.Sprintf(format, args...)})
}

func (c *collector) refuse(at Position, format string, args ...any) {
	c.problems = append(c.problems, Problem{At: at, Reason: fmt.Sprintf(format, args...)})
}

// fields reads the members of one object and knows which it has read, so that
// none is dropped unseen.
type fields struct {
	*collector
	what  string // of what: "attribute"
	at    Position
	names []string // as written, in order
	by    map[string]*node
	known []string // names asked for so far
}

// open reads an object's members; nil after it has refused anything else.
func (c *collector) open(n *node, what string) *fields {
	if n.kind != kindObject {
		c.refuse(n.at, "%s must be an object, not %v", what, n.kind)
		return nil
	}
	f := &fields{collector: c, what: what, at: n.at, by: map[string]*node{}}
	for _, m := range n.members {
		earlier, twice := f.by[m.key]
		switch {
		case !twice:
			f.by[m.key] = m.value
			f.names = append(f.names, m.key)
		case earlier.same(m.value):
			c.notice(m.value.at, "given twice with the same value")
		default:
			c.refuse(m.value.at, "given twice with different values, first on line %d", earlier.at.Line)
		}
	}
	return f
}

// take gives the first of the named members that is there, nil when none is.
// Members that say null count as absent. Two spellings must agree.
func (f *fields) take(names ...string) *node {
	f.known = append(f.known, names...)
	var found *node
	for _, name := range names {
		n := f.by[name]
		switch {
		case n == nil || n.kind == kindNull:
		case found == nil:
			found = n
		case !found.same(n):
			f.refuse(n.at, "contradicts %s", found.at.Path)
		}
	}
	return found
}

// text gives a string member, "" when it is absent. first tells the usual
// spelling; others are understood and told.
func (f *fields) text(first string, others ...string) string {
	n := f.take(append([]string{first}, others...)...)
	if n == nil {
		return ""
	}
	if _, usual := f.by[first]; !usual {
		f.notice(n.at, "taken as %s", first)
	}
	return f.asText(n)
}

// key gives the key of an attribute or index. Beside a key, $id is the number
// under which a server keeps the object, as in 9_3_by_name; without one it
// stands for the key.
func (f *fields) key() string {
	f.take("$id")
	if f.take("key") != nil {
		return f.text("key", "id")
	}
	return f.text("key", "$id", "id")
}

// word gives a string member that has several usual spellings.
func (f *fields) word(names ...string) string {
	n := f.take(names...)
	if n == nil {
		return ""
	}
	return f.asText(n)
}

func (f *fields) asText(n *node) string {
	switch n.kind {
	case kindString:
		return n.text
	case kindNumber:
		f.notice(n.at, "the number %s is taken as text", n.text)
		return n.text
	default:
		f.refuse(n.at, "must be a string, not %v", n.kind)
		return ""
	}
}

// truth gives a flag, or fallback when it is absent.
func (f *fields) truth(fallback bool, names ...string) bool {
	n := f.take(names...)
	if n == nil {
		return fallback
	}
	value, ok := f.asTruth(n)
	if !ok {
		f.refuse(n.at, "must be true or false, not %v", n.kind)
		return fallback
	}
	return value
}

func (c *collector) asTruth(n *node) (value, ok bool) {
	switch {
	case n.kind == kindBool:
		return n.truth, true
	case n.kind == kindString && (n.text == "true" || n.text == "false"), n.kind == kindNumber && (n.text == "0" || n.text == "1"):
		value = n.text == "true" || n.text == "1"
		c.notice(n.at, "%q is taken as %t", n.text, value)
		return value, true
	default:
		return false, false
	}
}

// list gives the items of a list member, nil when it is absent.
func (f *fields) list(names ...string) []*node {
	n := f.take(names...)
	if n == nil {
		return nil
	}
	if n.kind != kindList {
		f.refuse(n.at, "must be a list, not %v", n.kind)
		return nil
	}
	return n.items
}

// whole gives an integer member; ok is false when it is absent or refused.
func (f *fields) whole(name string) (value int64, ok bool) {
	n := f.take(name)
	if n == nil {
		return 0, false
	}
	number := f.number(n)
	if number == nil {
		return 0, false
	}
	if !number.IsInt() {
		f.refuse(n.at, "must be a whole number, not %s", n.text)
		return 0, false
	}
	if !number.Num().IsInt64() {
		// Far beyond any limit: the caller's range check tells.
		if number.Sign() < 0 {
			return -1 << 63, true
		}
		return 1<<63 - 1, true
	}
	return number.Num().Int64(), true
}

// number gives the exact value of a number, written as one or as a string; nil
// after it has refused anything else.
func (c *collector) number(n *node) *big.Rat {
	if n.kind != kindNumber && n.kind != kindString {
		c.refuse(n.at, "must be a number, not %v", n.kind)
		return nil
	}
	value, err := exact(n.text)
	if err != nil {
		c.refuse(n.at, "%v", err)
		return nil
	}
	if n.kind == kindString {
		c.notice(n.at, "the string %q is taken as a number", n.text)
	}
	return value
}

// exact reads a decimal number. Exponents beyond every number that Appwrite
// can hold are cut to one that still is, so that a short text cannot ask for
// gigabytes of digits.
func exact(text string) (*big.Rat, error) {
	const farthest = 1000
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "e")
	if strings.ContainsAny(mantissa, "/xp_bo") || len(mantissa) > 10*farthest {
		return nil, fmt.Errorf("%.40q is not a number", text)
	}
	value, ok := new(big.Rat).SetString(mantissa)
	if !ok {
		return nil, fmt.Errorf("%.40q is not a number", text)
	}
	if !scientific {
		return value, nil
	}
	power, err := strconv.Atoi(exponent)
	if errors.Is(err, strconv.ErrSyntax) {
		return nil, fmt.Errorf("%.40q is not a number", text)
	}
	power = min(max(power, -farthest), farthest)
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil)
	if power < 0 {
		return value.Quo(value, new(big.Rat).SetInt(factor)), nil
	}
	return value.Mul(value, new(big.Rat).SetInt(factor)), nil
}

// done tells of every member that was not asked for. A likely slip of the pen
// is refused, since leaving it out would change what the author meant; kept are
// the names that a server writes and nobody declares.
func (f *fields) done(kept ...string) {
	asked := map[string]bool{}
	for _, name := range append(f.known, kept...) {
		asked[name] = true
	}
	for _, name := range f.names {
		if asked[name] {
			continue
		}
		at := f.by[name].at
		if near := nearest.Word(name, f.known); near != "" && f.by[near] == nil {
			f.refuse(at, "%s has no %q: did you mean %q?", f.what, name, near)
			continue
		}
		f.notice(at, "%s has no %q in Appwrite: left out", f.what, name)
	}
}

// same reports whether two values mean the same: numbers as written, members in any order.
func (n *node) same(other *node) bool {
	if n.kind != other.kind || n.text != other.text || n.truth != other.truth ||
		len(n.items) != len(other.items) || len(n.members) != len(other.members) {
		return false
	}
	for i, item := range n.items {
		if !item.same(other.items[i]) {
			return false
		}
	}
	for _, m := range n.members {
		if twin := other.member(m.key); twin == nil || !m.value.same(twin) {
			return false
		}
	}
	return true
}

// member gives the last member of that name, nil when there is none.
func (n *node) member(key string) *node {
	for _, m := range slices.Backward(n.members) {
		if m.key == key {
			return m.value
		}
	}
	return nil
}
