package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/oracle"
)

// This file reads CLI files a second time, in the plainest way and without any
// of the reader's code, and holds every object of theirs against what a client
// that shares nothing with ours sees on the server. It counts both ways, so that
// neither side has something the other lacks.

type raw = map[string]any

// compareRaw compares a file with a snapshot and counts the objects compared.
func compareRaw(t *testing.T, data []byte, live oracle.Snapshot) int {
	t.Helper()
	var file raw
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	expected := map[string]bool{}
	for _, c := range rawCollections(file) {
		base := c.database + "/" + rawText(c.raw, "$id", "id", "collectionId")
		expected[c.database], expected[base] = true, true
		rawCollection(t, c.raw, decoded(t, live, base))
		for _, a := range rawItems(c.raw, "attributes", "columns") {
			if rawLeaving(a) {
				continue
			}
			path := base + "/attributes/" + rawText(a, "key")
			expected[path] = true
			rawAttribute(t, path, a, decoded(t, live, path))
		}
		for _, x := range rawItems(c.raw, "indexes") {
			if rawLeaving(x) {
				continue
			}
			path := base + "/indexes/" + rawText(x, "key")
			expected[path] = true
			rawIndex(t, path, x, decoded(t, live, path))
		}
	}
	for _, listed := range slices.Concat(rawItems(file, "databases"), rawItems(file, "tablesDB")) {
		id := rawText(listed, "$id", "databaseId")
		expected[id] = true
		if name := rawText(listed, "name"); name != "" && decoded(t, live, id)["name"] != name {
			t.Errorf("%s: name is %v, the file says %s", id, decoded(t, live, id)["name"], name)
		}
	}
	for path := range live {
		if !expected[path] && decoded(t, live, path)["side"] != "child" {
			t.Errorf("%s is on the server and not in the file", path)
		}
	}
	return len(expected)
}

type rawPlaced struct {
	database string
	raw      raw
}

func rawCollections(file raw) []rawPlaced {
	var found []rawPlaced
	for _, db := range slices.Concat(rawItems(file, "databases"), rawItems(file, "tablesDB")) {
		for _, c := range slices.Concat(rawItems(db, "collections"), rawItems(db, "tables")) {
			found = append(found, rawPlaced{rawText(db, "$id", "databaseId"), c})
		}
	}
	for _, c := range slices.Concat(rawItems(file, "collections"), rawItems(file, "tables")) {
		database := rawText(c, "databaseId")
		if database == "" {
			database = "default"
		}
		found = append(found, rawPlaced{database, c})
	}
	return found
}

func rawItems(r raw, names ...string) []raw {
	var items []raw
	for _, name := range names {
		list, _ := r[name].([]any)
		for _, item := range list {
			if m, ok := item.(raw); ok {
				items = append(items, m)
			}
		}
	}
	return items
}

func rawText(r raw, names ...string) string {
	for _, name := range names {
		if s, ok := r[name].(string); ok {
			return s
		}
	}
	return ""
}

func rawLeaving(r raw) bool { return r["status"] == "deleting" || r["status"] == "stuck" }

