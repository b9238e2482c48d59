package steps

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
)

// A class is what values of several types have in common.
type class int

const (
	texts class = iota + 1
	integers
	floats
	booleans
	times
	geometries
	links
)

func classOf(kind string) class {
	switch kind {
	case appwrite.TypeInteger, appwrite.TypeBigInt:
		return integers
	case appwrite.TypeFloat:
		return floats
	case appwrite.TypeBoolean:
		return booleans
	case appwrite.TypeDatetime:
		return times
	case appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon:
		return geometries
	case appwrite.TypeRelationship:
		return links
	default:
		return texts
	}
}

// Converts reports whether FillAttribute can turn values of one type into
// values of another: text, numbers, truth values and dates into each other as
// far as a value means the same in both, and relationships into text (the ids)
// and back. Single values and lists convert alike. Whether a value fits is found
// out when the step is captured.
func Converts(from, to string) bool {
	a, b := classOf(from), classOf(to)
	switch {
	case a == geometries || b == geometries:
		return from == to
	case a == b:
		return true
	case a == texts:
		return true
	case b == texts:
		return true
	case a == links || b == links || a == times || b == times:
		return false
	default:
		return a == integers || b == integers
	}
}

// convert gives what a value of one attribute is in another, and why it is
// nothing there.
func convert(from, to appwrite.Attribute, value any) (converted any, misfit string) {
	if isEmpty(value) {
		return nil, ""
	}
	list, isList := value.([]any)
	isList = isList && classOf(from.Type) != geometries
	if !isList {
		list = []any{value}
	}
	out := make([]any, 0, len(list))
	for _, element := range list {
		one, misfit := convertOne(from.Type, to.Type, element)
		if misfit == "" && one == nil && !isText(to) {
			misfit = "has a null element"
		}
		if misfit != "" {
			return nil, misfit
		}
		out = append(out, one)
	}
	if holdsMany(to) {
		return out, ""
	}
	if len(out) > 1 {
		return nil, "is a list of " + strconv.Itoa(len(out))
	}
	return out[0], ""
}

// holdsMany reports whether values of an attribute are lists.
func holdsMany(a appwrite.Attribute) bool {
	return a.Array || a.Relationship != nil && many(a.Relationship)
}

// convertOne converts one element, which means the same afterwards or does not
// convert.
func convertOne(from, to string, value any) (converted any, misfit string) {
	if value == nil || from == to || classOf(from) == classOf(to) {
		return value, ""
	}
	var ok bool
	switch classOf(to) {
	case texts:
		converted, ok = asText(value)
	case integers:
		converted, ok = asInteger(value)
	case floats:
		converted, ok = asFloat(value)
	case booleans:
		converted, ok = asBoolean(value)
	case times:
		converted, ok = asTime(value)
	case links:
		converted, ok = value, isString(value)
	case geometries:
	}
	if !ok {
		return nil, "is no " + to + " that means the same: " + brief(value)
	}
	return converted, ""
}

// brief shows a value without filling the screen.
func brief(value any) string {
	raw, err := encode(value)
	if err != nil {
		return "it cannot be shown"
	}
	const room = 40
	if runes := []rune(string(raw)); len(runes) > room {
		return string(runes[:room]) + "…"
	}
	return string(raw)
}

func isString(value any) bool { _, ok := value.(string); return ok }

func asText(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return canonicalNumber(v).String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return nil, false
	}
}

// plainNumber is a number that has one meaning: no sign +, no leading zeros,
// which could be part of a code.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

func asInteger(value any) (any, bool) {
	number, ok := exactNumber(value)
	if !ok || !number.IsInt() || !number.Num().IsInt64() {
		return nil, false
	}
	return json.Number(number.Num().String()), true
}

// asFloat gives numbers that a float keeps, of which the server stores 14
// significant digits.
func asFloat(value any) (any, bool) {
	number, ok := exactNumber(value)
	if !ok {
		return nil, false
	}
	f, _ := number.Float64()
	if math.IsInf(f, 0) {
		return nil, false
	}
	stored, ok := new(big.Rat).SetString(kept(f))
	if !ok || stored.Cmp(number) != 0 {
		return nil, false
	}
	return canonicalNumber(json.Number(strconv.FormatFloat(f, 'g', -1, 64))), true
}

// exactNumber reads a number, a text that is one, or a truth value as 0 or 1.
func exactNumber(value any) (*big.Rat, bool) {
	text := ""
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	case bool:
		text = map[bool]string{false: "0", true: "1"}[v]
	}
	if !plainNumber.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func asBoolean(value any) (any, bool) {
	text, ok := asText(value)
	if !ok || !slices.Contains([]any{"true", "false", "0", "1"}, text) {
		return nil, false
	}
	_, isText := value.(string)
	word := text == "true" || text == "false"
	return text == "true" || text == "1", isText == word
}

func asTime(value any) (any, bool) {
	text, ok := value.(string)
	if !ok {
		return nil, false
	}
	t, ok := parseTime(text)
	if !ok || t.Nanosecond()%1e6 != 0 || t.Year() < 1000 || t.Year() > 9999 {
		return nil, false
	}
	return strings.Replace(t.Format("2006-01-02T15:04:05.000Z07:00"), "Z", "+00:00", 1), true
}
