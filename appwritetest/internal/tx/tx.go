// Package tx holds transactions: what was staged, until when, and what became
// of it. The status stands apart from the records, as on a real server: a
// commit that breaks may leave it behind. Transactions live as long as the
// server's process.
package tx

import (
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
	now  func() time.Time
	last int64
	all  []*Transaction
}

// NewLog returns a log without transactions.
func NewLog(now func() time.Time) *Log { return &Log{now: now} }

func (l *Log) begin(ttl time.Duration) *Transaction {
	l.last++
	now := l.now()
	t := &Transaction{
		ID: api.Expand("unique()"), Sequence: l.last, Status: Pending,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.Add(ttl),
	}
	l.all = append(l.all, t)
	return t
}

func (l *Log) find(id string) (*Transaction, error) {
	for _, t := range l.all {
		if t.ID == id {
			return t, nil
		}
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
	t, err := l.find(id)
	if err != nil || t.Status != Pending {
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
}

func (l *Log) set(t *Transaction, status Status) {
	t.Status, t.UpdatedAt = status, l.now()
	if status == Committed || status == Failed {
		t.Operations = nil
	}
}

func (l *Log) remove(t *Transaction) {
	l.all = slices.DeleteFunc(l.all, func(other *Transaction) bool { return other == t })
}
