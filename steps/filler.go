package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// filler writes archived values back into the documents of a collection.
type filler struct {
	client *appwrite.Client
	ref    engine.Ref
	// bulk says that documents of equal value may be written together. A bulk
	// write touches nothing but the attribute; a single one also puts the
	// defaults of others where they are null, which nothing can prevent.
	bulk bool
	// asked says that the server can be asked where the attribute is null.
	asked bool
	// unwritable are documents that the server refuses to update.
	unwritable misfits
}

// newFiller finds out how documents of the collection can be written: bulk
// writes are refused next to relationships, and on 1.7 overwrite other
// attributes with their defaults.
func newFiller(ctx context.Context, client *appwrite.Client, ref engine.Ref) (*filler, error) {
	server, err := client.Detect(ctx)
	if err != nil {
		return nil, err
	}
	attributes, err := client.ListAttributes(ctx, ref.Database, ref.Collection)
	if err != nil {
		return nil, err
	}
	f := &filler{client: client, ref: ref, bulk: server.Capabilities.Bulk && !server.Capabilities.BulkDefaults}
	for _, attribute := range attributes {
		if attribute.Relationship != nil {
			f.bulk = false
		}
		if attribute.Key == ref.Key {
			f.asked = !attribute.Array && !attribute.Encrypt && !spatial(attribute.Type)
		}
	}
	return f, nil
}

// fill writes every archived value whose document is there and has none. It
// fails at the end, with their ids, when documents could not be written.
func (f *filler) fill(ctx context.Context, site engine.Site, values journal.ArchiveRef) error {
	var done int64
	err := f.pages(ctx, site, values, func(pending []archivedValue, read int) error {
		done += int64(read)
		progress(site, "values restored", done, values.Items)
		return f.write(ctx, pending)
	})
	if err == nil && f.unwritable.Count > 0 {
		err = &StepError{
			Target: f.ref, Err: ErrUnfit, Documents: f.unwritable.First,
			Reason: "the server refuses to update documents: " + f.unwritable.Reason,
		}
	}
	return err
}

// pending reports whether a value is still to be written.
func (f *filler) pending(ctx context.Context, site engine.Site, values journal.ArchiveRef) (bool, error) {
	found, err := search("values", func() error {
		return f.pages(ctx, site, values, func(pending []archivedValue, _ int) error {
			return foundIf(len(pending) > 0, nil)
		})
	})
	return found != "", err
}

// pages reads the archive and hands over, page by page, what its documents lack.
func (f *filler) pages(ctx context.Context, site engine.Site, values journal.ArchiveRef, each func(pending []archivedValue, read int) error) error {
	return inBatches(decoded[archivedValue](site.Archives.Read(ctx, values)), func(page []archivedValue) error {
		pending, err := f.lacking(ctx, page)
		if err != nil {
			return err
		}
		return each(pending, len(page))
	})
}

// lacking keeps the values whose document exists and holds none: what somebody
// has written since stays.
func (f *filler) lacking(ctx context.Context, page []archivedValue) ([]archivedValue, error) {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	live, err := f.client.FindDocuments(ctx, f.ref.Database, f.ref.Collection, ids, f.ref.Key)
	if err != nil {
		return nil, err
	}
	empty := map[string]string{}
	for _, document := range live {
		if isEmpty(document.Data[f.ref.Key]) {
			empty[document.ID] = document.UpdatedAt
		}
	}
	var pending []archivedValue
	for _, item := range page {
		if since, lacks := empty[item.ID]; lacks {
			item.since = since
			pending = append(pending, item)
		}
	}
	return pending, nil
}

// write puts values into their documents, equal ones in one request.
func (f *filler) write(ctx context.Context, pending []archivedValue) error {
	groups, order := map[string][]archivedValue{}, []string{}
	for _, item := range pending {
		raw, err := encode(item.Value)
		if err != nil {
			return err
		}
		group := string(raw)
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], item)
	}
	for _, group := range order {
		if err := f.equal(ctx, groups[group]); err != nil {
			return err
		}
	}
	return nil
}

// equal writes one value into several documents, as far as they hold none still.
func (f *filler) equal(ctx context.Context, items []archivedValue) error {
	if !f.bulk || !f.asked {
		for _, item := range items {
			if err := f.one(ctx, item); err != nil {
				return err
			}
		}
		return nil
	}
	const room = 90 // ids of 36 characters that fit into one query
	for some := range slices.Chunk(items, room) {
		ids := make([]any, len(some))
		for i := range some {
			ids[i] = some[i].ID
		}
		_, err := f.client.UpdateDocuments(ctx, f.ref.Database, f.ref.Collection, f.patch(items[0]),
			query.Equal("$id", ids), query.IsNull(f.ref.Key))
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) patch(item archivedValue) appwrite.DocumentPatch {
	return appwrite.DocumentPatch{Data: map[string]any{f.ref.Key: item.Value}}
}

// one writes to a single document, unless somebody else has given it a value
// since. A refusal of its content is noted, not fatal: the other documents
// still get theirs.
func (f *filler) one(ctx context.Context, item archivedValue) error {
	for range guardTries {
		err := f.put(ctx, item)
		switch {
		case refused(err):
			f.unwritable.add(item.ID, err.Error())
			return nil
		case errors.Is(err, appwrite.ErrOverlapped): // written; the other writer's fields are other ones
			return nil
		case !errors.Is(err, appwrite.ErrConflict):
			return notFoundIsFine(err)
		}
		pending, err := f.lacking(ctx, []archivedValue{item})
		if err != nil || len(pending) == 0 {
			return err
		}
		item = pending[0]
	}
	return stopped(f.ref, engine.ErrForeign, "document %s changes faster than it can be written", item.ID)
}

// put writes to a document that is as it was read.
func (f *filler) put(ctx context.Context, item archivedValue) error {
	if !f.bulk {
		guard := appwrite.Guard{UpdatedAt: item.since}
		_, err := f.client.UpdateDocument(ctx, f.ref.Database, f.ref.Collection, item.ID, f.patch(item), guard)
		return err
	}
	total, err := f.client.UpdateDocuments(ctx, f.ref.Database, f.ref.Collection, f.patch(item),
		query.Equal("$id", item.ID), query.Equal("$updatedAt", item.since))
	if err == nil && total == 0 {
		return stopped(f.ref, appwrite.ErrConflict, "document %s has been written to", item.ID)
	}
	return err
}

// refused reports whether the server found a document's content wrong.
func refused(err error) bool {
	var answer *appwrite.Error
	return errors.As(err, &answer) && answer.Type == "document_invalid_structure"
}
