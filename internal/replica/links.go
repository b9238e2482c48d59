package replica

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
)

// relationships makes the relationships of a database and the links of the
// documents that were copied.
func (c *cloner) relationships(ctx context.Context, db schema.Database, taken map[string][]appwrite.Document) error {
	to := c.replica.Client
	for _, col := range db.Collections {
		for _, a := range col.Attributes {
			if a.Relationship == nil {
				continue
			}
			r := a.Relationship
			made := appwrite.Attribute{Key: a.Key, Type: a.Type, Relationship: &appwrite.Relationship{
				Related: r.Related, Type: r.Type, TwoWay: r.TwoWay, TwoWayKey: r.TwoWayKey, OnDelete: r.OnDelete,
			}}
			if _, err := to.CreateRelationship(ctx, db.ID, col.ID, made); err != nil {
				return fmt.Errorf("relationship %s of collection %s: %w", a.Key, col.ID, err)
			}
			if err := wait(ctx, to, db.ID, []appwrite.Awaited{{Collection: col.ID, Attribute: a.Key}}); err != nil {
				return fmt.Errorf("relationship %s of collection %s: %w", a.Key, col.ID, err)
			}
			if err := c.links(ctx, db.ID, holderOf(col.ID, a), taken); err != nil {
				return fmt.Errorf("links of relationship %s of collection %s: %w", a.Key, col.ID, err)
			}
		}
	}
	return nil
}

// holder is the end of a relationship at which its links are read and written.
type holder struct {
	collection, key, related string
	unreadable               bool
}

// holderOf gives the parent's end, except where a collection is related to itself:
// there only the child's key works, and one way none does.
func holderOf(collection string, a schema.Attribute) holder {
	r := a.Relationship
	if r.Related != collection {
		return holder{collection: collection, key: a.Key, related: r.Related}
	}
	return holder{collection: collection, key: r.TwoWayKey, related: collection, unreadable: !r.TwoWay}
}

// links links the copied documents of one relationship.
func (c *cloner) links(ctx context.Context, database string, from holder, taken map[string][]appwrite.Document) error {
	if from.unreadable || len(taken[from.collection]) == 0 {
		return nil
	}
	there := map[string]bool{}
	for _, d := range taken[from.related] {
		there[d.ID] = true
	}
	server, err := c.live.Detect(ctx)
	if err != nil {
		return err
	}
	var fields []string // 1.7 shows all links, and loses ids when asked for some
	if server.Capabilities.Timestamps {
		fields = []string{"*", from.key + ".*"}
	}
	var ids []string
	for _, d := range taken[from.collection] {
		ids = append(ids, d.ID)
	}
	left := 0
	for batch := range slices.Chunk(ids, appwrite.MaxBatch) {
		whole, err := c.live.FindDocuments(ctx, database, from.collection, batch, fields...)
		if err != nil {
			return err
		}
		for _, d := range whole {
			missing, err := c.link(ctx, database, from, d, there)
			if err != nil {
				return err
			}
			left += missing
		}
	}
	if left > 0 {
		c.notice("%d links of %s/%s/%s lead to documents that are not in the copy", left, database, from.collection, from.key)
	}
	return nil
}

// link links one document to those of its targets that were copied, and counts
// the others.
func (c *cloner) link(ctx context.Context, database string, from holder, d appwrite.Document, there map[string]bool) (missing int, err error) {
	var value any
	switch v := d.Data[from.key].(type) {
	case string:
		if !there[v] {
			return 1, nil
		}
		value = v
	case []any:
		var ids []any
		for _, item := range v {
			if id, ok := item.(string); ok && there[id] {
				ids = append(ids, id)
			} else {
				missing++
			}
		}
		if len(ids) == 0 {
			return missing, nil
		}
		value = ids
	default:
		return 0, nil
	}
	patch := appwrite.DocumentPatch{Data: map[string]any{from.key: value}, UpdatedAt: d.UpdatedAt}
	if _, err := c.replica.Client.UpdateDocument(ctx, database, from.collection, d.ID, patch, appwrite.Guard{}); err != nil {
		if ctx.Err() != nil {
			return missing, err
		}
		c.notice("the links %s of document %s/%s/%s could not be copied: %v", from.key, database, from.collection, d.ID, err)
	}
	return missing, nil
}
