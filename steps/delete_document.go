package steps

import (
	"context"
	"errors"

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
func (s DeleteDocument) inverse() bool { return s.Expect != "" }

// Capture sets aside everything that the deletion will destroy.
func (s DeleteDocument) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	items, err := s.affected(ctx)
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
	return encode(m)
}

// affected gives the document and what its deletion does to others, the
// document first; nothing when it is not there.
func (s DeleteDocument) affected(ctx context.Context) ([]asideItem, error) {
	n, err := readNeighbourhood(ctx, s.client, s.Database)
	if err != nil {
		return nil, err
	}
	return n.affected(ctx, s.Collection, s.ID)
}

// Apply deletes the document if it still is what is expected.
func (s DeleteDocument) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[deleteMemento](before)
	if err != nil {
		return nil, err
	}
	for range guardTries {
		n, err := readNeighbourhood(ctx, s.client, s.Database)
		if err != nil {
			return nil, err
		}
		live, found, err := s.place().read(ctx, n.links(s.Collection))
		if err != nil {
			return nil, err
		}
		if !found {
			return encode(struct{}{})
		}
		why, err := s.touched(m, live)
		if err != nil {
			return nil, err
		}
		if why != "" {
			switch site.OnConflict {
			case engine.ConflictMerge, engine.ConflictSkip: // the document holds somebody else's data now
				return encode(struct{}{})
			case engine.ConflictOverwrite:
				if _, err := s.place().setAside(ctx, site, live); err != nil {
					return nil, err
				}
			default:
				return nil, s.place().foreign("%s", why)
			}
		}
		err = s.client.DeleteDocument(ctx, s.Database, s.Collection, s.ID, appwrite.Guard{UpdatedAt: live.UpdatedAt})
		switch {
		case err == nil, errors.Is(err, appwrite.ErrNotFound):
			return encode(struct{}{})
		case !errors.Is(err, appwrite.ErrConflict):
			return nil, err
		}
	}
	return nil, s.place().foreign("it changes faster than it can be deleted")
}

// touched says what somebody else has done to the document, or "".
func (s DeleteDocument) touched(m deleteMemento, live documentImage) (string, error) {
	fingerprint, err := live.fingerprint()
	if err != nil {
		return "", err
	}
	switch {
	case s.inverse() && fingerprint != s.Expect:
		return "it holds data that this run has not written", nil
	case fingerprint != m.Fingerprint:
		return "it has been changed since it was set aside", nil
	case s.Alone && m.Others > 0:
		return "other documents have come to depend on it", nil
	default:
		return "", nil
	}
}

// Settle has nothing to wait for.
func (s DeleteDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks for the document.
func (s DeleteDocument) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[deleteMemento](before)
	if err != nil {
		return engine.Finding{}, err
	}
	f, err := readShape(ctx, s.place())
	if err != nil {
		return gone(err)
	}
	live, found, err := s.place().read(ctx, f.links)
	if err != nil {
		return gone(err)
	}
	if !found {
		return foundAfter(struct{}{})
	}
	why, err := s.touched(m, live)
	if err != nil {
		return engine.Finding{}, err
	}
	if why != "" {
		return foreign("%s", why)
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
