package remote_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// eachStore benchmarks the remote journal next to the file, and counts the
// requests since begin was called.
func eachStore(b *testing.B, bench func(b *testing.B, store journal.Store, begin func())) {
	b.Helper()
	for _, version := range livetest.Versions() {
		b.Run("remote-"+version, func(b *testing.B) {
			var requests atomic.Int64
			store := projectOf(b, livetest.Start(b, version), appwrite.WithObserver(func(appwrite.Exchange) { requests.Add(1) })).open(b)
			bench(b, store, func() { requests.Store(0); b.ResetTimer() })
			b.ReportMetric(float64(requests.Load())/float64(b.N), "requests/op")
		})
	}
	b.Run("sqlite", func(b *testing.B) {
		store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"))
		must(b, err)
		b.Cleanup(func() { _ = store.Close() })
		bench(b, store, b.ResetTimer)
	})
}

// BenchmarkAppend appends one record to a run that this process has begun.
func BenchmarkAppend(b *testing.B) {
	eachStore(b, func(b *testing.B, store journal.Store, begin func()) {
		b.Helper()
		records := journaltest.Chain(b, "run", b.N+1)
		must(b, store.Append(b.Context(), records[0]))
		begin()
		for _, r := range records[1:] {
			must(b, store.Append(b.Context(), r))
		}
	})
}

// BenchmarkRun appends a run of 50 operations as the engine does, one record at
// a time, and reads it.
func BenchmarkRun(b *testing.B) {
	eachStore(b, func(b *testing.B, store journal.Store, begin func()) {
		b.Helper()
		n := 0
		begin()
		for b.Loop() {
			run := fmt.Sprint("run", n)
			n++
			for _, r := range journaltest.Chain(b, run, 101) {
				must(b, store.Append(b.Context(), r))
			}
			_, err := store.Records(b.Context(), run)
			must(b, err)
		}
	})
}

// BenchmarkRuns lists 200 runs that have ended.
func BenchmarkRuns(b *testing.B) {
	eachStore(b, func(b *testing.B, store journal.Store, begin func()) {
		b.Helper()
		chain := journaltest.Chain(b, "x", 1)
		for i := range 200 {
			first, err := journal.NewRecord(journal.Tail{}, fmt.Sprint("run", i), chain[0].Time, journal.RunStarted, "", chain[0].Body)
			must(b, err)
			last, err := journal.NewRecord(first.Next(), first.Run, first.Time, journal.RunFinished, "", journal.Finished{Status: journal.StatusRolledBack})
			must(b, err)
			must(b, store.Append(b.Context(), first, last))
		}
		begin()
		for b.Loop() {
			runs, err := store.Runs(b.Context())
			must(b, err)
			if len(runs) != 200 {
				b.Fatalf("%d runs", len(runs))
			}
		}
	})
}
