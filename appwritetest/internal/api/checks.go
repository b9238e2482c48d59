package api

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Checks that several rooms share. The messages follow the wording a client
// would see; clients must not parse them.

// ID accepts an existing object's id or key: 1 to 36 of A-Z a-z 0-9 . _ -,
// beginning with a letter or digit.
func ID(value any) (any, string) {
	s, ok := value.(string)
	if !ok || !profile.ValidID(s) {
		return nil, "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char"
	}
	return s, ""
}

// NewID is ID, and lets the word unique() through for the handler to expand.
func NewID(value any) (any, string) {
	if value == "unique()" {
		return value, ""
	}
	return ID(value)
}

// Text accepts a string of low to high characters; high 0 means no bound.
func Text(low, high int) Check {
	return func(value any) (any, string) {
		s, ok := value.(string)
		if !ok {
			return nil, "Value must be a valid string"
		}
		if n := utf8.RuneCountInString(s); n < low || (high > 0 && n > high) {
			return nil, fmt.Sprintf("Value must be a valid string of %d to %d chars", low, high)
		}
		return s, ""
	}
}

// StrictBool accepts true and false only.
func StrictBool(value any) (any, string) {
	if b, ok := value.(bool); ok {
		return b, ""
	}
	return nil, "Value must be a valid boolean"
}

// LooseBool accepts true, false, 1, 0 and their strings.
func LooseBool(value any) (any, string) {
	switch value {
	case true, int64(1), "true", "1":
		return true, ""
	case false, int64(0), "false", "0":
		return false, ""
	}
	return nil, "Value must be a valid boolean"
}

// LooseInt accepts an integer between low and high, also as decimal text.
func LooseInt(low, high int64) Check {
	return func(value any) (any, string) {
		n, ok := asInt(value)
		if !ok || n < low || n > high {
			return nil, fmt.Sprintf("Value must be a valid range between %d and %d", low, high)
		}
		return n, ""
	}
}

// StrictInt accepts a JSON integer.
func StrictInt(value any) (any, string) {
	if n, ok := value.(int64); ok {
		return n, ""
	}
	return nil, "Value must be a valid integer"
}

// Number accepts a JSON number and returns it as it was written.
func Number(value any) (any, string) {
	switch n := value.(type) {
	case int64:
		return n, ""
	case float64:
		if !math.IsInf(n, 0) {
			return n, ""
		}
	}
	return nil, "Value must be a valid float"
}

// Numeric accepts a number, also as text, and returns the number.
func Numeric(value any) (any, string) {
	text, ok := value.(string)
	if !ok {
		return Number(value)
	}
	if n, ok := asInt(text); ok {
		return n, ""
	}
	f, err := strconv.ParseFloat(strings.Trim(text, blanks), 64)
	if err != nil || math.IsInf(f, 0) || strings.ContainsAny(text, "xXpP_nN") { // forms that PHP does not read
		return nil, "Value must be numeric"
	}
	return f, ""
}

// blanks may stand around a number in text.
const blanks = " \t\n\r\v\f"

// OneOf accepts one of the strings.
func OneOf(words ...string) Check {
	return func(value any) (any, string) {
		if s, ok := value.(string); ok && slices.Contains(words, s) {
			return s, ""
		}
		return nil, fmt.Sprintf("Value must be one of %v", words)
	}
}

// OneOfFold accepts one of the strings in any letter case, as it was sent.
func OneOfFold(words ...string) Check {
	return func(value any) (any, string) {
		s, ok := value.(string)
		if ok && slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(word, s) }) {
			return s, ""
		}
		return nil, fmt.Sprintf("Value must be one of %v", words)
	}
}

// ListOf accepts a list of at most limit elements that each pass the check. An
// object will do: to PHP it is a list with other keys.
func ListOf(check Check, limit int) Check {
	return func(value any) (any, string) {
		list, ok := value.([]any)
		if o, keyed := value.(*phpjson.Object); keyed {
			list, ok = o.Values(), true
		}
		if !ok {
			return nil, "Value must a valid array"
		}
		if len(list) > limit {
			return nil, fmt.Sprintf("Value must a valid array no longer than %d items", limit)
		}
		out := make([]any, len(list))
		for i, item := range list {
			converted, why := check(item)
			if why != "" {
				return nil, "Value must a valid array and " + why
			}
			out[i] = converted
		}
		return out, ""
	}
}

// Any accepts everything.
func Any(value any) (any, string) { return value, "" }

func asInt(value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(strings.Trim(v, blanks), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Expand turns the word unique() into a fresh id in the server's form: 13 hex
// digits of the time and 7 at random.
func Expand(id string) string {
	if id != "unique()" {
		return id
	}
	now := time.Now()
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("%08x%05x%s", now.Unix(), now.Nanosecond()/1000, hex.EncodeToString(random[:])[:7])
}
