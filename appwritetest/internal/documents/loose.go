package documents

import (
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// looselyEqual compares as PHP 8's == does.
func looselyEqual(a, b any) bool {
	if list, ok := a.([]any); ok {
		return listEqual(list, b)
	}
	if list, ok := b.([]any); ok {
		return listEqual(list, a)
	}
	if !scalar(a) || !scalar(b) {
		return false
	}
	if isFlag(a) || isFlag(b) {
		return truthy(a) == truthy(b)
	}
	if a == nil || b == nil {
		return nullEqual(a, b)
	}
	x, numberA := numeric(a)
	y, numberB := numeric(b)
	if numberA && numberB {
		return x == y
	}
	return plain(a) == plain(b)
}

func listEqual(list []any, other any) bool {
	switch o := other.(type) {
	case nil:
		return len(list) == 0
	case bool:
		return (len(list) > 0) == o
	case []any:
		if len(list) != len(o) {
			return false
		}
		for i := range list {
			if !looselyEqual(list[i], o[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// nullEqual compares null with a number or text.
func nullEqual(a, b any) bool {
	other := a
	if other == nil {
		other = b
	}
	return other == nil || other == "" || other == int64(0) || other == 0.0
}

func isFlag(v any) bool {
	_, ok := v.(bool)
	return ok
}

func truthy(v any) bool {
	switch v {
	case nil, false, int64(0), 0.0, "", "0":
		return false
	}
	return true
}

// numeric reads a number, or text that PHP holds to be one.
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		trimmed := strings.Trim(v, " \t\n\r\v\f")
		if strings.ContainsAny(trimmed, "xXpP_nN") {
			return 0, false // forms that Go reads and PHP does not
		}
		f, err := strconv.ParseFloat(trimmed, 64)
		return f, err == nil
	}
	return 0, false
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(phpjson.Encode(v))
}
