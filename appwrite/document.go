package appwrite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/appwrite/sdk-for-go/query"
)

// wireDocument reads a document of either dialect and of every version.
type wireDocument struct{ Document }

// UnmarshalJSON keeps every digit of numbers and takes related documents for
// their ids.
func (w *wireDocument) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return err
	}
	if fields == nil {
		return errors.New("a document is null")
	}
	d := Document{Data: make(map[string]any, len(fields))}
	var ok [4]bool
	d.ID, ok[0] = textOf(fields["$id"])
	d.Sequence, ok[1] = textOf(fields["$sequence"]) // a number on 1.8, a string since 1.9
	d.CreatedAt, ok[2] = textOf(fields["$createdAt"])
	d.UpdatedAt, ok[3] = textOf(fields["$updatedAt"])
	if ok != [4]bool{true, true, true, true} {
		return errors.New("a document's $id, $sequence, $createdAt or $updatedAt is no text")
	}
	permissions, isList := fields["$permissions"].([]any)
	if !isList && fields["$permissions"] != nil {
		return errors.New("a document's $permissions are no list")
	}
	for _, p := range permissions {
		text, isText := p.(string)
		if !isText {
			return errors.New("a document's permission is no text")
		}
		d.Permissions = append(d.Permissions, text)
	}
	for key, value := range fields {
		if !strings.HasPrefix(key, "$") { // no attribute begins so
			d.Data[key] = related(value)
		}
	}
	w.Document = d
	return nil
}

// textOf reads a string or a number; what is absent is "".
func textOf(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	default:
		return "", false
	}
}

// related gives the id for a nested document, and the ids for a list of them.
func related(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if id, ok := v["$id"].(string); ok {
			return id
		}
	case []any:
		for i, item := range v {
			if nested, ok := item.(map[string]any); ok {
				v[i] = related(nested)
			}
		}
	}
	return value
}

type wireDocuments struct {
	Total     int64          `json:"total"`
	Documents []wireDocument `json:"documents"`
	Rows      []wireDocument `json:"rows"`
}

func (w wireDocuments) models() []Document {
	wire := either(w.Documents, w.Rows)
	out := make([]Document, 0, len(wire))
	for _, one := range wire {
		out = append(out, one.Document)
	}
	return out
}

// documentPath is the path of a collection's documents, or below.
func (c *Client) documentPath(ctx context.Context, database, collection string, below ...string) (scope, string, error) {
	if err := need(database, collection); err != nil {
		return scope{}, "", err
	}
	s, err := c.scope(ctx, database, collection)
	if err != nil {
		return scope{}, "", err
	}
	at, err := s.at(append([]string{s.document + "s"}, below...)...)
	return s, at, err
}

// FindDocument gives one document, only the named fields of it if there are
// any. It is ErrNotFound when there is none, and ErrContainerNotFound when its
// collection is missing. It asks by list: a single document can come from a
// cache that an upsert has passed by.
func (c *Client) FindDocument(ctx context.Context, database, collection, id string, fields ...string) (Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return Document{}, err
	}
	queries := append(s.selecting(fields), query.Equal("$id", id), query.Limit(1))
	page, err := c.documents(ctx, at, map[string]any{"queries": queries})
	if err != nil {
		return Document{}, err
	}
	if len(page.Documents) == 0 {
		return Document{}, absent("document", at)
	}
	return page.Documents[0], unlessTwin(id, page.Documents[0].ID)
}

// FindDocuments gives those of the named documents that exist, in no order.
func (c *Client) FindDocuments(ctx context.Context, database, collection string, ids []string, fields ...string) ([]Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return nil, err
	}
	var out []Document
	for _, part := range anyOf("$id", ids) {
		queries := append(s.selecting(fields), part, query.Limit(MaxBatch))
		page, err := c.documents(ctx, at, map[string]any{"queries": queries})
		if err != nil {
			return nil, err
		}
		out = append(out, page.Documents...)
	}
	return out, nil
}

// ListDocuments gives one page of documents, 25 unless a query limits it.
func (c *Client) ListDocuments(ctx context.Context, database, collection string, queries ...string) (Page, error) {
	_, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return Page{}, err
	}
	return c.documents(ctx, at, map[string]any{"queries": queries})
}

func (c *Client) documents(ctx context.Context, at string, params map[string]any) (Page, error) {
	var page wireDocuments
	if err := c.do(ctx, request{method: http.MethodGet, path: at, params: params}, &page); err != nil {
		return Page{}, err
	}
	return Page{Total: page.Total, Documents: page.models()}, nil
}

// CreateDocument makes a document. An empty ID, or "unique()", has the server
// draw one, which makes a lost answer hard to recover from.
func (c *Client) CreateDocument(ctx context.Context, database, collection string, document Document) (Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return Document{}, err
	}
	if err := checkFields(document.Data); err != nil {
		return Document{}, err
	}
	id := document.ID
	if id == "" {
		id = "unique()"
	}
	fields := s.fields(document)
	if len(fields) == 0 {
		fields["$id"] = id // an empty object would be "no data"
	}
	params := map[string]any{s.document + "Id": id, "data": fields}
	if document.Permissions != nil {
		params["permissions"] = document.Permissions
	}
	return c.document(ctx, request{method: http.MethodPost, path: at, params: params})
}

