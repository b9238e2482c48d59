package steptest

import (
	"context"
	"sync"

	"github.com/backstep-dev/backstep/journal"
)

// ledger is the journal of one process, which stops at one of its writes.
type ledger struct {
	journal.Store
	fuse *fuse
	what fault
	at   int // which write, from 1
	told func()

	mu     sync.Mutex
	writes int
}

// Append implements journal.Store.
func (l *ledger) Append(ctx context.Context, records ...journal.Record) error {
	if l.fuse.isBlown() {
		return errCrash
	}
	l.mu.Lock()
	l.writes++
	hit := l.writes == l.at
	l.mu.Unlock()
	if hit {
		l.told()
	}
	if hit && l.what == crashBeforeNote {
		l.fuse.blow()
		return errCrash
	}
	err := l.Store.Append(ctx, records...)
	if hit && l.what == crashAfterNote {
		l.fuse.blow()
		return errCrash
	}
	return err
}

func (l *ledger) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes
}
