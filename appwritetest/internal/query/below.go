package query

import (
	"slices"
	"strings"
)

// nested finds the field that a dotted name such as "writer.name" begins with,
// where there is no field of the whole name. 1.7 knows no such names.
func (r Rules) nested(name string) (field Field, base string, ok bool) {
	base, _, dotted := strings.Cut(name, ".")
	if _, whole := r.Field(name); whole || !dotted || !r.Profile.TablesDB() {
		return Field{}, "", false
	}
	field, ok = r.Field(base)
	return field, base, ok
}

// addBelow files a filter on related records. The filters through one
// relationship are about one related record, except that each value of
// containsAll may be found in another. The storage fails on a name below a
// plain attribute.
func (f Field) addBelow(set *Set, k kind, q Query, base string) error {
	if err := q.checkCount(k); err != nil {
		return err
	}
	if f.Related == nil {
		return ErrUnsupported
	}
	related := f.Related()
	_, q.Attribute, _ = strings.Cut(q.Attribute, ".")
	if q.Method != "containsAll" {
		below := set.below(base)
		if q.Method == "equal" && related.Profile.InlineSchema() && slices.ContainsFunc(below.Filters, func(other Query) bool {
			return other.Method == "equal" && other.Attribute == q.Attribute
		}) {
			return invalid("no single record can equal several values of %q", q.Attribute)
		}
		return related.add(&below.Set, k, q)
	}
	for _, value := range q.Values {
		each := Below{Relationship: base, each: true}
		if err := related.add(&each.Set, k, Query{Method: "equal", Attribute: q.Attribute, Values: []any{value}}); err != nil {
			return err
		}
		set.Below = append(set.Below, each)
	}
	return nil
}

// below returns the entry for what is asked of one related record.
func (set *Set) below(relationship string) *Below {
	for i := range set.Below {
		if b := &set.Below[i]; b.Relationship == relationship && !b.each {
			return b
		}
	}
	set.Below = append(set.Below, Below{Relationship: relationship})
	return &set.Below[len(set.Below)-1]
}
