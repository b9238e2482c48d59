package query

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// Field says how an attribute may be queried.
type Field struct {
	Type      string // a storage type such as "string" or "datetime"; "id" for $sequence
	Size      int    // bytes of an integer
	Array     bool
	Encrypted bool
	// Remote marks a relationship whose column is elsewhere: it can be
	// selected, not filtered.
	Remote bool
	// Fulltext says that an index allows search.
	Fulltext bool
	// Related are the rules of the records at the other end of a relationship;
	// nil for other fields.
	Related func() Rules
}

// Rules say which queries a list takes.
type Rules struct {
	Profile profile.Profile
	// Field finds an attribute by its exact name.
	Field func(name string) (Field, bool)
	Dates *phpdate.Parser
	// SelectOnly refuses everything but select (reading one record).
	SelectOnly bool
	// NoSelect refuses select (lists other than those of records).
	NoSelect bool
}

const maxValues = 500

// Compile reads and checks the texts of a request's queries. The error matches
// ErrInvalid, or ErrUnsupported.
func (r Rules) Compile(texts []string) (Set, error) {
	set := Set{Queries: len(texts)}
	var unsupported error
	for _, text := range texts {
		q, err := parse(r.Profile, text)
		if err != nil {
			return Set{}, err
		}
		k, _ := methodKind(r.Profile, q.Method)
		if (r.SelectOnly && k != selection) || (r.NoSelect && k == selection) {
			return Set{}, invalid("%s is not allowed here", q.Method)
		}
		if err := r.add(&set, k, q); err != nil {
			return Set{}, err
		}
		if k == filterExist {
			unsupported = ErrUnsupported
		}
	}
	return set, unsupported
}

// add checks a query and files it by its purpose. Of two limits, offsets or
// cursors the first counts.
func (r Rules) add(set *Set, k kind, q Query) error {
	switch k {
	case ordering:
		if q.Method == "orderRandom" {
			set.Orders = append(set.Orders, Order{Random: true})
			return nil
		}
		if _, known := r.Field(q.Attribute); !known && q.Attribute != "" {
			return invalid("unknown attribute %q to order by", q.Attribute)
		}
		if q.Attribute == "" {
			q.Attribute = "$sequence" // also on 1.7, where it cannot be named
		}
		set.Orders = append(set.Orders, Order{Attribute: q.Attribute, Descending: q.Method == "orderDesc"})
	case limiting:
		return set.addLimit(q)
	case cursor:
		id := first(q.Values)
		text, ok := id.(string)
		if !ok || !profile.ValidID(text) {
			return invalid("invalid cursor")
		}
		if set.Cursor == "" {
			set.Cursor, set.Backward = text, q.Method == "cursorBefore"
		}
	case selection:
		return r.addSelect(set, q)
	default:
		if field, base, ok := r.nested(q.Attribute); ok {
			return field.addBelow(set, k, q, base)
		}
		checked, err := r.filter(q)
		if err != nil {
			return err
		}
		set.Filters = append(set.Filters, checked)
	}
	return nil
}

func (set *Set) addLimit(q Query) error {
	n, ok := wholeNumber(first(q.Values))
	switch {
	case !ok, n < 0, n == 0 && q.Method == "limit":
		return invalid("invalid %s", q.Method)
	case q.Method == "limit" && set.Limit == 0:
		set.Limit = n
	case q.Method == "offset" && set.Offset == 0:
		set.Offset = n
	}
	return nil
}

func (r Rules) addSelect(set *Set, q Query) error {
	if len(q.Values) == 0 {
		return invalid("no attributes selected")
	}
	for i, value := range q.Values {
		name, ok := value.(string)
		if !ok || slices.Contains(q.Values[:i], value) {
			return invalid("invalid or repeated attribute to select")
		}
		if !r.selectable(name) {
			return invalid("unknown attribute %q to select", name)
		}
		set.Select = append(set.Select, name)
	}
	return nil
}

func (r Rules) selectable(name string) bool {
	if name == "*" || name == "$permissions" {
		return true
	}
	if _, known := r.Field(name); known {
		return true
	}
	base, _, dotted := strings.Cut(name, ".")
	_, known := r.Field(base)
	return dotted && known
}

