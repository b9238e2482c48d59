package appwrite

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/appwrite/sdk-for-go/query"
)

// ListIndexes gives every index of a collection, in any status.
//
// The list route goes by id: just after a collection has been re-created it
// can still show indexes of the one before. An index that is older than its
// collection and not among those the collection itself names is such a ghost
// and is left out.
func (c *Client) ListIndexes(ctx context.Context, database, collection string) ([]Index, error) {
	return c.indexes(ctx, database, collection, query.Limit(schemaPage))
}

// FindIndex gives one index. It is ErrNotFound when there is none, and
// ErrContainerNotFound when the collection is missing.
func (c *Client) FindIndex(ctx context.Context, database, collection, key string) (Index, error) {
	page, err := c.indexes(ctx, database, collection, query.Equal("key", key), query.Limit(1))
	if err != nil {
		return Index{}, err
	}
	if len(page) == 0 {
		at, err := c.indexPath(ctx, database, collection)
		if err != nil {
			return Index{}, err
		}
		return Index{}, absent("index", at)
	}
	return page[0], unlessTwin(key, page[0].Key)
}

func (c *Client) indexes(ctx context.Context, database, collection string, queries ...string) ([]Index, error) {
	at, err := c.indexPath(ctx, database, collection)
	if err != nil {
		return nil, err
	}
	var page wireIndexes
	if err := c.list(ctx, at, &page, queries...); err != nil {
		return nil, err
	}
	listed := indexModels(page.Indexes)
	if len(listed) == 0 {
		return listed, nil
	}
	holder, err := c.FindCollection(ctx, database, collection)
	if errors.Is(err, ErrNotFound) { // deleted since: say it as the list would have
		return nil, &Error{Status: http.StatusNotFound, Type: "collection_not_found", Method: http.MethodGet, Path: at}
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(listed, func(index Index) bool {
		return index.CreatedAt < holder.CreatedAt &&
			!slices.ContainsFunc(holder.Indexes, func(own Index) bool { return own.Key == index.Key })
	}), nil
}

func (c *Client) indexPath(ctx context.Context, database, collection string, below ...string) (string, error) {
	if err := need(database, collection); err != nil {
		return "", err
	}
	s, err := c.scope(ctx, database, collection)
	if err != nil {
		return "", err
	}
	return s.at(append([]string{"indexes"}, below...)...)
}

// CreateIndex asks for an index, which is processing then and is to be awaited.
func (c *Client) CreateIndex(ctx context.Context, database, collection string, index Index) (Index, error) {
	s, err := c.scope(ctx, database, collection)
	if err != nil {
		return Index{}, err
	}
	at, err := c.indexPath(ctx, database, collection)
	if err != nil {
		return Index{}, err
	}
	var wire wireIndex
	if err := c.do(ctx, request{method: http.MethodPost, path: at, params: indexParams(index, s.attribute+"s")}, &wire); err != nil {
		return Index{}, err
	}
	return wire.model(), nil
}

// indexParams gives an index as a creation takes it; fields is the dialect's
// name of its attributes. A server shows null orders and 0 lengths but takes
// neither: such orders are left out or ascending, such lengths null.
func indexParams(index Index, fields string) map[string]any {
	params := map[string]any{"key": index.Key, "type": index.Type, fields: append([]string{}, index.Attributes...)}
	if slices.ContainsFunc(index.Orders, func(order string) bool { return order != "" }) {
		orders := slices.Clone(index.Orders)
		for i, order := range orders {
			if order == "" {
				orders[i] = "ASC"
			}
		}
		params["orders"] = orders
	}
	if slices.ContainsFunc(index.Lengths, func(n int) bool { return n != 0 }) {
		lengths := make([]any, len(index.Lengths))
		for i, n := range index.Lengths {
			if n != 0 {
				lengths[i] = n
			}
		}
		params["lengths"] = lengths
	}
	return params
}

// DeleteIndex asks for an index's removal, which is to be awaited.
func (c *Client) DeleteIndex(ctx context.Context, database, collection, key string) error {
	at, err := c.indexPath(ctx, database, collection, key)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: at}, nil)
}
