package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// What follows makes JSON values and writes them down. A value that was read
// and not touched is written as it stood, so that a file keeps its form.

func textNode(text string) *node { return &node{kind: kindString, text: text} }

func truthNode(truth bool) *node { return &node{kind: kindBool, truth: truth} }

func numberNode(number string) *node { return &node{kind: kindNumber, text: number} }

func nullNode() *node { return &node{kind: kindNull} }

func listNode(items ...*node) *node { return &node{kind: kindList, items: items} }

func textsNode(texts []string) *node {
	list := listNode()
	for _, text := range texts {
		list.items = append(list.items, textNode(text))
	}
	return list
}

// valueNode gives a JSON value, null for none.
func valueNode(data json.RawMessage) *node {
	if data == nil {
		return nullNode()
	}
	n, err := parseTree("", data)
	if err != nil {
		return textNode(string(data))
	}
	n.raw = nil
	return n
}

// has tells whether an object has a member of that name.
func (n *node) has(key string) bool { return n.member(key) != nil }

// set gives the object with a member changed in its place, or added at the end.
func (n *node) set(key string, value *node) *node {
	out := &node{kind: kindObject, members: slices.Clone(n.members), at: n.at}
	for i, m := range out.members {
		if m.key == key {
			out.members[i].value = value
			return out
		}
	}
	out.members = append(out.members, member{key: key, value: value})
	return out
}

// setAny sets the first of the named members that is there, else the first name.
func (n *node) setAny(value *node, names ...string) *node {
	for _, name := range names {
		if n.has(name) {
			return n.set(name, value)
		}
	}
	return n.set(names[0], value)
}

// without gives the object without the named members.
func (n *node) without(names ...string) *node {
	kept := slices.DeleteFunc(slices.Clone(n.members), func(m member) bool { return slices.Contains(names, m.key) })
	if len(kept) == len(n.members) {
		return n
	}
	return &node{kind: kindObject, members: kept, at: n.at}
}

// a layout is how a file is set.
type layout struct {
	indent string // of one level; "" is all on one line
	crlf   bool
	final  bool // a line end at the end
}

// newLayout is how a file is set that nobody has set yet.
func newLayout() layout { return layout{indent: "    ", final: true} }

// layoutOf finds out how a file is set. One that holds nothing, as an included
// part does at first, is like a new one.
func layoutOf(data []byte) layout {
	if len(bytes.Trim(data, "[]{} \t\r\n")) == 0 {
		return newLayout()
	}
	l := layout{crlf: bytes.Contains(data, []byte("\r\n")), final: bytes.HasSuffix(data, []byte("\n"))}
	_, rest, broken := bytes.Cut(data, []byte("\n"))
	if broken {
		l.indent = string(rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))])
	}
	return l
}

// render writes a whole document.
func (l layout) render(root *node) []byte {
	var b strings.Builder
	l.value(&b, root, 0)
	if l.final {
		b.WriteByte('\n')
	}
	text := b.String()
	if l.crlf {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	}
	return []byte(text)
}

func (l layout) value(b *strings.Builder, n *node, depth int) {
	switch {
	case n.raw != nil:
		b.Write(n.raw)
	case n.kind == kindList && len(n.items) > 0:
		b.WriteByte('[')
		for i, item := range n.items {
			l.line(b, i, depth+1)
			l.value(b, item, depth+1)
		}
		l.line(b, 0, depth)
		b.WriteByte(']')
	case n.kind == kindObject && len(n.members) > 0:
		b.WriteByte('{')
		for i, m := range n.members {
			l.line(b, i, depth+1)
			b.Write(quote(m.key))
			b.WriteByte(':')
			if l.indent != "" {
				b.WriteByte(' ')
			}
			l.value(b, m.value, depth+1)
		}
		l.line(b, 0, depth)
		b.WriteByte('}')
	default:
		b.Write(n.json())
	}
}

// line begins the i-th item of a list or object, with the comma that is due.
func (l layout) line(b *strings.Builder, i, depth int) {
	if i > 0 {
		b.WriteByte(',')
	}
	if l.indent != "" {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat(l.indent, depth))
	}
}

func intNode(n int64) *node { return numberNode(strconv.FormatInt(n, 10)) }
