package appwrite

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/appwrite/sdk-for-go/query"
)

// ListCollections gives every collection of a database with its whole schema.
func (c *Client) ListCollections(ctx context.Context, database string) ([]Collection, error) {
	var out []Collection
	for {
		queries := []string{query.Limit(listPage)}
		if len(out) > 0 {
			queries = append(queries, query.CursorAfter(out[len(out)-1].ID))
		}
		page, err := c.collections(ctx, database, queries...)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < listPage {
			return out, nil
		}
	}
}

// FindCollection gives one collection with its whole schema. It is ErrNotFound
// when there is none, and ErrContainerNotFound when there is no such database.
// It asks by list: what the server says of a single collection can be old.
func (c *Client) FindCollection(ctx context.Context, database, id string) (Collection, error) {
	page, err := c.collections(ctx, database, query.Equal("$id", id), query.Limit(1))
	if err != nil {
		return Collection{}, err
	}
	if len(page) == 0 {
		s, err := c.collectionsScope(ctx, database)
		if err != nil {
			return Collection{}, err
		}
		return Collection{}, absent("collection", s)
	}
	return page[0], unlessTwin(id, page[0].ID)
}

// collectionsScope is the path of a database's collections.
func (c *Client) collectionsScope(ctx context.Context, database string) (string, error) {
	s, err := c.scope(ctx, database, "")
	if err != nil {
		return "", err
	}
	if database == "" {
		return "", fmt.Errorf("%w: the database's id is missing", ErrInvalid)
	}
	return s.at(s.collection + "s")
}

// collections gives one page of a database's collections.
func (c *Client) collections(ctx context.Context, database string, queries ...string) ([]Collection, error) {
	at, err := c.collectionsScope(ctx, database)
	if err != nil {
		return nil, err
	}
	var page wireCollections
	if err := c.list(ctx, at, &page, queries...); err != nil {
		return nil, err
	}
	return page.models()
}

// CreateCollection makes a collection. Attributes and Indexes, where given, are
// created with it in one request, all or nothing, and are available when it
// returns. That takes Capabilities.InlineSchema, and attributes that the server
// can make so: no relationships, no varchar or text types, none encrypted;
// otherwise it is ErrUnsupported and nothing is sent.
func (c *Client) CreateCollection(ctx context.Context, database string, collection Collection) (Collection, error) {
	s, err := c.scope(ctx, database, "")
	if err != nil {
		return Collection{}, err
	}
	at, err := c.collectionsScope(ctx, database)
	if err != nil {
		return Collection{}, err
	}
	params := map[string]any{
		s.collection + "Id": collection.ID, "name": collection.Name,
		"enabled": collection.Enabled, s.security: collection.DocumentSecurity,
	}
	if collection.Permissions != nil {
		params["permissions"] = collection.Permissions
	}
	inline := len(collection.Attributes)+len(collection.Indexes) > 0
	if inline {
		if err := s.inline(params, collection); err != nil {
			return Collection{}, err
		}
	}
	var made wireCollection
	if err := c.do(ctx, request{method: http.MethodPost, path: at, params: params}, &made); err != nil {
		return Collection{}, err
	}
	if inline { // the answer shows no attributes
		return c.FindCollection(ctx, database, collection.ID)
	}
	return made.model()
}

// UpdateCollection sets a collection's name, flags and permissions. The flags
// are always sent, since the server would reset those left out; nil permissions
// stay as they are.
func (c *Client) UpdateCollection(ctx context.Context, database string, collection Collection) (Collection, error) {
	s, err := c.scope(ctx, database, collection.ID)
	if err != nil {
		return Collection{}, err
	}
	if err := need(database, collection.ID); err != nil {
		return Collection{}, err
	}
	params := map[string]any{
		"name": collection.Name, "enabled": collection.Enabled, s.security: collection.DocumentSecurity,
	}
	if collection.Permissions != nil {
		params["permissions"] = collection.Permissions
	}
	var changed wireCollection
	if err := c.do(ctx, request{method: http.MethodPut, path: s.path, params: params}, &changed); err != nil {
		return Collection{}, err
	}
	return changed.model()
}

// DeleteCollection removes a collection and its documents. It is gone at once;
// the server clears its storage later, and with it the relationships of other
// collections that point at its id.
func (c *Client) DeleteCollection(ctx context.Context, database, id string) error {
	s, err := c.scope(ctx, database, id)
	if err != nil {
		return err
	}
	if err := need(database, id); err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: s.path}, nil)
}

// inline adds the schema to the parameters of a creation.
func (s scope) inline(params map[string]any, collection Collection) error {
	if !s.server.Capabilities.InlineSchema {
		return unsupported("a schema in the creation of a collection")
	}
	attributes := make([]any, 0, len(collection.Attributes))
	for _, a := range collection.Attributes {
		item, err := inlineAttribute(a)
		if err != nil {
			return err
		}
		attributes = append(attributes, item)
	}
	indexes := make([]any, 0, len(collection.Indexes))
	for _, index := range collection.Indexes {
		item := indexParams(index, "attributes") // this name in both dialects
		if orders := index.Orders; len(orders) > 0 && len(orders) != len(index.Attributes) {
			item["orders"] = slices.Concat(orders, slices.Repeat([]string{"ASC"}, max(0, len(index.Attributes)-len(orders))))
		}
		indexes = append(indexes, item)
	}
	params[s.attribute+"s"], params["indexes"] = attributes, indexes
	return nil
}

// Lengths that the separate routes give to formatted strings.
const (
	sizeEmail = 254
	sizeEnum  = 255
	sizeIP    = 39
	sizeURL   = 2000
)

// inlineAttribute gives the item that makes what the separate route would make.
func inlineAttribute(a Attribute) (map[string]any, error) {
	item := attributeParams(a)
	item["type"] = a.Type
	formatted := func(size int) {
		item["type"], item["format"], item["size"] = TypeString, a.Type, size
	}
	switch a.Type {
	case TypeString, TypeBoolean, TypeDatetime, TypePoint, TypePolygon:
	case TypeInteger, TypeBigInt:
		item["size"] = integerBytes(a)
	case TypeFloat:
		item["type"] = storedDouble
	case TypeLine:
		item["type"] = storedLinestring
	case TypeEmail:
		formatted(sizeEmail)
	case TypeEnum:
		formatted(sizeEnum)
	case TypeIP:
		formatted(sizeIP)
	case TypeURL:
		formatted(sizeURL)
	default:
		return nil, unsupported(fmt.Sprintf("%s attribute %q in the creation of its collection", a.Type, a.Key))
	}
	if a.Encrypt { // would be ignored without a word
		return nil, unsupported(fmt.Sprintf("encrypted attribute %q in the creation of its collection", a.Key))
	}
	return item, nil
}

// integerBytes is the width that the separate route chooses: four bytes where
// the maximum fits. Inline, the server would choose four always.
func integerBytes(a Attribute) int {
	if a.Type == TypeBigInt || a.Max == "" {
		return 8
	}
	if highest, err := a.Max.Int64(); err == nil && highest <= 1<<31-1 {
		return 4
	}
	return 8
}

func unsupported(what string) error { return fmt.Errorf("%w: %s", ErrUnsupported, what) }

// need refuses ids that are missing, which would make another route.
func need(ids ...string) error {
	if slices.Contains(ids, "") {
		return fmt.Errorf("%w: an id is missing", ErrInvalid)
	}
	return nil
}
