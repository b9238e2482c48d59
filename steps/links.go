package steps

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// Links is what an undo believes a relationship to be and to hold.
type Links struct {
	Relationship RelationshipImage `json:"relationship"`
	// Digest is of the links; "" means none.
	Digest string `json:"digest,omitempty"`
}

// archivedLink is one document's links: a line of a relationship's archive.
type archivedLink struct {
	// Relationship is the number of the relationship in a collection's archive.
	Relationship int      `json:"relationship,omitempty"`
	ID           string   `json:"id"` // of the document on the holding side
	Related      []string `json:"related"`
	UpdatedAt    string   `json:"updated_at,omitempty"`

	since string // when the document was last written, as read before it is linked
}

// end is the side of a relationship through which links are read and written.
type end struct {
	collection string
	key        string
	related    string
	many       bool
}

// holder gives the parent's side, except where a collection is related to
// itself both ways: there only the child's key works.
func (i RelationshipImage) holder() end {
	if i.TwoWay && i.Collection == i.Related {
		return end{
			collection: i.Related, key: i.TwoWayKey, related: i.Collection,
			many: i.Type == ManyToOne || i.Type == ManyToMany,
		}
	}
	return end{
		collection: i.Collection, key: i.Key, related: i.Related,
		many: i.Type == OneToMany || i.Type == ManyToMany,
	}
}

// unreadable reports whether the server may know the relationship and yet
// refuse to select it, from 1.8: one way, from a collection to itself. What
// nobody can read, nobody has linked through it.
func (i RelationshipImage) unreadable() bool { return !i.TwoWay && i.Collection == i.Related }

// walkLinks yields every document's links.
func walkLinks(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage, each func(archivedLink) error) error {
	from := image.holder()
	server, err := client.Detect(ctx)
	if err != nil {
		return err
	}
	fields := selection([]string{from.key}, server.Capabilities)
	for page, err := range client.Walk(ctx, database, from.collection, appwrite.WalkOptions{Select: fields}) {
		if image.unreadable() && errors.Is(err, appwrite.ErrInvalid) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, document := range page {
			related := relatedIDs(document.Data[from.key])
			if len(related) == 0 {
				continue
			}
			if err := each(archivedLink{ID: document.ID, Related: related, UpdatedAt: document.UpdatedAt}); err != nil {
				return err
			}
		}
	}
	return nil
}

// timeless gives a link's line for a digest: without what linking again changes.
func (l archivedLink) timeless() (json.RawMessage, error) {
	return encode(archivedLink{ID: l.ID, Related: slices.Sorted(slices.Values(l.Related))})
}

// digestLinks sums up a relationship's links, times aside.
func digestLinks(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) (string, error) {
	_, sum, err := keepLinks(ctx, client, database, image, forget)
	return sum, err
}

// keepLinks walks the links, hands each line to keep, and sums them up.
func keepLinks(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage, keep func(json.RawMessage) error) (first []string, sum string, err error) {
	d, count := newDigest(), 0
	err = walkLinks(ctx, client, database, image, func(link archivedLink) error {
		line, err := encode(link)
		if err != nil {
			return err
		}
		timeless, err := link.timeless()
		if err != nil {
			return err
		}
		d.add(timeless)
		if count++; count <= shownDocuments {
			first = append(first, link.ID)
		}
		return keep(line)
	})
	if count > 0 {
		sum = d.String()
	}
	return first, sum, err
}

// archiveLinks sets a relationship's links aside; no archive is made for none.
func archiveLinks(ctx context.Context, client *appwrite.Client, site engine.Site, database string, image RelationshipImage) (journal.ArchiveRef, []string, string, error) {
	var writer journal.ArchiveWriter
	first, sum, err := keepLinks(ctx, client, database, image, func(line json.RawMessage) error {
		if writer == nil {
			var err error
			if writer, err = site.Archives.Create(ctx, site.Run, site.Operation, "links"); err != nil {
				return err
			}
		}
		return writer.Write(ctx, line)
	})
	if err != nil || writer == nil {
		return journal.ArchiveRef{}, first, sum, err
	}
	ref, err := writer.Close(ctx)
	return ref, first, sum, err
}

