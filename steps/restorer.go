package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// restorer fills a collection from its archive, one phase after the other. Each
// phase leaves alone what is there, so that an interrupted restoration goes on.
type restorer struct {
	client   *appwrite.Client
	site     engine.Site
	database string
	id       string
	schema   collectionSchema
	archive  journal.ArchiveRef
}

// attributes makes the attributes, optional and without default, all at once.
// When they are available, the worker has purged the collection's predecessor,
// which matters to the relationships and indexes that follow.
func (r restorer) attributes(ctx context.Context) error {
	if len(r.schema.Attributes) == 0 && len(r.schema.Relationships) > 0 {
		return passIn(ctx, r.client, r.database, r.id)
	}
	live, err := r.client.ListAttributes(ctx, r.database, r.id)
	if err != nil {
		return err
	}
	for _, image := range r.schema.Attributes {
		if keyed(live, image.Key) != nil {
			continue
		}
		if err := makeAttribute(ctx, r.client, r.attribute(image), image.bare(), true); err != nil {
			return err
		}
	}
	for _, image := range r.schema.Attributes {
		if err := settleAttribute(ctx, r.client, r.attribute(image), image.bare()); err != nil {
			return err
		}
	}
	return nil
}

func (r restorer) attribute(image AttributeImage) engine.Ref {
	return attributeRef(r.database, r.id, image.Key)
}

// documents makes the documents. They come before the relationships, since the
// server takes no batches next to those.
func (r restorer) documents(ctx context.Context) error {
	var done int64
	var refusedOnes misfits
	lines := only(r.site.Archives.Read(ctx, r.archive), func(i archivedItem) *archivedDocument { return i.Document })
	err := inBatches(lines, func(page []archivedDocument) error {
		done += int64(len(page))
		progress(r.site, "documents restored", done, r.archive.Items-1)
		return r.page(ctx, page, &refusedOnes)
	})
	if err == nil && refusedOnes.Count > 0 {
		err = &StepError{
			Target: collectionRef(r.database, r.id), Err: ErrUnfit, Documents: refusedOnes.First,
			Reason: "the server refuses to take documents back: " + refusedOnes.Reason,
		}
	}
	return err
}

// page makes those documents of a page that are missing: together, or one by
// one where the server refuses them together.
func (r restorer) page(ctx context.Context, page []archivedDocument, refusedOnes *misfits) error {
	missing, err := r.missing(ctx, page)
	if err != nil || len(missing) == 0 {
		return err
	}
	_, err = r.client.CreateDocuments(ctx, r.database, r.id, missing)
	var answer *appwrite.Error
	if err == nil || !errors.As(err, &answer) || !errors.Is(err, appwrite.ErrInvalid) {
		return err
	}
	for _, document := range missing {
		_, err := r.client.CreateDocument(ctx, r.database, r.id, document)
		switch {
		case refused(err):
			refusedOnes.add(document.ID, err.Error())
		case err != nil:
			return err
		}
	}
	return nil
}

// missing gives the documents of a page that are not in the collection.
func (r restorer) missing(ctx context.Context, page []archivedDocument) ([]appwrite.Document, error) {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	live, err := r.client.FindDocuments(ctx, r.database, r.id, ids, "$id")
	if err != nil {
		return nil, err
	}
	var missing []appwrite.Document
	for _, item := range page {
		if slices.ContainsFunc(live, func(d appwrite.Document) bool { return d.ID == item.ID }) {
			continue
		}
		missing = append(missing, appwrite.Document{
			ID: item.ID, CreatedAt: item.CreatedAt, UpdatedAt: item.UpdatedAt,
			Permissions: item.Permissions, Data: item.Data,
		})
	}
	return missing, nil
}

// relationships makes the relationships and links the documents.
func (r restorer) relationships(ctx context.Context) error {
	linkers, err := r.linkers(ctx)
	if err != nil {
		return err
	}
	for _, l := range linkers {
		if l == nil {
			continue
		}
		if err := makeRelationship(ctx, r.client, r.database, l.image, true); err != nil {
			return err
		}
		if err := settleRelationship(ctx, r.client, r.database, l.image); err != nil {
			return err
		}
	}
	err = r.links(ctx, linkers, func(l *linker, page []archivedLink) error { return l.write(ctx, page) })
	if err != nil {
		return err
	}
	for _, l := range linkers {
		if l == nil {
			continue
		}
		if err := l.result(); err != nil {
			return err
		}
	}
	return nil
}

