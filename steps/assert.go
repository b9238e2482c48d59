package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// ErrAssertion is the error of an assert step that says what is not so.
var ErrAssertion = errors.New("assertion does not hold")

// Assert changes nothing and fails when something is not as it says: that an
// object exists or does not, or how many documents a query finds. Put before
// other steps it is a precondition, behind them a postcondition, whose failure
// undoes the run.
type Assert struct {
	Database   string `json:"database"`
	Collection string `json:"collection,omitempty"`
	// At most one of these names an object in the collection. A relationship
	// is an attribute here.
	Attribute string `json:"attribute,omitempty"`
	Index     string `json:"index,omitempty"`
	Document  string `json:"document,omitempty"`

	// Exactly one of these is given. The last four count documents.
	Exists  bool   `json:"exists,omitempty"`
	Absent  bool   `json:"absent,omitempty"`
	Empty   bool   `json:"empty,omitempty"`
	Count   *int64 `json:"count,omitempty"`
	AtLeast *int64 `json:"at_least,omitempty"`
	AtMost  *int64 `json:"at_most,omitempty"`
	// Where holds the queries whose documents are counted; none means all.
	Where []Query `json:"where,omitempty"`

	client *appwrite.Client
}

// Query is one Appwrite query, such as equal("status", "new"), as JSON:
// {"method":"equal","attribute":"status","values":["new"]}. It decodes from
// that object or from its text.
type Query struct {
	Method    string `json:"method"`
	Attribute string `json:"attribute,omitempty"`
	Values    []any  `json:"values,omitempty"`
}

// UnmarshalJSON takes the object, or a string that holds it.
func (q *Query) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = []byte(text)
	}
	type plain Query
	return decodeStrict(data, (*plain)(q))
}

// ParseQuery reads what the functions of the SDK's query package return.
func ParseQuery(text string) (Query, error) {
	var q Query
	err := q.UnmarshalJSON([]byte(text))
	return q, err
}

// Kind is "assert".
func (s Assert) Kind() string { return "assert" }

// Target is what the assertion is about.
func (s Assert) Target() engine.Ref {
	ref := engine.Ref{Type: "database", Database: s.Database, Collection: s.Collection}
	switch {
	case s.Attribute != "":
		ref.Type, ref.Key = "attribute", s.Attribute
	case s.Index != "":
		ref.Type, ref.Key = "index", s.Index
	case s.Document != "":
		ref.Type, ref.Key = "document", s.Document
	case s.Collection != "":
		ref.Type = "collection"
	}
	return ref
}

// Validate checks the fields without a server.
func (s Assert) Validate() error {
	c := check{kind: s.Kind()}
	c.id("database", s.Database)
	named := 0
	for field, value := range map[string]string{"attribute": s.Attribute, "index": s.Index, "document": s.Document} {
		if value != "" {
			named++
			c.id(field, value)
			c.id("collection", s.Collection)
		}
	}
	if named > 1 {
		c.fail("attribute", "and index and document exclude each other")
	}
	said := 0
	for _, given := range []bool{s.Exists, s.Absent, s.counts()} {
		if given {
			said++
		}
	}
	if said != 1 {
		c.fail("exists", "or absent, or one of empty, count, at_least and at_most must say what is asserted")
	}
	if s.counts() {
		if s.Collection == "" || named > 0 {
			c.fail("collection", "must be given, and nothing in it: what is counted are its documents")
		}
		if s.Empty && (s.Count != nil || s.AtLeast != nil || s.AtMost != nil) || s.Count != nil && (s.AtLeast != nil || s.AtMost != nil) {
			c.fail("count", "excludes empty, at_least and at_most")
		}
	} else if len(s.Where) > 0 {
		c.fail("where", "needs empty, count, at_least or at_most")
	}
	for _, q := range s.Where {
		switch q.Method {
		case "", "limit", "offset", "cursorAfter", "cursorBefore", "select", "orderAsc", "orderDesc", "orderRandom":
			c.fail("where", "%q is no filter", q.Method)
		}
	}
	return c.err
}

func (s Assert) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

func (s Assert) counts() bool {
	return s.Empty || s.Count != nil || s.AtLeast != nil || s.AtMost != nil
}

// Capture has nothing to remember.
func (s Assert) Capture(context.Context, engine.Site) (engine.Memento, error) {
	return encode(struct{}{})
}

// Apply looks, and fails with ErrAssertion when it finds something else.
func (s Assert) Apply(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Observation, error) {
	if s.counts() {
		return s.count(ctx)
	}
	found, err := s.found(ctx)
	if err != nil {
		return nil, err
	}
	if found != s.Exists {
		return nil, stopped(s.Target(), ErrAssertion, "it %s", map[bool]string{true: "exists", false: "does not exist"}[found])
	}
	return encode(struct{}{})
}

// found looks for the object by a list query. A missing container is an
// absence like any other.
func (s Assert) found(ctx context.Context) (bool, error) {
	var err error
	switch s.Target().Type {
	case "attribute":
		_, err = s.client.FindAttribute(ctx, s.Database, s.Collection, s.Attribute)
	case "index":
		_, err = s.client.FindIndex(ctx, s.Database, s.Collection, s.Index)
	case "document":
		_, err = s.client.FindDocument(ctx, s.Database, s.Collection, s.Document)
	case "collection":
		_, err = s.client.FindCollection(ctx, s.Database, s.Collection)
	default:
		_, err = s.client.FindDatabase(ctx, s.Database)
	}
	if errors.Is(err, appwrite.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// count counts documents, no more of them than the answer needs.
func (s Assert) count(ctx context.Context) (engine.Observation, error) {
	queries := make([]string, 0, len(s.Where)+1)
	for _, q := range s.Where {
		raw, err := encode(q)
		if err != nil {
			return nil, err
		}
		queries = append(queries, string(raw))
	}
	var n int64
	var first []string
	if s.Empty || s.Count == nil && s.AtMost == nil && *s.AtLeast == 1 {
		page, err := s.client.ListDocuments(ctx, s.Database, s.Collection, append(queries, query.Limit(shownDocuments))...)
		if err != nil {
			return nil, err
		}
		n = int64(len(page.Documents))
		for _, document := range page.Documents {
			first = append(first, document.ID)
		}
	} else {
		var err error
		if n, err = s.client.CountDocuments(ctx, s.Database, s.Collection, queries...); err != nil {
			return nil, err
		}
	}
	if reason := s.miscounted(n); reason != "" {
		return nil, &StepError{Target: s.Target(), Err: ErrAssertion, Documents: first, Reason: reason}
	}
	return encode(struct{}{})
}

// miscounted says what is wrong with a count, or "".
func (s Assert) miscounted(n int64) string {
	switch {
	case s.Empty && n > 0:
		return "there are documents where none should be"
	case s.Count != nil && n != *s.Count:
		return fmt.Sprintf("%d documents, not %d", n, *s.Count)
	case s.AtLeast != nil && n < *s.AtLeast:
		return fmt.Sprintf("%d documents, not at least %d", n, *s.AtLeast)
	case s.AtMost != nil && n > *s.AtMost:
		return fmt.Sprintf("%d documents, not at most %d", n, *s.AtMost)
	default:
		return ""
	}
}

// Settle has nothing to wait for.
func (s Assert) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe always finds the step undone: looking once more does no harm.
func (s Assert) Probe(context.Context, engine.Site, engine.Memento) (engine.Finding, error) {
	return engine.Finding{State: engine.StateBefore}, nil
}

// Inverse is nothing.
func (s Assert) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) { return nil, nil }
