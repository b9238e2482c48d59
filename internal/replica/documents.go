package replica

import (
	"context"
	"slices"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
)

// mostCounted is where servers stop counting.
const mostCounted = 5000

// documents copies the sample of one collection, without links, and gives what
// was copied as it is in the project.
func (c *cloner) documents(ctx context.Context, database string, col schema.Collection) ([]appwrite.Document, error) {
	taken, err := c.draw(ctx, database, col.ID)
	if err != nil {
		return nil, err
	}
	// An exact count would take a request for each 5000 documents.
	first, err := c.live.ListDocuments(ctx, database, col.ID, query.Limit(1))
	if err != nil {
		return nil, err
	}
	links := linkKeys(c.copy.Model, database, col.ID)
	copied := 0
	for batch := range slices.Chunk(taken, appwrite.MaxBatch) {
		plain := make([]appwrite.Document, len(batch))
		for i, d := range batch {
			plain[i] = withoutLinks(d, links)
		}
		n, err := c.put(ctx, database, col.ID, plain)
		if err != nil {
			return nil, err
		}
		copied += n
	}
	c.copy.Collections = append(c.copy.Collections, CopiedCollection{
		Database: database, Collection: col.ID, Documents: copied, Of: max(first.Total, int64(copied)), AtLeast: first.Total >= mostCounted,
	})
	return taken, nil
}

// draw reads the sample: the first documents, and those that are named.
func (c *cloner) draw(ctx context.Context, database, collection string) ([]appwrite.Document, error) {
	var taken []appwrite.Document
	have := map[string]bool{}
	if c.sample.Each > 0 {
		for page, err := range c.live.Walk(ctx, database, collection, appwrite.WalkOptions{}) {
			if err != nil {
				return nil, err
			}
			for _, d := range page[:min(len(page), c.sample.Each-len(taken))] {
				taken, have[d.ID] = append(taken, d), true
			}
			if len(taken) >= c.sample.Each {
				break
			}
		}
	}
	var ids []string
	for _, ref := range c.sample.Named {
		if ref.Database == database && ref.Collection == collection && !have[ref.ID] {
			ids, have[ref.ID] = append(ids, ref.ID), true
		}
	}
	for batch := range slices.Chunk(ids, appwrite.MaxBatch) {
		named, err := c.live.FindDocuments(ctx, database, collection, batch)
		if err != nil {
			return nil, err
		}
		taken = append(taken, named...)
	}
	return taken, nil
}

// put writes documents, all at once where that goes, else one by one, and says
// how many are there.
func (c *cloner) put(ctx context.Context, database, collection string, documents []appwrite.Document) (int, error) {
	to := c.replica.Client
	if _, err := to.CreateDocuments(ctx, database, collection, documents); err == nil {
		return len(documents), nil
	} else if ctx.Err() != nil {
		return 0, err
	}
	copied := 0
	for _, d := range documents {
		_, err := to.CreateDocument(ctx, database, collection, d)
		switch {
		case err == nil:
			copied++
		case ctx.Err() != nil:
			return copied, err
		default:
			c.notice("document %s/%s/%s could not be copied: %v", database, collection, d.ID, err)
		}
	}
	return copied, nil
}

// withoutLinks gives a document as it is before its collection has relationships.
func withoutLinks(d appwrite.Document, links []string) appwrite.Document {
	values := map[string]any{}
	for key, value := range d.Data {
		if !slices.Contains(links, key) {
			values[key] = value
		}
	}
	if len(values) == 0 {
		values["$id"] = d.ID // a document of nothing would be refused
	}
	d.Data, d.Sequence = values, ""
	return d
}

// linkKeys are the keys under which documents of a collection show links.
func linkKeys(m schema.Model, database, collection string) []string {
	var keys []string
	for _, db := range m.Databases {
		if db.ID != database {
			continue
		}
		for _, col := range db.Collections {
			for _, a := range col.Attributes {
				if a.Relationship == nil {
					continue
				}
				if col.ID == collection {
					keys = append(keys, a.Key)
				}
				if a.Relationship.Related == collection && a.Relationship.TwoWay {
					keys = append(keys, a.Relationship.TwoWayKey)
				}
			}
		}
	}
	return keys
}
