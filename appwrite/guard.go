package appwrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"

	"github.com/appwrite/sdk-for-go/query"
)

// relatedSet remembers collections on which a bulk write was refused because
// they have relationships. An entry that is out of date costs tightness, and a
// missing one a request; neither is wrong.
type relatedSet struct{ seen sync.Map }

func (r *relatedSet) has(at string) bool { _, ok := r.seen.Load(at); return ok }
func (r *relatedSet) add(at string)      { r.seen.Store(at, true) }

// UpdateDocument changes a document and gives it as it is then. With a guard,
// it is ErrConflict, and nothing is written, when the document has been changed
// since it was read; ErrNotFound when it is gone. How tight that is depends on
// Capabilities.CAS; with CASNone the result can also be ErrOverlapped. A patch
// that names nothing writes nothing.
//
// Writing null to an attribute that has a default stores the default, except
// for a guarded write with CASNarrow, which is a bulk write: it stores null, and
// validates only the fields it names. UpdateDocuments does so on every version
// but 1.7. Two writes within one millisecond look like one to every guard.
func (c *Client) UpdateDocument(ctx context.Context, database, collection, id string, patch DocumentPatch, guard Guard) (Document, error) {
	s, at, err := c.documentPath(ctx, database, collection, id)
	if err != nil {
		return Document{}, err
	}
	if err := checkFields(patch.Data); err != nil {
		return Document{}, err
	}
	if err := c.refuseOperators(ctx, patch.Data); err != nil {
		return Document{}, err
	}
	timed := patch.UpdatedAt != "" && s.server.Capabilities.Timestamps
	if len(patch.Data) == 0 && patch.Permissions == nil && !timed {
		return c.expect(ctx, database, collection, id, guard)
	}
	write := func(stamp string) (Document, error) {
		return c.document(ctx, request{method: http.MethodPatch, path: at, params: s.patchBody(patch), stamp: stamp})
	}
	if guard.UpdatedAt == "" {
		return write("")
	}
	switch s.server.Capabilities.CAS {
	case CASLocked:
		return write(guard.UpdatedAt)
	case CASNarrow:
		return c.narrowUpdate(ctx, database, collection, id, patch, guard, write)
	default:
		return c.comparedUpdate(ctx, database, collection, id, patch, guard, write)
	}
}

func (s scope) patchBody(patch DocumentPatch) map[string]any {
	params := map[string]any{}
	if data := s.fields(Document{Data: patch.Data, UpdatedAt: patch.UpdatedAt}); len(data) > 0 {
		params["data"] = data
	}
	if patch.Permissions != nil {
		params["permissions"] = append([]string{}, *patch.Permissions...)
	}
	return params
}

// expect reads a document and compares it with what the caller believes.
func (c *Client) expect(ctx context.Context, database, collection, id string, guard Guard) (Document, error) {
	now, err := c.FindDocument(ctx, database, collection, id)
	if err != nil {
		return Document{}, err
	}
	if guard.UpdatedAt != "" && now.UpdatedAt != guard.UpdatedAt {
		return Document{}, fmt.Errorf("document %s/%s/%s: %w: written at %s, read at %s",
			database, collection, id, ErrConflict, now.UpdatedAt, guard.UpdatedAt)
	}
	return now, nil
}

// narrowUpdate puts the comparison into the filter of a bulk write; where there
// are relationships, and so no bulk writes, the header has to do.
func (c *Client) narrowUpdate(ctx context.Context, database, collection, id string, patch DocumentPatch, guard Guard,
	write func(stamp string) (Document, error),
) (Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return Document{}, err
	}
	if c.found.related.has(s.path) {
		return write(guard.UpdatedAt)
	}
	data, err := c.bulkData(ctx, s, database, collection, patch)
	if err != nil {
		return Document{}, err
	}
	page, err := c.bulk(ctx, request{method: http.MethodPatch, path: at, params: map[string]any{"data": data, "queries": unchanged(id, guard)}})
	if refusesBulk(err) {
		changed, err := write(guard.UpdatedAt)
		if err == nil || errors.Is(err, ErrConflict) {
			c.found.related.add(s.path)
		}
		return changed, err
	}
	if err != nil {
		return Document{}, err
	}
	if page.Total == 0 {
		return Document{}, c.unmatched(ctx, database, collection, id, guard)
	}
	if len(page.Documents) == 1 && !hasNull(patch.Data) {
		return page.Documents[0], nil
	}
	// The answer shows the default where null was written.
	return c.FindDocument(ctx, database, collection, id)
}

