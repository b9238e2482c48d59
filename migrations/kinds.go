package migrations

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// A kind is one kind of step as files write it.
type kind struct {
	name   string
	typ    reflect.Type
	fields []fieldSpec
}

// A fieldSpec is one field of a kind.
type fieldSpec struct {
	name     string
	typ      reflect.Type
	required bool
}

// newKind reads the fields of a kind from its Go type, so that files, the JSON
// Schema and the steps cannot drift apart.
func newKind(prototype engine.Step) kind {
	k := kind{name: prototype.Kind(), typ: reflect.TypeOf(prototype)}
	k.fields = fieldsOf(k.typ)
	return k
}

func fieldsOf(t reflect.Type) []fieldSpec {
	var fields []fieldSpec
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || name == "" || name == "-" || inverseOnly(name) {
			continue
		}
		fields = append(fields, fieldSpec{name: name, typ: f.Type, required: !strings.Contains(options, "omit")})
	}
	return fields
}

// inverseOnly tells fields that only inverse steps carry: what they expect to
// find, and what they put back. They are journaled and never written by people.
func inverseOnly(name string) bool {
	return slices.Contains([]string{"expect", "restore", "restored", "tolerate", "alone", "torn"}, name)
}

func (k kind) names() []string {
	names := make([]string, len(k.fields))
	for i, f := range k.fields {
		names[i] = f.name
	}
	return names
}

func (k kind) field(name string) (fieldSpec, bool) {
	i := slices.IndexFunc(k.fields, func(f fieldSpec) bool { return f.name == name })
	if i < 0 {
		return fieldSpec{}, false
	}
	return k.fields[i], true
}

// canonicalKind gives the usual word for a kind: create_table is
// create_collection, update_row is update_document.
func canonicalKind(name string) string {
	verb, object, ok := strings.Cut(name, "_")
	if !ok {
		return name
	}
	switch object {
	case "table":
		object = "collection"
	case "column":
		object = "attribute"
	case "row":
		object = "document"
	}
	return verb + "_" + object
}

// tablesWords maps TablesDB's words for fields to the classic ones.
func tablesWords() map[string]string {
	return map[string]string{
		"table": "collection", "column": "attribute", "columns": "attributes", "row": "document",
		"row_security": "document_security", "related_table": "related_collection",
	}
}

// canonicalField gives the name under which a kind knows a field: the name
// itself, or the classic word for a TablesDB one.
func (k kind) canonicalField(name string) (string, bool) {
	if _, ok := k.field(name); ok {
		return name, true
	}
	if classic, ok := tablesWords()[name]; ok {
		if _, ok := k.field(classic); ok {
			return classic, true
		}
	}
	return name, false
}

// How a field's Go type is written in files.
func isRaw(t reflect.Type) bool {
	return t == reflect.TypeFor[json.RawMessage]() || t.Kind() == reflect.Interface
}
func isNumber(t reflect.Type) bool { return t == reflect.TypeFor[json.Number]() }

// readsText tells types that are read from a string, such as durations.
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// readsItself tells types that are read from a string or from their fields.
func readsItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// userKinds are the kinds that people write, in the order in which they are
// explained. The others only undo these.
func userKinds() []string {
	return []string{
		"create_database", "update_database", "delete_database",
		"create_collection", "update_collection", "delete_collection",
		"create_attribute", "update_attribute", "rename_attribute", "fill_attribute", "delete_attribute",
		"create_relationship", "update_relationship", "delete_relationship",
		"create_index", "update_index", "delete_index",
		"create_document", "update_document", "upsert_document", "delete_document",
		"increment", "assert",
	}
}

// findKind gives a kind that people write.
func findKind(name string) (kind, bool) {
	if !slices.Contains(userKinds(), name) {
		return kind{}, false
	}
	prototype, ok := steps.Prototype(name)
	if !ok {
		return kind{}, false
	}
	return newKind(prototype), true
}

// wordsFor gives what a kind may be called, the TablesDB word included.
func wordsFor(name string) []string {
	verb, object, _ := strings.Cut(name, "_")
	switch object {
	case "collection":
		return []string{name, verb + "_table"}
	case "attribute":
		return []string{name, verb + "_column"}
	case "document":
		return []string{name, verb + "_row"}
	default:
		return []string{name}
	}
}

// kindWords are all words for all kinds.
func kindWords() []string {
	var words []string
	for _, name := range userKinds() {
		words = append(words, wordsFor(name)...)
	}
	return words
}
