// Package crypt keeps what a journal knows of users' data from those who can
// read where it is stored: it wraps any journal and encrypts steps, mementos,
// observations, messages and archives with age before they reach it.
//
// The journal inside stays a journal: its records chain over what is stored,
// so that verifying, exporting and pruning need no identity. Ids, kinds,
// phases, times, and what runs are called can be read by anybody.
package crypt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/backstep-dev/backstep/journal"
)

// Store is a journal that seals what it is given and opens what it gives. It
// may be used from several goroutines.
type Store struct {
	inner    journal.Store
	keys     *Keys
	archives journal.Archives

	mu    sync.Mutex
	tails map[string]tails
}

// tails is the end of a run: as it was given, and as it is stored.
type tails struct{ given, stored journal.Tail }

var (
	_ journal.Store         = (*Store)(nil)
	_ journal.ReceiptKeeper = (*Store)(nil)
)

// New wraps a journal. Without recipients among the keys nothing new is sealed,
// and what is sealed already is opened.
func New(inner journal.Store, keys *Keys) (*Store, error) {
	s := &Store{inner: inner, keys: keys, tails: make(map[string]tails)}
	var err error
	s.archives, err = journal.SealArchives(inner.Archives(), keys, keys.Sealing())
	return s, err
}

// Stored gives the journal as it is stored, for what needs no identity.
func (s *Store) Stored() journal.Store { return s.inner }

// Append seals the records and stores them. The error is as journal.Store has it.
func (s *Store) Append(ctx context.Context, records ...journal.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends := make(map[string]tails)
	sealed := make([]journal.Record, 0, len(records))
	for _, r := range records {
		end, known := ends[r.Run]
		if !known {
			var err error
			if end, err = s.end(ctx, r); err != nil {
				return err
			}
		}
		if err := journal.CheckAppend(end.given, r); err != nil {
			return err
		}
		stored, err := s.sealed(end.stored, r)
		if err != nil {
			return &journal.RecordError{Run: r.Run, Seq: r.Seq, Err: err}
		}
		ends[r.Run] = tails{given: r.Next(), stored: stored.Next()}
		sealed = append(sealed, stored)
	}
	err := s.inner.Append(ctx, sealed...)
	for run, end := range ends {
		if err != nil {
			delete(s.tails, run) // what is stored now is not known
		} else {
			s.tails[run] = end
		}
	}
	return err
}

// end finds the end of r's run that r is to follow.
func (s *Store) end(ctx context.Context, r journal.Record) (tails, error) {
	end, known := s.tails[r.Run]
	if known && end.given.Seq == r.Seq-1 && end.given.Hash == r.Prev || r.Seq == 1 {
		return end, nil
	}
	_, end, err := s.read(ctx, r.Run)
	if errors.Is(err, journal.ErrNoRun) {
		return tails{}, nil
	}
	return end, err
}

func (s *Store) sealed(tail journal.Tail, r journal.Record) (journal.Record, error) {
	body := r.Body
	if s.keys.Sealing() {
		var err error
		if body, err = s.keys.seal(r); err != nil {
			return journal.Record{}, err
		}
	}
	return journal.NewRecord(tail, r.Run, r.Time, r.Type, r.Operation, body)
}

// Records gives a run's records, opened. The error wraps journal.ErrSealed, in
// a *journal.RecordError, when one cannot be opened.
func (s *Store) Records(ctx context.Context, run string) ([]journal.Record, error) {
	records, end, err := s.read(ctx, run)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if end.given.Seq > s.tails[run].given.Seq {
		s.tails[run] = end
	}
	return records, nil
}

// read gives a run's records, opened, and where they end.
func (s *Store) read(ctx context.Context, run string) ([]journal.Record, tails, error) {
	stored, err := s.inner.Records(ctx, run)
	if err != nil {
		return nil, tails{}, err
	}
	var end tails
	records := make([]journal.Record, 0, len(stored))
	for _, r := range stored {
		opened, err := s.keys.open(end.given, r)
		if err != nil {
			return nil, tails{}, fmt.Errorf("read the journal: %w", &journal.RecordError{Run: run, Seq: r.Seq, Err: err})
		}
		records = append(records, opened)
		end = tails{given: opened.Next(), stored: r.Next()}
	}
	return records, end, nil
}

// Runs lists the runs. It needs no identity.
func (s *Store) Runs(ctx context.Context) ([]journal.Summary, error) { return s.inner.Runs(ctx) }

// Archives seals the chunks of new archives.
func (s *Store) Archives() journal.Archives { return s.archives }

// Receipts gives the receipts of the journal inside, nil when it keeps none.
// They hold no data, and are not sealed.
func (s *Store) Receipts() journal.Receipts {
	if keeper, ok := s.inner.(journal.ReceiptKeeper); ok {
		return keeper.Receipts()
	}
	return nil
}

// Close closes the journal inside.
func (s *Store) Close() error { return s.inner.Close() }
