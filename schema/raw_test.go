package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/schema"
)

// This file reads CLI files a second time, in the plainest way and without any
// of the reader's code, and holds every object of theirs against what a client
// that shares nothing with ours sees on the server. It counts both ways, so that
// neither side has something the other lacks. An object may differ from the
// letter of the file only where a notice says so.

type raw = map[string]any

// rawComparison compares one file with one snapshot.
type rawComparison struct {
	t        *testing.T
	live     oracle.Snapshot
	notices  []schema.Notice
	expected map[string]bool
}

// compareRaw compares a file with a snapshot and counts the objects compared.
func compareRaw(t *testing.T, data []byte, live oracle.Snapshot, notices []schema.Notice) int {
	t.Helper()
	var file raw
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	d.UseNumber()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if file["includes"] != nil {
		t.Skip("a file with includes is not read a second time")
	}
	c := &rawComparison{t: t, live: live, notices: notices, expected: map[string]bool{}}
	databases := slices.Concat(rawItems(file, "$", "databases"), rawItems(file, "$", "tablesDB"))
	for _, db := range databases {
		id := rawText(db.raw, "$id", "id", "databaseId")
		c.object(id, db.path, func(live raw) []string { return differing("name", live["name"], db.raw["name"]) })
		for _, item := range slices.Concat(rawItems(db.raw, db.path, "collections"), rawItems(db.raw, db.path, "tables")) {
			c.collection(id, item)
		}
	}
	for _, item := range slices.Concat(rawItems(file, "$", "collections"), rawItems(file, "$", "tables")) {
		database := rawText(item.raw, "databaseId")
		switch {
		case database != "":
		case len(databases) == 1:
			database = rawText(databases[0].raw, "$id", "id", "databaseId")
		default:
			database = "default"
		}
		c.expected[database] = true
		c.collection(database, item)
	}
	for path, text := range live {
		if !c.expected[path] && !strings.Contains(text, `"side":"child"`) {
			t.Errorf("%s is on the server and not in the file", path)
		}
	}
	return len(c.expected)
}

// collection compares a collection and everything in it.
func (c *rawComparison) collection(database string, item rawItem) {
	base := database + "/" + rawText(item.raw, "$id", "id", "collectionId", "tableId")
	c.object(base, item.path, func(live raw) []string { return rawCollection(item.raw, live) })
	for _, a := range slices.Concat(rawItems(item.raw, item.path, "attributes"), rawItems(item.raw, item.path, "columns")) {
		if !rawLeaving(a.raw) {
			c.object(base+"/attributes/"+rawText(a.raw, "key", "$id", "id"), a.path, func(live raw) []string { return rawAttribute(a.raw, live) })
		}
	}
	for _, x := range rawItems(item.raw, item.path, "indexes") {
		if !rawLeaving(x.raw) {
			c.object(base+"/indexes/"+rawText(x.raw, "key", "$id", "id"), x.path, func(live raw) []string { return rawIndex(x.raw, live) })
		}
	}
}

// object compares one object, whose place in the file is at.
func (c *rawComparison) object(path, at string, compare func(live raw) []string) {
	c.t.Helper()
	c.expected[path] = true
	differences := []string{"it is in the file and not on the server"}
	if text, there := c.live[path]; there {
		var live raw
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&live); err != nil {
			c.t.Fatal(err)
		}
		differences = compare(live)
	}
	if len(differences) > 0 && !c.noticed(at) {
		c.t.Errorf("%s, %s in the file, of which no notice speaks: %s", path, at, strings.Join(differences, "; "))
	}
}

// noticed tells whether a notice speaks of the object, or of a member of it that
// is no object of its own.
func (c *rawComparison) noticed(at string) bool {
	return slices.ContainsFunc(c.notices, func(n schema.Notice) bool {
		rest, inside := strings.CutPrefix(n.At.Path, at)
		return inside && at != "$" && !regexp.MustCompile(`^\.(attributes|columns|indexes|collections|tables)\[`).MatchString(rest)
	})
}

type rawItem struct {
	path string
	raw  raw
}

func rawItems(r raw, path, name string) []rawItem {
	var items []rawItem
	list, _ := r[name].([]any)
	for i, item := range list {
		if m, ok := item.(raw); ok {
			items = append(items, rawItem{fmt.Sprintf("%s.%s[%d]", path, name, i), m})
		}
	}
	return items
}

// differing tells of a member that the file gives and the server has otherwise.
func differing(what string, live, want any) []string {
	if want == nil || fmt.Sprint(live) == fmt.Sprint(want) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %v, the file says %v", what, live, want)}
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

func rawCollection(want, live raw) []string {
	security := want["documentSecurity"] == true || want["rowSecurity"] == true || want["permission"] == "document"
	differences := slices.Concat(
		differing("name", live["name"], want["name"]), differing("enabled", live["enabled"], want["enabled"]),
		differing("document security", live["documentSecurity"] == true || live["rowSecurity"] == true, security))
	var permissions, got []string
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
	items, _ := live["$permissions"].([]any)
	for _, item := range items {
		got = append(got, fmt.Sprint(item))
	}
	slices.Sort(permissions)
	slices.Sort(got)
	return append(differences, differing("permissions", got, slices.Compact(permissions))...)
}

func rawAttribute(want, live raw) []string {
	typ, format := rawText(want, "type"), rawText(want, "format")
	switch typ {
	case "enum", "url", "email", "ip":
		typ, format = "string", typ
	case "float":
		typ = "double"
	case "datetime":
		format = ""
	}
	// Required with a default is what a default alone does.
	required := want["required"] == true && want["default"] == nil
	differences := slices.Concat(
		differing("type", live["type"], typ), differing("array", live["array"], want["array"] == true),
		differing("required", live["required"], required), differing("default", live["default"], fmt.Sprint(want["default"])),
		differing("elements", live["elements"], want["elements"]))
	if format != "" {
		differences = append(differences, differing("format", live["format"], format)...)
	}
	if typ == "string" && format == "" || typ == "varchar" {
		differences = append(differences, differing("size", live["size"], want["size"])...)
	}
	if want["encrypt"] == true {
		differences = append(differences, differing("encrypt", live["encrypt"], true)...)
	}
	for _, bound := range []string{"min", "max"} {
		if want[bound] != nil {
			differences = append(differences, differing(bound, rawFloat(live[bound]), rawFloat(want[bound]))...)
		}
	}
	for _, key := range []string{"relationType", "twoWay", "twoWayKey", "onDelete", "side"} {
		if typ == "relationship" && want[key] != "" {
			differences = append(differences, differing(key, live[key], want[key])...)
		}
	}
	if related := rawText(want, "relatedCollection", "relatedTable"); typ == "relationship" && related != "" {
		differences = append(differences, differing("related", rawText(live, "relatedCollection", "relatedTable"), related)...)
	}
	return differences
}

// rawFloat reads a bound as a float; what is beyond one is the largest.
func rawFloat(v any) float64 {
	f, _ := strconv.ParseFloat(fmt.Sprint(v), 64)
	return max(min(f, math.MaxFloat64), -math.MaxFloat64)
}

func rawIndex(want, live raw) []string {
	fields := func(r raw) any {
		if r["attributes"] != nil {
			return r["attributes"]
		}
		return r["columns"]
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
	return slices.Concat(differing("type", live["type"], want["type"]),
		differing("attributes", fields(live), fields(want)), differing("orders", orders(live), orders(want)))
}
