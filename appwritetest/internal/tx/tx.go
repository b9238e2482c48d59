// Package tx holds transactions: what was staged, until when, and what became
// of it. The status stands apart from the records, as on a real server: a
// commit that breaks may leave it behind.
package tx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"fmt"
	"slices"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
)

// Status is where a transaction is in its life.
type Status string

// The states of a transaction. Rolling back is a way to fail.
const (
	Pending    Status = "pending"
	Committing Status = "committing"
	Committed  Status = "committed"
	Failed     Status = "failed"
)

// MaxOperations is how many operations a transaction holds.
const MaxOperations = 100

// statusGone is what an expired transaction answers; it reaches clients as 500.
const statusGone = 410

// Transaction is a list of operations that commit together.
type Transaction struct {
	ID                   string
	Sequence             int64
	CreatedAt, UpdatedAt time.Time
	ExpiresAt            time.Time
	Status               Status
	// Count is how many operations were staged; Operations is empty once the
	// transaction has ended.
	Count      int
	Operations []Operation
}

// Log is the transactions of a project. The project lock guards it.
type Log struct {
	now   func() time.Time
	shelf Shelf
	last  int64
	all   []*Transaction // in the order they began
	byID  map[string]*Transaction
	dirty map[string]*Transaction // to be saved; nil for one that was deleted
}

// Shelf keeps named values beyond the process.
type Shelf interface {
	Load(ctx context.Context, prefix string) (map[string][]byte, error)
	// Save replaces values, all or none; nil removes one.
	Save(changes map[string][]byte) error
}

// shelfPrefix begins the names under which transactions are kept.
const shelfPrefix = "transaction/"

// NewLog returns the log of the transactions on a shelf. Without a shelf it is
// empty and keeps nothing.
func NewLog(ctx context.Context, now func() time.Time, shelf Shelf) (*Log, error) {
	l := &Log{now: now, shelf: shelf, byID: map[string]*Transaction{}, dirty: map[string]*Transaction{}}
	if shelf == nil {
		return l, nil
	}
	values, err := shelf.Load(ctx, shelfPrefix)
	if err != nil {
		return nil, err
	}
	for name, value := range values {
		t := &Transaction{}
		if err := gob.NewDecoder(bytes.NewReader(value)).Decode(t); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		l.all, l.byID[t.ID], l.last = append(l.all, t), t, max(l.last, t.Sequence)
	}
	slices.SortFunc(l.all, func(a, b *Transaction) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return l, nil
}

// Save writes what has changed since the last time. Without a shelf it does
// nothing.
func (l *Log) Save() error {
	if l.shelf == nil || len(l.dirty) == 0 {
		clear(l.dirty)
		return nil
	}
	changes := map[string][]byte{}
	for id, t := range l.dirty {
		if t == nil {
			changes[shelfPrefix+id] = nil
			continue
		}
		var encoded bytes.Buffer
		if err := gob.NewEncoder(&encoded).Encode(t); err != nil {
			return fmt.Errorf("keep transaction %s: %w", id, err)
		}
		changes[shelfPrefix+id] = encoded.Bytes()
	}
	clear(l.dirty)
	return l.shelf.Save(changes)
}

func (l *Log) begin(ttl time.Duration) *Transaction {
	l.last++
	now := l.now()
	t := &Transaction{
		ID: api.Expand("unique()"), Sequence: l.last, Status: Pending,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(ttl),
	}
	l.all, l.byID[t.ID], l.dirty[t.ID] = append(l.all, t), t, t
	return t
}

func (l *Log) find(id string) (*Transaction, error) {
	if t := l.byID[id]; t != nil {
		return t, nil
	}
	return nil, apierr.NotFound("transaction_not_found", "Transaction with the requested ID '%s' could not be found.", id)
}

// Open returns a transaction that takes operations. For one that has ended the
// error is of type ended, which depends on who asks.
func (l *Log) Open(id, ended string) (*Transaction, error) {
	t, err := l.find(id)
	switch {
	case err != nil:
		return nil, err
	case t.Status != Pending:
		return nil, apierr.BadRequest(ended, "The transaction is not ready: it is %s.", t.Status)
	case l.now().After(t.ExpiresAt):
		return nil, apierr.New(statusGone, "transaction_expired", "The transaction has expired.")
	}
	return t, nil
}

// Overlay returns the transaction whose operations a read shows, or nil: a read
// takes no notice of ids it does not know and of transactions that have ended,
// but goes on showing those that have expired.
func (l *Log) Overlay(id string) *Transaction {
	t := l.byID[id]
	if t == nil || t.Status != Pending {
		return nil
	}
	return t
}

// Fits refuses operations beyond the limit.
func (t *Transaction) Fits(operations int) error {
	if t.Count+operations > MaxOperations {
		return apierr.BadRequest("transaction_limit_exceeded", "A transaction has at most %d operations.", MaxOperations)
	}
	return nil
}

// Stage adds operations that fit.
func (l *Log) Stage(t *Transaction, operations ...Operation) {
	now := l.now()
	for _, op := range operations {
		op.StagedAt = now
		t.Operations = append(t.Operations, op)
	}
	t.Count += len(operations)
	t.UpdatedAt = now
	l.dirty[t.ID] = t
}

func (l *Log) set(t *Transaction, status Status) {
	t.Status, t.UpdatedAt = status, l.now()
	l.dirty[t.ID] = t
	if status == Committed || status == Failed {
		t.Operations = nil
	}
}

func (l *Log) remove(t *Transaction) {
	l.all = slices.DeleteFunc(l.all, func(other *Transaction) bool { return other == t })
	delete(l.byID, t.ID)
	l.dirty[t.ID] = nil
}
