// Package operator applies atomic operators to stored values: what a client
// sends as {"method":"increment","values":[1]}, or as text that holds it.
package operator

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// ErrInvalid is matched by every refusal of an operator.
var ErrInvalid = errors.New("invalid operator")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Operator changes one value.
type Operator struct {
	method string
	values []any
}

// Parse recognises an operator among the values that a client sends. Anything
// else, also JSON that names no known method, is not one. The error, which
// matches ErrInvalid, is about an operator whose parts have the wrong type.
func Parse(sent any) (o Operator, ok bool, err error) {
	if text, isText := sent.(string); isText {
		if !strings.HasPrefix(text, "{") {
			return Operator{}, false, nil
		}
		decoded, err := phpjson.Decode([]byte(text))
		if err != nil {
			return Operator{}, false, nil //nolint:nilerr // ordinary text
		}
		sent = decoded
	}
	object, _ := sent.(*phpjson.Object)
	if object == nil {
		return Operator{}, false, nil
	}
	name, _ := object.Get("method")
	if o.method, ok = name.(string); !ok || families[o.method] == 0 {
		return Operator{}, false, nil
	}
	attribute, _ := object.Get("attribute")
	if _, isText := attribute.(string); attribute != nil && !isText {
		return Operator{}, false, invalid("the attribute of %s must be text", o.method)
	}
	list, _ := object.Get("values")
	if o.values, ok = list.([]any); list != nil && !ok {
		return Operator{}, false, invalid("the values of %s must be a list", o.method)
	}
	return o, true, nil
}

// family is the type of value that an operator works on.
type family int

const (
	numeric family = 1 + iota
	list
	text
	toggle
	date
)

var families = map[string]family{ //nolint:gochecknoglobals // a constant table
	"increment": numeric, "decrement": numeric, "multiply": numeric, "divide": numeric, "modulo": numeric, "power": numeric,
	"arrayAppend": list, "arrayPrepend": list, "arrayInsert": list, "arrayRemove": list, "arrayUnique": list,
	"arrayIntersect": list, "arrayDiff": list, "arrayFilter": list,
	"stringConcat": text, "stringReplace": text, "toggle": toggle,
	"dateAddDays": date, "dateSubDays": date, "dateSetNow": date,
}

// Apply returns the new value of an attribute whose stored value is old. The
// attribute's own range does not bind it, its size does. The error matches
// ErrInvalid.
func (o Operator) Apply(rules value.Rules, d *catalog.Definition, old any, now time.Time) (any, error) {
	if (families[o.method] == list) != d.Array {
		return nil, invalid("%s does not suit attribute %q", o.method, d.Key)
	}
	suits := false
	switch d.Type {
	case catalog.TypeInteger, catalog.TypeBigInt, catalog.TypeDouble:
		suits = families[o.method] == numeric
	case catalog.TypeBoolean:
		suits = families[o.method] == toggle
	case catalog.TypeDatetime:
		suits = families[o.method] == date
	case catalog.TypeString, catalog.TypeVarchar, catalog.TypeText, catalog.TypeMediumText, catalog.TypeLongText:
		suits = families[o.method] == text
	}
	switch {
	case d.Array:
		before, _ := old.([]any)
		return o.list(rules, d, before)
	case !suits:
		return nil, invalid("%s does not suit attribute %q", o.method, d.Key)
	case families[o.method] == numeric:
		return o.number(d, old)
	case families[o.method] == toggle:
		return old != true, nil
	case families[o.method] == date:
		return o.date(old, now)
	default:
		return o.text(d, old)
	}
}

func (o Operator) text(d *catalog.Definition, old any) (any, error) {
	before, _ := old.(string)
	arguments := make([]string, len(o.values))
	for i, v := range o.values {
		argument, ok := v.(string)
		if !ok {
			return nil, invalid("%s takes text", o.method)
		}
		arguments[i] = argument
	}
	var after string
	switch {
	case o.method == "stringConcat" && len(arguments) == 1:
		after = before + arguments[0]
	case o.method == "stringReplace" && len(arguments) == 2:
		if old == nil {
			return nil, nil
		}
		after = strings.ReplaceAll(before, arguments[0], arguments[1])
	default:
		return nil, invalid("%s takes another number of values", o.method)
	}
	if utf8.RuneCountInString(after) > d.Size {
		return nil, invalid("the result is longer than %d characters", d.Size)
	}
	return after, nil
}

func (o Operator) date(old any, now time.Time) (any, error) {
	if o.method == "dateSetNow" {
		return phpdate.Format(now), nil
	}
	if len(o.values) != 1 {
		return nil, invalid("%s takes one value", o.method)
	}
	days, ok := o.values[0].(int64)
	if !ok || math.Abs(float64(days)) > 4e6 {
		return nil, invalid("%s takes a number of days", o.method)
	}
	if old == nil {
		return nil, nil
	}
	if o.method == "dateSubDays" {
		days = -days
	}
	t, err := time.Parse("2006-01-02T15:04:05.000-07:00", old.(string))
	if err != nil {
		return nil, invalid("stored value is no date")
	}
	return phpdate.Format(t.AddDate(0, 0, int(days))), nil
}
