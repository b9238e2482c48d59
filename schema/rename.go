package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/internal/nearest"
	"github.com/backstep-dev/backstep/steps"
)

// Rename says that an attribute or relationship has another key now.
type Rename struct {
	Database, Collection string
	From, To             string // keys
}

// String gives the rename as ParseRename reads it: "shop.products.title=name".
func (r Rename) String() string {
	return fmt.Sprintf("%s.%s.%s=%s", r.Database, r.Collection, r.From, r.To)
}

// Fill is a value for documents that have none.
type Fill struct {
	Database, Collection, Key string
	Value                     json.RawMessage
}

// String gives the fill as ParseFill reads it.
func (f Fill) String() string {
	return fmt.Sprintf("%s.%s.%s=%s", f.Database, f.Collection, f.Key, f.Value)
}

// ParseRename reads "database.collection.old=new"; slashes may stand for the
// dots. The names are looked up in from, since ids may have dots themselves.
func ParseRename(from Model, text string) (Rename, error) {
	path, to, ok := strings.Cut(text, "=")
	if !ok || to == "" {
		return Rename{}, fmt.Errorf("rename %q: expected database.collection.old=new", text)
	}
	database, collection, a, err := lookUp(from, path)
	if err != nil {
		return Rename{}, fmt.Errorf("rename %q: %w", text, err)
	}
	return Rename{Database: database, Collection: collection, From: a.Key, To: to}, nil
}

// ParseFill reads "database.collection.attribute=value". The value is JSON, or
// text as it stands for an attribute that holds text. The names are looked up
// in to.
func ParseFill(to Model, text string) (Fill, error) {
	path, value, ok := strings.Cut(text, "=")
	if !ok {
		return Fill{}, fmt.Errorf("fill %q: expected database.collection.attribute=value", text)
	}
	database, collection, a, err := lookUp(to, path)
	if err != nil {
		return Fill{}, fmt.Errorf("fill %q: %w", text, err)
	}
	f := Fill{Database: database, Collection: collection, Key: a.Key}
	for _, raw := range [][]byte{[]byte(value), quote(value)} {
		f.Value = raw
		if err = fits(*a, raw); err == nil {
			return f, nil
		}
	}
	return Fill{}, fmt.Errorf("fill %q: %w", text, err)
}

// lookUp finds the attribute that a path names, with dots or slashes.
func lookUp(m Model, path string) (database, collection string, found *Attribute, err error) {
	var names []string
	for i, db := range m.Databases {
		for j, col := range db.Collections {
			for k := range col.Attributes {
				a := &m.Databases[i].Collections[j].Attributes[k]
				for _, separator := range []string{".", "/"} {
					name := strings.Join([]string{db.ID, col.ID, a.Key}, separator)
					names = append(names, name)
					if name != path {
						continue
					}
					if found != nil {
						return "", "", nil, fmt.Errorf("%s names two attributes: write it with slashes", path)
					}
					database, collection, found = db.ID, col.ID, a
				}
			}
		}
	}
	if found != nil {
		return database, collection, found, nil
	}
	if near := nearest.Word(path, names); near != "" {
		return "", "", nil, fmt.Errorf("there is no attribute %s: did you mean %s?", path, near)
	}
	return "", "", nil, fmt.Errorf("there is no attribute %s", path)
}

// fits tells whether a value can be in an attribute.
func fits(a Attribute, value json.RawMessage) error {
	var values []json.RawMessage
	if !a.Array {
		values = append(values, value)
	} else if err := json.Unmarshal(value, &values); err != nil {
		return fmt.Errorf("%s is a list, %.80s is none", a.Key, value)
	}
	for _, one := range values {
		if !json.Valid(one) || string(one) == "null" {
			return fmt.Errorf("%.80s is no value", one)
		}
		err := steps.Validate(steps.CreateAttribute{
			Database: "d", Collection: "c", Key: a.Key, Type: a.Type, Size: a.Size,
			Default: one, Min: a.Min, Max: a.Max, Elements: a.Elements,
		})
		if err != nil {
			return fmt.Errorf("%.80s does not fit %s: %w", one, a.Key, err)
		}
	}
	return nil
}

// checkRename holds a told rename against the models.
func (d *differ) checkRename(r Rename) error {
	from, to := d.from.collectionOf(r.Database, r.Collection), d.to.collectionOf(r.Database, r.Collection)
	same := func(other Rename) bool {
		return other.Database == r.Database && other.Collection == r.Collection && (other.From == r.From || other.To == r.To)
	}
	becomes := func(other Rename) bool {
		return other.Database == r.Database && other.Collection == r.Collection && other.To == r.From
	}
	switch {
	case from == nil || to == nil:
		return fmt.Errorf("rename %s: both sides must have the collection", r)
	case from.attribute(r.From) == nil:
		return fmt.Errorf("rename %s: there is no attribute %s before", r, r.From)
	case to.attribute(r.To) == nil:
		return fmt.Errorf("rename %s: there is no attribute %s afterwards", r, r.To)
	case to.attribute(r.From) != nil && !slices.ContainsFunc(d.renames, becomes):
		return fmt.Errorf("rename %s: %s is still there afterwards", r, r.From)
	case countOf(d.renames, same) > 1:
		return fmt.Errorf("rename %s: one of the two keys is renamed twice", r)
	}
	return nil
}

func countOf[T any](list []T, is func(T) bool) int {
	n := 0
	for _, item := range list {
		if is(item) {
			n++
		}
	}
	return n
}

// checkFill holds a told value against the second model.
func (d *differ) checkFill(f Fill) error {
	col := d.to.collectionOf(f.Database, f.Collection)
	if col == nil || col.attribute(f.Key) == nil {
		return fmt.Errorf("fill %s: there is no such attribute", f)
	}
	a := *col.attribute(f.Key)
	if a.Relationship != nil {
		return fmt.Errorf("fill %s: it is a relationship", f)
	}
	if err := fits(a, f.Value); err != nil {
		return fmt.Errorf("fill %s: %w", f, err)
	}
	return nil
}

func (m Model) collectionOf(database, id string) *Collection {
	for i := range m.Databases {
		if m.Databases[i].ID == database {
			return m.Databases[i].collection(id)
		}
	}
	return nil
}
