// Package listing answers the list routes of everything but records:
// databases, collections, attributes, indexes, transactions. Their lists are
// short, so they are filtered in memory.
package listing

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// Spec says how a list of T can be asked for.
type Spec[T any] struct {
	// Names are the fields that filters and orders may use.
	Names []string
	// Field returns a field's value: string, int64, bool or []string.
	Field func(item T, name string) any
	// ID is what a cursor names.
	ID func(item T) string
	// Fold brings text to the form under which the backend compares it.
	Fold func(string) string
}

const defaultLimit = 25

// Page applies queries to items that stand in their default order. Total
// counts what the filters let through.
func Page[T any](items []T, queries []string, spec Spec[T]) (page []T, total int, err error) {
	request, err := parse(queries, spec.Names)
	if err != nil {
		return nil, 0, err
	}
	matching := slices.DeleteFunc(slices.Clone(items), func(item T) bool {
		for _, f := range request.filters {
			if !spec.matches(item, f) {
				return true
			}
		}
		return false
	})
	for _, o := range slices.Backward(request.orders) {
		slices.SortStableFunc(matching, func(a, b T) int { return o.sign * spec.compare(a, b, o.field) })
	}
	total = len(matching)
	if request.cursor != "" {
		all := slices.Clone(items)
		i := slices.IndexFunc(all, func(item T) bool { return spec.Fold(spec.ID(item)) == spec.Fold(request.cursor) })
		if i < 0 {
			return nil, 0, apierr.BadRequest("general_cursor_not_found", "Object '%s' for the 'cursor' value not found.", request.cursor)
		}
		at := slices.IndexFunc(matching, func(item T) bool { return spec.ID(item) == spec.ID(all[i]) })
		if request.before {
			matching = matching[:max(at, 0)]
			matching = matching[max(0, len(matching)-request.limit):]
		} else {
			matching = matching[at+1:]
		}
	}
	matching = matching[min(request.offset, len(matching)):]
	return matching[:min(request.limit, len(matching))], total, nil
}

type filter struct {
	method, field string
	values        []any
}

type order struct {
	field string
	sign  int
}

type page struct {
	filters []filter
	orders  []order
	limit   int
	offset  int
	cursor  string
	before  bool
}

func parse(queries, names []string) (page, error) {
	p := page{limit: defaultLimit}
	for _, text := range queries {
		v, err := phpjson.Decode([]byte(text))
		o, ok := v.(*phpjson.Object)
		if err != nil || !ok {
			return page{}, invalid("Invalid query: %s", text)
		}
		if err := p.add(o, names); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

func (p *page) add(o *phpjson.Object, names []string) error {
	method, _ := get[string](o, "method")
	field, _ := get[string](o, "attribute")
	values, _ := get[[]any](o, "values")
	switch method {
	case "limit", "offset":
		if len(values) != 1 {
			return invalid("Invalid %s", method)
		}
		n, ok := values[0].(int64)
		if !ok || n < 0 || (n == 0 && method == "limit") {
			return invalid("Invalid %s", method)
		}
		if method == "limit" {
			p.limit = int(n)
		} else {
			p.offset = int(n)
		}
		return nil
	case "cursorAfter", "cursorBefore":
		if len(values) != 1 {
			return invalid("Invalid cursor")
		}
		p.cursor, _ = values[0].(string)
		p.before = method == "cursorBefore"
		return nil
	}
	if !slices.Contains(names, field) {
		return invalid("Attribute not found in schema: %s", field)
	}
	switch method {
	case "orderAsc":
		p.orders = append(p.orders, order{field, 1})
	case "orderDesc":
		p.orders = append(p.orders, order{field, -1})
	case "equal", "notEqual", "startsWith", "contains":
		p.filters = append(p.filters, filter{method, field, values})
	default:
		return invalid("Invalid query method: %s", method)
	}
	return nil
}

func (s Spec[T]) matches(item T, f filter) bool {
	held := s.Field(item, f.field)
	found := slices.ContainsFunc(f.values, func(want any) bool {
		text, isText := held.(string)
		pattern, ok := want.(string)
		if !isText || !ok {
			return held == want
		}
		text, pattern = s.Fold(text), s.Fold(pattern)
		switch f.method {
		case "startsWith":
			return strings.HasPrefix(text, pattern)
		case "contains":
			return strings.Contains(text, pattern)
		}
		return text == pattern
	})
	return found != (f.method == "notEqual")
}

func (s Spec[T]) compare(a, b T, field string) int {
	x, y := s.Field(a, field), s.Field(b, field)
	switch x := x.(type) {
	case string:
		return strings.Compare(s.Fold(x), s.Fold(y.(string)))
	case int64:
		return int(x - y.(int64))
	}
	return 0
}

func get[V any](o *phpjson.Object, key string) (V, bool) {
	v, _ := o.Get(key)
	typed, ok := v.(V)
	return typed, ok
}

func invalid(format string, args ...any) error { return apierr.Argument(format, args...) }
