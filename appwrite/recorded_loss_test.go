package appwrite_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
)

// object is a JSON object with its numbers as written.
type object map[string]any

func objectOf(t *testing.T, raw string) object {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	var o object
	if err := dec.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}

// list gives the objects under whichever of the names is there.
func (o object) list(names ...string) []object {
	var out []object
	for _, name := range names {
		items, _ := o[name].([]any)
		for _, item := range items {
			if m, ok := item.(map[string]any); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

func (o object) text(name string) string {
	if o[name] == nil {
		return ""
	}
	return fmt.Sprint(o[name])
}

// lossOf compares what a client has read with the answer itself.
func lossOf(t *testing.T, e exchange, model any) []string {
	t.Helper()
	body := objectOf(t, e.answer())
	switch m := model.(type) {
	case appwrite.Document:
		return documentLoss(body, m)
	case []appwrite.Document:
		return each(body.list("documents", "rows"), m, documentLoss)
	case appwrite.Attribute:
		return attributeLoss(body, m)
	case []appwrite.Attribute:
		return each(body.list("attributes", "columns"), m, attributeLoss)
	case appwrite.Collection:
		return collectionLoss(body, m)
	case []appwrite.Collection:
		return each(body.list("collections", "tables"), m, collectionLoss)
	case appwrite.Index:
		return indexLoss(body, m)
	case appwrite.Database:
		return fields(body, map[string]any{"$id": m.ID, "name": m.Name, "type": m.Type})
	case []appwrite.Database:
		return each(body.list("databases"), m, func(o object, d appwrite.Database) []string {
			return fields(o, map[string]any{"$id": d.ID, "name": d.Name, "enabled": d.Enabled, "type": d.Type, "$createdAt": d.CreatedAt})
		})
	case appwrite.Transaction:
		return fields(body, map[string]any{"$id": m.ID, "status": m.Status, "operations": m.Operations, "expiresAt": m.ExpiresAt})
	default:
		return []string{fmt.Sprintf("nothing compares a %T", model)}
	}
}

func each[T any](want []object, got []T, loss func(object, T) []string) []string {
	if len(want) != len(got) {
		return []string{fmt.Sprintf("%d of %d were read", len(got), len(want))}
	}
	var out []string
	for i := range want {
		out = append(out, loss(want[i], got[i])...)
	}
	return out
}

// fields compares values by their text; what the answer lacks has to be zero.
func fields(want object, got map[string]any) []string {
	var out []string
	for name, value := range got {
		if want[name] == nil && reflect.ValueOf(value).IsZero() {
			continue
		}
		if fmt.Sprint(want[name]) != fmt.Sprint(value) {
			out = append(out, fmt.Sprintf("%s is %v, read as %v", name, want[name], value))
		}
	}
	return out
}

func documentLoss(want object, got appwrite.Document) []string {
	out := fields(want, map[string]any{"$id": got.ID, "$sequence": got.Sequence, "$createdAt": got.CreatedAt, "$updatedAt": got.UpdatedAt})
	if n, _ := want["$permissions"].([]any); len(n) != len(got.Permissions) {
		out = append(out, "$permissions are lost")
	}
	users := 0
	for key, value := range want {
		if strings.HasPrefix(key, "$") {
			continue
		}
		users++
		if read, ok := got.Data[key]; !ok || !reflect.DeepEqual(read, idsOf(value)) {
			out = append(out, fmt.Sprintf("%s is %v, read as %v", key, value, read))
		}
	}
	if users != len(got.Data) {
		out = append(out, fmt.Sprintf("%d fields were read, %d are there", len(got.Data), users))
	}
	return out
}

// idsOf puts ids in place of nested documents that have one.
func idsOf(value any) any {
	if m, ok := value.(map[string]any); ok && m["$id"] != nil {
		return m["$id"]
	}
	if items, ok := value.([]any); ok {
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = item
			if m, ok := item.(map[string]any); ok && m["$id"] != nil {
				out[i] = m["$id"]
			}
		}
		return out
	}
	return value
}

func attributeLoss(want object, got appwrite.Attribute) []string {
	out := fields(want, map[string]any{
		"key": got.Key, "status": got.Status, "error": got.Error, "required": got.Required, "array": got.Array,
		"size": got.Size, "encrypt": got.Encrypt, "$createdAt": got.CreatedAt,
	})
	kind := map[string]string{"double": "float", "linestring": "line"}[want.text("type")]
	if kind == "" {
		kind = want.text("type")
	}
	if format := want.text("format"); format != "" && kind == "string" {
		kind = format
	}
	if got.Type != kind {
		out = append(out, fmt.Sprintf("type %s was read as %s", kind, got.Type))
	}
	if text, err := json.Marshal(want["default"]); err != nil || want["default"] != nil && string(text) != escaped(got.Default) {
		out = append(out, fmt.Sprintf("default %s was read as %s", text, got.Default))
	}
	if want["default"] == nil && got.Default != nil {
		out = append(out, fmt.Sprintf("no default was read as %s", got.Default))
	}
	for name, bound := range map[string]json.Number{"min": got.Min, "max": got.Max} {
		shown := want.text(name)
		unset := shown == "" || strings.HasPrefix(strings.TrimPrefix(shown, "-"), "922337203685477580") || strings.HasSuffix(shown, "1.7976931348623157e+308")
		if unset && bound != "" || !unset && string(bound) != shown {
			out = append(out, fmt.Sprintf("%s %s was read as %q", name, shown, bound))
		}
	}
	if elements, _ := want["elements"].([]any); len(elements) != len(got.Elements) {
		out = append(out, "elements are lost")
	}
	if (kind == "relationship") != (got.Relationship != nil) {
		out = append(out, "the relationship is lost")
	}
	if r := got.Relationship; r != nil {
		out = append(out, fields(want, map[string]any{"relationType": r.Type, "twoWay": r.TwoWay, "twoWayKey": r.TwoWayKey, "onDelete": r.OnDelete, "side": r.Side})...)
		if r.Related != want.text("relatedCollection")+want.text("relatedTable") {
			out = append(out, "the related collection is lost")
		}
	}
	return out
}

// escaped writes a default as encoding/json would.
func escaped(raw json.RawMessage) string {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func collectionLoss(want object, got appwrite.Collection) []string {
	out := fields(want, map[string]any{
		"$id": got.ID, "databaseId": got.DatabaseID, "name": got.Name, "enabled": got.Enabled,
		"bytesMax": got.BytesMax, "bytesUsed": got.BytesUsed,
	})
	if want["documentSecurity"] != got.DocumentSecurity && want["rowSecurity"] != got.DocumentSecurity {
		out = append(out, "the security flag is lost")
	}
	if n, _ := want["$permissions"].([]any); len(n) != len(got.Permissions) {
		out = append(out, "$permissions are lost")
	}
	out = append(out, each(want.list("attributes", "columns"), got.Attributes, attributeLoss)...)
	return append(out, each(want.list("indexes"), got.Indexes, indexLoss)...)
}

func indexLoss(want object, got appwrite.Index) []string {
	out := fields(want, map[string]any{"key": got.Key, "type": got.Type, "status": got.Status, "error": got.Error})
	if orders, _ := want["orders"].([]any); fmt.Sprint(got.Orders) != strings.ReplaceAll(fmt.Sprint(orders), "<nil>", "") {
		out = append(out, fmt.Sprintf("orders %v were read as %v", orders, got.Orders)) // null: of an array
	}
	names := want["attributes"]
	if names == nil {
		names = want["columns"]
	}
	if fmt.Sprint(names) != fmt.Sprint(got.Attributes) {
		out = append(out, fmt.Sprintf("attributes %v were read as %v", names, got.Attributes))
	}
	lengths := strings.ReplaceAll(fmt.Sprint(want["lengths"]), "<nil>", "0")
	if lengths != fmt.Sprint(got.Lengths) && lengths != "0" {
		out = append(out, fmt.Sprintf("lengths %s were read as %v", lengths, got.Lengths))
	}
	return out
}
