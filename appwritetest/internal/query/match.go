package query

import (
	"cmp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// Row is what filters and orders look at.
type Row interface {
	// Value returns an attribute as the store keeps it, nil when it is null.
	Value(attribute string) any
}

// Match says whether a row passes all filters, comparing text by fold.
func Match(filters []Query, row Row, fold collation.Fold) bool {
	for _, q := range filters {
		if !q.match(row, fold) {
			return false
		}
	}
	return true
}

func (q Query) match(row Row, fold collation.Fold) bool {
	switch q.Method {
	case "and":
		return Match(q.Parts, row, fold)
	case "or":
		return slices.ContainsFunc(q.Parts, func(part Query) bool { return part.match(row, fold) })
	}
	value := row.Value(q.Attribute)
	switch q.Method {
	case "isNull":
		return value == nil
	case "isNotNull":
		return value != nil
	case "notSearch":
		return !searches(text(value), text(q.Values[0]))
	}
	if value == nil {
		return false
	}
	if positive, ok := strings.CutPrefix(q.Method, "not"); ok {
		return !q.holds(strings.ToLower(positive[:1])+positive[1:], value, fold)
	}
	return q.holds(q.Method, value, fold)
}

// holds evaluates a method that is no negation on a value that is not null.
func (q Query) holds(method string, value any, fold collation.Fold) bool {
	one := func(test func(value, operand any) bool) bool {
		return slices.ContainsFunc(q.Values, func(operand any) bool { return test(value, operand) })
	}
	if _, spatial := q.Values[0].([]any); spatial && !strings.HasPrefix(method, "distance") {
		return one(func(v, o any) bool { return spatialHolds(method, v, o) })
	}
	switch method {
	case "equal":
		return one(func(v, o any) bool { return Compare(v, o, fold) == 0 })
	case "lessThan":
		return Compare(value, q.Values[0], fold) < 0
	case "lessThanEqual":
		return Compare(value, q.Values[0], fold) <= 0
	case "greaterThan":
		return Compare(value, q.Values[0], fold) > 0
	case "greaterThanEqual":
		return Compare(value, q.Values[0], fold) >= 0
	case "between":
		return Compare(value, q.Values[0], fold) >= 0 && Compare(value, q.Values[1], fold) <= 0
	case "search":
		return searches(text(value), text(q.Values[0]))
	case "startsWith":
		return strings.HasPrefix(pattern(fold, value), pattern(fold, q.Values[0]))
	case "endsWith":
		return strings.HasSuffix(pattern(fold, value), pattern(fold, q.Values[0]))
	case "contains", "containsAny", "containsAll":
		return q.contains(method, value, fold)
	default:
		return distanceHolds(method, value, q.Values[0])
	}
}

func (q Query) contains(method string, value any, fold collation.Fold) bool {
	list, isList := value.([]any)
	has := func(operand any) bool {
		if isList {
			return slices.Contains(list, operand)
		}
		return strings.Contains(pattern(fold, value), pattern(fold, operand))
	}
	if method == "containsAll" {
		return !slices.ContainsFunc(q.Values, func(operand any) bool { return !has(operand) })
	}
	return slices.ContainsFunc(q.Values, has)
}

// pattern folds text for LIKE, to which trailing blanks do matter.
func pattern(fold collation.Fold, value any) string {
	const end = "\x01"
	return strings.TrimSuffix(fold(text(value)+end), end)
}

// text is a value as the database writes it.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return string(phpjson.Encode(value))
	}
}

// Compare orders two stored values; null comes first.
func Compare(a, b any, fold collation.Fold) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(x, y)
		}
	case bool:
		if y, ok := b.(bool); ok {
			return cmp.Compare(rank(x), rank(y))
		}
	}
	return strings.Compare(fold(text(a)), fold(text(b)))
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}
