// Package redact keeps the values of named fields out of what people and
// machines read: logs, reports, errors, plans and the account of runs.
//
// JSON is redacted by its structure. Text has none, so values are recognised:
// every value of such a field that passes by (in a step, in a record, in a
// request or an answer) is remembered, and taken out of text wherever it
// stands.
package redact

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Mark stands where a value was.
const Mark = "[redacted]"

// ErrField says of a name that it cannot be the name of a field.
var ErrField = errors.New("not the name of a field")

// memory is how many values are remembered; beyond it the oldest is forgotten.
// What is told is told right after it was seen.
const memory = 200_000

// Redactor knows which fields are to be kept out, and their values so far. One
// without fields changes nothing. It may be used from several goroutines.
type Redactor struct {
	mu       sync.RWMutex
	anywhere map[string]bool            // fields of any collection
	within   map[string]map[string]bool // fields by collection
	mentions *regexp.Regexp             // a field with its value behind it, in text
	named    *regexp.Regexp             // a field's name, in text
	computed *regexp.Regexp             // a number that is told in such a text
	revealed bool

	values  map[string]bool
	lengths map[int]int // how many values have this length
	order   []string    // the values, the first seen first
}

// New gives a redactor of fields: "email" in every collection, "users.phone" in
// one. The error wraps ErrField.
func New(fields ...string) (*Redactor, error) {
	r := &Redactor{}
	return r, r.Set(fields)
}

// Set names the fields, once they are known.
func (r *Redactor) Set(fields []string) error {
	anywhere, within := map[string]bool{}, map[string]map[string]bool{}
	var names []string
	for _, field := range fields {
		collection, name, dotted := strings.Cut(field, ".")
		if !dotted {
			collection, name = "", field
		}
		if !validName(name) || dotted && !validName(collection) {
			return fmt.Errorf("%w: %q; write email, or users.email for one collection", ErrField, field)
		}
		names = append(names, regexp.QuoteMeta(name))
		if !dotted {
			anywhere[name] = true
			continue
		}
		if within[collection] == nil {
			within[collection] = map[string]bool{}
		}
		within[collection][name] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.anywhere, r.within, r.mentions, r.named = anywhere, within, nil, nil
	r.values, r.lengths = map[string]bool{}, map[int]int{}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	either := "(" + strings.Join(slices.Compact(names), "|") + ")"
	r.computed = regexp.MustCompile(`\b(is|was|be|become|becomes|by|to|from|than|and|or)( )-?\d[\d.eE+-]*\b`)
	r.named = regexp.MustCompile(`(?:^|[^A-Za-z0-9_])` + either + `(?:[^A-Za-z0-9_]|$)`)
	r.mentions = regexp.MustCompile(`(^|[^A-Za-z0-9_])` + either + `(\\?["']?\s*[:=]\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\\"[^"\n]*\\"|[^\s,}\])"']+)`)
	return nil
}

func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// Reveal ends all redaction, for somebody who has asked to see.
func (r *Redactor) Reveal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revealed = true
}

// Active says whether there is anything to keep out.
func (r *Redactor) Active() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return !r.revealed && r.named != nil
}

// hides says whether a field of a collection is kept out; where the collection
// is not known, "", a field that is kept out in any is.
func (r *Redactor) hides(collection, field string) bool {
	if r.anywhere[field] {
		return true
	}
	if collection != "" {
		return r.within[collection][field]
	}
	for _, fields := range r.within {
		if fields[field] {
			return true
		}
	}
	return false
}
