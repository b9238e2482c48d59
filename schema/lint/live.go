package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/appwrite/sdk-for-go/query"
	"golang.org/x/text/unicode/norm"

	"github.com/backstep-dev/backstep/appwrite"
)

// question is what the documents of a live project are asked, to tell whether a
// finding is one there. Names are those of the project as it is.
type question struct {
	database    string
	collections []string
	keys        []string
	queries     []string       // that the offending documents match
	offends     func(any) bool // the value of the only key
	unique      bool           // two documents with the same values offend
	touched     bool           // a migration that is yet to run changes documents before
}

// question asks for documents of the collection, and perhaps for attributes.
func (c *collection) question(attributes ...*attribute) *question {
	q := &question{database: c.database.id, collections: []string{c.live}, touched: c.touched}
	for _, a := range attributes {
		q.keys = append(q.keys, a.live)
	}
	return q
}

// null asks for documents that hold null in an attribute, or that do not. What
// is encrypted can be read and not queried.
func (q *question) null(a *attribute, is bool) *question {
	switch {
	case a.Encrypt:
		q.offends = func(v any) bool { return (v == nil) == is }
	case is:
		q.queries = []string{query.IsNull(a.live)}
	default:
		q.queries = []string{query.IsNotNull(a.live)}
	}
	return q
}

func (q *question) where(offends func(any) bool) *question {
	q.offends = offends
	return q
}

func (q *question) duplicates() *question {
	q.unique = true
	return q
}

// asks attaches a question to a finding, where the live project can be asked.
func (w *walker) asks(f *Finding, q *question, known bool) {
	if known && w.in.Live != nil {
		f.ask = q
	}
}

// answered asks the live project what the findings want to know: those that are
// none there go, those that are one say what was seen.
func answered(ctx context.Context, in Input, found []Finding) ([]Finding, error) {
	if in.Live == nil {
		return found, nil
	}
	var left []Finding
	for _, f := range found {
		if f.ask == nil {
			left = append(left, f)
			continue
		}
		seen, err := in.Live.seen(ctx, f.ask)
		if err != nil {
			return nil, fmt.Errorf("look at %s/%s for %s: %w", f.ask.database, strings.Join(f.ask.collections, ", "), f.Rule.Code, err)
		}
		switch {
		case seen.count > 0:
		case f.ask.touched: // as they are then, documents may offend
			left = append(left, f)
			continue
		default:
			continue
		}
		f.Seen, f.Severity = true, in.Severities.of(f.Rule, true)
		f.Message += "; seen in " + seen.String()
		left = append(left, f)
	}
	return left, nil
}

// sighting is how many documents offend, and which came first.
type sighting struct {
	count   int64
	atLeast bool
	first   []string
}

const sightings = 3 // how many documents are named

func (s *sighting) String() string {
	noun := "documents"
	if s.count == 1 {
		noun = "document"
	}
	text := fmt.Sprintf("%d %s", s.count, noun)
	if s.atLeast {
		text = "at least " + text
	}
	return text + ": " + strings.Join(s.first, ", ")
}

func (s *sighting) add(id string) {
	if s.count++; len(s.first) < sightings {
		s.first = append(s.first, id)
	}
}

// seen looks for documents that offend. A collection that is not there holds none.
func (l *Live) seen(ctx context.Context, q *question) (sighting, error) {
	var total sighting
	for _, id := range q.collections {
		var one sighting
		var err error
		if q.offends == nil && !q.unique {
			one, err = l.counted(ctx, q, id)
		} else {
			one, err = l.walked(ctx, q, id)
		}
		if err != nil && !errors.Is(err, appwrite.ErrNotFound) {
			return total, err
		}
		total.count += one.count
		total.atLeast = total.atLeast || one.atLeast
		total.first = append(total.first, one.first...)
		total.first = total.first[:min(len(total.first), sightings)]
	}
	return total, nil
}

// counted lets the server count.
func (l *Live) counted(ctx context.Context, q *question, id string) (sighting, error) {
	page, err := l.Client.ListDocuments(ctx, q.database, id, append([]string{query.Limit(sightings)}, q.queries...)...)
	if err != nil {
		return sighting{}, err
	}
	const countedAtMost = 5000 // where servers stop
	s := sighting{count: page.Total, atLeast: page.Total >= countedAtMost}
	for _, doc := range page.Documents {
		s.first = append(s.first, doc.ID)
	}
	return s, nil
}

// walked reads the documents.
func (l *Live) walked(ctx context.Context, q *question, id string) (sighting, error) {
	var s sighting
	owners := map[string]string{}
	for page, err := range l.Client.Walk(ctx, q.database, id, appwrite.WalkOptions{Select: q.keys}) {
		if err != nil {
			return s, err
		}
		for _, doc := range page {
			if q.unique {
				s.alike(doc, q.keys, owners)
				continue
			}
			if value := doc.Data[q.keys[0]]; offending(value, q.offends) {
				s.add(doc.ID)
			}
		}
	}
	return s, nil
}

// offending asks of a value, or of each in a list.
func offending(value any, offends func(any) bool) bool {
	items, many := value.([]any)
	if !many {
		return offends(value)
	}
	return slices.ContainsFunc(items, offends)
}

// alike notes a document whose values another one has too. A null among them
// makes it differ from every other.
func (s *sighting) alike(doc appwrite.Document, keys []string, owners map[string]string) {
	values := make([]any, len(keys))
	for i, key := range keys {
		switch v := doc.Data[key].(type) {
		case nil:
			return
		case string:
			values[i] = folded(v)
		default:
			values[i] = v
		}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return // JSON that was just decoded
	}
	if owner, taken := owners[string(data)]; taken {
		s.add(doc.ID + " like " + owner)
		return
	}
	owners[string(data)] = doc.ID
}

// folded is a text as MariaDB's collation compares it: without letter case,
// accents and blanks at its end.
func folded(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.TrimRight(strings.ToLower(text), " ")) {
		if r < 0x300 || r > 0x36f { // combining marks
			b.WriteRune(r)
		}
	}
	return b.String()
}
