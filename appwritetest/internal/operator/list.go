package operator

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// list changes an array; null counts as empty.
func (o Operator) list(rules value.Rules, d *catalog.Definition, before []any) (any, error) {
	switch o.method {
	case "arrayUnique":
		return unique(before), nil
	case "arrayFilter":
		return o.filter(before)
	case "arrayInsert":
		return o.insert(rules, d, before)
	}
	operands, err := elements(rules, d, o.values)
	if err != nil {
		return nil, err
	}
	kept := func(keep bool) []any {
		return slices.DeleteFunc(slices.Clone(before), func(item any) bool { return slices.Contains(operands, item) != keep })
	}
	switch o.method {
	case "arrayAppend":
		return slices.Concat(before, operands), nil
	case "arrayPrepend":
		return slices.Concat(operands, before), nil
	case "arrayIntersect":
		return kept(true), nil
	case "arrayRemove":
		if len(operands) != 1 {
			return nil, invalid("arrayRemove takes one value")
		}
		return kept(false), nil
	default:
		return kept(false), nil
	}
}

// elements checks values against the type of the array's elements.
func elements(rules value.Rules, d *catalog.Definition, values []any) ([]any, error) {
	stored, err := rules.Store(d, values)
	if err != nil {
		return nil, invalid("%v", err)
	}
	list, _ := stored.([]any)
	return list, nil
}

func (o Operator) insert(rules value.Rules, d *catalog.Definition, before []any) (any, error) {
	if len(o.values) != 2 {
		return nil, invalid("arrayInsert takes an index and a value")
	}
	index, ok := o.values[0].(int64)
	if !ok || index < 0 || index > int64(len(before)) {
		return nil, invalid("the index of arrayInsert is out of bounds")
	}
	added, err := elements(rules, d, o.values[1:])
	if err != nil {
		return nil, err
	}
	return slices.Insert(slices.Clone(before), int(index), added...), nil
}

// unique drops repeated elements and, as the database's DISTINCT does, sorts.
func unique(before []any) []any {
	out := slices.Clone(before)
	compare := func(a, b any) int { return query.Compare(a, b, func(s string) string { return s }) }
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b any) bool { return compare(a, b) == 0 })
}

func (o Operator) filter(before []any) (any, error) {
	if len(o.values) == 0 || len(o.values) > 2 {
		return nil, invalid("arrayFilter takes a condition and a value")
	}
	condition, _ := o.values[0].(string)
	var operand any
	if len(o.values) == 2 {
		operand = o.values[1]
	}
	holds := func(item any) bool {
		c := query.Compare(item, sameKind(item, operand), strings.Clone)
		switch condition {
		case "equal":
			return c == 0
		case "notEqual":
			return c != 0
		case "greaterThan":
			return c > 0
		case "greaterThanEqual":
			return c >= 0
		case "lessThan":
			return c < 0
		case "lessThanEqual":
			return c <= 0
		case "isNull":
			return item == nil
		default:
			return item != nil
		}
	}
	known := []string{"equal", "notEqual", "greaterThan", "greaterThanEqual", "lessThan", "lessThanEqual", "isNull", "isNotNull"}
	if !slices.Contains(known, condition) {
		return nil, invalid("unknown condition %q", condition)
	}
	return slices.DeleteFunc(slices.Clone(before), func(item any) bool { return !holds(item) }), nil
}

// sameKind makes an integer operand comparable with floats.
func sameKind(item, operand any) any {
	if _, ok := item.(float64); ok {
		if f, ok := value.Float(operand); ok {
			return f
		}
	}
	return operand
}
