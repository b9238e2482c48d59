package phpjson

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Raw is JSON text that is written as it stands.
type Raw []byte

// Encode writes a value as json_encode does with unescaped Unicode. Besides
// what Decode returns it takes int, []string, []*Object and Raw. It panics on
// any other type, which would be a mistake of the caller.
func Encode(v any) []byte { return Append(make([]byte, 0, usualSize), v) }

// usualSize is a capacity in bytes that most answers fit into.
const usualSize = 512

// Append is Encode onto the end of dst.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case string:
		return appendString(dst, v)
	case []any:
		return appendList(dst, v)
	case []string:
		return appendList(dst, v)
	case []*Object:
		return appendList(dst, v)
	case *Object:
		return appendObject(dst, v)
	case Raw:
		return append(dst, v...)
	default:
		panic(fmt.Sprintf("phpjson: cannot encode %T", v))
	}
}

func appendList[T any](dst []byte, items []T) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = Append(dst, item)
	}
	return append(dst, ']')
}

func appendObject(dst []byte, o *Object) []byte {
	if o == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, m := range o.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, m.key)
		dst = append(dst, ':')
		dst = Append(dst, m.value)
	}
	return append(dst, '}')
}

// appendFloat follows serialize_precision = -1: the shortest text that reads
// back the same, exponent form below 1e-4 and from 1e+17 on, no fraction for
// whole numbers. What JSON has no number for becomes 0.
func appendFloat(dst []byte, f float64) []byte {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, '0')
	}
	if abs := math.Abs(f); abs >= 1e-4 && abs < 1e17 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	sign, digits := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	return append(dst, mantissa+"e"+sign+digits...)
}

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != '/' && c != 0xE2 {
			continue
		}
		if c == 0xE2 {
			// U+2028 and U+2029 stay escaped: they end lines in JavaScript.
			if i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&^1 == 0xA8 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, `\u202`...)
				dst = append(dst, hexDigits[s[i+2]&0xF])
				i += 2
				start = i + 1
			}
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '"', '\\', '/':
		return append(dst, '\\', c)
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
	}
}
