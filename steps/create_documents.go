package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// CreateDocuments creates documents of one collection in one operation. The
// planner makes it of neighbouring create_document steps, see Batch; its undo
// deletes the documents one by one, the last first, each as the undo of its own
// step would.
type CreateDocuments struct {
	Database   string        `json:"database"`
	Collection string        `json:"collection"`
	Documents  []NewDocument `json:"documents"`

	client *appwrite.Client
}

// NewDocument is one of the documents to create.
type NewDocument struct {
	ID          string         `json:"id,omitempty"` // drawn when it is empty
	Data        map[string]any `json:"data,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
}

// createdMemento holds the ids of the documents, in order.
type createdMemento struct {
	IDs []string `json:"ids"`
	stageable
}

// createdObservation holds what became of each document, in order.
type createdObservation struct {
	Documents []createObservation `json:"documents"`
}

// Kind is "create_documents".
func (s CreateDocuments) Kind() string { return "create_documents" }

// Target stands for the documents, without a key.
func (s CreateDocuments) Target() engine.Ref {
	return engine.Ref{Type: "document", Database: s.Database, Collection: s.Collection}
}

// Targets implements engine.Compound.
func (s CreateDocuments) Targets() []engine.Ref {
	refs := make([]engine.Ref, len(s.Documents))
	for i, document := range s.Documents {
		refs[i] = s.place(document.ID).ref()
	}
	return refs
}

// Makes names the documents.
func (s CreateDocuments) Makes() []engine.Ref { return s.Targets() }

// Validate checks the fields without a server.
func (s CreateDocuments) Validate() error {
	c := check{kind: s.Kind()}
	if len(s.Documents) == 0 {
		c.fail("documents", "is missing: there is nothing to create")
	}
	for i := range s.Documents {
		if err := s.single(i, s.Documents[i].ID).Validate(); err != nil && c.err == nil {
			c.err = err
		}
	}
	return c.err
}

func (s CreateDocuments) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s CreateDocuments) place(id string) place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: id}
}

// single is the step that creates document i.
func (s CreateDocuments) single(i int, id string) CreateDocument {
	document := s.Documents[i]
	return CreateDocument{
		Database: s.Database, Collection: s.Collection, ID: id,
		Data: document.Data, Permissions: document.Permissions, client: s.client,
	}
}

// Capture fails when one of the documents exists, or when a value would not be
// stored as it is written.
func (s CreateDocuments) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	f, err := readShape(ctx, s.place(""))
	if err != nil {
		return nil, err
	}
	if f.related() {
		return nil, stopped(s.Target(), ErrRefused, "its collection has relationships now, and takes no documents in bulk: plan the run anew")
	}
	raw, err := encode(s.Documents)
	if err != nil {
		return nil, err
	}
	m := createdMemento{stageable: stageable{Staged: f.server.Transactions && utf8.RuneCount(raw) < maxStaged}}
	for i, document := range s.Documents {
		if document.ID == "" {
			document.ID = uuid.NewString()
		}
		m.IDs = append(m.IDs, document.ID)
		if err := f.check("create_document", document.Data, byPost); err != nil {
			return nil, err
		}
		m.Staged = m.Staged && f.stages(s.single(i, document.ID).values())
	}
	live, err := s.place("").readAll(ctx, m.IDs)
	if err != nil {
		return nil, err
	}
	for _, id := range m.IDs {
		if _, found := live[id]; found {
			return nil, stopped(s.place(id).ref(), ErrExists, "")
		}
	}
	return encode(m)
}

// related reports whether the collection has relationships, readable or not.
func (f shape) related() bool {
	for _, attribute := range f.attributes {
		if attribute.Relationship != nil {
			return true
		}
	}
	return false
}

// readAll reads documents of an unrelated collection by list queries, by id. One
// whose id differs only in letter case is an error.
func (p place) readAll(ctx context.Context, ids []string) (map[string]documentImage, error) {
	documents, err := p.client.FindDocuments(ctx, p.database, p.collection, ids)
	if err != nil {
		return nil, unlessAbsent(err, p.ref())
	}
	live := make(map[string]documentImage, len(documents))
	for _, document := range documents {
		live[document.ID] = newDocumentImage(p.collection, document, nil)
		if !slices.Contains(ids, document.ID) {
			return nil, stopped(p.ref(), ErrExists, "as %q, which the server takes for the same", document.ID)
		}
	}
	return live, nil
}

// Apply creates the documents, all or none of what one request takes. With a
// receipt that is all of them.
func (s CreateDocuments) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[createdMemento](before)
	if err != nil {
		return nil, err
	}
	f, err := readShape(ctx, s.place(""))
	if err != nil {
		return nil, err
	}
	live, err := s.place("").readAll(ctx, m.IDs)
	if err != nil {
		return nil, err
	}
	var missing []int
	for i, id := range m.IDs {
		document, found := live[id]
		if !found {
			missing = append(missing, i)
			continue
		}
		if err := s.own(f, site, i, document); err != nil {
			return nil, err
		}
	}
	if site.Receipt != nil {
		err = s.commit(ctx, site, m)
	} else {
		err = s.post(ctx, m, missing)
	}
	if err != nil {
		return nil, s.refused(ctx, m, missing, err)
	}
	after, err := s.seen(ctx, f, m)
	if err != nil {
		return nil, afterCommit(site, err)
	}
	return encode(after)
}

// own refuses a document that is there and not this step's.
func (s CreateDocuments) own(f shape, site engine.Site, i int, live documentImage) error {
	if !site.Doubtful {
		return s.place(live.ID).foreign("somebody else has created it meanwhile")
	}
	different, err := s.single(i, live.ID).differingIn(f, live)
	if err == nil && different != "" {
		err = s.place(live.ID).foreign("it is there with another %s", different)
	}
	return err
}

// documents are those with the numbers given.
func (s CreateDocuments) documents(m createdMemento, numbers []int) []appwrite.Document {
	documents := make([]appwrite.Document, 0, len(numbers))
	for _, i := range numbers {
		documents = append(documents, appwrite.Document{ID: m.IDs[i], Data: s.Documents[i].Data, Permissions: s.Documents[i].Permissions})
	}
	return documents
}

// commit creates all documents by one operation of a transaction.
func (s CreateDocuments) commit(ctx context.Context, site engine.Site, m createdMemento) error {
	all := make([]int, len(m.IDs))
	for i := range all {
		all[i] = i
	}
	change := appwrite.Operation{
		Action: appwrite.ActionBulkCreate, Database: s.Database, Collection: s.Collection, Documents: s.documents(m, all),
	}
	return s.place("").commit(ctx, site, []appwrite.Operation{change}, nil)
}

// post creates what is missing, at most a bulk call's worth at a time.
func (s CreateDocuments) post(ctx context.Context, m createdMemento, missing []int) error {
	sent := false
	for page := range slices.Chunk(missing, batch) {
		if _, err := s.client.CreateDocuments(ctx, s.Database, s.Collection, s.documents(m, page)); err != nil {
			if sent {
				return &halfError{err: err}
			}
			return err
		}
		sent = true
	}
	return nil
}

// refused explains a refusal because an id or a unique value is taken.
func (s CreateDocuments) refused(ctx context.Context, m createdMemento, missing []int, err error) error {
	if !errors.Is(err, appwrite.ErrConflict) && !errors.Is(err, appwrite.ErrExists) {
		return err
	}
	live, readErr := s.place("").readAll(ctx, m.IDs)
	if readErr != nil {
		return readErr
	}
	for _, i := range missing {
		if _, found := live[m.IDs[i]]; found {
			return s.place(m.IDs[i]).foreign("somebody else has created it meanwhile")
		}
	}
	return stopped(s.Target(), ErrRefused, "a unique value of them is taken by another document: %v", err)
}

// seen is what became of the documents. One that is not as it was made has a
// fingerprint that no document has.
func (s CreateDocuments) seen(ctx context.Context, f shape, m createdMemento) (createdObservation, error) {
	live, err := s.place("").readAll(ctx, m.IDs)
	if err != nil {
		return createdObservation{}, err
	}
	var after createdObservation
	for i, id := range m.IDs {
		o := createObservation{Fingerprint: unobserved}
		if document, found := live[id]; found {
			different, err := s.single(i, id).differingIn(f, document)
			if err != nil {
				return after, err
			}
			if different == "" {
				o.UpdatedAt = document.UpdatedAt
				if o.Fingerprint, err = document.fingerprint(); err != nil {
					return after, err
				}
			}
		}
		after.Documents = append(after.Documents, o)
	}
	return after, nil
}

// Receiptable implements engine.Receiptable.
func (s CreateDocuments) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable.
func (s CreateDocuments) Committed(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[createdMemento](before)
	if err != nil {
		return nil, err
	}
	f, err := readShape(ctx, s.place(""))
	var after createdObservation
	if err == nil {
		after, err = s.seen(ctx, f, m)
	}
	if absentOrTwin(err) {
		return encode(createdObservation{})
	}
	if err != nil {
		return nil, err
	}
	return encode(after)
}

// Settle has nothing to wait for.
func (s CreateDocuments) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for each of the documents.
func (s CreateDocuments) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[createdMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	f, err := readShape(ctx, s.place(""))
	if err != nil {
		return gone(err)
	}
	live, err := s.place("").readAll(ctx, m.IDs)
	if err != nil {
		return lost(err)
	}
	var changed []string
	for i, id := range m.IDs {
		document, found := live[id]
		if !found {
			continue
		}
		different, err := s.single(i, id).differingIn(f, document)
		if err != nil {
			return engine.Finding{}, err
		}
		if different != "" {
			changed = append(changed, fmt.Sprintf("%s with another %s", id, different))
		}
	}
	after, err := s.seen(ctx, f, m)
	if err != nil {
		return lost(err)
	}
	return s.finding(m, len(live), changed, after)
}

// finding says what documents that are there, and changed ones, amount to.
func (s CreateDocuments) finding(m createdMemento, there int, changed []string, after createdObservation) (engine.Finding, error) {
	observed, err := encode(after)
	finding := engine.Finding{State: engine.StateAfter, After: observed}
	switch {
	case len(changed) > 0:
		finding.State, finding.After = engine.StateForeign, nil
		finding.Detail = "there are " + strings.Join(changed[:min(len(changed), 5)], ", ")
	case there == 0:
		return untouched()
	case there < len(m.IDs):
		finding.State = engine.StatePartial
		finding.Detail = fmt.Sprintf("%d of %d documents are there", there, len(m.IDs))
	}
	return finding, err
}

// Inverse deletes the documents, the last first, as far as each still is what
// was created.
func (s CreateDocuments) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	m, err := recall[createdMemento](before)
	if err != nil {
		return nil, err
	}
	o, err := recall[createdObservation](after)
	if err != nil {
		return nil, err
	}
	doomed := make([]Doomed, 0, len(m.IDs))
	for i, id := range slices.Backward(m.IDs) {
		expect := unobserved
		if i < len(o.Documents) {
			expect = o.Documents[i].Fingerprint
		}
		doomed = append(doomed, Doomed{ID: id, Expect: expect})
	}
	var inverse []engine.Step
	for part := range slices.Chunk(doomed, maxDeletions) {
		inverse = append(inverse, DeleteDocuments{Database: s.Database, Collection: s.Collection, Documents: part, client: s.client})
	}
	return inverse, nil
}
