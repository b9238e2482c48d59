package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// behindAll is a number behind that of every record.
const behindAll int64 = 1<<53 - 1

// pruneBatch is how many documents are removed at once. The server answers with
// them, and those of archives are large.
const pruneBatch = 8

// tombstoneID is the id of the document that says that a run is being removed.
// It is made before anything of the run goes, and goes after everything else:
// whoever sees half a run without it sees damage.
func tombstoneID(run string) string { return keyOf(run) + "-" + edgePruned }

// tombstone is behind every record of its run.
func tombstone(run string) appwrite.Document {
	return appwrite.Document{ID: tombstoneID(run), Permissions: []string{}, Data: map[string]any{
		"key": keyOf(run), "run": run, "seq": behindAll, "edge": edgePruned,
	}}
}

// Prune removes a run: from the moment that its tombstone is there, the run is
// not, whatever of it is left; Prune of the same run goes on then.
func (s *Store) Prune(ctx context.Context, run string) error {
	err := s.usable()
	if err == nil {
		err = checkRun(run)
	}
	if err == nil {
		err = s.prune(ctx, run)
	}
	s.forget(run)
	if err != nil {
		return fmt.Errorf("remove run %s from the journal: %w", run, typed(err))
	}
	return nil
}

func (s *Store) prune(ctx context.Context, run string) error {
	if _, found, err := s.newest(ctx, run); err != nil && !errors.Is(err, journal.ErrNoRun) {
		return err
	} else if err == nil && !found {
		return fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	err := s.patience.do(ctx, func(ctx context.Context) error {
		_, err := s.client.CreateDocument(ctx, s.database, recordsCollection, tombstone(run))
		if errors.Is(err, appwrite.ErrExists) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	key := query.Equal("key", keyOf(run))
	for _, remove := range []struct {
		collection string
		queries    []string
	}{
		{chunksCollection, []string{key}},
		{receiptsCollection, []string{key}},
		{recordsCollection, []string{key, query.LessThan("seq", behindAll)}},
		{recordsCollection, []string{query.Equal("$id", tombstoneID(run))}},
	} {
		if err := s.removeAll(ctx, remove.collection, remove.queries); err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes every document that matches.
func (s *Store) removeAll(ctx context.Context, collection string, queries []string) error {
	queries = append(queries, query.Limit(pruneBatch))
	for {
		var n int64
		err := s.patience.do(ctx, func(ctx context.Context) (err error) {
			n, err = s.client.DeleteDocuments(ctx, s.database, collection, queries...)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// Pruning lists the runs whose removal was cut off.
func (s *Store) Pruning(ctx context.Context) ([]string, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	var runs []string
	err := s.patience.do(ctx, func(ctx context.Context) error {
		runs = nil
		options := appwrite.WalkOptions{Queries: []string{query.Equal("edge", edgePruned)}, PageSize: recordsPage}
		for page, err := range s.client.Walk(ctx, s.database, recordsCollection, options) {
			if err != nil {
				return err
			}
			for _, doc := range page {
				if run := textIn(doc, "run"); doc.ID == tombstoneID(run) {
					runs = append(runs, run)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list what is being removed from the journal: %w", typed(err))
	}
	return runs, nil
}

// lines gives the lines of a text.
func lines(text string) func(func(string) bool) { return strings.SplitSeq(text, "\n") }
