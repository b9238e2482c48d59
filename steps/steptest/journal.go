package steptest

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// Journal says where runs are journaled.
type Journal string

// The journals.
const (
	Memory Journal = "memory"
	SQLite Journal = "sqlite" // a file, opened anew by each process
	Remote Journal = "remote" // in the server, through requests of its own, with receipts
)

// book is the journal of one case.
type book interface {
	// open gives it as a new process sees it, which sends through the wire.
	open(tb testing.TB, wire http.RoundTripper) journal.Store
	// reader gives it for tests to look into, once.
	reader(tb testing.TB) journal.Store
	// search fails the test when the API key is in it.
	search(tb testing.TB)
}

func newBook(tb testing.TB, kind Journal, stage Stage, base http.RoundTripper, newDatabase func() string) book {
	tb.Helper()
	switch kind {
	case Memory:
		return &memoryBook{journaltest.NewMemory()}
	case SQLite:
		return &fileBook{folder: tb.TempDir()}
	case Remote:
		return &remoteBook{stage: stage, base: base, database: newDatabase()}
	default:
		tb.Fatalf("no journal is called %q", kind)
		return nil
	}
}

type memoryBook struct{ store *journaltest.Memory }

func (b *memoryBook) open(testing.TB, http.RoundTripper) journal.Store { return b.store }

func (b *memoryBook) reader(testing.TB) journal.Store { return b.store }

func (b *memoryBook) search(tb testing.TB) {
	tb.Helper()
	livetest.SearchJournal(tb, b.store)
}

// fileBook is a journal in a file, which one process at a time has open.
type fileBook struct {
	folder string
	last   *sqlite.Store
}

func (b *fileBook) open(tb testing.TB, _ http.RoundTripper) journal.Store {
	tb.Helper()
	if b.last == nil {
		tb.Cleanup(func() { _ = b.last.Close() })
	} else if err := b.last.Close(); err != nil {
		tb.Fatalf("close the journal of the process before: %v", err)
	}
	b.last = b.connect(tb)
	return b.last
}

func (b *fileBook) connect(tb testing.TB) *sqlite.Store {
	tb.Helper()
	store, err := sqlite.Open(context.WithoutCancel(tb.Context()), filepath.Join(b.folder, "journal"))
	if err != nil {
		tb.Fatalf("open the journal: %v", err)
	}
	return store
}

func (b *fileBook) reader(tb testing.TB) journal.Store {
	tb.Helper()
	store := b.connect(tb)
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func (b *fileBook) search(tb testing.TB) {
	tb.Helper()
	livetest.SearchFiles(tb, b.folder)
}

// remoteBook is a journal in a database of the server.
type remoteBook struct {
	stage    Stage
	database string
	base     http.RoundTripper
}

func (b *remoteBook) open(tb testing.TB, wire http.RoundTripper) journal.Store {
	tb.Helper()
	client := b.stage.client(tb, wire)
	store, err := remote.Open(tb.Context(), client, b.database, remote.WithClock(outage.NewClock(time.Hour, nil)))
	if err != nil {
		tb.Fatalf("open the journal: %v", err)
	}
	return store
}

func (b *remoteBook) reader(tb testing.TB) journal.Store {
	tb.Helper()
	return b.open(tb, b.base)
}

// search has nothing to do: what a server holds was sent to it by a client
// whose requests are searched elsewhere.
func (b *remoteBook) search(testing.TB) {}

// client makes a client that sends through a wire.
func (s Stage) client(tb testing.TB, wire http.RoundTripper) *appwrite.Client {
	tb.Helper()
	client, err := appwrite.New(appwrite.Config{Endpoint: s.Endpoint, Project: s.Project, Key: s.Key},
		appwrite.WithTransport(wire), appwrite.WithLogger(livetest.Logger(tb)))
	if err != nil {
		tb.Fatalf("client: %v", err)
	}
	return client
}
