package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/backstep-dev/backstep/schema"
)

// TestWhateverIsTakenGoesUpAndDown makes up CLI files as untidy as real ones.
// What Read and Check take has to go up as it is meant, and down again without a
// trace.
func TestWhateverIsTakenGoesUpAndDown(t *testing.T) {
	t.Parallel()
	const files = 60
	var taken, refused atomic.Int64
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		for seed := range uint64(files) {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				text := untidy(rand.New(rand.NewPCG(seed, 0)))
				file, err := read(text)
				if err == nil {
					err = schema.Check(file.Model, schema.DefaultLimits())
				}
				switch {
				case errors.Is(err, schema.ErrRefused):
					refused.Add(1)
					t.Log(err)
				case err != nil:
					t.Fatal(err)
				default:
					taken.Add(1)
					newProject(t, "1.9.6").upAndDown(file)
				}
				if t.Failed() {
					t.Logf("the file:\n%s", text)
				}
			})
		}
	})
	t.Cleanup(func() {
		t.Logf("%d files taken, %d refused", taken.Load(), refused.Load())
		if taken.Load() == 0 || refused.Load() == 0 {
			t.Error("the files are not what they should be: all taken, or all refused")
		}
	})
}

// untidy makes a CLI file of a few collections.
func untidy(r *rand.Rand) string {
	one := func(options ...any) any { return options[r.IntN(len(options))] }
	tables := r.IntN(2) == 0
	list, attributes, related := "collections", "attributes", "relatedCollection"
	if tables {
		list, attributes, related = "tables", "columns", "relatedTable"
	}
	var containers []raw
	for c := range 1 + r.IntN(3) {
		container := raw{"$id": fmt.Sprint("c", c), "databaseId": "d", "name": one("N", "Ünïcode", strings.Repeat("n", 128))}
		if r.IntN(2) == 0 {
			container["$permissions"] = one([]string{}, []string{`read("any")`, `write("users")`}, []string{`read("role:all")`, `read("any")`}, []string{`create("team:a/owner")`})
			container["enabled"] = one(true, false, "true", 1)
		}
		var fields, indexes []raw
		for a := range 1 + r.IntN(6) {
			fields = append(fields, untidyAttribute(r, fmt.Sprint("a", a)))
		}
		for i := range r.IntN(3) {
			field := fields[r.IntN(len(fields))]
			if r.IntN(8) > 0 && (field["array"] == true || field["type"] == "text" || field["type"] == "point" || field["type"] == "polygon") {
				continue
			}
			keys := []any{field["key"], one("$id", "$createdAt", "$updatedAt")}
			indexes = append(indexes, raw{
				"key": fmt.Sprint("i", i), "type": one("key", "key", "key", "unique", "fulltext"), attributes: keys[:1+r.IntN(2)],
				"orders": one(nil, []any{"asc"}, []any{"DESC", "ASC", "ASC"}, []any{nil}, []any{""}), "status": one(nil, "available", "failed"),
			})
		}
		if c > 0 && r.IntN(2) == 0 {
			fields = append(fields, raw{
				"key": "rel", "type": "relationship", related: fmt.Sprint("c", r.IntN(c)), "twoWayKey": one(nil, fmt.Sprint("back", c)),
				"relationType": one("oneToOne", "oneToMany", "manyToOne", "manyToMany"), "twoWay": one(true, false), "onDelete": one("cascade", "setNull", "restrict", nil),
			})
		}
		container[attributes], container["indexes"] = fields, indexes
		containers = append(containers, container)
	}
	data, err := json.MarshalIndent(raw{list: containers, "functions": []raw{{}}}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// untidyAttribute makes an attribute that fits itself more often than not.
func untidyAttribute(r *rand.Rand, key string) raw {
	one := func(options ...any) any { return options[r.IntN(len(options))] }
	a := raw{"key": key, "required": one(true, false, false, nil), "array": one(false, false, false, false, true, nil)}
	kind := one("string", "string", "varchar", "text", "integer", "bigint", "double", "float", "boolean", "datetime", "email", "enum", "ip", "url", "point")
	a["type"] = kind
	switch kind {
	case "string", "varchar":
		a["size"] = one(1, 36, 36, 255, 255, 256, "100", 768, 16116)
		a["default"] = one(nil, nil, "", "x", 5)
		a["encrypt"] = a["size"] == 256
	case "text":
		a["default"] = one(nil, "long", "")
	case "integer", "bigint":
		a["min"] = one(nil, 0, -5, 0.5, "-9223372036854775808", json.Number("-9223372036854776000"))
		a["max"] = one(nil, 10, 2147483647, 2147483648, json.Number("9223372036854775807"), json.Number("1e30"))
		a["default"] = one(nil, nil, 3, "3", 3.0)
	case "double", "float":
		a["min"] = one(nil, 0, -1.5, json.Number("-"+strings.Repeat("9", 309)))
		a["max"] = one(nil, 10, 1e3, json.Number("1.7976931348623157e+308"))
		a["default"] = one(nil, nil, 3, 2.25, "1e0")
	case "boolean":
		a["default"] = one(nil, true, false, "false", "")
	case "email":
		a["type"], a["format"], a["default"] = "string", "email", one(nil, "", "a@b.example")
	case "enum":
		a["elements"] = one([]any{"a"}, []any{"a", "b", "a"}, []any{1, true})
		a["default"] = one(nil, nil, "a")
	case "ip":
		a["default"] = one(nil, "", "::1", "127.0.0.1")
	case "url":
		a["default"] = one(nil, "https://a.example/x")
	}
	if a["array"] == true && r.IntN(8) > 0 {
		delete(a, "default")
	}
	return a
}
