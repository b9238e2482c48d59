package lint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// takeData looks at the steps on documents, and at what is code.
func (w *walker) takeData(change engine.Step) {
	switch s := change.(type) {
	case steps.CreateDocument:
		if c := w.document(s.Database, s.Collection, s.Data, s.Permissions, true); c != nil && s.ID != "" {
			if other, taken := c.documents[strings.ToLower(s.ID)]; taken {
				w.taken("document", s.ID, "collection "+c.path(), []string{other})
			}
			c.documents[strings.ToLower(s.ID)] = s.ID
		}
	case steps.UpdateDocument:
		w.document(s.Database, s.Collection, s.Data, given(s.Permissions), false)
	case steps.UpsertDocument:
		if c := w.document(s.Database, s.Collection, s.Data, given(s.Permissions), true); c != nil {
			c.documents[strings.ToLower(s.ID)] = s.ID
		}
	case steps.DeleteDocument:
		if c := w.document(s.Database, s.Collection, nil, nil, false); c != nil {
			delete(c.documents, strings.ToLower(s.ID))
		}
	case steps.Increment:
		w.document(s.Database, s.Collection, map[string]any{s.Attribute: s.By}, nil, false)
	case steps.FillAttribute:
		w.fill(s)
	case steps.Assert:
		w.assert(s)
	default:
		if change.Kind() == "func" {
			w.world.unsure()
		}
	}
}

func given(permissions *[]string) []string {
	if permissions == nil {
		return nil
	}
	return *permissions
}

// document looks at a step on one document, and gives its collection.
func (w *walker) document(database, id string, data map[string]any, permissions []string, creates bool) *collection {
	w.anyWrites("a document of "+id, nil, permissions)
	c := w.collection(database, id)
	if c == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if a := w.has(c, key, key, "attribute", "data"); a != nil {
			a.filled = true
		}
	}
	c.touched = true
	if creates {
		c.written++
	}
	if c.made != w.m.Version {
		if _, noted := w.backfilled[c.path()]; !noted {
			w.backfilled[c.path()] = w.step
		}
	}
	return c
}

// fill looks at a step that gives documents a value in an attribute. Where this
// migration adds the attribute, or makes it required, that belongs to it.
func (w *walker) fill(s steps.FillAttribute) {
	c, a := w.attribute(s.Database, s.Collection, s.Key)
	if c == nil {
		return
	}
	c.touched = true
	every := s.Value != nil
	if s.From != "" {
		switch from := w.has(c, s.From, "from"); {
		case from != nil:
			from.copied = true
			every = every || from.Required || from.complete || w.none(c, s.From, lacking)
		case c.open: // it is there, and nothing told of it
			w.facts[c.path()+"/"+s.From] = append(w.facts[c.path()+"/"+s.From], steps.Query{Method: isNotNull, Attribute: s.From})
		}
	}
	if a != nil {
		a.filled = true
		a.complete = every || a.complete && !s.Overwrite
	} else if every {
		w.facts[c.path()+"/"+s.Key] = append(w.facts[c.path()+"/"+s.Key], steps.Query{Method: isNull, Attribute: s.Key})
	}
	if c.made != w.m.Version && (a == nil || a.made != w.m.Version) {
		w.filled[c.path()+"/"+s.Key] = w.step
	}
}

// mixed finds migrations that change the schema of a collection and the
// documents that were in it.
func (w *walker) mixed() {
	for _, path := range slices.Sorted(maps.Keys(w.filled)) {
		step, collection := w.filled[path], path[:strings.LastIndexByte(path, '/')]
		if first, noted := w.backfilled[collection]; !noted || step.At.Line < first.At.Line {
			w.backfilled[collection] = step
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.backfilled)) {
		first, both := w.changed[path]
		if !both {
			continue
		}
		w.step = w.backfilled[path]
		w.finding(CodeMixed, nil, "put the changes of documents into a migration of their own, after this one",
			"documents of %s are changed here, and so is its schema (%s): a failure in one undoes both, and neither can be rolled out by itself", path, where(first))
	}
}

func where(step migrations.Step) string {
	if step.At.Line > 0 {
		return fmt.Sprintf("line %d", step.At.Line)
	}
	return step.ID
}

// irreversible finds steps that say that they cannot be undone, in migrations
// that do not say what takes them back.
func (w *walker) irreversible(change engine.Step) {
	s, tells := change.(engine.Irreversible)
	if !tells || w.m.HasDown {
		return
	}
	if reason := s.Irreversible(); reason != "" {
		w.finding(CodeIrreversible, nil, "give it an undo, or declare the way back with WithDown (an empty one where there is nothing to do)",
			"%s cannot be undone: %s; when a later step fails, the run halts", change.Target(), reason)
	}
}

// What is written together: the planner joins neighbouring creations in one
// collection (steps.Batch), and one operation of a transaction takes five million
// characters.
const (
	togetherDocuments     = 1000
	togetherCharacters    = 4 << 20
	transactionCharacters = 5_000_000
)

// transaction finds documents that are not written together with those before
// them, and those that no transaction takes.
func (w *walker) transaction(change engine.Step) {
	switch s := change.(type) {
	case steps.CreateDocument:
		size := w.oversized(s.Data)
		if at := s.Database + "/" + s.Collection; w.batch.collection != at {
			w.batch = batch{collection: at}
		}
		w.batch.documents++
		w.batch.characters += size
		over := w.batch.documents > togetherDocuments || w.batch.characters > togetherCharacters
		if over && !w.batch.told {
			w.batch.told = true
			w.finding(CodeTransaction, nil, fmt.Sprintf("split the migration, or say with a nolint that clients may see some of the documents before the others (%d are written together, or %d MiB)", togetherDocuments, togetherCharacters>>20),
				"this is document %d in a row in %s: it is not written in one transaction with the ones before", w.batch.documents, w.batch.collection)
		}
		return
	case steps.UpdateDocument:
		w.oversized(s.Data)
	case steps.UpsertDocument:
		w.oversized(s.Data)
	default:
	}
	w.batch = batch{}
}

// features finds steps on documents that a server is too old for.
func (w *walker) features(change engine.Step) {
	switch s := change.(type) {
	case steps.CreateDocument:
		if (s.CreatedAt != "" || s.UpdatedAt != "") && !w.in.Limits.Timestamps {
			w.finding(CodeServer, []string{"created_at", "updated_at"}, "leave them out", "this server sets created_at and updated_at itself: a client can since Appwrite 1.8.0")
		}
	case steps.Increment:
		if !s.AllowRace && !w.in.Limits.Transactions {
			w.finding(CodeServer, nil, "take the risk that somebody else increments the field meanwhile: allow_race: true",
				"this server has no transactions, which came with Appwrite 1.8.0: nothing tells there whether an increment has happened whose answer got lost")
		}
	default:
	}
}

// batch is a row of documents that are created in one collection.
type batch struct {
	collection            string
	documents, characters int
	told                  bool
}

// oversized finds a document that is too large for a transaction, and gives how
// large it is.
func (w *walker) oversized(data map[string]any) int {
	text, err := json.Marshal(data)
	if err == nil && len(text) > transactionCharacters {
		w.finding(CodeTransaction, []string{"data"}, "keep large contents in storage, and their ids in documents",
			"this document has %d characters of JSON, and one operation of a transaction takes %d", len(text), transactionCharacters)
	}
	return len(text)
}
