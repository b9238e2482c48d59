package replica

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
)

// Sample says which documents a clone takes along.
type Sample struct {
	Each int // the first so many of each collection
	// Named are documents that come along in any case, where they exist.
	Named []DocumentRef
}

// DocumentRef names a document.
type DocumentRef struct{ Database, Collection, ID string }

// Copy tells what a clone holds.
type Copy struct {
	Model       schema.Model // of the live project
	Collections []CopiedCollection
	// Notices say where the copy is not like the project.
	Notices []string
}

// CopiedCollection tells which documents of a collection a clone holds.
type CopiedCollection struct {
	Database, Collection string
	Documents            int   // in the copy
	Of                   int64 // in the project, when it was counted
	AtLeast              bool  // the server stopped counting there
}

// Complete tells whether the copy holds every document of a collection; a
// collection that the project does not have holds none, all of which are there.
func (c Copy) Complete(database, collection string) bool {
	for _, col := range c.Collections {
		if col.Database == database && col.Collection == collection {
			return int64(col.Documents) >= col.Of && !col.AtLeast
		}
	}
	return true
}

// Clone makes the replica, which is empty, like a live project: its databases,
// but for those named in except, with their schema, and a sample of its
// documents. The live project is only read, through a client that fails on every
// write.
//
// Documents keep ids, permissions and, since 1.8, their times. They are put in
// before attributes become required and get defaults, so that those come along
// which today's rules would refuse; links lead only where both ends are in the
// sample.
func (r *Replica) Clone(ctx context.Context, live *appwrite.Client, sample Sample, except ...string) (Copy, error) {
	live, err := live.With(appwrite.WithReadOnly())
	if err != nil {
		return Copy{}, err
	}
	model, err := schema.Live(ctx, live, except...)
	if err != nil {
		return Copy{}, err
	}
	c := &cloner{replica: r, live: live, sample: sample, copy: Copy{Model: model, Notices: slices.Clone(r.profile.Notices)}}
	for _, db := range model.Databases {
		if err := c.database(ctx, db); err != nil {
			return Copy{}, fmt.Errorf("copy database %s: %w", db.ID, err)
		}
	}
	return c.copy, c.compare(ctx)
}

// A cloner copies one project.
type cloner struct {
	replica *Replica
	live    *appwrite.Client // read-only
	sample  Sample
	copy    Copy
}

func (c *cloner) notice(format string, args ...any) {
	c.copy.Notices = append(c.copy.Notices, fmt.Sprintf(format, args...))
}

// compare says where the copy's schema has not become the project's.
func (c *cloner) compare(ctx context.Context) error {
	got, err := schema.Live(ctx, c.replica.Client)
	if err != nil {
		return err
	}
	for _, d := range schema.Compare(c.copy.Model, got) {
		c.notice("the copy is not like the project: %s", d)
	}
	return nil
}

// database copies one database: first what documents need, then the documents,
// then what they might not have been let in by.
func (c *cloner) database(ctx context.Context, db schema.Database) error {
	to := c.replica.Client
	if _, err := to.CreateDatabase(ctx, appwrite.Database{ID: db.ID, Name: db.Name, Enabled: db.Enabled, Type: db.Type}); err != nil {
		return err
	}
	if err := c.unsettled(ctx, db.ID); err != nil {
		return err
	}
	for _, col := range db.Collections {
		if err := c.open(ctx, db.ID, col); err != nil {
			return fmt.Errorf("collection %s: %w", col.ID, err)
		}
	}
	linked := map[string][]appwrite.Document{}
	for _, col := range db.Collections {
		documents, err := c.documents(ctx, db.ID, col)
		if err != nil {
			return fmt.Errorf("documents of collection %s: %w", col.ID, err)
		}
		linked[col.ID] = documents
	}
	if err := c.relationships(ctx, db, linked); err != nil {
		return err
	}
	for _, col := range db.Collections {
		if err := c.tighten(ctx, db.ID, col); err != nil {
			return fmt.Errorf("collection %s: %w", col.ID, err)
		}
	}
	return nil
}

// unsettled says what the live project has that is not as it should be.
func (c *cloner) unsettled(ctx context.Context, database string) error {
	collections, err := c.live.ListCollections(ctx, database)
	if err != nil {
		return err
	}
	for _, col := range collections {
		for _, a := range col.Attributes {
			if a.Status != appwrite.StatusAvailable {
				c.notice("attribute %s/%s/%s is %s in the project, which the copy does not show", database, col.ID, a.Key, a.Status)
			}
		}
		for _, x := range col.Indexes {
			if x.Status != appwrite.StatusAvailable {
				c.notice("index %s/%s/%s is %s in the project, which the copy does not show", database, col.ID, x.Key, x.Status)
			}
		}
	}
	return nil
}

// open makes a collection that takes any document: nothing required, no defaults.
func (c *cloner) open(ctx context.Context, database string, col schema.Collection) error {
	to := c.replica.Client
	if _, err := to.CreateCollection(ctx, database, appwrite.Collection{
		ID: col.ID, Name: col.Name, Enabled: col.Enabled, DocumentSecurity: col.DocumentSecurity, Permissions: col.Permissions,
	}); err != nil {
		return err
	}
	var awaited []appwrite.Awaited
	for _, a := range col.Attributes {
		if a.Relationship != nil {
			continue
		}
		made := attribute(a)
		if !spatial(a) { // which cannot become required later
			made.Required, made.Default = false, nil
		}
		if _, err := to.CreateAttribute(ctx, database, col.ID, made); err != nil {
			return fmt.Errorf("attribute %s: %w", a.Key, err)
		}
		awaited = append(awaited, appwrite.Awaited{Collection: col.ID, Attribute: a.Key})
	}
	return wait(ctx, to, database, awaited)
}

func wait(ctx context.Context, to *appwrite.Client, database string, awaited []appwrite.Awaited) error {
	if len(awaited) == 0 {
		return nil
	}
	return to.WaitAvailable(ctx, database, awaited)
}

func spatial(a schema.Attribute) bool {
	return slices.Contains([]string{appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon}, a.Type)
}

func attribute(a schema.Attribute) appwrite.Attribute {
	return appwrite.Attribute{
		Key: a.Key, Type: a.Type, Required: a.Required, Array: a.Array, Default: a.Default, Size: a.Size,
		Encrypt: a.Encrypt, Min: a.Min, Max: a.Max, Elements: a.Elements,
	}
}

// tighten gives a collection what open left out, and its indexes.
func (c *cloner) tighten(ctx context.Context, database string, col schema.Collection) error {
	to := c.replica.Client
	for _, a := range col.Attributes {
		if a.Relationship != nil || spatial(a) || !a.Required && a.Default == nil {
			continue
		}
		if _, err := to.UpdateAttribute(ctx, database, col.ID, a.Key, appwrite.AttributePatch{
			Type: a.Type, Required: a.Required, Default: a.Default, Elements: a.Elements,
		}); err != nil {
			return fmt.Errorf("attribute %s: %w", a.Key, err)
		}
	}
	var awaited []appwrite.Awaited
	for _, x := range col.Indexes {
		if _, err := to.CreateIndex(ctx, database, col.ID, appwrite.Index{
			Key: x.Key, Type: x.Type, Attributes: x.Attributes, Orders: x.Orders, Lengths: x.Lengths,
		}); err != nil {
			c.notice("index %s/%s/%s could not be copied: %v", database, col.ID, x.Key, err)
			continue
		}
		awaited = append(awaited, appwrite.Awaited{Collection: col.ID, Index: x.Key})
	}
	return wait(ctx, to, database, awaited)
}
