// Package query reads, checks and evaluates the queries of list requests, such
// as {"method":"equal","attribute":"name","values":["x"]}.
package query

import (
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// ErrInvalid is matched by every error that says what is wrong with a query.
var ErrInvalid = errors.New("invalid query")

// ErrUnsupported reports a query that the server accepts and its storage then
// fails on: the server answers 500.
var ErrUnsupported = errors.New("the storage does not support this query")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Query is one query as it was sent.
type Query struct {
	Method    string
	Attribute string
	Values    []any
	Parts     []Query // of "and" and "or"
}

// kind is what a method does in a list request.
type kind int

const (
	filterAny   kind = iota // one or more values
	filterOne               // exactly one value
	filterTwo               // exactly two values
	filterNull              // no values
	filterExist             // accepted, then not supported by the storage
	filterLogic             // parts
	filterSpace             // geometry
	filterRange             // [geometry, distance]
	ordering
	limiting
	cursor
	selection
)

// methodKind finds a method of a version; ok is false for an unknown one.
func methodKind(p profile.Profile, method string) (k kind, ok bool) {
	switch method {
	case "equal", "contains":
		return filterAny, true
	case "notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "search", "startsWith", "endsWith":
		return filterOne, true
	case "between":
		return filterTwo, true
	case "isNull", "isNotNull":
		return filterNull, true
	case "and", "or":
		return filterLogic, true
	case "orderAsc", "orderDesc":
		return ordering, true
	case "limit", "offset":
		return limiting, true
	case "cursorAfter", "cursorBefore":
		return cursor, true
	case "select":
		return selection, true
	case "notContains":
		return filterAny, p.TablesDB()
	case "notSearch", "notStartsWith", "notEndsWith":
		return filterOne, p.TablesDB()
	case "notBetween":
		return filterTwo, p.TablesDB()
	case "orderRandom":
		return ordering, p.TablesDB()
	case "crosses", "notCrosses", "intersects", "notIntersects", "overlaps", "notOverlaps", "touches", "notTouches":
		return filterSpace, p.TablesDB()
	case "distanceEqual", "distanceNotEqual", "distanceGreaterThan", "distanceLessThan":
		return filterRange, p.TablesDB()
	case "containsAny", "containsAll":
		return filterAny, p.InlineSchema()
	case "exists", "notExists":
		return filterExist, p.InlineSchema()
	}
	return 0, false
}

// parse reads the JSON text of one query.
func parse(p profile.Profile, text string) (Query, error) {
	value, err := phpjson.Decode([]byte(text))
	if err != nil {
		return Query{}, invalid("syntax error")
	}
	return fromValue(p, value)
}

func fromValue(p profile.Profile, value any) (Query, error) {
	object, ok := value.(*phpjson.Object)
	if !ok {
		return Query{}, invalid("must be an object")
	}
	method, _ := object.Get("method")
	q := Query{}
	if q.Method, ok = method.(string); !ok {
		return Query{}, invalid("method must be a string")
	}
	k, ok := methodKind(p, q.Method)
	if !ok {
		return Query{}, invalid("unknown method %q", q.Method)
	}
	if attribute, given := object.Get("attribute"); given {
		if q.Attribute, ok = attribute.(string); !ok {
			return Query{}, invalid("attribute must be a string")
		}
	}
	if values, given := object.Get("values"); given {
		if q.Values, ok = values.([]any); !ok {
			return Query{}, invalid("values must be an array")
		}
	}
	if k != filterLogic {
		return q, nil
	}
	for _, value := range q.Values {
		part, err := fromValue(p, value)
		if err != nil {
			return Query{}, err
		}
		q.Parts = append(q.Parts, part)
	}
	q.Values = nil
	return q, nil
}

// Order is one key of the sorting.
type Order struct {
	Attribute  string // "$sequence" where the query names none
	Descending bool
	Random     bool
}

// Set is a request's queries, checked and sorted by purpose.
type Set struct {
	Filters  []Query
	Orders   []Order
	Limit    int64 // 0 when none was given
	Offset   int64
	Cursor   string // id of the record to start from, "" for none
	Backward bool   // up to the cursor, not from it
	Select   []string
	// Below are filters on related records.
	Below []Below
	// Queries counts all of them.
	Queries int
}

// Below asks for a record at the other end of a relationship that passes its
// filters.
type Below struct {
	Relationship string
	Set

	each bool // of one value of containsAll, which nothing is added to
}

// Ordered returns the full sorting: the asked orders and, unless one of them
// is unique, the order of insertion.
func (s *Set) Ordered() []Order {
	unique := func(o Order) bool { return o.Attribute == "$id" || o.Attribute == "$sequence" }
	if slices.ContainsFunc(s.Orders, unique) {
		return s.Orders
	}
	return append(slices.Clip(s.Orders), Order{Attribute: "$sequence"})
}

// WellFormed says whether every text reads as a query, be its attribute known
// or not.
func WellFormed(p profile.Profile, texts []string) bool {
	return !slices.ContainsFunc(texts, func(text string) bool {
		_, err := parse(p, text)
		return err != nil
	})
}
