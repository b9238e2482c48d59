package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// archivedItem is one line of a collection's archive: the schema first, then
// the documents in the order of their insertion, then the links.
type archivedItem struct {
	Schema   *collectionSchema `json:"schema,omitempty"`
	Document *archivedDocument `json:"document,omitempty"`
	Link     *archivedLink     `json:"link,omitempty"`
}

// collectionSchema is a collection without its documents. Relationships are
// those that begin or end here.
type collectionSchema struct {
	Collection    CollectionImage     `json:"collection"`
	Attributes    []AttributeImage    `json:"attributes,omitempty"`
	Relationships []RelationshipImage `json:"relationships,omitempty"`
	Indexes       []IndexImage        `json:"indexes,omitempty"`
}

// archivedDocument is a document without its links. Fields that are null are
// left out.
type archivedDocument struct {
	ID          string         `json:"id"`
	CreatedAt   string         `json:"created_at,omitempty"`
	UpdatedAt   string         `json:"updated_at,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Data        map[string]any `json:"data,omitempty"`
}

// bare reports whether there is nothing in the collection but itself.
func (s collectionSchema) bare() bool {
	return len(s.Attributes)+len(s.Relationships)+len(s.Indexes) == 0
}

// encrypted gives the keys of attributes whose values the server hands out in clear.
func (s collectionSchema) encrypted() []string {
	var keys []string
	for _, attribute := range s.Attributes {
		if attribute.Encrypt {
			keys = append(keys, attribute.Key)
		}
	}
	return keys
}

// sorted brings what has no order of its own into one.
func (s collectionSchema) sorted() collectionSchema {
	s.Attributes = slices.SortedFunc(slices.Values(s.Attributes), func(a, b AttributeImage) int { return strings.Compare(a.Key, b.Key) })
	s.Indexes = slices.SortedFunc(slices.Values(s.Indexes), func(a, b IndexImage) int { return strings.Compare(a.Key, b.Key) })
	s.Relationships = slices.SortedFunc(slices.Values(s.Relationships), func(a, b RelationshipImage) int {
		return strings.Compare(a.Collection+" "+a.Key, b.Collection+" "+b.Key)
	})
	return s
}

// readSchema reads a collection's schema: what is available of it, since what
// failed or is on its way out has nothing to bring back.
func readSchema(ctx context.Context, client *appwrite.Client, database, id string) (collectionSchema, bool, error) {
	all, err := client.ListCollections(ctx, database)
	if err != nil {
		err = unlessAbsent(err, collectionRef(database, id))
		return collectionSchema{}, false, err
	}
	at := slices.IndexFunc(all, func(c appwrite.Collection) bool { return c.ID == id })
	if at < 0 {
		return collectionSchema{}, false, nil
	}
	schema := collectionSchema{Collection: imageOfCollection(all[at])}
	attributes, err := client.ListAttributes(ctx, database, id)
	if err != nil {
		return collectionSchema{}, false, err
	}
	var related []RelationshipImage
	for _, attribute := range attributes {
		switch {
		case attribute.Status != appwrite.StatusAvailable:
		case attribute.Relationship != nil:
			related = append(related, imageOfRelationship(id, attribute))
		default:
			schema.Attributes = append(schema.Attributes, imageOfAttribute(attribute))
		}
	}
	for _, other := range all {
		more, err := inbound(ctx, client, database, id, other)
		if err != nil {
			return collectionSchema{}, false, err
		}
		related = append(related, more...)
	}
	for _, image := range related { // two-way ones were met twice
		if !slices.Contains(schema.Relationships, image) {
			schema.Relationships = append(schema.Relationships, image)
		}
	}
	indexes, err := client.ListIndexes(ctx, database, id)
	for _, index := range indexes {
		if index.Status == appwrite.StatusAvailable {
			schema.Indexes = append(schema.Indexes, imageOfIndex(index))
		}
	}
	return schema, true, err
}

// inbound gives the relationships that another collection has to this one. The
// embedded list only says whether it is worth asking: it can be old.
func inbound(ctx context.Context, client *appwrite.Client, database, id string, other appwrite.Collection) ([]RelationshipImage, error) {
	if other.ID == id || len(other.Attributes) == 0 {
		return nil, nil
	}
	attributes, err := client.ListAttributes(ctx, database, other.ID)
	if err != nil {
		return nil, notFoundIsFine(err)
	}
	var images []RelationshipImage
	for _, attribute := range attributes {
		r := attribute.Relationship
		if r != nil && r.Related == id && attribute.Status == appwrite.StatusAvailable {
			images = append(images, imageOfRelationship(other.ID, attribute))
		}
	}
	return images, nil
}

// contents is what a walk over a collection has found.
type contents struct {
	Schema    collectionSchema
	Documents int64
	// Digest is of schema, documents and links; "" where there is nothing but
	// the collection itself.
	Digest string
}

// survey walks a collection, hands each line of its archive to keep, and sums up.
func survey(ctx context.Context, client *appwrite.Client, database, id string, keep func(archivedItem, json.RawMessage) error) (contents, bool, error) {
	schema, found, err := readSchema(ctx, client, database, id)
	if err != nil || !found {
		return contents{}, false, err
	}
	c, sum := contents{Schema: schema}, newDigest()
	line := func(item archivedItem) error {
		raw, err := encode(item)
		if err != nil {
			return err
		}
		return keep(item, raw)
	}
	if err := line(archivedItem{Schema: &schema}); err != nil {
		return contents{}, false, err
	}
	if err := c.documents(ctx, client, database, id, sum, line); err != nil {
		return contents{}, false, err
	}
	links, err := c.links(ctx, client, database, sum, line)
	if err != nil {
		return contents{}, false, err
	}
	if !schema.bare() || c.Documents+links > 0 {
		shape := schema.sorted()
		shape.Collection = CollectionImage{}
		raw, err := encode(shape)
		if err != nil {
			return contents{}, false, err
		}
		sum.add(raw)
		c.Digest = sum.String()
	}
	return c, true, nil
}

// documents walks the documents.
func (c *contents) documents(ctx context.Context, client *appwrite.Client, database, id string, sum digest, line func(archivedItem) error) error {
	var plain []string
	for _, attribute := range c.Schema.Attributes {
		plain = append(plain, attribute.Key)
	}
	for page, err := range client.Walk(ctx, database, id, appwrite.WalkOptions{}) {
		if err != nil {
			return err
		}
		for _, document := range page {
			c.Documents++
			item := archiveOf(document, plain)
			raw, err := item.timeless()
			if err != nil {
				return err
			}
			sum.add(raw)
			if err := line(archivedItem{Document: &item}); err != nil {
				return err
			}
		}
	}
	return nil
}

// archiveOf keeps of a document what a creation can give back, links aside.
func archiveOf(document appwrite.Document, plain []string) archivedDocument {
	item := archivedDocument{
		ID: document.ID, CreatedAt: document.CreatedAt, UpdatedAt: document.UpdatedAt,
		Permissions: document.Permissions, Data: maps.Clone(document.Data),
	}
	maps.DeleteFunc(item.Data, func(key string, value any) bool { return isEmpty(value) || !slices.Contains(plain, key) })
	return item
}

// timeless gives a document's line for a digest: without what the server keeps
// for itself, which the run's own writes change.
func (d archivedDocument) timeless() (json.RawMessage, error) {
	d.CreatedAt, d.UpdatedAt = "", ""
	return encode(d)
}

// links walks the links of every relationship.
func (c *contents) links(ctx context.Context, client *appwrite.Client, database string, sum digest, line func(archivedItem) error) (int64, error) {
	var count int64
	for n, image := range c.Schema.Relationships {
		err := walkLinks(ctx, client, database, image, func(link archivedLink) error {
			count++
			raw, err := link.timeless()
			if err != nil {
				return err
			}
			sum.add(raw)
			link.Relationship = n
			return line(archivedItem{Link: &link})
		})
		if err != nil {
			return 0, err
		}
	}
	return count, nil
}

// archiveCollection sets a collection aside.
func archiveCollection(ctx context.Context, client *appwrite.Client, site engine.Site, database, id string) (journal.ArchiveRef, contents, error) {
	if err := calm(ctx, client, database, id); err != nil {
		return journal.ArchiveRef{}, contents{}, err
	}
	writer, err := site.Archives.Create(ctx, site.Run, site.Operation, id)
	if err != nil {
		return journal.ArchiveRef{}, contents{}, err
	}
	var done int64
	found, there, err := survey(ctx, client, database, id, func(item archivedItem, raw json.RawMessage) error {
		if item.Schema != nil {
			if keys := item.Schema.encrypted(); len(keys) > 0 {
				progress(site, fmt.Sprintf("encrypted attributes %v of %s/%s archived in clear", keys, database, id), 0, 0)
			}
		}
		if item.Document != nil {
			if done++; done%1000 == 0 {
				progress(site, "documents archived", done, 0)
			}
		}
		return writer.Write(ctx, raw)
	})
	if err != nil {
		return journal.ArchiveRef{}, contents{}, err
	}
	if !there {
		return journal.ArchiveRef{}, contents{}, stopped(collectionRef(database, id), ErrMissing, "it went while it was archived")
	}
	ref, err := writer.Close(ctx)
	return ref, found, err
}

// errArchive says that an archive does not begin as one of a collection does.
var errArchive = errors.New("archive does not begin with a schema")

// openArchive reads the schema and leaves the rest to be read.
func openArchive(ctx context.Context, site engine.Site, ref journal.ArchiveRef) (collectionSchema, error) {
	for item, err := range decoded[archivedItem](site.Archives.Read(ctx, ref)) {
		if err != nil {
			return collectionSchema{}, err
		}
		if item.Schema == nil {
			break
		}
		return *item.Schema, nil
	}
	return collectionSchema{}, fmt.Errorf("%s: %w", ref.Name, errArchive)
}

// only picks one kind of line out of an archive.
func only[T any](lines iter.Seq2[json.RawMessage, error], pick func(archivedItem) *T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for item, err := range decoded[archivedItem](lines) {
			if err != nil {
				yield(none, err)
				return
			}
			if value := pick(item); value != nil && !yield(*value, nil) {
				return
			}
		}
	}
}
