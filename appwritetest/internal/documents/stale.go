package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// staleReads remembers what the server's cache still answers for records that
// an upsert overwrote through somebody else's unique value. Lists read the
// store, single reads the cache; any later write to the record clears it.
type staleReads map[staleKey]*store.Record

type staleKey struct{ table, sequence int64 }

// keep remembers a record that is about to be overwritten behind the cache's
// back, unless the cache is behind already.
func (s staleReads) keep(col *catalog.Collection, cached *store.Record) {
	key := staleKey{col.Sequence, cached.Sequence}
	if s[key] == nil {
		s[key] = cached
	}
}

// forget brings the cache up to date.
func (s staleReads) forget(table, sequence int64) { delete(s, staleKey{table, sequence}) }

// of returns what a single read answers for a record of the store.
func (s staleReads) of(col *catalog.Collection, record *store.Record) *store.Record {
	if record == nil {
		return nil
	}
	if cached := s[staleKey{col.Sequence, record.Sequence}]; cached != nil {
		return cached
	}
	return record
}