// linkers gives a linker for each relationship whose other collection is there,
// nil for the others: those are made when that collection is restored, whose
// archive has the same links.
func (r restorer) linkers(ctx context.Context) ([]*linker, error) {
	linkers := make([]*linker, len(r.schema.Relationships))
	for n, image := range r.schema.Relationships {
		other := image.Related
		if other == r.id {
			other = image.Collection
		}
		_, found, err := findCollection(ctx, r.client, r.database, other)
		if err != nil {
			return nil, err
		}
		if found {
			linkers[n] = &linker{client: r.client, database: r.database, image: image}
		}
	}
	return linkers, nil
}

// times gives back to documents the time of their last change where linking them
// has moved it on. It comes before defaults and required, which an update would
// apply.
func (r restorer) times(ctx context.Context) error {
	server, err := r.client.Detect(ctx)
	if err != nil || !server.Capabilities.Timestamps || len(r.schema.Relationships) == 0 {
		return err
	}
	lines := only(r.site.Archives.Read(ctx, r.archive), func(i archivedItem) *archivedDocument { return i.Document })
	return inBatches(lines, func(page []archivedDocument) error {
		late, err := r.late(ctx, page)
		if err != nil {
			return err
		}
		for _, item := range late {
			patch := appwrite.DocumentPatch{UpdatedAt: item.UpdatedAt}
			_, err := r.client.UpdateDocument(ctx, r.database, r.id, item.ID, patch, appwrite.Guard{})
			if err := notFoundIsFine(err); err != nil {
				return err
			}
		}
		return nil
	})
}

// late gives the documents that differ from the archive in nothing but the time
// of their last change.
func (r restorer) late(ctx context.Context, page []archivedDocument) ([]archivedDocument, error) {
	ids, archived := make([]string, len(page)), make(map[string]archivedDocument, len(page))
	for i, item := range page {
		ids[i], archived[item.ID] = item.ID, item
	}
	live, err := r.client.FindDocuments(ctx, r.database, r.id, ids)
	if err != nil {
		return nil, err
	}
	var late []archivedDocument
	for _, document := range live {
		want, have := archived[document.ID], archiveOf(document, r.plain())
		if want.UpdatedAt == have.UpdatedAt {
			continue
		}
		have.UpdatedAt = want.UpdatedAt
		if same(want, have) {
			late = append(late, want)
		}
	}
	return late, nil
}

// plain gives the keys of the attributes that are no relationships.
func (r restorer) plain() []string {
	keys := make([]string, len(r.schema.Attributes))
	for i := range keys {
		keys[i] = r.schema.Attributes[i].Key
	}
	return keys
}

// links hands over the archived links, which lie relationship by relationship.
func (r restorer) links(ctx context.Context, linkers []*linker, each func(*linker, []archivedLink) error) error {
	var page []archivedLink
	flush := func() error {
		some := page
		page = nil
		if len(some) == 0 {
			return nil
		}
		l := at(linkers, some[0].Relationship)
		if l == nil {
			return nil
		}
		return each(l, some)
	}
	lines := only(r.site.Archives.Read(ctx, r.archive), func(i archivedItem) *archivedLink { return i.Link })
	for link, err := range lines {
		if err != nil {
			return err
		}
		if len(page) == batch || len(page) > 0 && page[0].Relationship != link.Relationship {
			if err := flush(); err != nil {
				return err
			}
		}
		page = append(page, link)
	}
	return flush()
}

// definitions gives attributes their defaults and makes them required.
func (r restorer) definitions(ctx context.Context) error {
	for _, image := range r.schema.Attributes {
		live, found, err := readAvailable(ctx, r.client, r.attribute(image))
		switch {
		case err != nil:
			return err
		case !found:
			return stopped(r.attribute(image), ErrMissing, "it was restored and is not there")
		case same(live, image):
			continue
		case !same(live, image.bare()):
			return stopped(r.attribute(image), engine.ErrForeign, "%s", differences(image, live))
		}
		if err := writeAttribute(r.client, r.attribute(image))(ctx, live, image); err != nil {
			return err
		}
	}
	return nil
}

// indexes makes the indexes, last since they slow down every write.
func (r restorer) indexes(ctx context.Context) error {
	for _, image := range r.schema.Indexes {
		if err := ensureIndex(ctx, r.client, indexRef(r.database, r.id, image.Key), image); err != nil {
			return err
		}
	}
	return nil
}
