package appwrite_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// TestRequestsAreSentAsRecorded makes the call that each recorded successful
// write stands for, and compares what is sent with what the server had
// accepted: method, path and body. What the recorder sent only to see it
// ignored is left out of the comparison by ask.
func TestRequestsAreSentAsRecorded(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			compared := 0
			for _, e := range recorded(t, version) {
				if strings.HasPrefix(e.name, "transport.") { // plays with bodies that are ignored
					continue
				}
				if e.Response.Status >= 300 || e.Request.Method == http.MethodGet || e.Request.Headers != nil || e.Request.RawBody != nil {
					continue
				}
				c, a := e.client(t)
				want := object{}
				if string(e.Request.Body) != "null" {
					if len(e.Request.Body) == 0 || e.Request.Body[0] != '{' {
						continue
					}
					want = objectOf(t, string(e.Request.Body))
				}
				if !e.ask(t, c, want) {
					continue
				}
				line, body, _ := strings.Cut(a.sent, " {")
				at, _, _ := strings.Cut(e.Request.Path, "?")
				if line != e.Request.Method+" "+at {
					t.Errorf("%s:%d: sent %q, want %s %s", e.name, e.line, line, e.Request.Method, at)
				}
				got := objectOf(t, "{"+body)
				for name, value := range got {
					if value == nil && name != "default" {
						t.Errorf("%s:%d %s: sent null for %s", e.name, e.line, line, name)
					}
				}
				if !reflect.DeepEqual(essential(got), essential(want)) {
					t.Errorf("%s:%d %s:\n sent %v\n want %v", e.name, e.line, line, essential(got), essential(want))
				}
				compared++
			}
			t.Logf("compared %d requests", compared)
			if compared < 300 {
				t.Errorf("only %d requests were compared", compared)
			}
		})
	}
}

// essential leaves out what says the same as leaving it out.
func essential(o object) object {
	out := object{}
	for name, value := range o {
		off := value == false && (name == "array" || name == "encrypt" || name == "twoWay" || name == "documentSecurity" || name == "rowSecurity")
		items, isList := value.([]any)
		empty := isList && len(items) == 0 && (name == "orders" || name == "lengths" || name == "permissions")
		if off || empty || value == nil && name != "default" || value == nil && o["newKey"] == nil && o["required"] == true || name == "enabled" && value == true {
			continue
		}
		out[name] = value
	}
	return out
}

func (o object) is(name string) bool { return o[name] == true }

func (o object) strings(name string) []string {
	items, isList := o[name].([]any)
	if !isList {
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		text, _ := item.(string)
		out = append(out, text)
	}
	return out
}

// ask makes the call for a recorded request; false when it stands for none
// that this package makes.
func (e exchange) ask(t *testing.T, c *appwrite.Client, body object) bool {
	t.Helper()
	ctx, at := t.Context(), e.segments()
	if at[0] != "databases" && at[0] != "tablesdb" || len(at) > 1 && at[1] == "transactions" || len(at) < 4 && len(at) != 2 {
		return false
	}
	method := e.Request.Method
	switch {
	case len(at) == 2 && method == http.MethodDelete:
		_ = c.DeleteDatabase(ctx, at[1])
	case len(at) == 4 && method == http.MethodDelete:
		_ = c.DeleteCollection(ctx, at[1], at[3])
	case len(at) == 6 && method == http.MethodDelete && (at[4] == "attributes" || at[4] == "columns"):
		_ = c.DeleteAttribute(ctx, at[1], at[3], at[5])
	case len(at) == 6 && method == http.MethodDelete && at[4] == "indexes":
		_ = c.DeleteIndex(ctx, at[1], at[3], at[5])
	case len(at) == 6 && method == http.MethodDelete && body["transactionId"] == nil:
		_ = c.DeleteDocument(ctx, at[1], at[3], at[5], appwrite.Guard{})
	case len(at) == 5 && method == http.MethodPost && at[4] == "indexes":
		return e.askIndex(t, c, at, body)
	case len(at) == 5 && method == http.MethodPost && (at[4] == "documents" || at[4] == "rows"):
		return e.askDocument(t, c, at, body)
	case len(at) >= 6 && (at[4] == "attributes" || at[4] == "columns"):
		return e.askAttribute(t, c, at, body)
	default:
		return false
	}
	return true
}

