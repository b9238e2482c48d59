package steps

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateDocument creates a document. Its undo deletes it, unless somebody else
// has changed it by then.
type CreateDocument struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	// ID may be empty: it is drawn before anything is sent then.
	ID string `json:"id,omitempty"`
	// Data holds the fields. A relationship takes the id of a document, or a
	// list of ids; objects are refused.
	Data        map[string]any `json:"data,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	// CreatedAt and UpdatedAt are set by the server when they are empty. A
	// server older than 1.8 sets them always, so the step is refused there.
	CreatedAt string `json:"created_at,omitempty"`
	UpdatedAt string `json:"updated_at,omitempty"`

	client *appwrite.Client
}

// createMemento is what was decided before the document was created.
type createMemento struct {
	ID    string   `json:"id"`
	Links []string `json:"links,omitempty"` // relationship keys of the collection
	stageable
}

// unobserved stands for the fingerprint of a document that nobody has seen; no
// document has it.
const unobserved = "unobserved"

// createObservation is the document as it was made.
type createObservation struct {
	Fingerprint string `json:"fingerprint"`
	UpdatedAt   string `json:"updated_at"`
}

// Kind is "create_document".
func (s CreateDocument) Kind() string { return "create_document" }

// Target is the document; it has no key while the id is not drawn.
func (s CreateDocument) Target() engine.Ref { return s.place(s.ID).ref() }

// Validate checks the fields without a server.
func (s CreateDocument) Validate() error {
	c := check{kind: s.Kind()}
	id := s.ID
	if id == "" {
		id = "drawn"
	}
	c.document(s.Database, s.Collection, id, s.Data, s.Permissions)
	for field, value := range map[string]string{"created_at": s.CreatedAt, "updated_at": s.UpdatedAt} {
		if _, ok := parseTime(value); value != "" && !ok {
			c.fail(field, "%q is no date", value)
		}
	}
	return c.err
}

func (s CreateDocument) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s CreateDocument) place(id string) place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: id}
}

// Capture fails when the document exists, or when a value would not be stored
// as it is written.
func (s CreateDocument) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	id := s.ID
	if id == "" {
		id = uuid.NewString()
	}
	p := s.place(id)
	f, err := readShape(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := f.check(s.Kind(), s.Data, byPost); err != nil {
		return nil, err
	}
	if !f.server.Timestamps && s.CreatedAt+s.UpdatedAt != "" {
		return nil, stopped(p.ref(), ErrRefused, "this server sets created_at and updated_at itself")
	}
	_, found, err := p.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, stopped(p.ref(), ErrExists, "")
	}
	staged := s.CreatedAt+s.UpdatedAt == "" && f.stages(s.values())
	return encode(createMemento{ID: id, Links: f.links, stageable: stageable{Staged: staged}})
}

// values are what the step writes.
func (s CreateDocument) values() DocumentValues {
	values := DocumentValues{Data: s.Data}
	if s.Permissions != nil {
		values.Permissions = &s.Permissions
	}
	return values
}

// Receiptable implements engine.Receiptable. Dates and links need a request of
// their own.
func (s CreateDocument) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable. A document that is not as it was made
// any more has a fingerprint that no document has, so that an undo halts on it.
func (s CreateDocument) Committed(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[createMemento](before)
	if err != nil {
		return nil, err
	}
	return s.seen(ctx, s.place(m.ID), m)
}

// seen is the document as it was made, as far as it still is.
func (s CreateDocument) seen(ctx context.Context, p place, m createMemento) (engine.Observation, error) {
	live, found, err := p.read(ctx, m.Links)
	if err != nil && !absentOrTwin(err) {
		return nil, err
	}
	if err != nil || !found {
		return encode(createObservation{Fingerprint: unobserved})
	}
	different, err := s.differing(ctx, p, live)
	if err != nil {
		return nil, err
	}
	if different != "" {
		return encode(createObservation{Fingerprint: unobserved})
	}
	return observed(live)
}

// Apply creates the document. An equal one is taken over when an earlier
// attempt may have made it.
func (s CreateDocument) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[createMemento](before)
	if err != nil {
		return nil, err
	}
	p := s.place(m.ID)
	if site.Receipt != nil {
		return s.commit(ctx, site, p, m)
	}
	created, err := p.post(ctx, documentImage{
		Permissions: s.Permissions, Data: s.Data, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}, m.Links)
	if err == nil {
		return s.observe(ctx, p, m, created)
	}
	if !errors.Is(err, appwrite.ErrExists) {
		return nil, err
	}
	live, found, readErr := p.read(ctx, m.Links)
	switch {
	case readErr != nil:
		return nil, readErr
	case !found:
		return nil, stopped(p.ref(), ErrRefused, "a unique value of it is taken by another document: %v", err)
	case !site.Doubtful:
		return nil, p.foreign("somebody else has created it meanwhile")
	}
	different, err := s.differing(ctx, p, live)
	if err != nil {
		return nil, err
	}
	if different != "" {
		return nil, p.foreign("it is there with another %s", different)
	}
	return observed(live)
}

// commit creates the document together with a receipt.
func (s CreateDocument) commit(ctx context.Context, site engine.Site, p place, m createMemento) (engine.Observation, error) {
	err := p.commit(ctx, site, []appwrite.Operation{p.operation(appwrite.ActionCreate, s.values())}, nil)
	if err == nil {
		after, err := s.seen(ctx, p, m)
		return after, afterCommit(site, err)
	}
	if !errors.Is(err, appwrite.ErrConflict) && !errors.Is(err, appwrite.ErrExists) {
		return nil, err
	}
	_, found, readErr := p.read(ctx, nil)
	switch {
	case readErr != nil:
		return nil, readErr
	case found:
		return nil, p.foreign("somebody else has created it meanwhile")
	default:
		return nil, stopped(p.ref(), ErrRefused, "a unique value of it is taken by another document: %v", err)
	}
}

// observe reads back what was created. What somebody else has written since is
// no part of the observation.
func (s CreateDocument) observe(ctx context.Context, p place, m createMemento, created documentImage) (engine.Observation, error) {
	live, found, err := p.read(ctx, m.Links)
	if err != nil {
		return nil, err
	}
	if !found || live.UpdatedAt != created.UpdatedAt {
		return observed(created)
	}
	return observed(live)
}

func observed(live documentImage) (engine.Observation, error) {
	fingerprint, err := live.fingerprint()
	if err != nil {
		return nil, err
	}
	return encode(createObservation{Fingerprint: fingerprint, UpdatedAt: live.UpdatedAt})
}

// differing names the first field in which live is not what the step makes, or "".
func (s CreateDocument) differing(ctx context.Context, p place, live documentImage) (string, error) {
	f, err := readShape(ctx, p)
	if err != nil {
		return "", err
	}
	return s.differingIn(f, live)
}

// differingIn is differing in a collection that is known.
func (s CreateDocument) differingIn(f shape, live documentImage) (string, error) {
	keys := slices.Collect(maps.Keys(f.attributes))
	keys = slices.AppendSeq(keys, maps.Keys(s.Data))
	keys = slices.AppendSeq(keys, maps.Keys(live.Data))
	for _, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		wanted, err := f.filled(key, s.Data)
		if err != nil {
			return "", err
		}
		if !holds(f.attributes[key], wanted, live.Data[key]) {
			return key, nil
		}
	}
	if !samePermissions(s.Permissions, live.Permissions) {
		return "$permissions", nil
	}
	return "", nil
}

// Settle has nothing to wait for.
func (s CreateDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the document.
func (s CreateDocument) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[createMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	p := s.place(m.ID)
	live, found, err := p.read(ctx, m.Links)
	if err != nil || !found {
		return notYet(err)
	}
	different, err := s.differing(ctx, p, live)
	if err != nil {
		return engine.Finding{}, err
	}
	if different != "" {
		return foreign("another %s", different)
	}
	after, err := observed(live)
	return engine.Finding{State: engine.StateAfter, After: after}, err
}

// notYet is the finding about a document that is not there and should not be
// yet: before, foreign when its container is gone, or the error.
func notYet(err error) (engine.Finding, error) {
	switch {
	case errors.Is(err, appwrite.ErrContainerNotFound):
		return foreign("its collection is gone")
	case err != nil:
		return engine.Finding{}, err
	default:
		return untouched()
	}
}

// Inverse deletes the document, if it still is what was created.
func (s CreateDocument) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	m, err := recall[createMemento](before)
	if err != nil {
		return nil, err
	}
	o, err := recall[createObservation](after)
	if err != nil {
		return nil, err
	}
	return []engine.Step{DeleteDocument{
		Database: s.Database, Collection: s.Collection, ID: m.ID,
		Expect: cmp.Or(o.Fingerprint, unobserved), Alone: true, client: s.client,
	}}, nil
}

// post creates the document with the image's data, permissions and times.
func (p place) post(ctx context.Context, i documentImage, links []string) (documentImage, error) {
	created, err := p.client.CreateDocument(ctx, p.database, p.collection, appwrite.Document{
		ID: p.id, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, Permissions: i.Permissions, Data: i.Data,
	})
	if err != nil {
		return documentImage{}, err
	}
	return newDocumentImage(p.collection, created, links), nil
}