// filter checks a filter and brings its values into stored form.
func (r Rules) filter(q Query) (Query, error) {
	k, _ := methodKind(r.Profile, q.Method)
	if err := q.checkCount(k); err != nil {
		return Query{}, err
	}
	if k == filterLogic {
		return r.logic(q)
	}
	field, known := r.Field(q.Attribute)
	switch {
	case !known:
		if _, _, below := r.nested(q.Attribute); below {
			return Query{}, ErrUnsupported // only reached within and and or
		}
		return Query{}, invalid("unknown attribute %q", q.Attribute)
	case field.Encrypted:
		return Query{}, invalid("attribute %q is encrypted", q.Attribute)
	case field.Remote:
		return Query{}, invalid("attribute %q is virtual", q.Attribute)
	case len(q.Values) > maxValues:
		return Query{}, invalid("more than %d values", maxValues)
	}
	if (q.Method == "search" || q.Method == "notSearch") && !field.Fulltext {
		return Query{}, invalid("searching %q needs a fulltext index", q.Attribute)
	}
	if err := field.checkMethod(q.Method, k); err != nil {
		return Query{}, err
	}
	if k == filterExist {
		return q, nil
	}
	if field.spatial() && k != filterNull {
		return q, checkGeometries(k, q.Values)
	}
	values := make([]any, len(q.Values))
	for i, value := range q.Values {
		stored, ok := r.stored(field, value)
		if !ok {
			return Query{}, invalid("value of a wrong type for attribute %q", q.Attribute)
		}
		values[i] = stored
	}
	q.Values = values
	return q, nil
}

func (q Query) checkCount(k kind) error {
	n := len(q.Values)
	switch {
	case k == filterAny && n == 0, k == filterExist && n == 0, k == filterSpace && n == 0,
		k == filterOne && n != 1, k == filterRange && n != 1, k == filterTwo && n != 2,
		k == filterLogic && len(q.Parts) < 2:
		return invalid("wrong number of values for %s", q.Method)
	}
	return nil
}

func (r Rules) logic(q Query) (Query, error) {
	for i, part := range q.Parts {
		if k, _ := methodKind(r.Profile, part.Method); k >= ordering {
			return Query{}, invalid("%s takes filters only", q.Method)
		}
		checked, err := r.filter(part)
		if err != nil {
			return Query{}, err
		}
		q.Parts[i] = checked
	}
	return q, nil
}

// checkMethod refuses methods that do not suit the attribute.
func (f Field) checkMethod(method string, k kind) error {
	spatial, listed := f.spatial(), strings.Contains(strings.ToLower(method), "contains")
	switch {
	case (k == filterSpace || k == filterRange) && !spatial:
		return invalid("%s needs a spatial attribute", method)
	case f.Array && !listed && k != filterNull && k != filterExist:
		return invalid("%s cannot be used on an array", method)
	case !f.Array && listed && !f.text() && !spatial, !f.Array && method == "containsAll":
		return invalid("%s needs an array or a string", method)
	}
	return nil
}

func (f Field) spatial() bool {
	return f.Type == "point" || f.Type == "linestring" || f.Type == "polygon"
}

// checkGeometries wants lists: geometries, or for distances a geometry and a
// number.
func checkGeometries(k kind, values []any) error {
	for _, value := range values {
		list, ok := value.([]any)
		if !ok || (k == filterRange && len(list) != 3) {
			return invalid("a geometry must be an array")
		}
	}
	return nil
}

func (f Field) text() bool {
	switch f.Type {
	case "string", "varchar", "text", "mediumtext", "longtext":
		return true
	}
	return false
}

// stored checks the type of a value and returns it as the store keeps it.
func (r Rules) stored(field Field, sent any) (any, bool) {
	switch field.Type {
	case "integer", "bigint":
		n, ok := sent.(int64)
		fits := field.Type == "bigint" || field.Size == 8 || (n >= math.MinInt32 && n <= math.MaxInt32)
		return n, ok && fits
	case "double":
		f, ok := value.Float(sent)
		return value.Sent(f), ok && !math.IsInf(f, 0)
	case "boolean":
		b, ok := sent.(bool)
		return b, ok
	case "datetime":
		text, ok := sent.(string)
		if !ok {
			return nil, false
		}
		t, err := r.Dates.Parse(text)
		return phpdate.Format(t), err == nil
	case "id":
		if n, ok := sent.(int64); ok && r.Profile.InlineSchema() {
			return n, true
		}
		text, ok := sent.(string)
		n, err := strconv.ParseInt(text, 10, 64)
		return n, ok && err == nil
	default:
		text, ok := sent.(string)
		return text, ok
	}
}

func wholeNumber(value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

func first(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}
