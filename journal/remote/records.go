package remote

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// recordsPage is how many documents of records are asked for at once.
const recordsPage = 50

// Append makes records of one run durable, all or none, in one request. An
// append whose answer was lost is repeated: when its document is there, byte
// for byte, it has succeeded.
func (s *Store) Append(ctx context.Context, records ...journal.Record) error {
	if len(records) == 0 {
		return nil
	}
	run := records[0].Run
	err := s.usable()
	if err == nil {
		err = s.append(ctx, run, records)
	}
	if err != nil {
		s.forget(run) // what is stored now is not known
		return fmt.Errorf("append to the journal: %w", typed(err))
	}
	s.learn(run, records[len(records)-1].Next())
	return nil
}

func (s *Store) append(ctx context.Context, run string, records []journal.Record) error {
	if err := checkRun(run); err != nil {
		return err
	}
	tail, known := s.tailOf(run)
	if !known || journal.CheckAppend(tail, records[0]) != nil {
		var err error
		if tail, err = s.end(ctx, run); err != nil {
			return err
		}
	}
	for _, r := range records {
		if r.Run != run {
			return fmt.Errorf("%w: records of two runs, %s and %s", journal.ErrInvalid, run, r.Run)
		}
		if err := journal.CheckAppend(tail, r); err != nil {
			return err
		}
		tail = r.Next()
	}
	e, err := entryOf(records)
	if err != nil {
		return err
	}
	if e, err = s.spilled(ctx, e); err != nil {
		return err
	}
	return s.create(ctx, e)
}

// create makes the entry's document, unless it is there already. The error
// wraps journal.ErrTail when another one has its place.
func (s *Store) create(ctx context.Context, e entry) error {
	doubtful := false // an earlier attempt may have made it
	return s.patience.do(ctx, func(ctx context.Context) error {
		_, err := s.client.CreateDocument(ctx, s.database, recordsCollection, e.document())
		if !errors.Is(err, appwrite.ErrExists) {
			doubtful = doubtful || appwrite.Classify(err) == appwrite.Ambiguous
			return err
		}
		there, err := s.client.FindDocument(ctx, s.database, recordsCollection, e.id())
		if err != nil || doubtful && e.equals(there) {
			return err
		}
		if _, err := s.decode(ctx, e.run, e.first, there); err != nil {
			return err
		}
		return &journal.RecordError{Run: e.run, Seq: e.first, Err: journal.ErrTail}
	})
}

// end gives where a run ends: the zero tail where nothing of it is known.
func (s *Store) end(ctx context.Context, run string) (journal.Tail, error) {
	doc, found, err := s.newest(ctx, run)
	if err != nil || !found {
		return journal.Tail{}, err
	}
	seq := numberIn(doc, "seq")
	records, err := s.decode(ctx, run, seq, doc)
	if err != nil {
		return journal.Tail{}, err
	}
	return records[len(records)-1].Next(), nil
}

// newest gives the document of a run's last records.
func (s *Store) newest(ctx context.Context, run string) (doc appwrite.Document, found bool, err error) {
	var page appwrite.Page
	err = s.patience.do(ctx, func(ctx context.Context) (err error) {
		page, err = s.client.ListDocuments(ctx, s.database, recordsCollection,
			query.Equal("key", keyOf(run)), query.OrderDesc("seq"), query.Limit(1))
		return err
	})
	if err != nil || len(page.Documents) == 0 {
		return doc, false, err
	}
	doc = page.Documents[0]
	if doc.ID == tombstoneID(run) {
		return doc, false, fmt.Errorf("%w: %s is being removed", journal.ErrNoRun, run)
	}
	return doc, true, nil
}

// Records gives a run's records, verified.
func (s *Store) Records(ctx context.Context, run string) ([]journal.Record, error) {
	err := s.usable()
	if err == nil {
		err = checkRun(run)
	}
	var records []journal.Record
	if err == nil {
		records, err = s.records(ctx, run)
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", typed(err))
	}
	s.learn(run, records[len(records)-1].Next())
	return records, nil
}

func (s *Store) records(ctx context.Context, run string) ([]journal.Record, error) {
	documents, err := s.documents(ctx, run)
	if err != nil {
		return nil, err
	}
	if _, removed := documents[tombstoneID(run)]; removed {
		return nil, fmt.Errorf("%w: %s is being removed", journal.ErrNoRun, run)
	}
	var records []journal.Record
	var tail journal.Tail
	for {
		doc, ok := documents[entryID(run, tail.Seq+1)]
		if !ok && len(documents) > 0 {
			return nil, lowest(run, tail, documents)
		}
		if !ok {
			if doc, ok, err = s.hidden(ctx, run, tail); err != nil {
				return nil, err
			}
		}
		if !ok {
			break
		}
		delete(documents, doc.ID)
		some, err := s.decode(ctx, run, tail.Seq+1, doc)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			if err := journal.CheckNext(run, tail, r); err != nil {
				return nil, err
			}
			records, tail = append(records, r), r.Next()
		}
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	return records, nil
}

// documents gives every document of a run, by its id.
func (s *Store) documents(ctx context.Context, run string) (documents map[string]appwrite.Document, err error) {
	err = s.patience.do(ctx, func(ctx context.Context) error {
		documents = make(map[string]appwrite.Document)
		options := appwrite.WalkOptions{Queries: []string{query.Equal("key", keyOf(run))}, PageSize: recordsPage}
		for page, err := range s.client.Walk(ctx, s.database, recordsCollection, options) {
			if err != nil {
				return err
			}
			for _, doc := range page {
				documents[doc.ID] = doc
			}
		}
		return nil
	})
	return documents, err
}

// lowest names the record that is missing before documents that are there.
func lowest(run string, tail journal.Tail, documents map[string]appwrite.Document) error {
	next := int64(math.MaxInt64)
	for _, doc := range documents {
		next = min(next, numberIn(doc, "seq"))
	}
	return &journal.RecordError{Run: run, Seq: tail.Seq + 1, Err: fmt.Errorf("%w: it is missing, and others up to %d are there", journal.ErrDamaged, next)}
}

// hidden looks for the document that follows tail by its id: one of which the
// columns that lists go by were changed is in no list, and one that was appended
// meanwhile may not have been.
func (s *Store) hidden(ctx context.Context, run string, tail journal.Tail) (doc appwrite.Document, found bool, err error) {
	err = s.patience.do(ctx, func(ctx context.Context) (err error) {
		doc, err = s.client.FindDocument(ctx, s.database, recordsCollection, entryID(run, tail.Seq+1))
		return err
	})
	if errors.Is(err, appwrite.ErrNotFound) && !errors.Is(err, appwrite.ErrContainerNotFound) {
		return doc, false, nil
	}
	return doc, err == nil, err
}
