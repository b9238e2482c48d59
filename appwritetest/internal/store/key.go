package store

import (
	"encoding/binary"
	"math"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
)

// key encodes the indexed values of a record so that equal keys mean equal
// values. ok is false when the record is not in the index.
func (x Index) key(fold collation.Fold, record *Record) (key string, ok bool) {
	values := make([]any, len(x.Columns))
	for i, column := range x.Columns {
		values[i] = record.Value(column)
	}
	return x.keyOf(fold, values)
}

func (x Index) keyOf(fold collation.Fold, values []any) (key string, ok bool) {
	var out []byte
	for i, value := range values {
		if value == nil {
			return "", false
		}
		length := 0
		if i < len(x.Lengths) {
			length = x.Lengths[i]
		}
		out = appendKey(out, fold, value, length)
	}
	return string(out), true
}

func appendKey(out []byte, fold collation.Fold, value any, length int) []byte {
	switch v := value.(type) {
	case string:
		folded := fold(cut(v, length))
		out = binary.AppendUvarint(append(out, 's'), uint64(len(folded)))
		return append(out, folded...)
	case int64:
		return binary.AppendVarint(append(out, 'i'), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(out, 'f'), math.Float64bits(v+0))
	case bool:
		if v {
			return append(out, 't')
		}
		return append(out, 'n')
	case []any:
		out = binary.AppendUvarint(append(out, 'l'), uint64(len(v)))
		for _, item := range v {
			out = appendKey(out, fold, item, length)
		}
		return out
	}
	return append(out, '0')
}

// cut shortens text to so many characters; 0 means all.
func cut(text string, length int) string {
	if length == 0 || len(text) <= length {
		return text
	}
	for i := range text {
		if length == 0 {
			return text[:i]
		}
		length--
	}
	return text
}
