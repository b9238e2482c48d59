package steptest

import (
	"context"
	"sync"

	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal"
)

// ledger is the journal of one process, which may stop at one of its writes.
type ledger struct {
	journal.Store
	fuse   *outage.Fuse
	mishap mishap
	told   func(hit bool) // hears of every write

	mu     sync.Mutex
	writes int
}

// Append implements journal.Store.
func (l *ledger) Append(ctx context.Context, records ...journal.Record) error {
	if l.fuse.Blown() {
		return outage.ErrCrash
	}
	l.mu.Lock()
	l.writes++
	hit := l.writes == l.mishap.at
	l.mu.Unlock()
	before, after := hit && l.mishap.what == crashBeforeNote, hit && l.mishap.what == crashAfterNote
	l.told(before || after)
	if before {
		l.fuse.Blow()
		return outage.ErrCrash
	}
	err := l.Store.Append(ctx, records...)
	if after {
		l.fuse.Blow()
		return outage.ErrCrash
	}
	return err
}
