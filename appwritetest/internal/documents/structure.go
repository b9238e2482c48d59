package documents

import (
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/operator"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// fill writes the fields into record, over the values it has, and validates
// the whole: defaults stand in for what is null, nothing required is missing,
// nothing is unknown. Relationships are read and returned, not written.
func (r *Room) fill(col *catalog.Collection, record *store.Record, fields *phpjson.Object) ([]link, error) {
	known := 0
	for i := range col.Schema.Attributes {
		d := &col.Schema.Attributes[i]
		sent, given := fields.Get(d.Key)
		if given && !d.Lost {
			known++
		}
		if d.Relation != nil {
			continue
		}
		if !given {
			sent = record.Value(d.Column)
		}
		if sent == nil {
			sent = d.Default
		}
		if err := r.set(record, d, sent); err != nil {
			return nil, err
		}
	}
	if known < fields.Len() {
		return nil, unknownField(col, fields)
	}
	return r.links(col, fields)
}

// set validates one value and writes it.
func (r *Room) set(record *store.Record, d *catalog.Definition, sent any) error {
	if o, ok := sent.(operator.Operator); ok {
		computed, err := o.Apply(r.values, d, record.Value(d.Column), r.Now())
		if err != nil {
			return invalidStructure("%v", err)
		}
		record.Set(d.Column, computed)
		return nil
	}
	if sent == nil && d.Required {
		return invalidStructure("Missing required attribute \"%s\"", d.Key)
	}
	stored, err := r.values.Store(d, sent)
	if err != nil {
		return invalidStructure("Attribute \"%s\" %v", d.Key, err)
	}
	if f, ok := stored.(float64); ok { // lists go as JSON and lose nothing
		stored = value.Sent(f)
	}
	record.Set(d.Column, stored)
	return nil
}

// echo puts what was sent where the answer to a write does not yet show what
// the store made of it: fractions with all their digits and, on 1.7, null
// among the elements of a list.
func (r *Room) echo(body *phpjson.Object, col *catalog.Collection, sent *phpjson.Object) {
	for key, v := range sent.All() {
		d := col.Schema.Attribute(key)
		if d == nil || d.Relation != nil {
			continue
		}
		if f, ok := v.(float64); ok && d.Type == catalog.TypeDouble && !d.Array {
			body.Set(key, f)
		}
		shownList, _ := body.Get(key)
		elements, isList := v.([]any)
		stored, ok := shownList.([]any)
		if r.Profile.TablesDB() || !isList || !ok || len(stored) != len(elements) {
			continue
		}
		echoed := slices.Clone(stored)
		for i, element := range elements {
			if element == nil {
				echoed[i] = nil
			}
		}
		body.Set(key, echoed)
	}
}

// patch writes the fields into record and validates nothing else of it: the
// way of bulk updates. Defaults are not applied.
func (r *Room) patch(col *catalog.Collection, record *store.Record, fields *phpjson.Object) error {
	for key, sent := range fields.All() {
		d := col.Schema.Attribute(key)
		if d == nil {
			return unknownField(col, fields)
		}
		if err := r.set(record, d, sent); err != nil {
			return err
		}
	}
	return nil
}

// operators replaces what is an operator among the fields, where the version
// knows them.
func (r *Room) operators(fields *phpjson.Object) (*phpjson.Object, error) {
	if !r.Profile.Operators() {
		return fields, nil
	}
	out := fields.Clone()
	for key, sent := range fields.All() {
		o, ok, err := operator.Parse(sent)
		if err != nil {
			return nil, apierr.BadRequest("general_bad_request", "Invalid operator for attribute \"%s\": %v", key, err)
		}
		if ok {
			out.Set(key, o)
		}
	}
	return out, nil
}

func unknownField(col *catalog.Collection, fields *phpjson.Object) error {
	for key := range fields.All() {
		if d := col.Schema.Attribute(key); d == nil || d.Lost {
			return invalidStructure("Unknown attribute: \"%s\"", key)
		}
	}
	return nil
}

// related says whether a collection has a relationship in any status, which
// rules out bulk calls.
func related(col *catalog.Collection) bool {
	for _, a := range col.Attributes {
		if a.Relation != nil {
			return true
		}
	}
	return false
}

// withoutOperators leaves the plain values, for a check ahead of the writes.
func withoutOperators(fields *phpjson.Object) *phpjson.Object {
	out := &phpjson.Object{}
	for key, sent := range fields.All() {
		if _, ok := sent.(operator.Operator); !ok {
			out.Set(key, sent)
		}
	}
	return out
}
