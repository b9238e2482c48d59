package steps

import (
	"context"
	"encoding/json"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// FillAttribute gives documents a value in an attribute: what another attribute
// holds, converted to the type of this one (see Converts), or one and the same
// value. Only documents that have none are written to, unless Overwrite says
// otherwise. A relationship can be filled from text that holds ids, and the
// other way round. Values that do not convert, or do not fit, stop the step
// before it changes anything. Its inverse is another FillAttribute, which puts
// back what was there.
type FillAttribute struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Key        string `json:"key"`
	// From is the key of the attribute to take values from.
	From string `json:"from,omitempty"`
	// Value, as JSON, is for documents for which From has none, or for all of
	// them where there is no From.
	Value json.RawMessage `json:"value,omitempty"`
	// Overwrite makes the attribute equal to From in every document, whatever
	// it holds, so that a second filling catches up with writers.
	Overwrite bool `json:"overwrite,omitempty"`
	// Restore makes the step an undo: what another one has written. Leave it nil.
	Restore *Filled `json:"restore,omitempty"`

	client *appwrite.Client
}

// Filled is what a FillAttribute has written.
type Filled struct {
	Changes journal.ArchiveRef `json:"changes,omitzero"`
	// Skipped are documents that others had written to before the step came to them.
	Skipped []string `json:"skipped,omitempty"`
}

// filling is the memento of FillAttribute. The work list is in the archive.
type filling struct {
	Changes journal.ArchiveRef `json:"changes,omitzero"`
	Count   int64              `json:"count,omitempty"`
	// Foreign are documents, the first of them, that do not hold what an undo
	// believes to find.
	Foreign []string `json:"foreign,omitempty"`
	// Operators are documents whose old value an update would carry out.
	Operators []string `json:"operators,omitempty"`
	// Irreversible says why null cannot be put back, if so.
	Irreversible string `json:"irreversible,omitempty"`
}

// filledValue is one line of the work list.
type filledValue struct {
	ID      string `json:"id"`
	Before  any    `json:"before"`
	After   any    `json:"after"`
	Foreign bool   `json:"foreign,omitempty"` // Before is somebody else's
}

// Kind is "fill_attribute".
func (s FillAttribute) Kind() string { return "fill_attribute" }

// Target is the attribute that is filled.
func (s FillAttribute) Target() engine.Ref { return attributeRef(s.Database, s.Collection, s.Key) }

func (s FillAttribute) bind(client *appwrite.Client) engine.Step { s.client = client; return s }

// Validate checks what can be checked without knowing the attributes.
func (s FillAttribute) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	c.id("collection", s.Collection)
	c.id("key", s.Key)
	if s.From != "" {
		c.id("from", s.From)
	}
	switch value := canonicalValue(s.Value); {
	case s.Restore != nil:
	case s.From == "" && value == nil:
		c.fail("from", "is missing, and so is value: there is nothing to fill with")
	case s.From == s.Key:
		c.fail("from", "%q is the attribute itself", s.From)
	case s.Overwrite && s.From == "":
		c.fail("overwrite", "needs from: one value for every document is an update of documents")
	}
	return c.err
}

// Capture makes the work list: which documents get which value, and what they
// hold before.
func (s FillAttribute) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	w, err := newSetter(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	list := &workList{site: site, setter: w}
	if s.Restore != nil {
		err = s.listBack(ctx, list)
	} else {
		err = s.list(ctx, list)
	}
	if err != nil {
		return nil, err
	}
	return list.close(ctx)
}

// Apply writes the values that are not there yet.
func (s FillAttribute) Apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[filling](memento)
	if err != nil {
		return nil, err
	}
	var done Filled
	if !present(m.Changes) {
		return encode(done)
	}
	if len(m.Foreign) > 0 && site.OnConflict == engine.ConflictHalt {
		return nil, &StepError{Target: s.Target(), Err: engine.ErrForeign, Documents: m.Foreign, Reason: "somebody else has written to documents"}
	}
	w, err := newSetter(ctx, s.client, s.Target())
	if err != nil {
		return nil, err
	}
	w.spare = s.Restore == nil && !s.Overwrite || site.OnConflict == engine.ConflictMerge || site.OnConflict == engine.ConflictSkip
	var written int64
	err = inBatches(decoded[filledValue](site.Archives.Read(ctx, m.Changes)), func(page []filledValue) error {
		skipped, err := w.write(ctx, site, page)
		done.Skipped = append(done.Skipped, skipped...)
		written += int64(len(page))
		progress(site, "values written", written, m.Count)
		return err
	})
	if err != nil {
		return nil, err
	}
	done.Changes = m.Changes
	return encode(done)
}

// Settle has nothing to wait for.
func (s FillAttribute) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe looks at every document of the work list. Documents that are gone need
// nothing more.
func (s FillAttribute) Probe(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[filling](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	w, err := newSetter(ctx, s.client, s.Target())
	if err != nil {
		return lost(err)
	}
	if !present(m.Changes) {
		return foundAfter(Filled{})
	}
	var before, after int64
	var other []string
	err = inBatches(decoded[filledValue](site.Archives.Read(ctx, m.Changes)), func(page []filledValue) error {
		live, err := w.read(ctx, page)
		if err != nil {
			return err
		}
		for _, line := range page {
			switch w.position(live, line) {
			case atAfter:
				after++
			case atBefore:
				before++
			case elsewhere:
				other = append(other, line.ID)
			case nowhere:
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return engine.Finding{}, err
	case len(m.Foreign) > 0 && before > 0:
		return foreign("somebody else has written to documents, the first are %v", m.Foreign)
	case len(other) > 0 && (s.Restore != nil || s.Overwrite):
		return foreign("somebody else has written to %d documents, the first are %v", len(other), other[:min(len(other), shownDocuments)])
	case before == 0:
		return foundAfter(Filled{Changes: m.Changes, Skipped: other})
	case after == 0:
		return untouched()
	default:
		return partial("%d of %d documents are written to", after, before+after)
	}
}

// Inverse puts back what was there, where it still is what the step has written.
func (s FillAttribute) Inverse(memento engine.Memento, after engine.Observation) ([]engine.Step, error) {
	m, err := recall[filling](memento)
	if err != nil || !present(m.Changes) {
		return nil, err
	}
	done, err := recall[Filled](after)
	switch {
	case err != nil:
		return nil, err
	case m.Irreversible != "":
		return nil, stopped(s.Target(), engine.ErrIrreversible, "%s", m.Irreversible)
	case len(m.Operators) > 0:
		return nil, &StepError{
			Target: s.Target(), Err: engine.ErrIrreversible, Documents: m.Operators,
			Reason: "old values read like operators, which an update would carry out",
		}
	}
	undo := FillAttribute{
		Database: s.Database, Collection: s.Collection, Key: s.Key,
		Restore: &Filled{Changes: m.Changes, Skipped: done.Skipped}, client: s.client,
	}
	return []engine.Step{undo}, nil
}
