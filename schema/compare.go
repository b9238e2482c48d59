package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Difference is one way in which two models differ.
type Difference struct {
	// Path names the object: "database shop", "attribute shop/products/title".
	Path string
	// Field is what differs, "" when one of the two lacks the object.
	Field string
	// A and B are what each says; "absent" for an object that is not there.
	A, B string
}

// String gives the difference as a line of text.
func (d Difference) String() string {
	if d.Field == "" {
		return fmt.Sprintf("%s: %s / %s", d.Path, d.A, d.B)
	}
	return fmt.Sprintf("%s: %s is %s / %s", d.Path, d.Field, cmp.Or(d.A, none), cmp.Or(d.B, none))
}

const (
	present = "present"
	absent  = "absent"
	none    = "none" // how text shows a field that is empty
)

// Compare lists how b differs from a; models that mean the same have no
// differences. The order of objects does not matter, nor does Database.Type, nor
// at which end a two-way relationship is declared, nor which orders and lengths
// an index has for lists: no server keeps them.
func Compare(a, b Model) []Difference {
	var found []Difference
	b = pairsAs(a, b)
	matched(a.Databases, b.Databases, func(d Database) string { return d.ID }, func(id string, x, y *Database) {
		path := "database " + id
		if x == nil || y == nil {
			found = append(found, missing(path, x == nil))
			return
		}
		found = append(found, fieldsOf(path, field{"name", x.Name, y.Name}, field{"enabled", x.Enabled, y.Enabled})...)
		matched(x.Collections, y.Collections, func(c Collection) string { return c.ID }, func(key string, p, q *Collection) {
			found = append(found, compareCollection(id+"/"+key, p, q)...)
		})
	})
	return found
}

func compareCollection(path string, x, y *Collection) []Difference {
	if x == nil || y == nil {
		return []Difference{missing("collection "+path, x == nil)}
	}
	found := fieldsOf("collection "+path, collectionFields(*x, *y)...)
	matched(x.Attributes, y.Attributes, func(a Attribute) string { return a.Key }, func(key string, p, q *Attribute) {
		name := "attribute " + path + "/" + key
		if p == nil || q == nil {
			found = append(found, missing(name, p == nil))
			return
		}
		found = append(found, fieldsOf(name, compareAttribute(*p, *q)...)...)
	})
	matched(x.Indexes, y.Indexes, func(i Index) string { return i.Key }, func(key string, p, q *Index) {
		name := "index " + path + "/" + key
		if p == nil || q == nil {
			found = append(found, missing(name, p == nil))
			return
		}
		found = append(found, fieldsOf(name, compareIndex(p.onLists(*x), q.onLists(*y))...)...)
	})
	return found
}

func collectionFields(x, y Collection) []field {
	return []field{
		{"name", x.Name, y.Name},
		{"enabled", x.Enabled, y.Enabled},
		{"documentSecurity", x.DocumentSecurity, y.DocumentSecurity},
		{"permissions", strings.Join(canonicalPermissions(x.Permissions), " "), strings.Join(canonicalPermissions(y.Permissions), " ")},
	}
}

// field is one pair of values; only unequal ones are differences.
type field struct {
	name string
	a, b any
}

func fieldsOf(path string, pairs ...field) []Difference {
	var found []Difference
	for _, p := range pairs {
		if p.a != p.b {
			found = append(found, Difference{Path: path, Field: p.name, A: fmt.Sprint(p.a), B: fmt.Sprint(p.b)})
		}
	}
	return found
}

func missing(path string, first bool) Difference {
	if first {
		return Difference{Path: path, A: absent, B: present}
	}
	return Difference{Path: path, A: present, B: absent}
}

// compareAttribute gives the fields in which two attributes differ.
func compareAttribute(x, y Attribute) []field {
	pairs := []field{
		{"type", x.Type, y.Type},
		{"required", x.Required, y.Required},
		{"array", x.Array, y.Array},
		{"default", value(x.Default), value(y.Default)},
		{"size", x.Size, y.Size},
		{"encrypt", x.Encrypt, y.Encrypt},
		{"min", number(x.Min), number(y.Min)},
		{"max", number(x.Max), number(y.Max)},
		{"elements", strings.Join(quoted(x.Elements), " "), strings.Join(quoted(y.Elements), " ")},
	}
	var p, q Relationship
	if x.Relationship != nil {
		p = *x.Relationship
	}
	if y.Relationship != nil {
		q = *y.Relationship
	}
	pairs = append(pairs, field{"related", p.Related, q.Related}, field{"relationship", p.Type, q.Type},
		field{"twoWay", p.TwoWay, q.TwoWay}, field{"twoWayKey", p.TwoWayKey, q.TwoWayKey}, field{"onDelete", p.OnDelete, q.OnDelete})
	return slices.DeleteFunc(pairs, func(f field) bool { return f.a == f.b })
}

// compareIndex gives the fields in which two indexes differ.
func compareIndex(x, y Index) []field {
	pairs := []field{
		{"type", x.Type, y.Type},
		{"attributes", strings.Join(x.Attributes, " "), strings.Join(y.Attributes, " ")},
		{"orders", ordersOf(x), ordersOf(y)},
		{"lengths", lengthsOf(x), lengthsOf(y)},
	}
	return slices.DeleteFunc(pairs, func(f field) bool { return f.a == f.b })
}

// ordersOf gives the orders of all attributes; without one it is ASC.
func ordersOf(x Index) string {
	all := orders(x)
	for len(all) < len(x.Attributes) {
		all = append(all, "ASC")
	}
	return strings.Join(all, " ")
}

func lengthsOf(x Index) string {
	all := make([]int, len(x.Attributes))
	copy(all, x.Lengths)
	return fmt.Sprint(all)
}

// value writes JSON so that equal values are equal text.
func value(data json.RawMessage) string {
	if data == nil {
		return "none"
	}
	return string(canonicalValue(data))
}

func number(n json.Number) string { return string(canonicalNumber(n)) }

func quoted(list []string) []string {
	all := make([]string, len(list))
	for i, text := range list {
		all[i] = string(quote(text))
	}
	return all
}

// matched calls visit for every key of the two lists, first those of a in their
// order, then those that only b has.
func matched[T any](a, b []T, key func(T) string, visit func(key string, x, y *T)) {
	others := map[string]*T{}
	for i := range b {
		others[key(b[i])] = &b[i]
	}
	for i := range a {
		k := key(a[i])
		visit(k, &a[i], others[k])
		delete(others, k)
	}
	for i := range b {
		if k := key(b[i]); others[k] != nil {
			visit(k, nil, &b[i])
		}
	}
}
