// Package phpcompare compares values as PHP does: Appwrite decides by == and
// === whether a write changes anything.
package phpcompare

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// Loose compares as PHP 8's == does. What is neither null nor a scalar nor a
// list equals nothing.
func Loose(a, b any) bool {
	if list, ok := a.([]any); ok {
		return listEqual(list, b)
	}
	if list, ok := b.([]any); ok {
		return listEqual(list, a)
	}
	if !scalar(a) || !scalar(b) {
		return false
	}
	if isFlag(a) || isFlag(b) {
		return truthy(a) == truthy(b)
	}
	if a == nil || b == nil {
		return nullEqual(a, b)
	}
	x, numberA := numeric(a)
	y, numberB := numeric(b)
	if numberA && numberB {
		return x == y
	}
	return plain(a) == plain(b)
}

// Strict compares as === does: also by type, and lists element by element.
func Strict(a, b any) bool {
	x, okX := a.([]any)
	y, okY := b.([]any)
	if okX && okY {
		return slices.EqualFunc(x, y, Strict)
	}
	return scalar(a) && scalar(b) && a == b
}

// Order compares scalars as PHP 8's <=> does: null and booleans by their truth,
// numbers and text that holds one by value, other text letter by letter.
func Order(a, b any) int {
	x, numberA := numeric(a)
	y, numberB := numeric(b)
	_, textA := a.(string)
	_, textB := b.(string)
	switch {
	case isFlag(a) || isFlag(b) || (a == nil && !textB) || (b == nil && !textA):
		return cmp.Compare(rank(truthy(a)), rank(truthy(b)))
	case numberA && numberB:
		return cmp.Compare(x, y)
	case a == nil:
		return cmp.Compare("", plain(b))
	case b == nil:
		return cmp.Compare(plain(a), "")
	}
	return cmp.Compare(plain(a), plain(b))
}

func rank(flag bool) int {
	if flag {
		return 1
	}
	return 0
}

// scalar says whether a value can be compared with Go's ==.
func scalar(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string:
		return true
	}
	return false
}

func listEqual(list []any, other any) bool {
	switch o := other.(type) {
	case nil:
		return len(list) == 0
	case bool:
		return (len(list) > 0) == o
	case []any:
		return slices.EqualFunc(list, o, Loose)
	}
	return false
}

// nullEqual compares null with a number or text.
func nullEqual(a, b any) bool {
	other := a
	if other == nil {
		other = b
	}
	return other == nil || other == "" || other == int64(0) || other == 0.0
}

func isFlag(v any) bool {
	_, ok := v.(bool)
	return ok
}

func truthy(v any) bool {
	switch v {
	case nil, false, int64(0), 0.0, "", "0":
		return false
	}
	return true
}

// numeric reads a number, or text that PHP holds to be one.
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		trimmed := strings.Trim(v, " \t\n\r\v\f")
		if strings.ContainsAny(trimmed, "xXpP_nN") {
			return 0, false // forms that Go reads and PHP does not
		}
		f, err := strconv.ParseFloat(trimmed, 64)
		return f, err == nil
	}
	return 0, false
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(phpjson.Encode(v))
}
