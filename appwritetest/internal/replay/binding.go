package replay

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
)

// bindings holds what the numbered placeholders of one recording stand for on
// the server under test.
type bindings struct {
	values map[string]string // "<id:1>" -> its value
	owners map[string]string // the value of an id -> its placeholder
}

func newBindings() *bindings {
	return &bindings{values: make(map[string]string), owners: make(map[string]string)}
}

// bind ties placeholder to value, or explains why value contradicts what is
// known. Different ids must have different values; sequences of different
// containers may coincide.
func (b *bindings) bind(placeholder, value string, unique bool) (problem string) {
	if bound, ok := b.values[placeholder]; ok {
		if bound != value {
			return fmt.Sprintf("want %s = %q, as before; got %q", placeholder, bound, value)
		}
		return ""
	}
	if unique {
		if owner, taken := b.owners[value]; taken {
			return fmt.Sprintf("want a new value for %s; got %q, which is %s", placeholder, value, owner)
		}
		b.owners[value] = placeholder
	}
	b.values[placeholder] = value
	return ""
}

var (
	numbered    = regexp.MustCompile(`<(?:id|seq:int|seq:string):\d+>`)
	numberedPct = regexp.MustCompile(`(?i)%3C(?:id|seq(?::|%3A)int|seq(?::|%3A)string)(?::|%3A)\d+%3E`)
	quotedInt   = regexp.MustCompile(`"(<seq:int:\d+>)"`)
)

// inPath puts bound values into a path and its query string.
func (b *bindings) inPath(path string) string {
	path = numberedPct.ReplaceAllStringFunc(path, func(escaped string) string {
		placeholder, err := url.QueryUnescape(escaped)
		if err != nil {
			return escaped
		}
		return placeholder
	})
	return numbered.ReplaceAllStringFunc(path, b.value)
}

// inBody puts bound values into JSON text. An integer sequence that is a JSON
// string of its own becomes a number.
func (b *bindings) inBody(body []byte) []byte {
	if !bytes.ContainsRune(body, '<') {
		return body
	}
	body = quotedInt.ReplaceAll(body, []byte("$1"))
	return numbered.ReplaceAllFunc(body, func(placeholder []byte) []byte {
		return []byte(b.value(string(placeholder)))
	})
}

func (b *bindings) value(placeholder string) string {
	if bound, ok := b.values[placeholder]; ok {
		return bound
	}
	return placeholder
}
