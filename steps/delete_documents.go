package steps

import (
	"context"
	"errors"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// maxDeletions is how many deletions go into one transaction with a receipt.
const maxDeletions = appwrite.MaxOperations - 1

// DeleteDocuments deletes documents of one collection, each of which must still
// be as it is expected: it undoes CreateDocuments, and nothing else. With a
// receipt it deletes all of them in one transaction, else one after the other.
// What somebody else has changed is left to the conflict policy, one by one.
type DeleteDocuments struct {
	Database   string   `json:"database"`
	Collection string   `json:"collection"`
	Documents  []Doomed `json:"documents"` // in the order to delete them

	client *appwrite.Client
}

// Doomed is one of the documents to delete.
type Doomed struct {
	ID     string `json:"id"`
	Expect string `json:"expect"` // the fingerprint that it must have
}

// deletedMemento is where the documents are set aside.
type deletedMemento struct {
	First string `json:"first,omitempty"` // the first that is there
	aside
	stageable
}

// Kind is "delete_documents".
func (s DeleteDocuments) Kind() string { return "delete_documents" }

// Target stands for the documents, without a key.
func (s DeleteDocuments) Target() engine.Ref {
	return engine.Ref{Type: "document", Database: s.Database, Collection: s.Collection}
}

// Targets implements engine.Compound.
func (s DeleteDocuments) Targets() []engine.Ref {
	refs := make([]engine.Ref, len(s.Documents))
	for i, document := range s.Documents {
		refs[i] = s.place(document.ID).ref()
	}
	return refs
}

// Spares implements engine.Sparing: what others have changed is left alone
// without leaving the rest.
func (s DeleteDocuments) Spares() bool { return true }

// Validate checks the fields without a server.
func (s DeleteDocuments) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	if len(s.Documents) == 0 || len(s.Documents) > maxDeletions {
		c.fail("documents", "must be 1 to %d, not %d", maxDeletions, len(s.Documents))
	}
	for _, document := range s.Documents {
		c.id("documents", document.ID)
		if document.Expect == "" {
			c.fail("documents", "must say what is expected of %s", document.ID)
		}
	}
	return c.err
}

func (s DeleteDocuments) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s DeleteDocuments) place(id string) place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: id}
}

func (s DeleteDocuments) ids() []string {
	ids := make([]string, len(s.Documents))
	for i, document := range s.Documents {
		ids[i] = document.ID
	}
	return ids
}

// Capture sets aside the documents that are there.
func (s DeleteDocuments) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	n, err := readNeighbourhood(ctx, s.client, s.Database)
	if err != nil {
		return nil, err
	}
	live, err := s.place("").readAll(ctx, s.ids())
	if err != nil {
		return nil, err
	}
	var items []asideItem
	for _, doomed := range s.Documents {
		if document, found := live[doomed.ID]; found {
			items = append(items, asideItem{Document: &document})
		}
	}
	m := deletedMemento{stageable: stageable{Staged: n.server.Transactions && n.unrelated(s.Collection) && len(items) > 0}}
	if len(items) > 0 {
		m.First = items[0].Document.ID
	}
	if m.aside, err = layAside(ctx, site, items); err != nil {
		return nil, err
	}
	return encode(m)
}

// Apply deletes the documents that still are as expected.
func (s DeleteDocuments) Apply(ctx context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	n, err := readNeighbourhood(ctx, s.client, s.Database)
	if err != nil {
		return nil, err
	}
	if site.Receipt == nil {
		return s.oneByOne(ctx, site, n)
	}
	if !n.unrelated(s.Collection) {
		return nil, stopped(s.Target(), engine.ErrForeign, "its collection has relationships now")
	}
	for range guardTries {
		live, err := s.place("").readAll(ctx, s.ids())
		if err != nil {
			return nil, err
		}
		doomed, err := s.doomed(ctx, site, live)
		if err != nil {
			return nil, err
		}
		err = missed(s.place("").commit(ctx, site, s.deletions(doomed), s.unchanged(doomed)))
		if err == nil {
			return encode(struct{}{})
		}
		if !errors.Is(err, appwrite.ErrConflict) {
			return nil, err
		}
	}
	return nil, stopped(s.Target(), engine.ErrForeign, "they change faster than they can be deleted")
}

