package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// staleReads remembers what the server's cache still answers for records that
// an upsert overwrote through somebody else's unique value. Lists read the
// store, single reads the cache; any later write to the record clears it.
type staleReads map[staleKey]*store.Record

type staleKey struct {
	table int64
	id    string // folded
}

// keep remembers a record that is about to be overwritten behind the cache's
// back, unless the cache is behind already.
func (r *Room) keepStale(col *catalog.Collection, cached *store.Record) {
	key := staleKey{col.Sequence, r.Profile.Fold(cached.ID)}
	if r.stale[key] == nil {
		r.stale[key] = cached
	}
}

// forgetStale brings the cache up to date.
func (r *Room) forgetStale(col *catalog.Collection, id string) {
	if len(r.stale) > 0 {
		delete(r.stale, staleKey{col.Sequence, r.Profile.Fold(id)})
	}
}

// cached is what a single read finds under an id, nil for nothing.
func (r *Room) cached(reader store.Reader, col *catalog.Collection, id string) (*store.Record, error) {
	if cached := r.stale[staleKey{col.Sequence, r.Profile.Fold(id)}]; cached != nil {
		return cached, nil
	}
	return reader.Get(col.Sequence, id)
}
