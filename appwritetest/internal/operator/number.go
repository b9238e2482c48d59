package operator

import (
	"math"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// number computes on a number; null counts as 0. A second value bounds the
// result: from above, or from below for decrement and divide.
func (o Operator) number(d *catalog.Definition, old any) (any, error) {
	if len(o.values) == 0 || len(o.values) > 2 {
		return nil, invalid("%s takes one or two values", o.method)
	}
	operand, ok := value.Float(o.values[0])
	if !ok || math.IsInf(operand, 0) {
		return nil, invalid("%s takes a number", o.method)
	}
	if operand == 0 && (o.method == "divide" || o.method == "modulo") {
		return nil, invalid("division by zero")
	}
	exact, isWhole, err := o.whole(d, old)
	if err != nil {
		return nil, err
	}
	before, _ := value.Float(old)
	after := o.compute(before, operand)
	if len(o.values) == 2 && o.values[1] != nil {
		bound, ok := value.Float(o.values[1])
		if !ok {
			return nil, invalid("the bound of %s must be a number", o.method)
		}
		low := o.method == "decrement" || o.method == "divide"
		if (low && after < bound) || (!low && after > bound) {
			after, isWhole = bound, false
		}
	}
	if d.Type == catalog.TypeDouble {
		return after, nil
	}
	if isWhole {
		return exact, nil
	}
	return Round(after)
}

func (o Operator) compute(before, operand float64) float64 {
	switch o.method {
	case "increment":
		return before + operand
	case "decrement":
		return before - operand
	case "multiply":
		return before * operand
	case "divide":
		return before / operand
	case "modulo":
		return math.Mod(before, operand)
	default:
		return math.Pow(before, operand)
	}
}

// whole adds integers without the loss that a float would bring.
func (o Operator) whole(d *catalog.Definition, old any) (sum int64, ok bool, err error) {
	operand, isInt := o.values[0].(int64)
	if d.Type == catalog.TypeDouble || !isInt || (o.method != "increment" && o.method != "decrement") {
		return 0, false, nil
	}
	if o.method == "decrement" {
		operand = -operand
	}
	before, _ := old.(int64)
	sum = before + operand
	if (sum > before) != (operand > 0) && operand != 0 {
		return 0, false, invalid("the result is no 64-bit integer")
	}
	return sum, true, nil
}

// Round is how the database stores a fraction in an integer column: to the
// nearest, halves to even. The error matches ErrInvalid when the number does
// not fit.
func Round(f float64) (int64, error) {
	rounded := math.RoundToEven(f)
	if math.IsNaN(rounded) || rounded >= math.MaxInt64 || rounded <= math.MinInt64 {
		return 0, invalid("the result is no 64-bit integer")
	}
	return int64(rounded), nil
}
