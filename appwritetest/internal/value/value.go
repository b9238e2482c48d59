// Package value checks a record's values against the types of their
// attributes and brings them into the form the store keeps: text, int64,
// float64, bool and lists; dates as text in phpdate.Layout.
package value

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
)

// ErrInvalid is matched by every refusal of a value.
var ErrInvalid = errors.New("invalid value")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Rules check values.
type Rules struct {
	Dates *phpdate.Parser
}

// Store returns the stored form of a value that was sent for an attribute; it
// is no relationship. null passes: whether it may stand there is for the
// caller to say. The error matches ErrInvalid.
func (r Rules) Store(d *catalog.Definition, sent any) (any, error) {
	if sent == nil {
		return nil, nil
	}
	if !d.Array {
		return r.element(d, sent)
	}
	list, ok := sent.([]any)
	if !ok {
		return nil, invalid("must be an array")
	}
	stored := make([]any, len(list))
	for i, item := range list {
		if item == nil && !d.Required {
			stored[i] = nullElement(d)
			continue
		}
		element, err := r.element(d, item)
		if err != nil {
			return nil, err
		}
		stored[i] = element
	}
	return stored, nil
}

// nullElement is what null inside a list reads back as.
func nullElement(d *catalog.Definition) any {
	switch d.Type {
	case catalog.TypeInteger, catalog.TypeBigInt:
		return int64(0)
	case catalog.TypeDouble:
		return 0.0
	case catalog.TypeBoolean:
		return false
	}
	return nil
}

func (r Rules) element(d *catalog.Definition, sent any) (any, error) {
	switch d.Type {
	case catalog.TypeInteger, catalog.TypeBigInt:
		return integer(d, sent)
	case catalog.TypeDouble:
		return double(d, sent)
	case catalog.TypeBoolean:
		if b, ok := sent.(bool); ok {
			return b, nil
		}
		return nil, invalid("must be a boolean")
	case catalog.TypeDatetime:
		t, err := r.Date(sent)
		return phpdate.Format(t), err
	case catalog.TypePoint, catalog.TypeLine, catalog.TypePolygon:
		return geometry(d.Type, sent)
	default:
		return text(d, sent)
	}
}

func integer(d *catalog.Definition, sent any) (any, error) {
	n, ok := sent.(int64)
	if digits, isText := sent.(string); isText && d.Type == catalog.TypeBigInt {
		parsed, err := strconv.ParseInt(digits, 10, 64)
		n, ok = parsed, err == nil
	}
	low, high := int64(-math.MaxInt64), int64(math.MaxInt64)
	switch {
	case d.Type == catalog.TypeBigInt:
		low = math.MinInt64
	case d.Size == 4:
		low, high = -math.MaxInt32, math.MaxInt32
	}
	if d.Unsigned {
		low = 0
	}
	if !ok || n < low || n > high {
		return nil, invalid("must be an integer of %d bytes", d.Size)
	}
	if d.Min != nil && catalog.CompareNumbers(n, d.Min) < 0 {
		return nil, invalid("must be at least %v", d.Min)
	}
	if d.Max != nil && catalog.CompareNumbers(n, d.Max) > 0 {
		return nil, invalid("must be at most %v", d.Max)
	}
	return n, nil
}

func double(d *catalog.Definition, sent any) (any, error) {
	f, ok := Float(sent)
	if !ok || math.IsInf(f, 0) || (d.Unsigned && f < 0) {
		return nil, invalid("must be a number")
	}
	if least, ok := Float(d.Min); ok && f < least {
		return nil, invalid("must be at least %v", least)
	}
	if most, ok := Float(d.Max); ok && f > most {
		return nil, invalid("must be at most %v", most)
	}
	return f + 0, nil // no negative zero
}

// Sent is a fraction as PHP hands it to the database: with fourteen digits.
func Sent(f float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', 13, 64), 64)
	return rounded
}

// Float reads a number of either kind.
func Float(n any) (float64, bool) {
	switch n := n.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func text(d *catalog.Definition, sent any) (any, error) {
	s, ok := sent.(string)
	if !ok {
		return nil, invalid("must be a string")
	}
	if utf8.RuneCountInString(s) > d.Size {
		return nil, invalid("must be a string of at most %d characters", d.Size)
	}
	good := true
	switch d.Format {
	case catalog.FormatEmail:
		good = Email(s)
	case catalog.FormatURL:
		good = URL(s)
	case catalog.FormatIP:
		good = IP(s)
	case catalog.FormatEnum:
		good = slices.Contains(d.Elements, s)
	}
	if !good {
		return nil, invalid("must have the format %s", d.Format)
	}
	return s, nil
}

// Date reads what PHP takes for a date. MariaDB's range ends a moment before
// the year 10000. The error matches ErrInvalid.
func (r Rules) Date(sent any) (time.Time, error) {
	s, ok := sent.(string)
	if !ok {
		return time.Time{}, invalid("must be a date")
	}
	t, err := r.Dates.Parse(s)
	if err != nil {
		return time.Time{}, invalid("%v", err)
	}
	first := time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	if t.Before(first) || t.After(last) {
		return time.Time{}, invalid("must be a date from the year 1000 to 9999")
	}
	return t, nil
}

// geometry checks a point, a list of points or a list of closed rings.
func geometry(kind string, sent any) (any, error) {
	list, ok := sent.([]any)
	if !ok {
		return nil, invalid("must be a geometry")
	}
	switch kind {
	case catalog.TypePoint:
		return coordinates(list)
	case catalog.TypeLine:
		return each(list, 2, catalog.TypePoint)
	}
	if len(list) > 0 && isPoint(list[0]) {
		list = []any{list} // a ring alone will do
	}
	for _, ring := range list {
		corners, ok := ring.([]any)
		if !ok || len(corners) < 4 || !samePoint(corners[0], corners[len(corners)-1]) {
			return nil, invalid("a ring must be closed")
		}
	}
	return each(list, 1, catalog.TypeLine)
}

func each(list []any, least int, kind string) (any, error) {
	if len(list) < least {
		return nil, invalid("too few points")
	}
	stored := make([]any, len(list))
	for i, item := range list {
		part, err := geometry(kind, item)
		if err != nil {
			return nil, err
		}
		stored[i] = part
	}
	return stored, nil
}

func coordinates(list []any) (any, error) {
	if len(list) != 2 {
		return nil, invalid("a point has two coordinates")
	}
	x, okX := Float(list[0])
	y, okY := Float(list[1])
	if !okX || !okY || math.Abs(x) > 180 || math.Abs(y) > 90 {
		return nil, invalid("a point is a longitude and a latitude")
	}
	return []any{x, y}, nil
}

func isPoint(sent any) bool {
	list, ok := sent.([]any)
	if !ok || len(list) != 2 {
		return false
	}
	_, okX := Float(list[0])
	_, okY := Float(list[1])
	return okX && okY
}

func samePoint(a, b any) bool {
	p, okP := a.([]any)
	q, okQ := b.([]any)
	if !okP || !okQ || len(p) != 2 || len(q) != 2 {
		return false
	}
	for i := range p {
		x, okX := Float(p[i])
		y, okY := Float(q[i])
		if !okX || !okY || x != y {
			return false
		}
	}
	return true
}
