package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// DeleteDocument deletes a document, and with it whatever its relationships
// delete along. All of that is set aside first and put back by the undo,
// links that other documents lose included.
type DeleteDocument struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	ID         string `json:"id"`
	// Expect is the fingerprint that the document must still have. It is set by
	// inverses. When it is empty the document may be anything when the step is
	// captured, and must stay like that until it is deleted.
	Expect string `json:"expect,omitempty"`
	// Restored is what a step had put back that is undone by this one: all of
	// it is deleted again, as far as it had come back. It is set by inverses.
	Restored *aside `json:"restored,omitempty"`
	// Alone says that no other document may be touched. It is set by inverses.
	Alone bool `json:"alone,omitempty"`

	client *appwrite.Client
}

// deleteMemento is what was there and where it is set aside.
type deleteMemento struct {
	Gone        bool   `json:"gone,omitempty"` // there was nothing to delete
	Fingerprint string `json:"fingerprint,omitempty"`
	Others      int    `json:"others,omitempty"` // documents that are deleted along or lose a link
	aside
	stageable
}

// Kind is "delete_document".
func (s DeleteDocument) Kind() string { return "delete_document" }

// Target is the document.
func (s DeleteDocument) Target() engine.Ref { return s.place().ref() }

// Validate checks the fields without a server.
func (s DeleteDocument) Validate() error {
	c := check{kind: s.Kind()}
	c.document(s.Database, s.Collection, s.ID, nil, nil)
	return c.err
}

func (s DeleteDocument) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s DeleteDocument) place() place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: s.ID}
}

// inverse reports whether the step undoes another one.
func (s DeleteDocument) inverse() bool { return s.Expect != "" || s.Restored != nil }

// Capture sets aside everything that the deletion will destroy.
func (s DeleteDocument) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	d, err := s.start(ctx, site)
	if err != nil {
		return nil, err
	}
	items, err := d.affected(ctx, d.targets)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		if !s.inverse() {
			return nil, stopped(s.Target(), ErrMissing, "")
		}
		return encode(deleteMemento{Gone: true})
	}
	m := deleteMemento{Others: len(items) - 1}
	if m.Fingerprint, err = items[0].Document.fingerprint(); err != nil {
		return nil, err
	}
	if m.aside, err = layAside(ctx, site, items); err != nil {
		return nil, err
	}
	m.Staged = d.server.Transactions && s.Restored == nil && d.unrelated(s.Collection)
	return encode(m)
}

// Receiptable implements engine.Receiptable. What takes others along, or is led
// to by others, needs requests of its own.
func (s DeleteDocument) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable.
func (s DeleteDocument) Committed(context.Context, engine.Site, engine.Memento) (engine.Observation, error) {
	return encode(struct{}{})
}

// deleting is one attempt to delete.
type deleting struct {
	restoring
	step    DeleteDocument
	targets []member // the document, then what had come back with it
}

func (s DeleteDocument) start(ctx context.Context, site engine.Site) (deleting, error) {
	n, err := readNeighbourhood(ctx, s.client, s.Database)
	if err != nil {
		return deleting{}, err
	}
	d := deleting{step: s, restoring: restoring{neighbourhood: n, site: site}, targets: []member{{s.Collection, s.ID}}}
	if s.Restored == nil {
		return d, nil
	}
	items, err := s.Restored.load(ctx, site)
	if err != nil {
		return deleting{}, err
	}
	d.documents, d.links = sorted(items)
	for _, document := range slices.Backward(d.documents) {
		if m := (member{document.Collection, document.ID}); m != d.targets[0] {
			d.targets = append(d.targets, m)
		}
	}
	return d, nil
}

// Apply deletes the document if it still is what is expected.
func (s DeleteDocument) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[deleteMemento](before)
	if err != nil {
		return nil, err
	}
	d, err := s.start(ctx, site)
	if err != nil {
		return nil, err
	}
	spared, err := d.spared(ctx, m)
	if err != nil {
		return nil, err
	}
	removed := false
	for _, target := range d.targets {
		if spared {
			break
		}
		if removed, err = d.remove(ctx, m, target); err != nil {
			return nil, err
		}
	}
	if site.Receipt != nil && !removed {
		if err := s.place().commit(ctx, site, nil, nil); err != nil {
			return nil, err
		}
	}
	return encode(struct{}{})
}

