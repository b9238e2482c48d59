package migrations

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"

	"github.com/backstep-dev/backstep/steps"
)

//go:generate go run ./internal/schemagen migration.schema.json

//go:embed migration.schema.json
var committedSchema []byte

// JSONSchema gives the JSON Schema of migration files (draft 2020-12), with
// which editors complete and check them.
func JSONSchema() []byte { return slices.Clone(committedSchema) }

// GenerateJSONSchema makes the JSON Schema from the Go types of the steps. The
// result is what JSONSchema gives, unless a step has changed since.
func GenerateJSONSchema() ([]byte, error) {
	step := &jsonschema.Schema{Description: "One step: its kind with its fields, and perhaps an id and how it is retried."}
	for _, name := range userKinds() {
		k, ok := findKind(name)
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, steps.ErrUnknownKind)
		}
		fields := k.schema()
		for _, word := range wordsFor(name) {
			item := object()
			item.Properties.Set("id", &jsonschema.Schema{Type: "string", Pattern: stepID.String(), Description: "Unique in the migration; derived from kind and place when left out."})
			item.Properties.Set(word, fields)
			item.Properties.Set("retry", retrySchema())
			item.Required = []string{word}
			step.OneOf = append(step.OneOf, item)
		}
	}
	root := object()
	root.Version = jsonschema.Version
	root.ID = "https://github.com/backstep-dev/backstep/migrations/migration.schema.json"
	root.Title = "Backstep migration"
	root.Properties.Set("description", &jsonschema.Schema{Type: "string"})
	root.Properties.Set("hold", &jsonschema.Schema{Type: "string", Description: "What has to be so before this may be applied. While it is given, only `up --to` this version applies it."})
	replaces := object()
	replaces.AdditionalProperties = &jsonschema.Schema{Type: "string", Pattern: hexChecksum.String()}
	replaces.Description = "The migrations that this one stands for, with their checksums; written by `backstep squash`."
	root.Properties.Set("replaces", replaces)
	root.Properties.Set("database", &jsonschema.Schema{Type: "string", Description: "The database of every step that names none."})
	one := uint64(1)
	root.Properties.Set("steps", &jsonschema.Schema{Type: "array", MinItems: &one, Items: reference("step"), Description: "What applies the migration, in order."})
	root.Properties.Set("down", &jsonschema.Schema{Type: "array", Items: reference("step"), Description: "What takes the migration back where the journal cannot."})
	root.Required = []string{"steps"}
	root.Definitions = jsonschema.Definitions{"step": step}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

func object() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
}

func reference(name string) *jsonschema.Schema {
	return &jsonschema.Schema{Ref: "#/$defs/" + name}
}

// schema gives the fields of a kind. A field may be called by its TablesDB word.
func (k kind) schema() *jsonschema.Schema {
	s := object()
	for _, f := range k.fields {
		words := []string{f.name}
		for tables, classic := range tablesWords() {
			if _, own := k.field(tables); classic == f.name && !own {
				words = append(words, tables)
			}
		}
		slices.Sort(words[1:])
		for _, word := range words {
			s.Properties.Set(word, typeSchema(f.typ))
		}
		switch {
		case !f.required || f.name == "database": // the file's own may stand for it
		case len(words) == 1:
			s.Required = append(s.Required, f.name)
		default:
			choice := &jsonschema.Schema{}
			for _, word := range words {
				choice.OneOf = append(choice.OneOf, &jsonschema.Schema{Required: []string{word}})
			}
			s.AllOf = append(s.AllOf, choice)
		}
	}
	return s
}

// typeSchema gives the schema of a Go type, as fit reads it.
func typeSchema(t reflect.Type) *jsonschema.Schema {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isRaw(t):
		return &jsonschema.Schema{} // anything
	case isNumber(t):
		return &jsonschema.Schema{Type: "number"}
	case readsText(t):
		return &jsonschema.Schema{Type: "string"}
	case readsItself(t):
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, kind{typ: t, fields: fieldsOf(t)}.schema()}}
	}
	switch t.Kind() {
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &jsonschema.Schema{Type: "integer"}
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: typeSchema(t.Elem())}
	case reflect.Struct:
		return kind{typ: t, fields: fieldsOf(t)}.schema()
	default:
		return &jsonschema.Schema{Type: "object"}
	}
}

func retrySchema() *jsonschema.Schema {
	s := typeSchema(reflect.TypeFor[steps.Retry]())
	s.Description = "How the step is retried where it differs from the rest; durations such as 1m30s."
	return s
}
