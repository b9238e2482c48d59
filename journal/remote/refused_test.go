package remote_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
)

func TestAKeyThatMayNotWriteIsErrReadOnly(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "1.9.6")
	if srv.Embedded == nil {
		t.Skip("a real server's keys are not ours to make")
	}
	p := projectOf(t, srv)
	records := journaltest.Chain(t, "run", 2)
	must(t, p.open(t).Append(t.Context(), records[0]))
	limited := *srv
	limited.Key = srv.Embedded.AddKey("databases.read", "tables.read", "columns.read", "indexes.read", "rows.read")
	store := p.via(t, &limited).open(t)
	wantRecords(t, store, records[:1])
	if err := store.Append(t.Context(), records[1]); !errors.Is(err, journal.ErrReadOnly) {
		t.Errorf("append: error %v, want ErrReadOnly", err)
	}
	if _, err := remote.Open(t.Context(), client(t, &limited), "other", remote.WithClock(fast{})); !errors.Is(err, journal.ErrReadOnly) {
		t.Errorf("open: error %v, want ErrReadOnly", err)
	}
}

func TestRunsThatNoDocumentCanHoldAreRefused(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	store := p.open(t)
	for _, run := range []string{strings.Repeat("x", 256), "a/b"} {
		if err := store.Append(t.Context(), journaltest.Chain(t, run, 1)...); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%.10q: error %v, want ErrInvalid", run, err)
		}
	}
	both := append(journaltest.Chain(t, "one", 1), journaltest.Chain(t, "two", 1)...)
	if err := store.Append(t.Context(), both...); !errors.Is(err, journal.ErrInvalid) {
		t.Errorf("two runs at once: error %v", err)
	}
}

// TestRunsWhoseNamesServersTakeForTheSameAreKeptApart uses names that MariaDB
// compares as equal.
func TestRunsWhoseNamesServersTakeForTheSameAreKeptApart(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		names := []string{"run", "RUN", "rün", "run "}
		for _, name := range names {
			must(t, store.Append(t.Context(), journaltest.Chain(t, name, 2)...))
		}
		must(t, store.Prune(t.Context(), "RUN"))
		for _, name := range []string{"run", "rün", "run "} {
			wantRecords(t, p.open(t), journaltest.Chain(t, name, 2))
		}
		if runs, err := store.Runs(t.Context()); err != nil || len(runs) != 3 {
			t.Errorf("%d runs, error %v, want 3", len(runs), err)
		}
	})
}
