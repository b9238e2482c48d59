package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/backstep-dev/backstep/journal"
)

// encode gives the canonical JSON of a value: struct fields in order, map keys
// sorted, nothing escaped that need not be.
func encode(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// recall decodes a memento or an observation.
func recall[T any](data json.RawMessage) (T, error) {
	var value T
	if len(data) == 0 {
		return value, nil
	}
	if err := decodeStrict(data, &value); err != nil {
		return value, fmt.Errorf("decode %T: %w", value, err)
	}
	return value, nil
}

// same reports whether two images are equal in canonical JSON.
func same(a, b any) bool {
	x, errX := encode(a)
	y, errY := encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// canonicalValue gives JSON one form for one meaning: 1.0 and 1 become 1, blanks
// and needless escapes go. No value, and null, become nil.
func canonicalValue(raw json.RawMessage) json.RawMessage {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		return nil
	}
	var value any
	if err := decodeStrict(raw, &value); err != nil {
		return raw
	}
	out, err := encode(canonicalNumbers(value))
	if err != nil {
		return raw
	}
	return out
}

// canonicalNumbers replaces every number in a decoded JSON value by its one form.
func canonicalNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return canonicalNumber(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = canonicalNumbers(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = canonicalNumbers(v[key])
		}
		return out
	default:
		return value
	}
}

// canonicalNumber writes integers of up to 64 bits as they are and everything
// else as the shortest float64.
func canonicalNumber(n json.Number) json.Number {
	if _, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		if n == "-0" {
			return "0"
		}
		return n
	}
	f, err := n.Float64()
	if err != nil {
		return n
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// present reports whether a reference points at an archive.
func present(ref journal.ArchiveRef) bool { return ref != journal.ArchiveRef{} }

// fields gives an image's fields by name.
func fields(image any) (map[string]json.RawMessage, error) {
	data, err := encode(image)
	if err != nil {
		return nil, err
	}
	var named map[string]json.RawMessage
	err = json.Unmarshal(data, &named)
	return named, err
}

// union gives the sorted names of all the maps.
func union(named ...map[string]json.RawMessage) []string {
	all := map[string]json.RawMessage{}
	for _, m := range named {
		maps.Copy(all, m)
	}
	return slices.Sorted(maps.Keys(all))
}

// shown writes a field for people.
func shown(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "unset"
	}
	return string(raw)
}
