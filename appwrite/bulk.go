package appwrite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// CreateDocuments makes up to MaxBatch documents, all or none. It is refused on
// collections that have relationships.
func (c *Client) CreateDocuments(ctx context.Context, database, collection string, documents []Document) ([]Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, nil // the server calls that an error
	}
	items, err := s.items(documents)
	if err != nil {
		return nil, err
	}
	var page wireDocuments
	if err := c.do(ctx, request{method: http.MethodPost, path: at, params: map[string]any{s.document + "s": items}}, &page); err != nil {
		return nil, err
	}
	return page.models(), nil
}

// items gives documents as bulk calls take them.
func (s scope) items(documents []Document) ([]any, error) {
	if len(documents) > MaxBatch {
		return nil, fmt.Errorf("%w: %d documents, at most %d are accepted at once", ErrTooLarge, len(documents), MaxBatch)
	}
	items := make([]any, 0, len(documents))
	for _, d := range documents {
		if err := checkFields(d.Data); err != nil {
			return nil, err
		}
		item := s.fields(d)
		if d.ID != "" && d.ID != "unique()" { // left out, the server draws one
			if err := checkID(d.ID); err != nil {
				return nil, err
			}
			item["$id"] = d.ID
		}
		if d.Permissions != nil {
			if err := checkPermissions(d.Permissions); err != nil {
				return nil, err
			}
			item["$permissions"] = d.Permissions
		}
		items = append(items, item)
	}
	return items, nil
}

// UpdateDocuments changes every document that the queries match in the same
// way, and says how many. Beyond 1000 documents it is not atomic. Only the
// fields given are validated, and defaults are not applied. Queries are
// required: without any, the server would change every document; to mean that,
// ask for query.IsNotNull("$id").
//
// It is ErrUnsafe on 1.7 where an attribute has a default that the patch does
// not name, since that server would overwrite it.
func (c *Client) UpdateDocuments(ctx context.Context, database, collection string, patch DocumentPatch, queries ...string) (int64, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return 0, err
	}
	data, err := c.bulkData(ctx, s, database, collection, patch)
	if err != nil {
		return 0, err
	}
	page, err := c.bulk(ctx, request{method: http.MethodPatch, path: at, params: map[string]any{"data": data, "queries": queries}})
	return page.Total, err
}

// bulkData gives a patch as bulk updates take it.
func (c *Client) bulkData(ctx context.Context, s scope, database, collection string, patch DocumentPatch) (map[string]any, error) {
	if err := checkFields(patch.Data); err != nil {
		return nil, err
	}
	if err := c.refuseOperators(ctx, patch.Data); err != nil {
		return nil, err
	}
	data := s.fields(Document{Data: patch.Data, UpdatedAt: patch.UpdatedAt})
	if patch.Permissions != nil {
		if err := checkPermissions(*patch.Permissions); err != nil {
			return nil, err
		}
		data["$permissions"] = append([]string{}, *patch.Permissions...)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: nothing to change", ErrInvalid)
	}
	return data, c.refuseDefaults(ctx, database, collection, func(key string) bool {
		_, named := data[key]
		return named
	})
}

// bulk sends a bulk update or deletion.
func (c *Client) bulk(ctx context.Context, req request) (Page, error) {
	if queries, _ := req.params["queries"].([]string); len(queries) == 0 {
		return Page{}, fmt.Errorf("%w: without queries, %s %s would act on every document", ErrUnsafe, req.method, req.path)
	}
	var page wireDocuments
	if err := c.do(ctx, req, &page); err != nil {
		return Page{}, err
	}
	return Page{Total: page.Total, Documents: page.models()}, nil
}

// refuseDefaults guards stored values against 1.7, whose bulk writes put the
// default into every attribute that has one and is not named.
func (c *Client) refuseDefaults(ctx context.Context, database, collection string, named func(key string) bool) error {
	server, err := c.server(ctx)
	if err != nil || !server.Capabilities.BulkDefaults {
		return err
	}
	attributes, err := c.ListAttributes(ctx, database, collection)
	if err != nil {
		return err
	}
	for _, a := range attributes {
		if a.Default != nil && !named(a.Key) {
			return fmt.Errorf("%w: a bulk write on Appwrite %s would put the default into %q", ErrUnsafe, server.Version, a.Key)
		}
	}
	return nil
}

// UpsertDocuments creates or updates up to MaxBatch documents, all or none, and
// gives them as read back: the server leaves out documents whose values differ
// only as null, 0, false and "" do. It is ErrUnsafe where the collection has a
// unique index in any status, because the server then overwrites whoever holds
// the same value, and on 1.7 as UpdateDocuments is.
func (c *Client) UpsertDocuments(ctx context.Context, database, collection string, documents []Document) ([]Document, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, nil
	}
	items, err := s.items(documents)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(documents))
	for _, d := range documents {
		if err := checkID(d.ID); err != nil { // none would be drawn
			return nil, err
		}
		if slices.Contains(ids, d.ID) {
			return nil, fmt.Errorf("%w: document %q is there twice", ErrInvalid, d.ID)
		}
		if err := c.refuseOperators(ctx, d.Data); err != nil {
			return nil, err
		}
		ids = append(ids, d.ID)
	}
	if err := c.refuseUpsert(ctx, database, collection, documents); err != nil {
		return nil, err
	}
	if err := c.do(ctx, request{method: http.MethodPut, path: at, params: map[string]any{s.document + "s": items}}, nil); err != nil {
		return nil, err
	}
	return c.FindDocuments(ctx, database, collection, ids)
}

func (c *Client) refuseUpsert(ctx context.Context, database, collection string, documents []Document) error {
	indexes, err := c.ListIndexes(ctx, database, collection)
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if index.Type == "unique" {
			return fmt.Errorf("%w: an upsert could overwrite the document that holds the same value in unique index %q", ErrUnsafe, index.Key)
		}
	}
	return c.refuseDefaults(ctx, database, collection, func(key string) bool {
		return !slices.ContainsFunc(documents, func(d Document) bool {
			_, named := d.Data[key]
			return !named
		})
	})
}

// DeleteDocuments deletes every document that the queries match, and says how
// many. Beyond 1000 documents it is not atomic. Queries are required, see
// UpdateDocuments.
func (c *Client) DeleteDocuments(ctx context.Context, database, collection string, queries ...string) (int64, error) {
	_, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return 0, err
	}
	page, err := c.bulk(ctx, request{method: http.MethodDelete, path: at, params: map[string]any{"queries": queries}})
	return page.Total, err
}