// unchanged matches a document as long as nobody has written to it.
func unchanged(id string, guard Guard) []string {
	return []string{query.Equal("$id", id), query.Equal("$updatedAt", guard.UpdatedAt)}
}

// refusesBulk recognises the answer of a collection that has relationships. It
// has no type of its own; a bad request of another kind fails the single write
// as well, with an error that fits better.
func refusesBulk(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Type == "general_bad_request"
}

// unmatched says why a guarded bulk write has met no document.
func (c *Client) unmatched(ctx context.Context, database, collection, id string, guard Guard) error {
	if _, err := c.expect(ctx, database, collection, id, guard); err != nil {
		return err
	}
	return fmt.Errorf("document %s/%s/%s: %w: it no longer was as read when it was to be written", database, collection, id, ErrConflict)
}

func hasNull(data map[string]any) bool {
	for _, value := range data {
		if value == nil {
			return true
		}
	}
	return false
}

// comparedUpdate reads, compares, writes and reads again. Somebody who writes in
// between is noticed by the fields that this patch does not name.
func (c *Client) comparedUpdate(ctx context.Context, database, collection, id string, patch DocumentPatch, guard Guard,
	write func(stamp string) (Document, error),
) (Document, error) {
	before, err := c.expect(ctx, database, collection, id, guard)
	if err != nil {
		return Document{}, err
	}
	if _, err := write(""); err != nil {
		return Document{}, err
	}
	after, err := c.FindDocument(ctx, database, collection, id)
	if err != nil {
		return Document{}, err
	}
	for key, value := range after.Data {
		if _, named := patch.Data[key]; named || before.Data[key] == nil { // null may have become a default
			continue
		}
		if !reflect.DeepEqual(before.Data[key], value) {
			return after, fmt.Errorf("document %s/%s/%s: %w: field %q has changed", database, collection, id, ErrOverlapped, key)
		}
	}
	return after, nil
}

// DeleteDocument deletes a document. With a guard, it is ErrConflict, and
// nothing is deleted, when the document has been changed since it was read;
// see UpdateDocument. It is ErrNotFound when there is none.
func (c *Client) DeleteDocument(ctx context.Context, database, collection, id string, guard Guard) error {
	s, at, err := c.documentPath(ctx, database, collection, id)
	if err != nil {
		return err
	}
	remove := func(stamp string) error {
		return c.do(ctx, request{method: http.MethodDelete, path: at, stamp: stamp}, nil)
	}
	if guard.UpdatedAt == "" {
		return remove("")
	}
	switch s.server.Capabilities.CAS {
	case CASLocked:
		return remove(guard.UpdatedAt)
	case CASNarrow:
		return c.narrowDelete(ctx, database, collection, id, guard, remove)
	default:
		if _, err := c.expect(ctx, database, collection, id, guard); err != nil {
			return err
		}
		return remove("")
	}
}

func (c *Client) narrowDelete(ctx context.Context, database, collection, id string, guard Guard, remove func(stamp string) error) error {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return err
	}
	if c.found.related.has(s.path) {
		return remove(guard.UpdatedAt)
	}
	page, err := c.bulk(ctx, request{method: http.MethodDelete, path: at, params: map[string]any{"queries": unchanged(id, guard)}})
	if refusesBulk(err) {
		err := remove(guard.UpdatedAt)
		if err == nil || errors.Is(err, ErrConflict) {
			c.found.related.add(s.path)
		}
		return err
	}
	if err == nil && page.Total == 0 {
		return c.unmatched(ctx, database, collection, id, guard)
	}
	return err
}
