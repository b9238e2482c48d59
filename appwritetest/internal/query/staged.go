package query

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpcompare"
)

// MatchStaged says whether a record that is only staged passes the filters. The
// server looks at such records by itself, with PHP's comparisons and without
// the methods that it does not know here: those let everything pass.
func MatchStaged(filters []Query, row Row) bool {
	return !slices.ContainsFunc(filters, func(q Query) bool { return !q.matchStaged(row.Value(q.Attribute)) })
}

func (q Query) matchStaged(value any) bool {
	among := func(test func(operand any) bool) bool { return slices.ContainsFunc(q.Values, test) }
	switch q.Method {
	case "equal":
		return among(func(operand any) bool { return phpcompare.Loose(value, operand) })
	case "notEqual":
		return !among(func(operand any) bool { return phpcompare.Loose(value, operand) })
	case "contains":
		list, _ := value.([]any)
		return among(func(operand any) bool {
			return slices.ContainsFunc(list, func(item any) bool { return phpcompare.Loose(item, operand) })
		})
	case "startsWith":
		text, _ := value.(string)
		return among(func(operand any) bool {
			prefix, ok := operand.(string)
			return ok && value != nil && strings.HasPrefix(text, prefix)
		})
	case "endsWith":
		text, _ := value.(string)
		return among(func(operand any) bool {
			suffix, ok := operand.(string)
			return ok && value != nil && strings.HasSuffix(text, suffix)
		})
	case "greaterThan":
		return phpcompare.Order(value, q.Values[0]) > 0
	case "greaterThanEqual":
		return phpcompare.Order(value, q.Values[0]) >= 0
	case "lessThan":
		return phpcompare.Order(value, q.Values[0]) < 0
	case "lessThanEqual":
		return phpcompare.Order(value, q.Values[0]) <= 0
	case "between":
		return phpcompare.Order(value, q.Values[0]) >= 0 && phpcompare.Order(value, q.Values[1]) <= 0
	case "isNull":
		return value == nil
	case "isNotNull":
		return value != nil
	}
	return true
}
