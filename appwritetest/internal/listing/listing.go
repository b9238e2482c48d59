// Package listing answers the list routes of everything but records:
// databases, collections, attributes, indexes, transactions. Their lists are
// short, so they are filtered in memory.
package listing

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
)

// Field is one name that filters and orders may use.
type Field[T any] struct {
	query.Field
	// Value returns the field as package query compares it.
	Value func(item T) any
}

// Spec says how a list of T can be asked for.
type Spec[T any] struct {
	Profile profile.Profile
	Dates   *phpdate.Parser
	Fields  map[string]Field[T]
	// ID is what a cursor names.
	ID func(item T) string
}

const defaultLimit = 25

// Page applies the texts of queries to items that stand in order of creation.
// Total counts what the filters let through.
func (s Spec[T]) Page(items []T, queries []string) (page []T, total int, err error) {
	set, err := s.compile(queries)
	if err != nil {
		return nil, 0, err
	}
	matching := slices.DeleteFunc(slices.Clone(items), func(item T) bool {
		return !query.Match(set.Filters, s.row(item), s.Profile.Fold)
	})
	total = len(matching)
	s.sort(matching, set.Orders)
	if matching, err = s.fromCursor(matching, set); err != nil {
		return nil, 0, err
	}
	if set.Limit == 0 {
		set.Limit = defaultLimit
	}
	matching = matching[min(set.Offset, int64(len(matching))):]
	length := min(set.Limit, int64(len(matching)))
	if set.Backward {
		return matching[int64(len(matching))-length:], total, nil
	}
	return matching[:length], total, nil
}

func (s Spec[T]) compile(queries []string) (query.Set, error) {
	rules := query.Rules{
		Profile: s.Profile, Dates: s.Dates, NoSelect: true,
		Field: func(name string) (query.Field, bool) {
			field, known := s.Fields[name]
			return field.Field, known || name == "$sequence"
		},
	}
	set, err := rules.Compile(queries)
	switch {
	case errors.Is(err, query.ErrInvalid):
		return query.Set{}, apierr.Argument("Invalid `queries` param: %v", err)
	case err != nil:
		return query.Set{}, apierr.Unknown("%v", err)
	}
	return set, nil
}

func (s Spec[T]) sort(items []T, orders []query.Order) {
	for _, order := range slices.Backward(orders) {
		slices.SortStableFunc(items, func(a, b T) int {
			n := query.Compare(s.row(a).Value(order.Attribute), s.row(b).Value(order.Attribute), s.Profile.Fold)
			if order.Descending {
				return -n
			}
			return n
		})
	}
}

// fromCursor keeps what stands after the cursor, or before it.
func (s Spec[T]) fromCursor(items []T, set query.Set) ([]T, error) {
	if set.Cursor == "" {
		return items, nil
	}
	at := slices.IndexFunc(items, func(item T) bool { return s.Profile.Fold(s.ID(item)) == s.Profile.Fold(set.Cursor) })
	switch {
	case at < 0:
		return nil, apierr.BadRequest("general_cursor_not_found", "'%s' for the 'cursor' value not found.", set.Cursor)
	case set.Backward:
		return items[:at], nil
	}
	return items[at+1:], nil
}

func (s Spec[T]) row(item T) row[T] { return row[T]{s.Fields, item} }

type row[T any] struct {
	fields map[string]Field[T]
	item   T
}

// Value makes row a query.Row.
func (r row[T]) Value(attribute string) any {
	if field, known := r.fields[attribute]; known {
		return field.Value(r.item)
	}
	return nil
}

// Text is a field of type string.
func Text[T any](value func(T) string) Field[T] {
	return Field[T]{query.Field{Type: "string", Size: math.MaxInt}, func(item T) any { return value(item) }}
}

// Bool is a field of type boolean.
func Bool[T any](value func(T) bool) Field[T] {
	return Field[T]{query.Field{Type: "boolean"}, func(item T) any { return value(item) }}
}

// Int is a field of type integer.
func Int[T any](value func(T) int) Field[T] {
	return Field[T]{query.Field{Type: "integer", Size: 8}, func(item T) any { return int64(value(item)) }}
}

// Sequence is the field $sequence.
func Sequence[T any](value func(T) int64) Field[T] {
	return Field[T]{query.Field{Type: "integer", Size: 8}, func(item T) any { return value(item) }}
}

// List is a field that holds a list of strings.
func List[T any](value func(T) []string) Field[T] {
	return Field[T]{query.Field{Type: "string", Array: true}, func(item T) any {
		list := []any{}
		for _, element := range value(item) {
			list = append(list, element)
		}
		return list
	}}
}

// Time is a field of type datetime.
func Time[T any](value func(T) time.Time) Field[T] {
	return Field[T]{query.Field{Type: "datetime"}, func(item T) any { return phpdate.Format(value(item)) }}
}
