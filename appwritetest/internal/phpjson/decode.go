package phpjson

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrSyntax is returned for anything json_decode would answer with null: bad
// syntax, a byte order mark, text after the value, invalid UTF-8, a lone
// surrogate escape, nesting deeper than 512.
var ErrSyntax = errors.New("phpjson: syntax error")

const maxDepth = 512

// Decode reads one JSON value. Objects arrive as PHP arrays do: an object
// without keys, or with the keys "0", "1", "2" in order, is a list.
func Decode(text []byte) (any, error) {
	d := decoder{text: text}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos != len(d.text) {
		return nil, ErrSyntax
	}
	return v, nil
}

type decoder struct {
	text []byte
	pos  int
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *decoder) peek() byte {
	if d.pos < len(d.text) {
		return d.text[d.pos]
	}
	return 0
}

func (d *decoder) value(depth int) (any, error) {
	switch c := d.peek(); c {
	case '{':
		return d.object(depth + 1)
	case '[':
		return d.list(depth + 1)
	case '"':
		return d.string()
	case 't', 'T':
		return true, d.literal("true")
	case 'f', 'F':
		return false, d.literal("false")
	case 'n', 'N':
		return nil, d.literal("null")
	default:
		return d.number()
	}
}

// literal accepts the word in any letter case, as PHP's scanner does.
func (d *decoder) literal(word string) error {
	if len(d.text)-d.pos < len(word) {
		return ErrSyntax
	}
	for i := range len(word) {
		if d.text[d.pos+i]|0x20 != word[i] {
			return ErrSyntax
		}
	}
	d.pos += len(word)
	return nil
}

func (d *decoder) list(depth int) (any, error) {
	if depth > maxDepth {
		return nil, ErrSyntax
	}
	d.pos++
	items := []any{}
	d.space()
	if d.peek() == ']' {
		d.pos++
		return items, nil
	}
	for {
		d.space()
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		d.space()
		switch d.peek() {
		case ',':
			d.pos++
		case ']':
			d.pos++
			return items, nil
		default:
			return nil, ErrSyntax
		}
	}
}

func (d *decoder) object(depth int) (any, error) {
	if depth > maxDepth {
		return nil, ErrSyntax
	}
	d.pos++
	o := &Object{}
	d.space()
	if d.peek() == '}' {
		d.pos++
		return []any{}, nil
	}
	for {
		d.space()
		if d.peek() != '"' {
			return nil, ErrSyntax
		}
		key, err := d.string()
		if err != nil {
			return nil, err
		}
		d.space()
		if d.peek() != ':' {
			return nil, ErrSyntax
		}
		d.pos++
		d.space()
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		o.Set(key, v)
		d.space()
		switch d.peek() {
		case ',':
			d.pos++
		case '}':
			d.pos++
			return Listed(o), nil
		default:
			return nil, ErrSyntax
		}
	}
}

// Listed returns an object as PHP sees it: a list when its keys are 0…n-1 in
// order, the object itself otherwise.
func Listed(o *Object) any {
	for i, m := range o.members {
		if m.key != strconv.Itoa(i) {
			return o
		}
	}
	items := make([]any, len(o.members))
	for i, m := range o.members {
		items[i] = m.value
	}
	return items
}

func (d *decoder) number() (any, error) {
	start := d.pos
	if d.peek() == '-' {
		d.pos++
	}
	switch {
	case d.peek() == '0':
		d.pos++
	case !d.digits():
		return nil, ErrSyntax
	}
	whole := true
	if d.peek() == '.' {
		whole = false
		d.pos++
		if !d.digits() {
			return nil, ErrSyntax
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		whole = false
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if !d.digits() {
			return nil, ErrSyntax
		}
	}
	text := string(d.text[start:d.pos])
	if whole && text != "-0" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, ErrSyntax
	}
	return f, nil
}

func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.text) && d.text[d.pos] >= '0' && d.text[d.pos] <= '9' {
		d.pos++
	}
	return d.pos > start
}

func (d *decoder) string() (string, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			s := d.text[start:d.pos]
			d.pos++
			if !utf8.Valid(s) {
				return "", ErrSyntax
			}
			return string(s), nil
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			return "", ErrSyntax
		default:
			d.pos++
		}
	}
	return "", ErrSyntax
}

// escaped reads the rest of a string from its first backslash on.
func (d *decoder) escaped(start int) (string, error) {
	out := append([]byte(nil), d.text[start:d.pos]...)
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			d.pos++
			if !utf8.Valid(out) {
				return "", ErrSyntax
			}
			return string(out), nil
		case c == '\\':
			r, ok := d.escape()
			if !ok {
				return "", ErrSyntax
			}
			out = utf8.AppendRune(out, r)
		case c < 0x20:
			return "", ErrSyntax
		default:
			out = append(out, c)
			d.pos++
		}
	}
	return "", ErrSyntax
}

func (d *decoder) escape() (rune, bool) {
	if d.pos+1 >= len(d.text) {
		return 0, false
	}
	c := d.text[d.pos+1]
	d.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return d.unicode()
	}
	return 0, false
}

func (d *decoder) unicode() (rune, bool) {
	r, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if d.pos+1 >= len(d.text) || d.text[d.pos] != '\\' || d.text[d.pos+1] != 'u' {
		return 0, false
	}
	d.pos += 2
	low, ok := d.hex4()
	pair := utf16.DecodeRune(r, low)
	return pair, ok && pair != utf8.RuneError
}

func (d *decoder) hex4() (rune, bool) {
	if d.pos+4 > len(d.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.text[d.pos:d.pos+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	d.pos += 4
	return rune(n), true
}
