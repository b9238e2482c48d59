package documents

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// maxDepth is how many relationships deep a record is loaded.
const maxDepth = 3

// nested is the model of a record as it is read. Up to 1.7 everything related
// comes with it; later only what is selected, and the bare ids of the sides
// that hold a column.
func (r *Room) nested(reader store.Reader, v view, col *catalog.Collection, record *store.Record) (*phpjson.Object, error) {
	if !r.Profile.TablesDB() && v.selected == nil {
		body, err := r.loaded(reader, v, col, record, "", 0)
		r.addDotless(v, body, col, record)
		return body, err
	}
	body := v.render(col, record)
	r.addDotless(v, body, col, record)
	return body, r.addSelected(reader, v, body, col, record, "")
}

// addDotless adds what servers before 1.9 show beside a null whose key holds a
// dot: the name of its column, which has none.
func (r *Room) addDotless(v view, body *phpjson.Object, col *catalog.Collection, record *store.Record) {
	if r.Profile.InlineSchema() || v.selected != nil {
		return
	}
	for _, d := range col.Schema.Attributes {
		if strings.Contains(d.Key, ".") && record.Value(d.Column) == nil {
			body.Set(strings.ReplaceAll(d.Key, ".", ""), nil)
		}
	}
}

// checkDots refuses to select below a plain attribute: the server's storage
// fails on it.
func (r *Room) checkDots(col *catalog.Collection, selected []string) error {
	for _, name := range selected {
		base, _, dotted := strings.Cut(name, ".")
		if !dotted || col.Schema.Attribute(name) != nil {
			continue
		}
		if d := col.Schema.Attribute(base); d == nil || d.Relation == nil {
			return apierr.Unknown("Unknown column '%s'", name)
		}
	}
	return nil
}

// addSelected adds to a model the relationships that the view asks for. back
// is the key of the side through which the record was reached.
func (r *Room) addSelected(reader store.Reader, v view, body *phpjson.Object, col *catalog.Collection, record *store.Record, back string) error {
	for _, s := range r.sides(col) {
		below := v.below(s.Key)
		switch {
		case s.Lost:
		case s.Key == back:
			if !r.Profile.TablesDB() && s.Relation.Type == "oneToOne" && v.shows(s.Key) {
				body.Set(s.Key, record.Value(s.Column))
			}
		case below == nil:
			if s.own() && v.shows(s.Key) && r.Profile.TablesDB() {
				body.Set(s.Key, record.Value(s.Column))
			}
		default:
			targets, err := s.targets(reader, record)
			if err != nil {
				return err
			}
			deeper := v
			deeper.selected = below
			value, err := r.related(s, targets, func(other *store.Record) (*phpjson.Object, error) {
				nested := deeper.render(s.related, other)
				deeper.addPlace(nested, s.related)
				return nested, r.addSelected(reader, deeper, nested, s.related, other, s.backKey(r))
			})
			if err != nil {
				return err
			}
			body.Set(s.Key, value)
		}
	}
	return nil
}

// backKey is the key that records reached through a side leave out. Since 1.8
// the hidden side of a one-way relationship shows.
func (s side) backKey(r *Room) string {
	if hidden(s.other) && r.Profile.TablesDB() {
		return ""
	}
	return s.other.Key
}

// below returns what is selected below a relationship, nil for nothing.
func (v view) below(key string) []string {
	var names []string
	for _, name := range v.selected {
		if rest, ok := strings.CutPrefix(name, key+"."); ok && !slices.Contains(names, rest) {
			names = append(names, rest)
		}
	}
	return names
}

// related is the value of a side: a list, or one record or null. What no
// longer exists is left out, by 1.7 shown as an empty list.
func (r *Room) related(s side, targets []target, model func(*store.Record) (*phpjson.Object, error)) (any, error) {
	values := []any{}
	for _, t := range targets {
		switch {
		case t.record != nil:
			nested, err := model(t.record)
			if err != nil {
				return nil, err
			}
			values = append(values, nested)
		case !r.Profile.TablesDB():
			values = append(values, []any{})
		}
	}
	if s.many() {
		return values, nil
	}
	if len(values) == 0 {
		return nil, nil
	}
	return values[0], nil
}

// loaded is the model of a record with everything related to it.
func (r *Room) loaded(reader store.Reader, v view, col *catalog.Collection, record *store.Record, back string, depth int) (*phpjson.Object, error) {
	body := v.render(col, record)
	if depth == maxDepth {
		return body, nil
	}
	for _, s := range r.sides(col) {
		if hidden(s.Definition) || s.Key == back {
			continue
		}
		targets, err := s.targets(reader, record)
		if err != nil {
			return nil, err
		}
		value, err := r.related(s, targets, func(other *store.Record) (*phpjson.Object, error) {
			return r.loaded(reader, v, s.related, other, s.other.Key, depth+1)
		})
		if err != nil {
			return nil, err
		}
		body.Set(s.Key, value)
	}
	return body, nil
}

// written is the model that answers a write: everything related is loaded. Of
// a new record the single relations that were not sent are missing, and an id
// that leads nowhere is an empty object.
func (r *Room) written(reader store.Reader, v view, col *catalog.Collection, record *store.Record, sent *phpjson.Object, isNew bool) (*phpjson.Object, error) {
	body, err := r.loaded(reader, v, col, record, "", 0)
	if err != nil {
		return nil, err
	}
	r.echo(body, col, sent)
	if !isNew {
		return body, nil
	}
	for _, s := range r.sides(col) {
		switch {
		case s.many() || hidden(s.Definition):
		case !sent.Has(s.Key):
			body.Delete(s.Key)
		case s.own() && record.Value(s.Column) != nil:
			if nested, _ := body.Get(s.Key); !isModel(nested) {
				body.Set(s.Key, v.nowhere(s.related))
			}
		}
	}
	return body, nil
}

func isModel(nested any) bool {
	_, ok := nested.(*phpjson.Object)
	return ok
}

// nowhere is the model of a related record that does not exist.
func (v view) nowhere(col *catalog.Collection) *phpjson.Object {
	out := &phpjson.Object{}
	v.addNoSequence(out)
	v.addPlace(out, col)
	return out
}
