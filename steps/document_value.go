package steps

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
)

// isEmpty reports whether a value reads back as null: null itself and the empty
// list, which the server does not tell from null.
func isEmpty(value any) bool {
	if list, ok := value.([]any); ok {
		return len(list) == 0
	}
	return value == nil
}

// sameValue compares two JSON values as they were read: numbers by value, the
// empty list like null.
func sameValue(a, b any) bool {
	if isEmpty(a) || isEmpty(b) {
		return isEmpty(a) && isEmpty(b)
	}
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameElement)
	default:
		return a == b
	}
}

// sameElement is sameValue inside lists, where null and [] are two things.
func sameElement(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if listA, ok := a.([]any); ok {
		listB, ok := b.([]any)
		return ok && slices.EqualFunc(listA, listB, sameElement)
	}
	return sameValue(a, b)
}

// sameNumber compares integers exactly, however large, and everything else as
// the doubles that the server stores.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	intA, okA := new(big.Int).SetString(a.String(), 10)
	intB, okB := new(big.Int).SetString(b.String(), 10)
	if okA && okB {
		return intA.Cmp(intB) == 0
	}
	floatA, errA := strconv.ParseFloat(a.String(), 64)
	floatB, errB := strconv.ParseFloat(b.String(), 64)
	return errA == nil && errB == nil && floatA == floatB
}

// holds reports whether live, as read, is what the server makes of wanted when
// it is written to the attribute.
func holds(attribute appwrite.Attribute, wanted, live any) bool {
	if isEmpty(wanted) || isEmpty(live) {
		return isEmpty(wanted) && isEmpty(live)
	}
	wantedList, isList := wanted.([]any)
	liveList, bothLists := live.([]any)
	switch {
	case isList != bothLists:
		return false
	case attribute.Relationship != nil && isList:
		return sameValue(sortedIDs(wantedList), sortedIDs(liveList))
	case isList && attribute.Array:
		return slices.EqualFunc(wantedList, liveList, func(w, l any) bool { return holdsOne(attribute, w, l) })
	default:
		return holdsOne(attribute, wanted, live)
	}
}

// holdsOne is holds for one element.
func holdsOne(attribute appwrite.Attribute, wanted, live any) bool {
	text, isText := wanted.(string)
	switch {
	case isText && attribute.Type == appwrite.TypeDatetime:
		liveText, ok := live.(string)
		return ok && sameTime(text, liveText)
	case isText && attribute.Type == appwrite.TypeBigInt: // takes decimal strings
		number, ok := live.(json.Number)
		return ok && sameNumber(json.Number(text), number)
	case attribute.Type == appwrite.TypeFloat:
		return sameFloat(wanted, live)
	default:
		return sameElement(wanted, live)
	}
}

// sameFloat compares numbers as the server keeps them in a float: with 14
// significant digits, whatever was sent.
func sameFloat(a, b any) bool {
	numberA, okA := a.(json.Number)
	numberB, okB := b.(json.Number)
	if !okA || !okB {
		return sameElement(a, b)
	}
	floatA, errA := numberA.Float64()
	floatB, errB := numberB.Float64()
	return errA == nil && errB == nil && kept(floatA) == kept(floatB)
}

// kept writes a float with the digits that the server keeps.
func kept(f float64) string { return strconv.FormatFloat(f, 'e', 13, 64) }

// sameTime compares two dates as the server stores them: UTC, milliseconds.
func sameTime(a, b string) bool {
	if a == b {
		return true
	}
	timeA, okA := parseTime(a)
	timeB, okB := parseTime(b)
	return okA && okB && timeA.Truncate(time.Millisecond).Equal(timeB.Truncate(time.Millisecond))
}

// parseTime reads the date forms that mean the same to everybody. The server
// takes many more (relative words among them), which a migration must not use:
// they mean another thing each time it runs.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// sortedIDs sorts related ids, which come in no particular order.
func sortedIDs(ids []any) []any {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b any) int {
		textA, _ := a.(string)
		textB, _ := b.(string)
		return strings.Compare(textA, textB)
	})
	return sorted
}
