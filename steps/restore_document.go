package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// RestoreDocument puts back what DeleteDocument has destroyed: the document with
// its id, permissions and (since 1.8) times, the documents deleted along with
// it, and the links between them and to them. It only undoes other steps.
type RestoreDocument struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	ID         string `json:"id"`
	// Aside is what was set aside.
	Aside aside `json:"aside"`

	client *appwrite.Client
}

// Kind is "restore_document".
func (s RestoreDocument) Kind() string { return "restore_document" }

// Target is the document.
func (s RestoreDocument) Target() engine.Ref { return s.place(s.Collection, s.ID).ref() }

// Validate checks the fields without a server.
func (s RestoreDocument) Validate() error {
	c := check{kind: s.Kind()}
	c.document(s.Database, s.Collection, s.ID, nil, nil)
	if len(s.Aside.Items) == 0 && s.Aside.Archive == nil {
		c.fail("aside", "is missing: there is nothing to restore")
	}
	return c.err
}

func (s RestoreDocument) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s RestoreDocument) place(collection, id string) place {
	return place{client: s.client, database: s.Database, collection: collection, id: id}
}

// Capture has nothing to remember: what was there before is nothing.
func (s RestoreDocument) Capture(context.Context, engine.Site) (engine.Memento, error) {
	return encode(struct{}{})
}

// restoring is one attempt to restore.
type restoring struct {
	neighbourhood
	site      engine.Site
	documents []documentImage
	links     []lostLink
}

func (s RestoreDocument) start(ctx context.Context, site engine.Site) (restoring, error) {
	n, err := readNeighbourhood(ctx, s.client, s.Database)
	if err != nil {
		return restoring{}, err
	}
	items, err := s.Aside.load(ctx, site)
	if err != nil {
		return restoring{}, err
	}
	r := restoring{neighbourhood: n, site: site}
	r.documents, r.links = sorted(items)
	return r, nil
}

// sorted takes items apart: the documents, what was deleted along first so that
// links find it, and the links.
func sorted(items []asideItem) (documents []documentImage, links []lostLink) {
	for _, item := range items {
		if item.Document != nil {
			documents = append(documents, *item.Document)
		}
		if item.Link != nil {
			links = append(links, *item.Link)
		}
	}
	slices.Reverse(documents)
	return documents, links
}

// Apply creates what is missing, then ties the links that could not be tied yet.
func (s RestoreDocument) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	r, err := s.start(ctx, site)
	if err != nil {
		return nil, err
	}
	missing := map[member]bool{}
	for _, document := range r.documents {
		missing[member{document.Collection, document.ID}] = true
	}
	for _, document := range r.documents {
		if err := r.create(ctx, document, missing); err != nil {
			return nil, err
		}
		delete(missing, member{document.Collection, document.ID})
	}
	for _, document := range r.documents {
		if err := r.tie(ctx, document); err != nil {
			return nil, err
		}
	}
	for _, link := range r.links {
		if err := r.relink(ctx, link); err != nil {
			return nil, err
		}
	}
	fingerprint, err := r.documents[len(r.documents)-1].fingerprint()
	if err != nil {
		return nil, err
	}
	return encode(createObservation{Fingerprint: fingerprint})
}

// create brings one document back, without the links to what is still missing.
func (r restoring) create(ctx context.Context, wanted documentImage, missing map[member]bool) error {
	p := r.place(wanted.Collection, wanted.ID)
	f := r.shape(wanted.Collection)
	live, found, err := p.read(ctx, f.links)
	if err != nil {
		return err
	}
	if found {
		return r.replace(ctx, p, f, wanted, live)
	}
	post := wanted
	post.Data = make(map[string]any, len(wanted.Data))
	for key, value := range wanted.Data {
		if relationship := f.attributes[key].Relationship; relationship != nil {
			value = linkable(value, relationship.Related, missing)
		}
		if !isEmpty(value) {
			post.Data[key] = value
		}
	}
	if !r.server.Timestamps {
		post.CreatedAt, post.UpdatedAt = "", ""
	}
	if _, err := p.post(ctx, post, f.links); err != nil {
		if !errors.Is(err, appwrite.ErrExists) {
			return err
		}
		live, found, readErr := p.read(ctx, f.links)
		switch {
		case readErr != nil:
			return readErr
		case !found:
			return p.foreign("a unique value of it is taken by another document: %v", err)
		default:
			return r.replace(ctx, p, f, wanted, live)
		}
	}
	return r.empty(ctx, p, f, wanted)
}

// linkable leaves the ids that can be linked to now.
func linkable(value any, related string, missing map[member]bool) any {
	if id, ok := value.(string); ok {
		if missing[member{related, id}] {
			return nil
		}
		return id
	}
	var ids []any
	for _, id := range relatedIDs(value) {
		if !missing[member{related, id}] {
			ids = append(ids, id)
		}
	}
	return ids
}

// empty takes away the defaults that the server has put where null was.
func (r restoring) empty(ctx context.Context, p place, f shape, wanted documentImage) error {
	if !f.nullable() {
		return nil
	}
	nulls := map[string]any{}
	for key := range f.attributes {
		if f.hasDefault(key) && isEmpty(wanted.Data[key]) {
			nulls[key] = nil
		}
	}
	if len(nulls) == 0 {
		return nil
	}
	_, err := p.client.UpdateDocuments(ctx, p.database, p.collection,
		appwrite.DocumentPatch{Data: nulls, UpdatedAt: wanted.UpdatedAt}, query.Equal("$id", p.id), query.Equal("$updatedAt", wanted.UpdatedAt))
	return err
}