// oneByOne deletes each document as the undo of its own step would.
func (s DeleteDocuments) oneByOne(ctx context.Context, site engine.Site, n neighbourhood) (engine.Observation, error) {
	if live, err := s.place("").readAll(ctx, s.ids()); err != nil {
		return nil, err
	} else if site.OnConflict == engine.ConflictHalt { // before anything is deleted
		if _, err := s.doomed(ctx, site, live); err != nil {
			return nil, err
		}
	}
	acted := false
	for _, doomed := range s.Documents {
		d := deleting{
			step:      DeleteDocument{Database: s.Database, Collection: s.Collection, ID: doomed.ID, Expect: doomed.Expect, Alone: true, client: s.client},
			restoring: restoring{neighbourhood: n, site: site},
			targets:   []member{{s.Collection, doomed.ID}},
		}
		m := deleteMemento{Fingerprint: doomed.Expect}
		spared, err := d.spared(ctx, m)
		if err == nil && !spared {
			_, err = d.remove(ctx, m, d.targets[0])
		}
		if err != nil {
			if acted {
				err = &halfError{err: err}
			}
			return nil, err
		}
		acted = true
	}
	return encode(struct{}{})
}

// doomed gives those of the documents that are there and to be deleted, as they
// are. What others have changed is left to the conflict policy.
func (s DeleteDocuments) doomed(ctx context.Context, site engine.Site, live map[string]documentImage) ([]documentImage, error) {
	var doomed []documentImage
	for _, wanted := range s.Documents {
		document, found := live[wanted.ID]
		if !found {
			continue
		}
		fingerprint, err := document.fingerprint()
		if err != nil {
			return nil, err
		}
		if fingerprint != wanted.Expect {
			switch site.OnConflict {
			case engine.ConflictMerge, engine.ConflictSkip:
				continue
			case engine.ConflictOverwrite:
				if _, err := s.place(wanted.ID).setAside(ctx, site, document); err != nil {
					return nil, err
				}
			default:
				return nil, s.place(wanted.ID).foreign("it holds data that this run has not written")
			}
		}
		doomed = append(doomed, document)
	}
	return doomed, nil
}

// deletions are the operations of a transaction.
func (s DeleteDocuments) deletions(doomed []documentImage) []appwrite.Operation {
	operations := make([]appwrite.Operation, len(doomed))
	for i, document := range doomed {
		operations[i] = s.place(document.ID).operation(appwrite.ActionDelete, DocumentValues{})
	}
	return operations
}

// unchanged gives a check that documents still are as they were read.
func (s DeleteDocuments) unchanged(doomed []documentImage) func(context.Context) error {
	return func(ctx context.Context) error {
		ids := make([]string, len(doomed))
		for i, document := range doomed {
			ids[i] = document.ID
		}
		if len(ids) == 0 {
			return nil
		}
		now, err := s.place("").readAll(ctx, ids)
		if err != nil {
			return err
		}
		for _, document := range doomed {
			if live, found := now[document.ID]; !found || live.UpdatedAt != document.UpdatedAt || len(live.differs(document)) > 0 {
				return stopped(s.place(document.ID).ref(), appwrite.ErrConflict, "")
			}
		}
		return nil
	}
}

// Receiptable implements engine.Receiptable.
func (s DeleteDocuments) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable.
func (s DeleteDocuments) Committed(context.Context, engine.Site, engine.Memento) (engine.Observation, error) {
	return encode(struct{}{})
}

// Settle has nothing to wait for.
func (s DeleteDocuments) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for each of the documents.
func (s DeleteDocuments) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[deletedMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	kept, err := m.load(ctx, site)
	if err != nil {
		return engine.Finding{}, err
	}
	live, err := s.place("").readAll(ctx, s.ids())
	if err != nil {
		return lost(err)
	}
	for _, wanted := range s.Documents {
		document, found := live[wanted.ID]
		if !found {
			continue
		}
		fingerprint, err := document.fingerprint()
		if err != nil {
			return engine.Finding{}, err
		}
		if fingerprint != wanted.Expect {
			return foreign("%s holds data that this run has not written", wanted.ID)
		}
	}
	switch {
	case len(live) == 0:
		return foundAfter(struct{}{})
	case len(live) < len(kept):
		return partial("%d of %d documents are left", len(live), len(kept))
	default:
		return engine.Finding{State: engine.StateBefore}, nil
	}
}

// Inverse puts back what was set aside.
func (s DeleteDocuments) Inverse(before engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[deletedMemento](before)
	if err != nil || m.First == "" {
		return nil, err
	}
	return []engine.Step{RestoreDocument{
		Database: s.Database, Collection: s.Collection, ID: m.First, Aside: m.aside, client: s.client,
	}}, nil
}
