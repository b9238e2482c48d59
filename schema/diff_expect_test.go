package schema_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/schema"
)

// This file says, without any of the code under test, what must have become of
// documents, and which changes cannot keep what they hold.

// A fate is what becomes of an attribute's values.
type fate struct {
	now  *schema.Attribute // nil: they go
	loss schema.LossCode   // "" where they are kept
}

// destiny is what must become of everything in a model.
type destiny struct {
	from, to schema.Model
	renames  []schema.Rename
	fills    []schema.Fill
}

func findCollection(m schema.Model, database, id string) *schema.Collection {
	for i, db := range m.Databases {
		for j, c := range db.Collections {
			if db.ID == database && c.ID == id {
				return &m.Databases[i].Collections[j]
			}
		}
	}
	return nil
}

func findAttribute(c *schema.Collection, key string) *schema.Attribute {
	for i := range c.Attributes {
		if c.Attributes[i].Key == key {
			return &c.Attributes[i]
		}
	}
	return nil
}

// fateOf says what becomes of an attribute of a collection that stays.
func (d destiny) fateOf(database string, to *schema.Collection, a schema.Attribute) fate {
	key := a.Key
	for _, r := range d.renames {
		if r.Database == database && r.Collection == to.ID {
			if r.To == a.Key && r.From != a.Key {
				key = "" // another one has its key, unless it is renamed itself
			}
		}
	}
	for _, r := range d.renames {
		if r.Database == database && r.Collection == to.ID && r.From == a.Key {
			key = r.To
		}
	}
	now := findAttribute(to, key)
	switch {
	case now == nil && a.Relationship != nil:
		return fate{nil, schema.LossRelationship}
	case now == nil:
		return fate{nil, schema.LossAttribute}
	case a.Relationship != nil && now.Relationship != nil:
		self := func(x schema.Attribute) bool { return x.Relationship.Related == to.ID && !x.Relationship.TwoWay }
		switch {
		case a.Relationship.Related != now.Relationship.Related:
			return fate{now, schema.LossTarget}
		case !self(a) && self(*now):
			return fate{now, schema.LossRelationship}
		}
	case !meansTheSame(a, *now, to.ID):
		return fate{now, schema.LossType}
	}
	return fate{now, ""}
}

// kindOf puts types together whose values are alike.
func kindOf(a schema.Attribute) string {
	switch a.Type {
	case "integer", "bigint", "float":
		return "number"
	case "boolean", "datetime", "relationship", "point", "line", "polygon":
		return a.Type
	default:
		return "text"
	}
}

// meansTheSame says whether values of one attribute can mean anything in another.
func meansTheSame(was, now schema.Attribute, collection string) bool {
	if now.Relationship != nil && now.Relationship.Related == collection && !now.Relationship.TwoWay {
		return false
	}
	x, y := kindOf(was), kindOf(now)
	geometry := func(k string) bool { return k == "point" || k == "line" || k == "polygon" }
	switch {
	case x == y:
		return true
	case geometry(x) || geometry(y):
		return false
	case x == "text" || y == "text":
		return true
	case x == "relationship" || y == "relationship" || x == "datetime" || y == "datetime":
		return false
	case was.Type == "float" && y == "boolean" || x == "boolean" && now.Type == "float":
		return false
	default:
		return true
	}
}

// elements gives a value as a list; null is none.
func elements(a schema.Attribute, value any) []any {
	if list, ok := value.([]any); ok && kindOf(a) != "point" && kindOf(a) != "line" && kindOf(a) != "polygon" {
		return list
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

// same says whether two elements mean the same.
func sameMeaning(was, now schema.Attribute, x, y any) bool {
	if was.Type == now.Type {
		return fmt.Sprint(x) == fmt.Sprint(y)
	}
	a, b := fmt.Sprint(x), fmt.Sprint(y)
	if s, err := time.Parse(time.RFC3339Nano, a); err == nil {
		t, err := time.Parse(time.RFC3339Nano, b)
		return err == nil && s.Equal(t)
	}
	digits := strings.NewReplacer("true", "1", "false", "0")
	if kindOf(was) == "boolean" || kindOf(now) == "boolean" {
		return digits.Replace(a) == digits.Replace(b)
	}
	p, okP := new(big.Rat).SetString(a)
	q, okQ := new(big.Rat).SetString(b)
	if okP && okQ {
		return p.Cmp(q) == 0
	}
	return a == b
}

var wholeNumber, anyNumber = regexp.MustCompile(`^-?\d+$`), regexp.MustCompile(`^-?\d+(\.\d+)?(e[+-]?\d+)?$`)

// representable says whether an element can be in an attribute.
func representable(was, now schema.Attribute, x any) bool {
	text := fmt.Sprint(x)
	switch now.Type {
	case "integer", "bigint":
		if kindOf(was) == "boolean" {
			text = map[bool]string{true: "1", false: "0"}[x == true]
		}
		return wholeNumber.MatchString(text) && within(now, text)
	case "float":
		return anyNumber.MatchString(text) && within(now, text)
	case "boolean":
		return text == "true" || text == "false" || kindOf(was) == "number" && (text == "0" || text == "1")
	case "datetime":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "string", "varchar":
		return int64(utf8.RuneCountInString(text)) <= now.Size
	case "enum":
		return slices.Contains(now.Elements, text)
	case "email":
		return strings.Contains(text, "@")
	case "ip":
		return strings.HasPrefix(text, "10.0.0.")
	case "url":
		return strings.HasPrefix(text, "https://")
	case "relationship":
		return strings.HasPrefix(text, "doc")
	default:
		return true
	}
}

func within(a schema.Attribute, text string) bool {
	n, err := strconv.ParseFloat(text, 64)
	low, errLow := strconv.ParseFloat(a.Min.String(), 64)
	high, errHigh := strconv.ParseFloat(a.Max.String(), 64)
	return err == nil && (errLow != nil || n >= low) && (errHigh != nil || n <= high)
}

// takesMany says whether an attribute's values are lists.
func takesMany(a schema.Attribute, collection string) bool {
	if a.Relationship == nil {
		return a.Array
	}
	kind := a.Relationship.Type
	if a.Relationship.Related == collection { // read through the other side
		return kind == "manyToOne" || kind == "manyToMany"
	}
	return kind == "oneToMany" || kind == "manyToMany"
}

// holderOf is the key under which an attribute's values are read.
func holderOf(a schema.Attribute, collection string) string {
	if a.Relationship != nil && a.Relationship.Related == collection {
		return a.Relationship.TwoWayKey
	}
	return a.Key
}

// standIn is the value that documents without one get.
func (d destiny) standIn(database, collection string, was *schema.Attribute, now schema.Attribute) any {
	for _, f := range d.fills {
		if f.Database == database && f.Collection == collection && f.Key == now.Key {
			return decoded(f.Value)
		}
	}
	if was != nil && now.Required && !was.Required && was.Default != nil && was.Type == now.Type && !now.Array &&
		representable(*was, now, decoded(was.Default)) {
		return decoded(was.Default)
	}
	return nil
}

func decoded(raw []byte) any {
	var value any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil
	}
	return value
}

// documentsOf gives the documents of a collection in a snapshot, by id.
func documentsOf(s oracle.Snapshot, database, collection string) map[string]map[string]any {
	found := map[string]map[string]any{}
	prefix := database + "/" + collection + "/documents/"
	for path, object := range s {
		if id, ok := strings.CutPrefix(path, prefix); ok {
			found[id], _ = decoded([]byte(object)).(map[string]any)
		}
	}
	return found
}
