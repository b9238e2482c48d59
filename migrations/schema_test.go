package migrations_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/backstep-dev/backstep/migrations"
)

func TestTheCommittedJSONSchemaIsUpToDate(t *testing.T) {
	t.Parallel()
	made, err := migrations.GenerateJSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, migrations.JSONSchema()) {
		t.Error("migration.schema.json is not what the steps make of it: run go generate ./migrations")
	}
}

func TestTheJSONSchemaTakesWhatParseTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		valid bool
	}{
		"example":         {example, true},
		"TablesDB words":  {"steps:\n  - create_column: {database: d, table: t, key: k, type: string, size: 5}\n  - create_row: {database: d, table: t, id: x, data: {a: 1}}\n", true},
		"id and retry":    {"database: d\nsteps:\n  - id: first\n    delete_collection: {id: c}\n    retry: {attempts: 2, budget: 1m}\n", true},
		"down":            {"database: d\nsteps:\n  - delete_collection: {id: c}\ndown: []\n", true},
		"query as text":   {"database: d\nsteps:\n  - assert: {collection: c, empty: true, where: ['{\"method\":\"isNull\",\"attribute\":\"a\"}']}\n", true},
		"unknown key":     {"stepz: []\nsteps:\n  - delete_collection: {database: d, id: c}\n", false},
		"unknown kind":    {"steps:\n  - delete_colection: {database: d, id: c}\n", false},
		"unknown field":   {"steps:\n  - delete_collection: {database: d, id: c, if_exists: true}\n", false},
		"inverse's field": {"steps:\n  - update_database: {id: d, name: N, expect: {}}\n", false},
		"wrong type":      {"steps:\n  - create_collection: {database: d, id: 5, name: N}\n", false},
		"missing field":   {"steps:\n  - create_collection: {database: d, id: c}\n", false},
		"missing table":   {"steps:\n  - delete_column: {database: d, key: k}\n", false},
		"both words":      {"steps:\n  - delete_column: {database: d, table: c, collection: c, key: k}\n", false},
		"two kinds":       {"database: d\nsteps:\n  - delete_collection: {id: c}\n    delete_database: {id: c}\n", false},
		"no kind":         {"steps:\n  - id: x\n", false},
		"no steps":        {"steps: []\n", false},
		"not a mapping":   {"- a\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			converted, err := yaml.YAMLToJSON([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			var document any
			if err := json.Unmarshal(converted, &document); err != nil {
				t.Fatal(err)
			}
			if reason := newValidator(t).check(document); (reason == "") != c.valid {
				t.Errorf("schema says %q", reason)
			}
			if _, err := migrations.Parse(exampleName, []byte(c.text)); (err == nil) != c.valid {
				t.Errorf("Parse says %v", err)
			}
		})
	}
}

// validator knows the part of JSON Schema that the committed one uses, and
// fails on anything else in it.
type validator struct {
	t    *testing.T
	root map[string]any
}

func newValidator(t *testing.T) *validator {
	t.Helper()
	v := &validator{t: t}
	if err := json.Unmarshal(migrations.JSONSchema(), &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *validator) check(document any) string { return v.fits(v.root, document, "$") }

// fits says why value does not fit schema, "" when it does.
func (v *validator) fits(s map[string]any, value any, at string) string {
	for word, argument := range s {
		if reason := v.keyword(s, word, argument, value, at); reason != "" {
			return reason
		}
	}
	return ""
}

func (v *validator) keyword(s map[string]any, word string, argument, value any, at string) string {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	switch word {
	case "$schema", "$id", "title", "description", "$defs":
	case "$ref":
		definitions, _ := v.root["$defs"].(map[string]any)
		definition, _ := definitions["step"].(map[string]any)
		return v.fits(definition, value, at)
	case "type":
		if got := typeOf(value); got != argument && (got != "integer" || argument != "number") {
			return fmt.Sprintf("%s is %s, not %v", at, got, argument)
		}
	case "properties":
		for key, inner := range argument.(map[string]any) {
			if held, ok := object[key]; isObject && ok {
				inner, ok := inner.(map[string]any)
				if !ok {
					continue // true: anything
				}
				if reason := v.fits(inner, held, at+"."+key); reason != "" {
					return reason
				}
			}
		}
	case "additionalProperties":
		properties, _ := s["properties"].(map[string]any)
		for key := range object {
			if _, known := properties[key]; !known {
				return fmt.Sprintf("%s has no %s", at, key)
			}
		}
	case "required":
		for _, key := range argument.([]any) {
			if _, ok := object[key.(string)]; isObject && !ok {
				return fmt.Sprintf("%s lacks %v", at, key)
			}
		}
	case "items":
		for i, item := range list {
			if reason := v.fits(argument.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i)); reason != "" {
				return reason
			}
		}
	case "minItems":
		if isList && float64(len(list)) < argument.(float64) {
			return at + " has too few items"
		}
	case "pattern":
		if text, ok := value.(string); ok && !regexp.MustCompile(argument.(string)).MatchString(text) {
			return at + " does not match"
		}
	case "oneOf", "allOf":
		return v.choice(word, argument.([]any), value, at)
	default:
		v.t.Fatalf("the validator does not know %s", word)
	}
	return ""
}

func (v *validator) choice(word string, options []any, value any, at string) string {
	var reasons []string
	for _, option := range options {
		reasons = append(reasons, v.fits(option.(map[string]any), value, at))
	}
	fitting := len(slices.DeleteFunc(slices.Clone(reasons), func(reason string) bool { return reason != "" }))
	if word == "oneOf" && fitting != 1 || word == "allOf" && fitting != len(options) {
		return fmt.Sprintf("%s fits %d of %s: %v", at, fitting, word, reasons)
	}
	return ""
}

func typeOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	default:
		return "null"
	}
}
