package schema_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
)

// documentsEach is how many documents a collection gets.
const documentsEach = 3

// A flavour is what the values of an attribute look like, so that some text can
// become numbers, some dates, and some nothing else.
type flavour int

const (
	numeral flavour = iota
	date
	truth
	word
)

// flavourOf draws a flavour that stays the same for an attribute.
func flavourOf(collection string, a schema.Attribute, unique bool) flavour {
	f := flavour(draw(collection, a.Key, 4))
	size := a.Size
	if a.Type != appwrite.TypeString && a.Type != appwrite.TypeVarchar {
		size = 1 << 20
	}
	switch {
	case f == date && size < 29, f == truth && (size < 5 || unique), f == word && size < 2:
		return numeral
	default:
		return f
	}
}

// draw gives a number below n that depends on names only.
func draw(collection, key string, n uint32) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(collection + "/" + key))
	return h.Sum32() % n
}

func uniquelyIndexed(c schema.Collection, key string) bool {
	return slices.ContainsFunc(c.Indexes, func(x schema.Index) bool { return x.Type == "unique" && slices.Contains(x.Attributes, key) })
}

// documentOf makes the i-th document of a collection, without its links.
func documentOf(c schema.Collection, i int) appwrite.Document {
	d := appwrite.Document{ID: fmt.Sprint("doc", i), Data: map[string]any{}}
	if i == 1 {
		d.Permissions = []string{`read("any")`}
	}
	for _, a := range c.Attributes {
		if a.Relationship != nil {
			continue
		}
		if i == 2 && !a.Required && draw(c.ID, a.Key, 3) > 0 {
			continue // null, or the default
		}
		value := valueOf(c, a, i)
		if a.Array {
			list := []any{value}
			if draw(c.ID, a.Key, 5) == 0 && value != nil {
				list = append(list, valueOf(c, a, i+1))
			}
			value = list
		}
		if value != nil {
			d.Data[a.Key] = value
		}
	}
	if len(d.Data) == 0 {
		for _, a := range c.Attributes {
			if a.Relationship == nil {
				d.Data[a.Key] = nil
			}
		}
	}
	return d
}

// valueOf gives the i-th value of an attribute, as fit for the server.
func valueOf(c schema.Collection, a schema.Attribute, i int) any {
	switch a.Type {
	case appwrite.TypeInteger, appwrite.TypeBigInt, appwrite.TypeFloat:
		return numberOf(c, a, i)
	case appwrite.TypeBoolean:
		return i%2 == 0
	case appwrite.TypeDatetime:
		return fmt.Sprintf("2024-01-0%dT10:00:00.000+00:00", i+1)
	case appwrite.TypeEmail:
		return fmt.Sprintf("w%d@example.com", i)
	case appwrite.TypeIP:
		return fmt.Sprintf("10.0.0.%d", i+1)
	case appwrite.TypeURL:
		return fmt.Sprintf("https://example.com/%d", i)
	case appwrite.TypeEnum:
		return a.Elements[i%min(len(a.Elements), 2)]
	case appwrite.TypePoint:
		return []any{i, i}
	case appwrite.TypeLine:
		return []any{[]any{0, 0}, []any{i + 1, 1}}
	case appwrite.TypePolygon:
		return []any{[]any{[]any{0, 0}, []any{1, 0}, []any{1, i + 1}, []any{0, 0}}}
	}
	switch flavourOf(c.ID, a, uniquelyIndexed(c, a.Key)) {
	case date:
		return fmt.Sprintf("2024-01-0%dT10:00:00.000+00:00", i+1)
	case truth:
		return strconv.FormatBool(i%2 == 0)
	case word:
		return fmt.Sprint("w", i)
	default:
		return strconv.Itoa(i + 1)
	}
}

// numberOf gives the i-th number within the bounds, a fraction for some floats.
func numberOf(c schema.Collection, a schema.Attribute, i int) any {
	low, errLow := strconv.ParseFloat(a.Min.String(), 64)
	high, errHigh := strconv.ParseFloat(a.Max.String(), 64)
	n := float64(i + 1)
	if errLow == nil && n < low {
		n = low + float64(i)
	}
	if errHigh == nil && n > high {
		n = high - float64(i)
		if errLow == nil && n < low {
			n = low
		}
	}
	if a.Type != appwrite.TypeFloat {
		return int64(n)
	}
	if half := n + 0.5; draw(c.ID, a.Key, 2) == 0 && (errHigh != nil || half <= high) {
		return half
	}
	return n
}

// stock fills every collection of a model with documents, then links them. What
// a unique index leaves no room for is left out.
func (p *project) stock(m schema.Model) {
	p.t.Helper()
	for _, db := range m.Databases {
		for _, c := range db.Collections {
			if len(c.Attributes) == 0 {
				continue // a document without fields cannot be made
			}
			for i := range documentsEach {
				d := documentOf(c, i)
				if len(d.Data) == 0 {
					d.Data[c.Attributes[0].Key] = nil // only relationships
				}
				_, err := p.client.CreateDocument(p.t.Context(), db.ID, c.ID, d)
				if err != nil && !strings.Contains(err.Error(), "already_exists") {
					p.t.Fatalf("document %s of %s/%s: %v\n%v", d.ID, db.ID, c.ID, err, d.Data)
				}
			}
		}
		for _, c := range db.Collections {
			p.link(db, c)
		}
	}
}

// link links the documents of a collection through its relationships.
func (p *project) link(db schema.Database, c schema.Collection) {
	p.t.Helper()
	for _, a := range c.Attributes {
		r := a.Relationship
		if r == nil || r.Related == c.ID && !r.TwoWay {
			continue // the latter can be made and not used
		}
		key, kind := a.Key, r.Type
		if r.Related == c.ID {
			key = r.TwoWayKey
			kind = map[string]string{"oneToMany": "manyToOne", "manyToOne": "oneToMany"}[kind]
			if kind == "" {
				kind = r.Type
			}
		}
		for i := range documentsEach {
			to := fmt.Sprint("doc", (i+1)%documentsEach)
			var value any = to
			if kind == "oneToMany" || kind == "manyToMany" {
				value = []any{to}
			}
			if kind == "manyToMany" && draw(c.ID, a.Key, 2) == 0 {
				value = []any{to, fmt.Sprint("doc", i)}
			}
			if i == 2 || !p.has(db.ID, r.Related, to) || !p.has(db.ID, c.ID, fmt.Sprint("doc", i)) {
				continue
			}
			_, err := p.client.UpdateDocument(p.t.Context(), db.ID, c.ID, fmt.Sprint("doc", i),
				appwrite.DocumentPatch{Data: map[string]any{key: value}}, appwrite.Guard{})
			if err != nil {
				p.t.Fatalf("link %s/%s/%s by %s: %v", db.ID, c.ID, to, key, err)
			}
		}
	}
}

func (p *project) has(database, collection, id string) bool {
	_, err := p.client.FindDocument(p.t.Context(), database, collection, id, "$id")
	return err == nil
}
