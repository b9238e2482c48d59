package appwrite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/appwrite/sdk-for-go/query"
)

const walkPage = 100

// Walk yields a collection's documents page by page in the order of their
// insertion, while others may write: documents that are there from beginning to
// end are met exactly once. The walk ends with its first error. A page that
// would be too large for one answer is asked for in smaller ones.
func (c *Client) Walk(ctx context.Context, database, collection string, opts WalkOptions) iter.Seq2[[]Document, error] {
	return func(yield func([]Document, error) bool) {
		w := walk{client: c, database: database, collection: collection, opts: opts, size: opts.PageSize}
		if w.size == 0 {
			w.size = walkPage
		}
		if w.size < 0 {
			yield(nil, fmt.Errorf("%w: a page of %d documents", ErrInvalid, w.size))
			return
		}
		if opts.After != nil {
			w.last = []Document{*opts.After}
		}
		for {
			page, asked, err := w.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) > 0 && !yield(page, nil) || len(page) < asked {
				return
			}
		}
	}
}

// walk is where a walk stands.
type walk struct {
	client               *Client
	database, collection string
	opts                 WalkOptions
	size                 int
	last                 []Document // the page before
}

// next gives the next page and how many documents were asked for.
func (w *walk) next(ctx context.Context) ([]Document, int, error) {
	page, err := w.page(ctx)
	for errors.Is(err, ErrTooLarge) && w.size > 1 {
		w.size = (w.size + 1) / 2
		page, err = w.page(ctx)
	}
	if err != nil {
		return nil, 0, err
	}
	if len(page) > 0 {
		w.last = page
	}
	return page, w.size, nil
}

func (w *walk) page(ctx context.Context) ([]Document, error) {
	s, at, err := w.client.documentPath(ctx, w.database, w.collection)
	if err != nil {
		return nil, err
	}
	queries := append(s.selecting(w.opts.Select), w.opts.Queries...)
	queries = append(queries, query.Limit(w.size))
	params := map[string]any{}
	if s.server.Capabilities.Operators { // came with the switch: do not count
		params["total"] = 0 // only 0 switches it off, not false
	}
	if !s.server.Capabilities.Sequence {
		return w.byCursor(ctx, at, params, queries)
	}
	queries = append(queries, query.OrderAsc("$sequence"))
	if len(w.last) > 0 {
		after := w.last[len(w.last)-1].Sequence
		if after == "" {
			return nil, fmt.Errorf("%w: the document to continue after has no sequence", ErrInvalid)
		}
		queries = append(queries, query.GreaterThan("$sequence", after)) // a text on every version
	}
	params["queries"] = queries
	found, err := w.client.documents(ctx, at, params)
	return found.Documents, err
}

// byCursor goes by the id of the last document, as 1.7 has no sequence to show.
// When that document has been deleted meanwhile, the one before it serves.
func (w *walk) byCursor(ctx context.Context, at string, params map[string]any, queries []string) ([]Document, error) {
	if len(w.last) == 0 {
		params["queries"] = queries
		found, err := w.client.documents(ctx, at, params)
		return found.Documents, err
	}
	for i, from := range slices.Backward(w.last) {
		params["queries"] = append(slices.Clone(queries), query.CursorAfter(from.ID))
		found, err := w.client.documents(ctx, at, params)
		if e, ok := errors.AsType[*Error](err); ok && e.Type == "general_cursor_not_found" && i > 0 {
			continue
		}
		return found.Documents, err
	}
	return nil, nil
}

// countPage is where the server stops counting.
const countPage = 5000

// CountDocuments counts the documents that the queries match, exactly, which
// takes one request for each 5000 of them. The queries must only filter.
func (c *Client) CountDocuments(ctx context.Context, database, collection string, queries ...string) (int64, error) {
	s, at, err := c.documentPath(ctx, database, collection)
	if err != nil {
		return 0, err
	}
	page, err := c.documents(ctx, at, map[string]any{"queries": append(slices.Clone(queries), query.Limit(1))})
	if err != nil || page.Total < countPage {
		return page.Total, err
	}
	if !s.server.Capabilities.Sequence {
		return c.countByWalking(ctx, database, collection, queries)
	}
	var count int64
	after := ""
	for {
		// The last of the next 5000, alone; the total counts what follows after.
		ask := append(slices.Clone(queries), query.OrderAsc("$sequence"), query.Limit(1), query.Offset(countPage-1), query.Select(list([]string{"$id"})))
		if after != "" {
			ask = append(ask, query.GreaterThan("$sequence", after))
		}
		page, err := c.documents(ctx, at, map[string]any{"queries": ask})
		if err != nil {
			return 0, err
		}
		if page.Total < countPage || len(page.Documents) == 0 {
			return count + page.Total, nil
		}
		count += countPage
		after = page.Documents[0].Sequence
	}
}

func (c *Client) countByWalking(ctx context.Context, database, collection string, queries []string) (int64, error) {
	var count int64
	opts := WalkOptions{Queries: queries, Select: []string{"$id"}, PageSize: countPage}
	for page, err := range c.Walk(ctx, database, collection, opts) {
		if err != nil {
			return 0, err
		}
		count += int64(len(page))
	}
	return count, nil
}
