package migrations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// historyStep changes one entry of the history: from one state to another,
// either of which may be "not there". A run opens with one and ends with one, so
// that the engine does and undoes history like anything else.
type historyStep struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Before     *Entry `json:"before"` // nil: no entry
	After      *Entry `json:"after"`  // nil: no entry
	// Since is when the run began; the entry then gets how long it took.
	Since *time.Time `json:"since,omitempty"`

	client *appwrite.Client
	now    func() time.Time
}

// The kinds of history steps.
const (
	kindOpen   = "open_history"   // the first operation up: not applied yet
	kindRecord = "record_history" // the last operation up: applied
	kindReopen = "reopen_history" // the first operation down: not applied any more
	kindClose  = "close_history"  // the last operation down: no entry
)

// Kind says what becomes of the entry.
func (s historyStep) Kind() string {
	switch {
	case s.After == nil:
		return kindClose
	case s.After.Applied:
		return kindRecord
	case s.Before == nil:
		return kindOpen
	default:
		return kindReopen
	}
}

// Target is the entry's document.
func (s historyStep) Target() engine.Ref {
	return engine.Ref{Type: "document", Database: s.Database, Collection: s.Collection, Key: s.version()}
}

func (s historyStep) version() string {
	if s.After != nil {
		return s.After.Version
	}
	if s.Before != nil {
		return s.Before.Version
	}
	return ""
}

// Capture makes sure that the entry is as the step expects it.
func (s historyStep) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	live, _, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	if !live.same(s.Before) && (!site.Doubtful || !live.same(s.After)) {
		return nil, s.foreign(live)
	}
	return json.RawMessage("{}"), nil
}

// Apply writes the entry, unless it is as it should be already.
func (s historyStep) Apply(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Observation, error) {
	live, doc, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case live.same(s.After):
		return json.Marshal(live)
	case !live.same(s.Before):
		return nil, s.foreign(live)
	}
	after := s.After
	if after != nil && s.Since != nil {
		timed := *after
		timed.DurationMS = max(s.now().Sub(*s.Since).Milliseconds(), 0)
		after = &timed
	}
	switch {
	case after == nil:
		err = s.client.DeleteDocument(ctx, s.Database, s.Collection, s.version(), appwrite.Guard{UpdatedAt: doc.UpdatedAt})
	case live == nil:
		_, err = s.client.CreateDocument(ctx, s.Database, s.Collection, appwrite.Document{ID: s.version(), Data: after.document()})
	default:
		_, err = s.client.UpdateDocument(ctx, s.Database, s.Collection, s.version(),
			appwrite.DocumentPatch{Data: after.document()}, appwrite.Guard{UpdatedAt: doc.UpdatedAt})
	}
	if errors.Is(err, appwrite.ErrExists) || errors.Is(err, appwrite.ErrConflict) {
		return nil, fmt.Errorf("%w: another run has changed the history of %s meanwhile", engine.ErrForeign, s.version())
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(after)
}

// Settle has nothing to wait for.
func (s historyStep) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe compares the entry with both ends.
func (s historyStep) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	live, _, err := s.read(ctx)
	switch {
	case err != nil:
		return engine.Finding{}, err
	case live.same(s.After):
		after, err := json.Marshal(live)
		return engine.Finding{State: engine.StateAfter, After: after}, err
	case live.same(s.Before):
		return engine.Finding{State: engine.StateBefore}, nil
	default:
		return engine.Finding{State: engine.StateForeign, Detail: s.foreign(live).Error()}, nil
	}
}

// Inverse takes the entry back.
func (s historyStep) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	s.Before, s.After, s.Since = s.After, s.Before, nil
	return []engine.Step{s}, nil
}

// read gives the entry as it is, nil when there is none, by a LIST query.
func (s historyStep) read(ctx context.Context) (*Entry, appwrite.Document, error) {
	doc, err := s.client.FindDocument(ctx, s.Database, s.Collection, s.version())
	if errors.Is(err, appwrite.ErrNotFound) {
		return nil, doc, nil
	}
	if err != nil {
		return nil, doc, err
	}
	entry, ours, err := entryOf(doc)
	if err != nil || !ours {
		return nil, doc, errors.Join(err, fmt.Errorf("%w: document %s is not an entry", ErrHistory, doc.ID))
	}
	return &entry, doc, nil
}

func (s historyStep) foreign(live *Entry) error {
	return fmt.Errorf("%w: the history says %s, where %s was expected", engine.ErrForeign, describe(live), describe(s.Before))
}

func describe(e *Entry) string {
	if e == nil {
		return "nothing about it"
	}
	state := "not applied"
	if e.Applied {
		state = "applied"
	}
	return fmt.Sprintf("%s is %s by run %s (%s)", e.Version, state, e.Run, e.Direction)
}

// validate checks a step that was decoded.
func (s historyStep) validate() error {
	switch {
	case s.Before == nil && s.After == nil:
		return errors.New("a history step changes something")
	case s.Before != nil && s.After != nil && s.Before.Version != s.After.Version, !idRule.MatchString(s.version()):
		return fmt.Errorf("history step of version %q", s.version())
	case !idRule.MatchString(s.Database), !idRule.MatchString(s.Collection):
		return fmt.Errorf("history step in %q/%q", s.Database, s.Collection)
	}
	return nil
}