// replace deals with a document that is there already: what an earlier attempt
// has made is finished, what somebody else has made is left to the policy.
func (r restoring) replace(ctx context.Context, p place, f shape, wanted, live documentImage) error {
	different := r.differs(f, wanted, live, false)
	if r.filled(f, wanted, live, different) {
		return r.empty(ctx, p, f, wanted)
	}
	switch r.site.OnConflict {
	case engine.ConflictMerge, engine.ConflictSkip:
		return nil
	case engine.ConflictOverwrite:
		if _, err := p.setAside(ctx, r.site, live); err != nil {
			return err
		}
		values := DocumentValues{Data: map[string]any{}, Permissions: &wanted.Permissions}
		for _, key := range different {
			if key != "$permissions" {
				values.Data[key] = wanted.Data[key]
			}
		}
		return p.write(ctx, f, values, live)
	default:
		return p.foreign("somebody else has created it with another %s", different[0])
	}
}

// differs names what is not restored in a document; links only when asked for.
func (r restoring) differs(f shape, wanted, live documentImage, links bool) []string {
	return slices.DeleteFunc(wanted.differs(live), func(key string) bool {
		isLink := f.attributes[key].Relationship != nil
		// Where null cannot be stored under a default, the default stays.
		defaulted := !f.nullable() && isEmpty(wanted.Data[key]) && f.holdsDefault(key, live)
		_, known := f.attributes[key]
		return isLink != links || defaulted || !known && key != "$permissions"
	})
}

// tie writes the links that a document lost or could not have when it was
// created. Its time stays what it was.
func (r restoring) tie(ctx context.Context, wanted documentImage) error {
	p := r.place(wanted.Collection, wanted.ID)
	f := r.shape(wanted.Collection)
	if len(f.links) == 0 {
		return nil
	}
	live, found, err := p.read(ctx, f.links)
	if err != nil || !found {
		return err
	}
	values := map[string]any{}
	for _, key := range r.differs(f, wanted, live, true) {
		values[key] = wanted.Data[key]
	}
	if len(values) == 0 || r.site.OnConflict == engine.ConflictSkip {
		return nil
	}
	kept := ""
	if live.UpdatedAt == wanted.UpdatedAt {
		kept = wanted.UpdatedAt
	}
	return p.writeAt(ctx, f, DocumentValues{Data: values}, live, kept)
}

// relink gives a document that stayed its link back, unless it has another by now.
func (r restoring) relink(ctx context.Context, link lostLink) error {
	p := r.place(link.Collection, link.ID)
	f := r.shape(link.Collection)
	live, found, err := p.read(ctx, f.links)
	if err != nil || !found {
		return err
	}
	ids := relatedIDs(live.Data[link.Key])
	if slices.Contains(ids, link.To) {
		return nil
	}
	var value any = link.To
	if link.Many {
		list := []any{link.To}
		for _, id := range ids {
			list = append(list, id)
		}
		value = list
	} else if len(ids) > 0 {
		switch r.site.OnConflict {
		case engine.ConflictMerge, engine.ConflictSkip:
			return nil
		case engine.ConflictOverwrite:
			if _, err := p.setAside(ctx, r.site, live); err != nil {
				return err
			}
		default:
			return p.foreign("%s leads to %s now", link.Key, ids[0])
		}
	}
	return p.write(ctx, f, DocumentValues{Data: map[string]any{link.Key: value}}, live)
}

// Settle has nothing to wait for.
func (s RestoreDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares what is there with what was set aside.
func (s RestoreDocument) Probe(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Finding, error) {
	r, err := s.start(ctx, site)
	if err != nil {
		return gone(err)
	}
	present, whole := 0, 0
	for _, wanted := range r.documents {
		f := r.shape(wanted.Collection)
		live, found, err := r.place(wanted.Collection, wanted.ID).read(ctx, f.links)
		switch {
		case err != nil:
			return gone(err)
		case !found:
			continue
		}
		if different := r.differs(f, wanted, live, false); !r.filled(f, wanted, live, different) {
			return foreign("%s %s is there with another %s", wanted.Collection, wanted.ID, different[0])
		} else if len(different) == 0 && len(r.differs(f, wanted, live, true)) == 0 {
			whole++
		}
		present++
	}
	tied, err := r.tied(ctx)
	switch {
	case err != nil:
		return gone(err)
	case present == 0:
		return engine.Finding{State: engine.StateBefore}, nil
	case whole < len(r.documents) || !tied:
		return partial("%d of %d documents are back", whole, len(r.documents))
	}
	fingerprint, err := r.documents[len(r.documents)-1].fingerprint()
	if err != nil {
		return engine.Finding{}, err
	}
	return foundAfter(createObservation{Fingerprint: fingerprint})
}

// filled reports whether a document differs only by defaults that the server
// has put where null will be.
func (r restoring) filled(f shape, wanted, live documentImage, different []string) bool {
	for _, key := range different {
		if !isEmpty(wanted.Data[key]) || !f.holdsDefault(key, live) {
			return false
		}
	}
	return true
}

// tied reports whether the documents that stayed have their links back.
func (r restoring) tied(ctx context.Context) (bool, error) {
	for _, link := range r.links {
		live, found, err := r.place(link.Collection, link.ID).read(ctx, r.neighbourhood.links(link.Collection))
		if err != nil {
			return false, err
		}
		if found && !slices.Contains(relatedIDs(live.Data[link.Key]), link.To) {
			return false, nil
		}
	}
	return true, nil
}

// Inverse deletes the document again, with all that came back with it.
func (s RestoreDocument) Inverse(_ engine.Memento, after engine.Observation) ([]engine.Step, error) {
	o, err := recall[createObservation](after)
	if err != nil {
		return nil, err
	}
	return []engine.Step{DeleteDocument{
		Database: s.Database, Collection: s.Collection, ID: s.ID,
		Expect: o.Fingerprint, Restored: &s.Aside, client: s.client,
	}}, nil
}
