package schema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Format names the form of Canonical and JSON.
const Format = "backstep/schema/v1"

// Canonical writes a model so that equal meaning is equal bytes: two models
// have the same canonical form exactly when Compare finds no difference. It is
// compact JSON in the form that JSON writes: objects by id and key, permissions
// in one order with "write" spelled out, numbers without needless digits,
// nothing said that Appwrite assumes, two-way relationships at one end.
func Canonical(m Model) ([]byte, error) {
	return encode(formOf(pairsAtHome(m)), "")
}

// JSON writes a model as indented JSON, in the form of Canonical.
func JSON(m Model) ([]byte, error) {
	return encode(formOf(pairsAtHome(m)), "  ")
}

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	if indent == "" {
		return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
	}
	return b.Bytes(), nil
}

// The form of a model as JSON.
type (
	modelForm struct {
		Schema    string         `json:"schema"`
		Databases []databaseForm `json:"databases"`
	}
	databaseForm struct {
		ID          string           `json:"id"`
		Name        string           `json:"name"`
		Enabled     bool             `json:"enabled"`
		Collections []collectionForm `json:"collections"`
	}
	collectionForm struct {
		ID               string          `json:"id"`
		Name             string          `json:"name"`
		Enabled          bool            `json:"enabled"`
		DocumentSecurity bool            `json:"document_security"`
		Permissions      []string        `json:"permissions"`
		Attributes       []attributeForm `json:"attributes"`
		Indexes          []indexForm     `json:"indexes"`
	}
	attributeForm struct {
		Key          string            `json:"key"`
		Type         string            `json:"type"`
		Size         int64             `json:"size,omitempty"`
		Required     bool              `json:"required"`
		Array        bool              `json:"array,omitempty"`
		Default      json.RawMessage   `json:"default,omitempty"`
		Encrypt      bool              `json:"encrypt,omitempty"`
		Min          json.RawMessage   `json:"min,omitempty"`
		Max          json.RawMessage   `json:"max,omitempty"`
		Elements     []string          `json:"elements,omitempty"`
		Relationship *relationshipForm `json:"relationship,omitempty"`
	}
	relationshipForm struct {
		Related   string `json:"related"`
		Type      string `json:"type"`
		TwoWay    bool   `json:"two_way"`
		TwoWayKey string `json:"two_way_key"`
		OnDelete  string `json:"on_delete"`
	}
	indexForm struct {
		Key        string   `json:"key"`
		Type       string   `json:"type"`
		Attributes []string `json:"attributes"`
		Orders     []string `json:"orders,omitempty"`
		Lengths    []int    `json:"lengths,omitempty"`
	}
)

func formOf(m Model) modelForm {
	form := modelForm{Schema: Format, Databases: []databaseForm{}}
	for _, db := range sorted(m.Databases, func(d Database) string { return d.ID }) {
		d := databaseForm{ID: db.ID, Name: db.Name, Enabled: db.Enabled, Collections: []collectionForm{}}
		for _, c := range sorted(db.Collections, func(c Collection) string { return c.ID }) {
			d.Collections = append(d.Collections, collectionFormOf(c))
		}
		form.Databases = append(form.Databases, d)
	}
	return form
}

func collectionFormOf(c Collection) collectionForm {
	form := collectionForm{
		ID: c.ID, Name: c.Name, Enabled: c.Enabled, DocumentSecurity: c.DocumentSecurity,
		Permissions: append([]string{}, canonicalPermissions(c.Permissions)...),
		Attributes:  []attributeForm{}, Indexes: []indexForm{},
	}
	for _, a := range sorted(c.Attributes, func(a Attribute) string { return a.Key }) {
		form.Attributes = append(form.Attributes, attributeFormOf(a))
	}
	for _, x := range sorted(c.Indexes, func(x Index) string { return x.Key }) {
		x = x.onLists(c)
		form.Indexes = append(form.Indexes, indexForm{
			Key: x.Key, Type: x.Type, Attributes: append([]string{}, x.Attributes...),
			Orders: orders(x), Lengths: lengths(x),
		})
	}
	return form
}

func attributeFormOf(a Attribute) attributeForm {
	form := attributeForm{
		Key: a.Key, Type: a.Type, Size: a.Size, Required: a.Required, Array: a.Array, Default: canonicalValue(a.Default),
		Encrypt: a.Encrypt, Min: canonicalNumber(a.Min), Max: canonicalNumber(a.Max), Elements: a.Elements,
	}
	if r := a.Relationship; r != nil {
		form.Relationship = &relationshipForm{Related: r.Related, Type: r.Type, TwoWay: r.TwoWay, TwoWayKey: r.TwoWayKey, OnDelete: r.OnDelete}
	}
	return form
}

// sorted gives the items by their key, whatever order they were in.
func sorted[T any](list []T, key func(T) string) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return list
}

// onLists gives the index of a collection without orders and lengths of lists:
// servers that index lists at all give each a length of 255 and no order,
// whatever they are asked for.
func (x Index) onLists(c Collection) Index {
	x.Orders, x.Lengths = slices.Clone(x.Orders), slices.Clone(x.Lengths)
	for i, key := range x.Attributes {
		if a := c.attribute(key); a == nil || !a.Array {
			continue
		}
		if i < len(x.Orders) {
			x.Orders[i] = "ASC"
		}
		if i < len(x.Lengths) {
			x.Lengths[i] = 0
		}
	}
	return x
}

// orders gives an index's orders without the usual ones at the end.
func orders(x Index) []string {
	all := make([]string, len(x.Attributes))
	last := 0
	for i := range all {
		all[i] = "ASC"
		if i < len(x.Orders) && strings.EqualFold(x.Orders[i], "desc") {
			all[i], last = "DESC", i+1
		}
	}
	return all[:last]
}

// lengths gives an index's lengths without the usual ones at the end.
func lengths(x Index) []int {
	all := make([]int, len(x.Attributes))
	copy(all, x.Lengths)
	for len(all) > 0 && all[len(all)-1] == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// canonicalNumber gives a number without exponent and without needless digits,
// nil for none. What is no number is quoted as it stands.
func canonicalNumber(n json.Number) json.RawMessage {
	if n == "" {
		return nil
	}
	if exact := rat(n); exact != nil {
		return decimal(exact)
	}
	return quote(string(n))
}

// decimal writes a decimal fraction exactly.
func decimal(n *big.Rat) json.RawMessage {
	digits, _ := n.FloatPrec() // exact: it was read from a decimal
	return json.RawMessage(n.FloatString(digits))
}

// canonicalValue writes a JSON value so that equal values are equal bytes, nil
// for none. What is no JSON is quoted as it stands.
func canonicalValue(data json.RawMessage) json.RawMessage {
	if data == nil {
		return nil
	}
	root, err := parseTree("", data)
	if err != nil {
		return quote(string(data))
	}
	return root.canonical().json()
}

// canonical gives the value with members in order and numbers in one spelling.
func (n *node) canonical() *node {
	out := &node{kind: n.kind, text: n.text, truth: n.truth}
	if n.kind == kindNumber {
		if exact := rat(json.Number(n.text)); exact != nil {
			out.text = string(decimal(exact))
		}
	}
	for _, item := range n.items {
		out.items = append(out.items, item.canonical())
	}
	for _, m := range sorted(n.members, func(m member) string { return m.key }) {
		out.members = append(out.members, member{key: m.key, value: m.value.canonical()})
	}
	return out
}