func (e exchange) askIndex(t *testing.T, c *appwrite.Client, at []string, body object) bool {
	t.Helper()
	index := appwrite.Index{Key: body.text("key"), Type: body.text("type"), Orders: body.strings("orders")}
	index.Attributes = append(body.strings("attributes"), body.strings("columns")...)
	lengths, _ := body["lengths"].([]any)
	for _, n := range lengths {
		number, isNumber := n.(json.Number)
		length, err := number.Int64()
		if !isNumber || err != nil || length == 0 { // null and 0 say the same, but are sent as null
			return false
		}
		index.Lengths = append(index.Lengths, int(length))
	}
	_, _ = c.CreateIndex(t.Context(), at[1], at[3], index)
	return true
}

func (e exchange) askDocument(t *testing.T, c *appwrite.Client, at []string, body object) bool {
	t.Helper()
	data, isObject := body["data"].(map[string]any)
	if !isObject || body["transactionId"] != nil {
		return false
	}
	for key, value := range data {
		if _, nested := value.(map[string]any); nested || strings.HasPrefix(key, "$") || strings.Contains(toJSON(t, value), `{`) {
			return false
		}
	}
	document := appwrite.Document{ID: body.text("documentId") + body.text("rowId"), Data: data, Permissions: body.strings("permissions")}
	_, _ = c.CreateDocument(t.Context(), at[1], at[3], document)
	return true
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (e exchange) askAttribute(t *testing.T, c *appwrite.Client, at []string, body object) bool {
	t.Helper()
	ctx, kind := t.Context(), at[5]
	var preset json.RawMessage
	if body["default"] != nil {
		preset = json.RawMessage(toJSON(t, body["default"]))
	}
	size, err := json.Number(body.text("size")).Int64()
	if _, isText := body["size"].(string); isText || err != nil && body["size"] != nil {
		return false
	}
	lowest, highest := json.Number(body.text("min")), json.Number(body.text("max"))
	switch {
	case e.Request.Method == http.MethodPost && kind == "relationship":
		_, _ = c.CreateRelationship(ctx, at[1], at[3], appwrite.Attribute{Key: body.text("key"), Relationship: &appwrite.Relationship{
			Related: body.text("relatedCollectionId") + body.text("relatedTableId"), Type: body.text("type"),
			TwoWay: body.is("twoWay"), TwoWayKey: body.text("twoWayKey"), OnDelete: body.text("onDelete"),
		}})
	case e.Request.Method == http.MethodPost && len(at) == 6:
		_, _ = c.CreateAttribute(ctx, at[1], at[3], appwrite.Attribute{
			Key: body.text("key"), Type: kind, Required: body.is("required"), Array: body.is("array"), Encrypt: body.is("encrypt"),
			Default: preset, Size: size, Min: lowest, Max: highest, Elements: body.strings("elements"),
		})
	case e.Request.Method == http.MethodPatch && len(at) == 7 && at[6] == "relationship":
		_, _ = c.UpdateRelationship(ctx, at[1], at[3], at[5], appwrite.RelationshipPatch{OnDelete: body.text("onDelete"), NewKey: body.text("newKey")})
	case e.Request.Method == http.MethodPatch && len(at) == 7 && kind != "relationship" && (kind != "float" || preset != nil):
		patch := appwrite.AttributePatch{
			Type: kind, Required: body.is("required"), Default: preset, Min: lowest, Max: highest,
			Elements: body.strings("elements"), NewKey: body.text("newKey"),
		}
		if body["size"] != nil {
			patch.Size = &size
		}
		_, _ = c.UpdateAttribute(ctx, at[1], at[3], at[6], patch)
	default:
		return false
	}
	return true
}