// linker writes archived links back.
type linker struct {
	client   *appwrite.Client
	database string
	image    RelationshipImage
	// missing counts documents whose link points at one that is gone, and
	// unwritable those that the server refuses to update.
	missing, unwritable misfits
}

// write restores the links of up to a batch of documents: of those that exist
// and hold none, to those that exist. What somebody has linked since stays.
func (l *linker) write(ctx context.Context, page []archivedLink) error {
	pending, err := l.lacking(ctx, page)
	if err != nil {
		return err
	}
	for _, link := range pending {
		if err := l.tie(ctx, link); err != nil {
			return err
		}
	}
	return nil
}

// tie links a single document, looking again when somebody else was faster.
func (l *linker) tie(ctx context.Context, link archivedLink) error {
	for range guardTries {
		if err := l.one(ctx, link); !errors.Is(err, appwrite.ErrConflict) {
			return err
		}
		pending, err := l.lacking(ctx, []archivedLink{link})
		if err != nil || len(pending) == 0 {
			return err
		}
		link = pending[0]
	}
	return stopped(l.image.ref(l.database), engine.ErrForeign, "document %s changes faster than it can be linked", link.ID)
}

// lacking gives what is still to be written, without related documents that are gone.
func (l *linker) lacking(ctx context.Context, page []archivedLink) ([]archivedLink, error) {
	from := l.image.holder()
	var holders, targets []string
	for _, link := range page {
		holders = append(holders, link.ID)
		targets = append(targets, link.Related...)
	}
	server, err := l.client.Detect(ctx)
	if err != nil {
		return nil, err
	}
	live, err := l.client.FindDocuments(ctx, l.database, from.collection, holders, selection([]string{from.key}, server.Capabilities)...)
	if err != nil {
		return nil, err
	}
	slices.Sort(targets)
	there, err := l.client.FindDocuments(ctx, l.database, from.related, slices.Compact(targets), "$id")
	if err != nil {
		return nil, err
	}
	exists, updated := map[string]bool{}, map[string]string{}
	for _, document := range there {
		exists[document.ID] = true
	}
	for _, document := range live {
		if len(relatedIDs(document.Data[from.key])) == 0 {
			updated[document.ID] = document.UpdatedAt
		}
	}
	var pending []archivedLink
	for _, link := range page {
		since, lacks := updated[link.ID]
		if !lacks {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(link.Related), func(id string) bool { return !exists[id] })
		if len(kept) < len(link.Related) {
			l.missing.add(link.ID, "")
		}
		if len(kept) == 0 {
			continue
		}
		if since != link.UpdatedAt {
			link.UpdatedAt = "" // somebody has written to it: let the time show
		}
		link.since = since
		link.Related = kept
		pending = append(pending, link)
	}
	return pending, nil
}

// one links a single document that is as it was read, keeping the time it has.
// The server takes no
// bulk writes next to relationships, so it puts the defaults of the document's
// other attributes where they are null.
func (l *linker) one(ctx context.Context, link archivedLink) error {
	from := l.image.holder()
	var value any = link.Related[0]
	if from.many {
		ids := make([]any, len(link.Related))
		for i, id := range link.Related {
			ids[i] = id
		}
		value = ids
	}
	patch := appwrite.DocumentPatch{Data: map[string]any{from.key: value}, UpdatedAt: link.UpdatedAt}
	_, err := l.client.UpdateDocument(ctx, l.database, from.collection, link.ID, patch, appwrite.Guard{UpdatedAt: link.since})
	switch {
	case refused(err):
		l.unwritable.add(link.ID, err.Error())
		return nil
	case errors.Is(err, appwrite.ErrOverlapped): // written; the other writer's fields are other ones
		return nil
	default:
		return notFoundIsFine(err)
	}
}

// result fails when documents could not be linked.
func (l *linker) result() error {
	if l.unwritable.Count == 0 {
		return nil
	}
	return &StepError{
		Target: l.image.ref(l.database), Err: ErrUnfit, Documents: l.unwritable.First,
		Reason: "the server refuses to update documents: " + l.unwritable.Reason,
	}
}
