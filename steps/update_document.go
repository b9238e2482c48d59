package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// UpdateDocument changes fields of a document and leaves the others alone. Its
// undo writes back those fields, and only those.
type UpdateDocument struct {
	Database   string         `json:"database"`
	Collection string         `json:"collection"`
	ID         string         `json:"id"`
	Data       map[string]any `json:"data,omitempty"`
	// Permissions replace the document's when they are not nil.
	Permissions *[]string `json:"permissions,omitempty"`
	// Expect is what the fields must still hold. It is set by inverses: the
	// values that the step undone has written.
	Expect *DocumentValues `json:"expect,omitempty"`
	// Torn says that the step undone may have stopped between two writes. It is
	// set by inverses.
	Torn bool `json:"torn,omitempty"`

	client *appwrite.Client
}

// updateMemento holds what the fields were before the step.
type updateMemento struct {
	Before DocumentValues `json:"before"`
	// Irreversible says why the old values cannot be written back, if so.
	Irreversible string `json:"irreversible,omitempty"`
	stageable
}

// updateObservation holds what the fields were after the step.
type updateObservation struct {
	After DocumentValues `json:"after"`
	// Overwritten is the document as somebody else had left it.
	Overwritten *journal.ArchiveRef `json:"overwritten,omitempty"`
}

// Kind is "update_document".
func (s UpdateDocument) Kind() string { return "update_document" }

// Target is the document.
func (s UpdateDocument) Target() engine.Ref { return s.place().ref() }

// Validate checks the fields without a server.
func (s UpdateDocument) Validate() error {
	c := check{kind: s.Kind()}
	var permissions []string
	if s.Permissions != nil {
		permissions = *s.Permissions
	}
	c.document(s.Database, s.Collection, s.ID, s.Data, permissions)
	if len(s.Data) == 0 && s.Permissions == nil {
		c.fail("data", "is missing: there is nothing to change")
	}
	return c.err
}

func (s UpdateDocument) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s UpdateDocument) place() place {
	return place{client: s.client, database: s.Database, collection: s.Collection, id: s.ID}
}

// Capture remembers the fields that the step will write.
func (s UpdateDocument) Capture(ctx context.Context, _ engine.Site) (engine.Memento, error) {
	f, err := readShape(ctx, s.place())
	if err != nil {
		return nil, err
	}
	if err := f.check(s.Kind(), s.Data, byPatch); err != nil {
		return nil, err
	}
	live, found, err := s.place().read(ctx, f.links)
	if err != nil {
		return nil, err
	}
	if !found && s.Expect == nil {
		return nil, stopped(s.Target(), ErrMissing, "")
	}
	m := updateMemento{Before: s.values(live)}
	m.Staged = f.stages(s.target()) && (!f.nullable() || !f.fillsNulls(s.target(), live))
	for _, key := range slices.Sorted(maps.Keys(m.Before.Data)) {
		if reason := f.fault(key, m.Before.Data[key], byPatch); reason != "" && !f.same(key, m.Before.Data, s.Data) {
			m.Irreversible = fmt.Sprintf("the old value of %s %s", key, reason)
			break
		}
	}
	return encode(m)
}

// values picks what the step writes out of a document.
func (s UpdateDocument) values(live documentImage) DocumentValues {
	picked := DocumentValues{Data: make(map[string]any, len(s.Data))}
	for key := range s.Data {
		picked.Data[key] = live.Data[key]
	}
	if s.Permissions != nil {
		permissions := append([]string{}, live.Permissions...)
		picked.Permissions = &permissions
	}
	return picked
}

// target is what the step makes of the fields.
func (s UpdateDocument) target() DocumentValues {
	return DocumentValues{Data: s.Data, Permissions: s.Permissions}
}

// expected is what the fields must hold before the step writes them.
func (s UpdateDocument) expected(m updateMemento) DocumentValues {
	if s.Expect != nil {
		return *s.Expect
	}
	return m.Before
}

// Apply writes the fields that do not hold their new value yet. Fields that
// somebody else has changed stop it, unless the conflict policy says otherwise.
func (s UpdateDocument) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[updateMemento](before)
	if err != nil {
		return nil, err
	}
	f, err := readShape(ctx, s.place())
	if err != nil {
		return nil, err
	}
	var overwritten *journal.ArchiveRef
	for range guardTries {
		live, found, err := s.place().read(ctx, f.links)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, s.place().foreign("it is gone")
		}
		todo := f.changed(s.target(), live)
		taken := f.changed(s.expected(m), live).only(todo)
		if site.Doubtful || s.Torn {
			taken = taken.without(s.halfPointed(f, m, live))
		}
		if !taken.empty() {
			switch site.OnConflict {
			case engine.ConflictMerge, engine.ConflictSkip:
				todo = todo.without(taken)
			case engine.ConflictOverwrite:
				if overwritten, err = s.place().setAside(ctx, site, live); err != nil {
					return nil, err
				}
			default:
				return nil, s.place().foreign("somebody else has changed %s", taken)
			}
		}
		if todo.empty() && site.Receipt == nil {
			return encode(updateObservation{After: s.values(live), Overwritten: overwritten})
		}
		if site.Receipt == nil {
			err = s.place().write(ctx, f, todo, live)
		} else {
			err = s.commit(ctx, site, f, todo, live)
		}
		if errors.Is(err, appwrite.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		after, err := s.observe(ctx, f, live, todo, overwritten)
		return after, afterCommit(site, err)
	}
	return nil, s.place().foreign("it changes faster than it can be written")
}

