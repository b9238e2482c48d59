package steps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// FieldError says which field of a step is wrong and why.
type FieldError struct {
	Kind   string // of the step: "create_attribute"
	Field  string // as written in files: "size"
	Reason string
}

// Error gives kind, field and reason.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s: %s %s", e.Kind, e.Field, e.Reason)
}

// check collects the first thing wrong with a step's fields.
type check struct {
	kind string
	err  error
}

// fail records a reason unless one is recorded already.
func (c *check) fail(field, format string, args ...any) {
	if c.err == nil {
		c.err = &FieldError{Kind: c.kind, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
}

// Appwrite's rules for ids and keys, their length aside, and for permissions.
var (
	idRule         = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	permissionRule = regexp.MustCompile(`^(create|read|update|delete|write)\("(any|guests|users(/(un)?verified)?|` +
		`user:[A-Za-z0-9][\w.-]*(/(un)?verified)?|team:[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?|` +
		`member:[A-Za-z0-9][\w.-]*|label:[A-Za-z0-9]+)"\)$`)
)

// id holds a value against Appwrite's rule for ids and keys. "unique()" is
// refused: an undo must know the id before the server does.
func (c *check) id(field, value string) {
	switch {
	case value == "":
		c.fail(field, "is missing")
	case len(value) > 36:
		c.fail(field, "%q is longer than 36 characters", value)
	case !idRule.MatchString(value):
		c.fail(field, "%q may hold only letters, digits, '.', '_' and '-', and must start with a letter or digit", value)
	}
}

// name holds a value against the rule for names of databases and collections.
func (c *check) name(value string) {
	if n := utf8.RuneCountInString(value); n < 1 || n > 128 {
		c.fail("name", "must have 1 to 128 characters, not %d", n)
	}
}

// oneOf requires one of the known words.
func (c *check) oneOf(field, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.fail(field, "%q is not one of %s", value, strings.Join(words, ", "))
	}
}

// permissions holds permissions against Appwrite's grammar.
func (c *check) permissions(field string, values []string) {
	if len(values) > 100 {
		c.fail(field, "has more than 100 entries")
	}
	for _, value := range values {
		if !permissionRule.MatchString(value) {
			c.fail(field, "%q is not a permission such as read(\"any\")", value)
		}
	}
}