// document sends a request that answers with a document.
func (c *Client) document(ctx context.Context, req request) (Document, error) {
	var wire wireDocument
	if err := c.do(ctx, req, &wire); err != nil {
		return Document{}, err
	}
	return wire.Document, nil
}

// fields gives what a creation sends of a document besides id and permissions.
// 1.7 takes no times.
func (s scope) fields(document Document) map[string]any {
	fields := make(map[string]any, len(document.Data)+4)
	maps.Copy(fields, document.Data)
	if s.server.Capabilities.Timestamps {
		if document.CreatedAt != "" {
			fields["$createdAt"] = document.CreatedAt
		}
		if document.UpdatedAt != "" {
			fields["$updatedAt"] = document.UpdatedAt
		}
	}
	return fields
}

// UpsertDocument creates the document or, when its id is taken, updates the
// fields it names and the permissions unless they are nil. It sends POST and
// PATCH: the server's own upsert drops changes between null, 0, false and "",
// and on MariaDB overwrites whoever holds the same unique value.
func (c *Client) UpsertDocument(ctx context.Context, database, collection string, document Document) (Document, error) {
	if err := c.refuseOperators(ctx, document.Data); err != nil {
		return Document{}, err
	}
	made, err := c.CreateDocument(ctx, database, collection, document)
	if !errors.Is(err, ErrExists) {
		return made, err
	}
	patch := DocumentPatch{Data: document.Data}
	if document.Permissions != nil {
		patch.Permissions = &document.Permissions
	}
	changed, updateErr := c.UpdateDocument(ctx, database, collection, document.ID, patch, Guard{})
	if errors.Is(updateErr, ErrNotFound) && !errors.Is(updateErr, ErrContainerNotFound) {
		return Document{}, err // not the id is taken but a unique value
	}
	return changed, updateErr
}

// Increment adds to a number, or subtracts when by is negative. It is not
// idempotent, leaves null as it is, and ignores the attribute's own bounds.
// 1.7 cannot: ErrUnsupported.
func (c *Client) Increment(ctx context.Context, database, collection, id, attribute string, by json.Number) error {
	if less, negative := strings.CutPrefix(string(by), "-"); negative {
		return c.step(ctx, database, collection, id, attribute, "decrement", json.Number(less))
	}
	return c.step(ctx, database, collection, id, attribute, "increment", by)
}

// Decrement subtracts from a number; see Increment.
func (c *Client) Decrement(ctx context.Context, database, collection, id, attribute string, by json.Number) error {
	if more, negative := strings.CutPrefix(string(by), "-"); negative {
		return c.step(ctx, database, collection, id, attribute, "increment", json.Number(more))
	}
	return c.step(ctx, database, collection, id, attribute, "decrement", by)
}

func (c *Client) step(ctx context.Context, database, collection, id, attribute, verb string, by json.Number) error {
	s, at, err := c.documentPath(ctx, database, collection, id, attribute, verb)
	if err != nil {
		return err
	}
	if !s.server.Capabilities.Increment {
		return unsupported(verb)
	}
	if value, err := by.Float64(); err != nil || value <= 0 {
		return fmt.Errorf("%w: cannot %s by %q", ErrInvalid, verb, by)
	}
	return c.do(ctx, request{method: http.MethodPatch, path: at, params: map[string]any{"value": by}}, nil)
}

// selecting gives the query that reads only some fields; none reads all. What
// 1.8 and later always answer has to be named on 1.7, the id too.
func (s scope) selecting(fields []string) []string {
	if len(fields) == 0 {
		return nil
	}
	if s.server.Capabilities.Sequence {
		return []string{query.Select(list(fields))}
	}
	always := []string{"$id", "$createdAt", "$updatedAt", "$permissions"}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return slices.Contains(always, f) })
	return []string{query.Select(list(append(always, fields...)))}
}

// anyOf gives queries that together match any of the values, each within the
// limits of one query and of one batch.
func anyOf(attribute string, values []string) []string {
	const room = MaxQueryChars - 200 // for the method, the attribute and escapes of quotes
	var out []string
	var part []any
	chars := 0
	flush := func() {
		if len(part) > 0 {
			out = append(out, query.Equal(attribute, part))
			part, chars = nil, 0
		}
	}
	for _, value := range values {
		if len(part) == MaxBatch || chars+len(value)+3 > room {
			flush()
		}
		part = append(part, value)
		chars += len(value) + 3
	}
	flush()
	return out
}

// list gives values as the SDK's query package wants them: it takes a []string
// for a single value.
func list(values []string) []any {
	out := make([]any, len(values))
	for i, value := range values {
		out[i] = value
	}
	return out
}
