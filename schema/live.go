package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
)

// Live reads the databases of a project, all but those named in except (the
// history's own, for instance), through LIST queries only. Attributes and
// indexes that are on their way out are left out, as they are in a file; so are
// databases and collections that are removed while they are read.
func Live(ctx context.Context, client *appwrite.Client, except ...string) (Model, error) {
	databases, err := client.ListDatabases(ctx)
	if err != nil {
		return Model{}, fmt.Errorf("read the live schema: %w", err)
	}
	var m Model
	for _, d := range databases {
		if slices.Contains(except, d.ID) {
			continue
		}
		db := Database{ID: d.ID, Name: d.Name, Enabled: d.Enabled, Type: d.Type}
		collections, err := client.ListCollections(ctx, d.ID)
		if errors.Is(err, appwrite.ErrNotFound) {
			continue
		}
		if err != nil {
			return Model{}, fmt.Errorf("read the live schema of database %s: %w", d.ID, err)
		}
		for _, c := range collections {
			col, err := liveCollection(ctx, client, d.ID, c)
			if errors.Is(err, appwrite.ErrNotFound) {
				continue
			}
			if err != nil {
				return Model{}, fmt.Errorf("read the live schema of collection %s/%s: %w", d.ID, c.ID, err)
			}
			db.Collections = append(db.Collections, col)
		}
		m.Databases = append(m.Databases, db)
	}
	return m, nil
}

// liveCollection reads a collection's schema by its own lists: the ones embedded
// in the collection may come from a cache.
func liveCollection(ctx context.Context, client *appwrite.Client, database string, c appwrite.Collection) (Collection, error) {
	col := Collection{
		ID: c.ID, Name: c.Name, Enabled: c.Enabled, DocumentSecurity: c.DocumentSecurity, Permissions: canonicalPermissions(c.Permissions),
	}
	attributes, err := client.ListAttributes(ctx, database, c.ID)
	if err != nil {
		return col, err
	}
	for _, a := range attributes {
		child := a.Relationship != nil && a.Relationship.Side == "child"
		if !child && !leavingLive(a.Status) {
			col.Attributes = append(col.Attributes, liveAttribute(a))
		}
	}
	indexes, err := client.ListIndexes(ctx, database, c.ID)
	if err != nil {
		return col, err
	}
	for _, x := range indexes {
		if !leavingLive(x.Status) {
			col.Indexes = append(col.Indexes, liveIndex(x, col))
		}
	}
	return col, nil
}

func leavingLive(status string) bool {
	return status == appwrite.StatusDeleting || status == appwrite.StatusStuck
}

func liveAttribute(a appwrite.Attribute) Attribute {
	out := Attribute{
		Key: a.Key, Type: a.Type, Required: a.Required, Array: a.Array, Default: a.Default, Size: a.Size,
		Encrypt: a.Encrypt, Min: a.Min, Max: a.Max, Elements: a.Elements,
	}
	if a.Relationship != nil {
		r := *a.Relationship
		out.Relationship = &Relationship{Related: r.Related, Type: r.Type, TwoWay: r.TwoWay, TwoWayKey: r.TwoWayKey, OnDelete: r.OnDelete}
	}
	return out
}

// liveIndex reads an index. Where the server shows no order, a file would have to
// say ASC.
func liveIndex(x appwrite.Index, col Collection) Index {
	out := Index{Key: x.Key, Type: x.Type, Attributes: x.Attributes, Orders: slices.Clone(x.Orders), Lengths: x.Lengths}
	for i, order := range out.Orders {
		out.Orders[i] = cmp.Or(order, "ASC")
	}
	return out.onLists(col)
}