// commit writes fields together with a receipt, or the receipt alone.
func (s UpdateDocument) commit(ctx context.Context, site engine.Site, f shape, todo DocumentValues, live documentImage) error {
	if todo.empty() {
		return s.place().commit(ctx, site, nil, nil)
	}
	if f.nullable() && f.fillsNulls(todo, live) {
		return s.place().foreign("somebody else has emptied a field that has a default, which the write would put back")
	}
	change := s.place().operation(appwrite.ActionUpdate, todo)
	return missed(s.place().commit(ctx, site, []appwrite.Operation{change}, s.place().unchanged(f.links, live)))
}

// Receiptable implements engine.Receiptable. Null under a default, and links,
// need requests of their own.
func (s UpdateDocument) Receiptable(before engine.Memento) bool { return staged(before) }

// Committed implements engine.Receiptable. What others have changed since is
// given as it was written.
func (s UpdateDocument) Committed(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Observation, error) {
	m, err := recall[updateMemento](before)
	if err != nil {
		return nil, err
	}
	f, err := readShape(ctx, s.place())
	if absentOrTwin(err) {
		return encode(updateObservation{After: s.target()})
	}
	if err != nil {
		return nil, err
	}
	after, err := s.observe(ctx, f, documentImage{Data: m.Before.Data}, s.target(), nil)
	if absentOrTwin(err) {
		return encode(updateObservation{After: s.target()})
	}
	return after, err
}

// observe reads what the write has left. A field that somebody else has changed
// already is recorded as it was written, so that an undo notices.
func (s UpdateDocument) observe(ctx context.Context, f shape, before documentImage, todo DocumentValues, overwritten *journal.ArchiveRef) (engine.Observation, error) {
	live, found, err := s.place().read(ctx, f.links)
	if err != nil {
		return nil, err
	}
	if !found {
		live = before
	}
	after := s.values(live)
	maps.Copy(after.Data, f.changed(todo, live).Data)
	if todo.Permissions != nil {
		after.Permissions = todo.Permissions
	}
	return encode(updateObservation{After: after, Overwritten: overwritten})
}

// Settle has nothing to wait for.
func (s UpdateDocument) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the fields with what they should be before and after.
func (s UpdateDocument) Probe(ctx context.Context, _ engine.Site, before engine.Memento) (engine.Finding, error) {
	m, err := recall[updateMemento](before)
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
		return foreign("the document is gone")
	}
	todo := f.changed(s.target(), live)
	taken := f.changed(s.expected(m), live).only(todo)
	switch {
	case todo.empty():
		return foundAfter(updateObservation{After: s.values(live)})
	case !taken.without(s.halfPointed(f, m, live)).empty():
		return foreign("somebody else has changed %s", taken)
	case !taken.empty():
		return partial("%s is cleared and not set yet", taken)
	default:
		return engine.Finding{State: engine.StateBefore}, nil
	}
}

// halfPointed gives the relationships that were cleared and not set yet: the
// two halves in which some are re-pointed, see shape.repointed.
func (s UpdateDocument) halfPointed(f shape, m updateMemento, live documentImage) DocumentValues {
	half := DocumentValues{Data: map[string]any{}}
	for key, value := range s.Data {
		if f.repointed(key, s.expected(m).Data[key], value) && isEmpty(live.Data[key]) {
			half.Data[key] = nil
		}
	}
	return half
}

// gone turns the error of a read whose container is gone into a finding.
func gone(err error) (engine.Finding, error) {
	if errors.Is(err, appwrite.ErrNotFound) {
		return foreign("its collection is gone")
	}
	return engine.Finding{}, err
}

// Inverse writes the old values back, as long as the new ones are still there.
func (s UpdateDocument) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	m, err := recall[updateMemento](before)
	if err != nil {
		return nil, err
	}
	o, err := recall[updateObservation](after)
	if err != nil {
		return nil, err
	}
	if m.Irreversible != "" {
		return nil, stopped(s.Target(), engine.ErrIrreversible, "%s", m.Irreversible)
	}
	expect := o.After
	if len(after) == 0 {
		expect = s.target()
	}
	return []engine.Step{UpdateDocument{
		Database: s.Database, Collection: s.Collection, ID: s.ID,
		Data: m.Before.Data, Permissions: m.Before.Permissions, Expect: &expect,
		Torn: len(after) == 0, client: s.client,
	}}, nil
}