func decoded(t *testing.T, live oracle.Snapshot, path string) raw {
	t.Helper()
	text, ok := live[path]
	if !ok {
		t.Errorf("%s is in the file and not on the server", path)
		return raw{}
	}
	var r raw
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func rawCollection(t *testing.T, want, live raw) {
	t.Helper()
	id := rawText(live, "$id")
	security := want["documentSecurity"] == true || want["rowSecurity"] == true || want["permission"] == "document"
	if got := live["documentSecurity"] == true || live["rowSecurity"] == true; got != security {
		t.Errorf("%s: document security is %t, the file says %t", id, got, security)
	}
	if live["name"] != want["name"] || live["enabled"] != (want["enabled"] != false) {
		t.Errorf("%s: name and enabled are %v and %v, the file says %v and %v", id, live["name"], live["enabled"], want["name"], want["enabled"])
	}
	var permissions []string
	add := func(list any, actions ...string) {
		items, _ := list.([]any)
		for _, item := range items {
			s := strings.ReplaceAll(fmt.Sprint(item), "role:all", "any")
			for _, action := range actions {
				permissions = append(permissions, action+`("`+s+`")`)
			}
			if len(actions) == 0 {
				permissions = append(permissions, s)
			}
		}
	}
	add(want["$permissions"])
	add(want["permissions"])
	add(want["$read"], "read")
	add(want["$write"], "create", "update", "delete")
	var got []string
	items, _ := live["$permissions"].([]any)
	for _, item := range items {
		got = append(got, fmt.Sprint(item))
	}
	slices.Sort(permissions)
	slices.Sort(got)
	if !slices.Equal(slices.Compact(permissions), got) {
		t.Errorf("%s: permissions are %v, the file says %v", id, got, permissions)
	}
}

func rawAttribute(t *testing.T, path string, want, live raw) {
	t.Helper()
	differs := func(what string, got, says any) { t.Errorf("%s: %s is %v, the file says %v", path, what, got, says) }
	typ, format := rawText(want, "type"), rawText(want, "format")
	switch typ {
	case "enum", "url", "email", "ip":
		typ, format = "string", typ
	}
	if live["type"] != typ || format != "" && live["format"] != format {
		differs("type", fmt.Sprint(live["type"], "/", live["format"]), typ+"/"+format)
	}
	if live["array"] != (want["array"] == true) {
		differs("array", live["array"], want["array"])
	}
	// Required with a default is what a default alone does.
	if required := want["required"] == true && want["default"] == nil; live["required"] != required {
		differs("required", live["required"], want["required"])
	}
	if fmt.Sprint(live["default"]) != fmt.Sprint(want["default"]) {
		differs("default", live["default"], want["default"])
	}
	if (typ == "string" && format == "" || typ == "varchar") && fmt.Sprint(live["size"]) != fmt.Sprint(want["size"]) {
		differs("size", live["size"], want["size"])
	}
	if want["encrypt"] == true && live["encrypt"] != true {
		differs("encrypt", live["encrypt"], true)
	}
	if format == "enum" && fmt.Sprint(live["elements"]) != fmt.Sprint(want["elements"]) {
		differs("elements", live["elements"], want["elements"])
	}
	for _, bound := range []string{"min", "max"} {
		if want[bound] != nil && rawFloat(want[bound]) != rawFloat(live[bound]) {
			differs(bound, live[bound], want[bound])
		}
	}
	for _, key := range []string{"relationType", "twoWay", "twoWayKey", "onDelete", "side"} {
		if typ == "relationship" && live[key] != want[key] {
			differs(key, live[key], want[key])
		}
	}
	if typ == "relationship" && rawText(live, "relatedCollection", "relatedTable") != rawText(want, "relatedCollection", "relatedTable") {
		differs("related", live, want)
	}
}

// rawFloat reads a bound as a float; what is beyond one is the largest.
func rawFloat(v any) float64 {
	f, _ := strconv.ParseFloat(fmt.Sprint(v), 64)
	return max(min(f, math.MaxFloat64), -math.MaxFloat64)
}

func rawIndex(t *testing.T, path string, want, live raw) {
	t.Helper()
	fields := func(r raw) string {
		if r["attributes"] != nil {
			return fmt.Sprint(r["attributes"])
		}
		return fmt.Sprint(r["columns"])
	}
	if live["type"] != want["type"] || fields(live) != fields(want) {
		t.Errorf("%s: is %v of %s, the file says %v of %s", path, live["type"], fields(live), want["type"], fields(want))
	}
	orders := func(r raw) string {
		list, _ := r["orders"].([]any)
		text := ""
		for _, order := range list {
			switch o := strings.ToUpper(fmt.Sprint(order)); o {
			case "DESC":
				text += " DESC"
			default:
				text += " ASC"
			}
		}
		for strings.HasSuffix(text, " ASC") {
			text = strings.TrimSuffix(text, " ASC")
		}
		return text
	}
	if orders(live) != orders(want) {
		t.Errorf("%s: orders are %v, the file says %v", path, live["orders"], want["orders"])
	}
}