// remove deletes one document that still is as expected. It reports false when
// it is gone, or is left to who has changed it.
func (d deleting) remove(ctx context.Context, m deleteMemento, target member) (bool, error) {
	p := d.place(target.collection, target.id)
	for range guardTries {
		live, found, err := p.read(ctx, d.neighbourhood.links(target.collection))
		if err != nil || !found {
			return false, err
		}
		why, err := d.touched(m, live)
		if err != nil {
			return false, err
		}
		if why != "" {
			switch d.site.OnConflict {
			case engine.ConflictMerge, engine.ConflictSkip: // the document holds somebody else's data now
				return false, nil
			case engine.ConflictOverwrite:
				if _, err := p.setAside(ctx, d.site, live); err != nil {
					return false, err
				}
			default:
				return false, p.foreign("%s", why)
			}
		}
		err = d.erase(ctx, p, live)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, appwrite.ErrNotFound):
			return false, nil
		case !errors.Is(err, appwrite.ErrConflict):
			return false, err
		}
	}
	return false, p.foreign("it changes faster than it can be deleted")
}

// erase deletes a document that must still be as it was read.
func (d deleting) erase(ctx context.Context, p place, live documentImage) error {
	if d.site.Receipt == nil {
		return d.client.DeleteDocument(ctx, p.database, p.collection, p.id, appwrite.Guard{UpdatedAt: live.UpdatedAt})
	}
	change := p.operation(appwrite.ActionDelete, DocumentValues{})
	return missed(p.commit(ctx, d.site, []appwrite.Operation{change}, p.unchanged(d.neighbourhood.links(p.collection), live)))
}

// touched says what somebody else has done to a document, or "".
func (d deleting) touched(m deleteMemento, live documentImage) (string, error) {
	const strange = "it holds data that this run has not written"
	if live.Collection != d.step.Collection || live.ID != d.step.ID || d.step.Expect == "" && d.step.Restored != nil {
		if d.asRestored(live) {
			return "", nil
		}
		return strange, nil
	}
	fingerprint, err := live.fingerprint()
	if err != nil {
		return "", err
	}
	switch {
	case d.step.inverse() && fingerprint != d.step.Expect && !d.asRestoredWhole(live):
		return strange, nil
	case fingerprint != m.Fingerprint:
		return "it has been changed since it was set aside", nil
	case d.step.Alone && m.Others > 0:
		return "other documents have come to depend on it", nil
	default:
		return "", nil
	}
}

// asRestored reports whether a document is as it was put back, with or without
// its links and the last of its nulls.
func (d deleting) asRestored(live documentImage) bool {
	f := d.shape(live.Collection)
	return d.putBack(live, func(wanted documentImage) bool {
		return d.filled(f, wanted, live, d.differs(f, wanted, live, false))
	})
}

// asRestoredWhole reports whether a document is as it was put back, links and
// all, but for defaults where the server keeps no null.
func (d deleting) asRestoredWhole(live documentImage) bool {
	return d.putBack(live, func(wanted documentImage) bool { return !d.changed(wanted, live) })
}

// putBack reports whether a document was put back, and is like that still.
func (d deleting) putBack(live documentImage, like func(wanted documentImage) bool) bool {
	i := slices.IndexFunc(d.documents, func(w documentImage) bool { return w.Collection == live.Collection && w.ID == live.ID })
	return i >= 0 && like(d.documents[i])
}

// Settle has nothing to wait for.
func (s DeleteDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the document.
func (s DeleteDocument) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[deleteMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	d, err := s.start(ctx, site)
	if err != nil {
		return gone(err)
	}
	left := 0
	for _, target := range d.targets {
		live, found, err := d.place(target.collection, target.id).read(ctx, d.neighbourhood.links(target.collection))
		if err != nil {
			return gone(err)
		}
		if !found {
			continue
		}
		left++
		why, err := d.touched(m, live)
		if err != nil {
			return engine.Finding{}, err
		}
		if why != "" {
			return foreign("%s", why)
		}
	}
	if left == 0 {
		return foundAfter(struct{}{})
	}
	strange, err := d.outgrown(ctx, m)
	if err != nil {
		return gone(err)
	}
	if len(strange) > 0 {
		return foreign("%s", outgrownBy(strange))
	}
	return engine.Finding{State: engine.StateBefore}, nil
}

// Inverse puts back what was set aside.
func (s DeleteDocument) Inverse(before engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	m, err := recall[deleteMemento](before)
	if err != nil || m.Gone {
		return nil, err
	}
	return []engine.Step{RestoreDocument{
		Database: s.Database, Collection: s.Collection, ID: s.ID, Aside: m.aside, client: s.client,
	}}, nil
}
