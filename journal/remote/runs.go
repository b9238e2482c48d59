package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// Runs lists the runs by their first and last records: one list of the ends
// that are marked as such, and one request for each run that has not ended for
// good.
func (s *Store) Runs(ctx context.Context) ([]journal.Summary, error) {
	err := s.usable()
	var summaries []journal.Summary
	if err == nil {
		summaries, err = s.runs(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("list the runs in the journal: %w", typed(err))
	}
	return summaries, nil
}

// ends is what the list of ends shows of one run.
type ends struct {
	run    string
	first  *appwrite.Document
	finish *appwrite.Document // the newest that ends with run_finished
	pruned bool
	err    error // why the documents cannot be trusted
}

func (s *Store) runs(ctx context.Context) ([]journal.Summary, error) {
	found, err := s.ends(ctx)
	if err != nil {
		return nil, err
	}
	var summaries []journal.Summary
	for _, e := range found {
		if e.pruned {
			continue
		}
		summary, err := s.summary(ctx, e)
		if errors.Is(err, journal.ErrNoRun) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		summaries = append(summaries, summary)
	}
	return summaries, nil
}

// ends lists the runs in the order in which they began. A first document is
// found by its edge or by its number, so that no change to one of them hides it.
func (s *Store) ends(ctx context.Context) (found []*ends, err error) {
	queries := []string{query.Or([]string{
		query.Equal("edge", []any{edgeFirst, edgeFinish, edgeWhole, edgePruned}), query.Equal("seq", 1),
	})}
	err = s.patience.do(ctx, func(ctx context.Context) error {
		found = nil
		byRun := make(map[string]*ends)
		for page, err := range s.client.Walk(ctx, s.database, recordsCollection, appwrite.WalkOptions{Queries: queries, PageSize: recordsPage}) {
			if err != nil {
				return err
			}
			for _, doc := range page {
				run, err := claimed(doc)
				e := byRun[run]
				if e == nil {
					e = &ends{run: run}
					byRun[run], found = e, append(found, e)
				}
				e.add(doc, err)
			}
		}
		return nil
	})
	return found, err
}

// claimed gives the run that a document belongs to by its id, and why that is
// not what it says.
func claimed(doc appwrite.Document) (string, error) {
	run := textIn(doc, "run")
	if key := keyOf(run); run != "" && len(doc.ID) > len(key) && doc.ID[:len(key)] == key && textIn(doc, "key") == key {
		return run, nil
	}
	err := fmt.Errorf("%w: document %s says it belongs to run %q", journal.ErrDamaged, doc.ID, run)
	for line := range lines(textIn(doc, "records")) {
		if r, bad := journal.Decode([]byte(line)); bad == nil && entryID(r.Run, r.Seq) == doc.ID {
			return r.Run, err
		}
		break
	}
	return run, err
}

func (e *ends) add(doc appwrite.Document, err error) {
	e.err = errors.Join(e.err, err)
	switch {
	case doc.ID == tombstoneID(e.run):
		e.pruned = true
	case doc.ID == entryID(e.run, 1):
		e.first = &doc
	}
	edge := textIn(doc, "edge")
	if (edge == edgeFinish || edge == edgeWhole) && (e.finish == nil || numberIn(doc, "seq") > numberIn(*e.finish, "seq")) {
		e.finish = &doc
	}
}

// summary makes a run's line. What cannot be trusted is in it; the error is
// about reading.
func (s *Store) summary(ctx context.Context, e *ends) (journal.Summary, error) {
	damaged := func(err error) (journal.Summary, error) {
		if !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, journal.ErrVersion) {
			return journal.Summary{}, err
		}
		out := journal.Summary{Run: e.run, Status: journal.StatusOpen, Err: err}
		if e.finish != nil {
			out.Records = numberIn(*e.finish, "last")
		}
		return out, nil
	}
	if e.err != nil {
		return damaged(named(e.run, 0, e.err))
	}
	if e.first == nil {
		return damaged(named(e.run, 1, fmt.Errorf("%w: it is missing", journal.ErrDamaged)))
	}
	first, err := s.decode(ctx, e.run, 1, *e.first)
	if err != nil {
		return damaged(err)
	}
	last := first
	if e.finish != nil && e.finish.ID != e.first.ID {
		if last, err = s.decode(ctx, e.run, numberIn(*e.finish, "seq"), *e.finish); err != nil {
			return damaged(err)
		}
	}
	summary := journal.Summarize(first[0], last[len(last)-1])
	if summary.Status.Final() && summary.Err == nil {
		return summary, nil
	}
	newest, found, err := s.newest(ctx, e.run)
	if err != nil {
		return damaged(err)
	}
	if found && newest.ID != e.first.ID {
		if last, err = s.decode(ctx, e.run, numberIn(newest, "seq"), newest); err != nil {
			return damaged(err)
		}
	}
	return journal.Summarize(first[0], last[len(last)-1]), nil
}
