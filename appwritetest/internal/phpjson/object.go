// Package phpjson reads and writes JSON the way PHP's json_decode and
// json_encode do, because that is what a client of Appwrite sees: objects keep
// the order of their keys, of duplicate keys the last value wins, integers
// beyond 64 bits become floats, slashes are escaped and whole floats lose
// their fraction.
//
// Values are nil, bool, int64, float64, string, []any and *Object.
package phpjson

import (
	"iter"
	"slices"
	"strconv"
)

// indexedFrom is the size from which an object looks keys up in a map.
const indexedFrom = 24

// Object is a JSON object that remembers the order of its keys. The zero value
// is an empty object. It is not safe for concurrent changes.
type Object struct {
	members []member
	index   map[string]int // nil while the object is small
}

type member struct {
	key   string
	value any
}

// Obj returns an object of alternating keys and values. It panics when a key
// is not a string: the call sites are literals.
func Obj(pairs ...any) *Object {
	o := &Object{members: make([]member, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Len is the number of keys. A nil object is empty.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Get returns the value of a key and whether the key is present.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

// Has says whether the key is present, be its value null or not.
func (o *Object) Has(key string) bool { return o.find(key) >= 0 }

// Set replaces the value of a key in its place, or appends the key.
func (o *Object) Set(key string, value any) {
	if i := o.find(key); i >= 0 {
		o.members[i].value = value
		return
	}
	o.members = append(o.members, member{key, value})
	switch {
	case o.index != nil:
		o.index[key] = len(o.members) - 1
	case len(o.members) >= indexedFrom:
		o.reindex()
	}
}

// Delete removes a key, if it is there.
func (o *Object) Delete(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	o.members = slices.Delete(o.members, i, i+1)
	if o.index != nil {
		o.reindex()
	}
}

// Keys returns the keys in order.
func (o *Object) Keys() []string {
	keys := make([]string, 0, o.Len())
	for key := range o.All() {
		keys = append(keys, key)
	}
	return keys
}

// Values returns the values in order.
func (o *Object) Values() []any {
	values := make([]any, 0, o.Len())
	for _, value := range o.All() {
		values = append(values, value)
	}
	return values
}

// All iterates over keys and values in order. The object must not change
// meanwhile.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if o == nil {
			return
		}
		for _, m := range o.members {
			if !yield(m.key, m.value) {
				return
			}
		}
	}
}

// Clone returns a copy whose keys can be changed independently; values are
// shared.
func (o *Object) Clone() *Object {
	c := &Object{}
	if o == nil {
		return c
	}
	c.members = slices.Clone(o.members)
	if len(c.members) >= indexedFrom {
		c.reindex()
	}
	return c
}

// MarshalBinary implements encoding.BinaryMarshaler: the object as JSON.
func (o *Object) MarshalBinary() ([]byte, error) { return Encode(o), nil }

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (o *Object) UnmarshalBinary(text []byte) error {
	value, err := Decode(text)
	if err != nil {
		return err
	}
	*o = Object{}
	switch value := value.(type) {
	case *Object:
		*o = *value
	case []any: // an object without keys, or with the keys of a list
		for i, item := range value {
			o.Set(strconv.Itoa(i), item)
		}
	}
	return nil
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].key == key {
			return i
		}
	}
	return -1
}

func (o *Object) reindex() {
	o.index = make(map[string]int, len(o.members)*2)
	for i, m := range o.members {
		o.index[m.key] = i
	}
}
