package sqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// every is n, or 1 where there is time for all of them.
func every(n int) int {
	if os.Getenv("BACKSTEP_SOAK") != "" {
		return 1
	}
	return n
}

// progress is how far a workload came: what it was told is durable, and what
// it tried to make so.
type progress struct {
	acked, tried int // records
	archived     journal.ArchiveRef
	err          error
}

// work writes a run of seven records and an archive to a journal.
func work(ctx context.Context, path string, records []journal.Record, after func(progress)) (p progress) {
	store, err := sqlite.Open(ctx, path)
	if err != nil {
		return progress{err: err}
	}
	defer func() { p.err = errors.Join(p.err, store.Close()) }()
	for _, group := range [][]journal.Record{records[:1], records[1:2], records[2:5], records[5:6], records[6:7]} {
		p.tried += len(group)
		if p.err = store.Append(ctx, group...); p.err != nil {
			return p
		}
		p.acked = p.tried
		after(p)
		if p.acked == 2 {
			if p.archived, p.err = archive(ctx, store); p.err != nil {
				return p
			}
			after(p)
		}
	}
	return p
}

// archive sets a few values aside that compress badly, so that they take pages.
func archive(ctx context.Context, store journal.Store) (journal.ArchiveRef, error) {
	w, err := store.Archives().Create(ctx, "run", "1", "documents")
	if err != nil {
		return journal.ArchiveRef{}, err
	}
	for _, value := range archived() {
		if err := w.Write(ctx, value); err != nil {
			return journal.ArchiveRef{}, err
		}
	}
	return w.Close(ctx)
}

func archived() []json.RawMessage {
	random := rand.New(rand.NewPCG(3, 4))
	values := make([]json.RawMessage, 0, 8)
	for i := range 8 {
		text := make([]byte, 900)
		for j := range text {
			text[j] = byte('a' + random.IntN(26))
		}
		values = append(values, json.RawMessage(fmt.Sprintf(`{"$id":"%d","text":"%s"}`, i, text)))
	}
	return values
}

// check opens a journal again and holds it against what was promised: the
// records are the first of those written, at least those that were told to be
// durable, and so is the archive. damaged permits a typed error instead, and
// the loss of what was durable.
func check(t *testing.T, path string, records []journal.Record, p progress, damaged bool) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, sqlite.Busy(0))
	if refused(t, "open", err, damaged) {
		return
	}
	defer func() { _ = store.Close() }()
	got, err := store.Records(t.Context(), "run")
	if errors.Is(err, journal.ErrNoRun) {
		err = nil
	}
	if refused(t, "records", err, damaged) {
		return
	}
	if len(got) > p.tried || len(got) < p.acked && !damaged {
		t.Errorf("%d records; %d were told to be durable, %d tried", len(got), p.acked, p.tried)
	}
	for i := range got {
		if got[i].Hash != records[i].Hash {
			t.Errorf("record %d is another one", i+1)
		}
	}
	if _, err := store.Runs(t.Context()); err != nil {
		refused(t, "runs", err, damaged)
	}
	if p.archived == (journal.ArchiveRef{}) {
		return
	}
	want, n := archived(), 0
	for value, err := range store.Archives().Read(t.Context(), p.archived) {
		if refused(t, "archive", err, damaged) {
			return
		}
		if n >= len(want) || string(value) != string(want[n]) {
			t.Errorf("value %d of the archive is another one", n)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d values in the archive, want %d", n, len(want))
	}
}

// refused says whether there was an error, which must be a typed one and
// permitted.
func refused(t *testing.T, what string, err error, permitted bool) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if !permitted {
		t.Errorf("%s: %v", what, err)
	} else if !typed(err) {
		t.Errorf("%s: an error without a type: %v", what, err)
	}
	return true
}

// typed says whether an error is one that callers can tell apart.
func typed(err error) bool {
	return slices.ContainsFunc([]error{
		journal.ErrDamaged, journal.ErrIO, journal.ErrFull, journal.ErrReadOnly, journal.ErrBusy, journal.ErrVersion, journal.ErrNoRun, fs.ErrNotExist,
	}, func(sentinel error) bool { return errors.Is(err, sentinel) })
}

// whole does the workload on a sound disk and gives what SQLite called for.
func whole(t *testing.T, records []journal.Record) []call {
	t.Helper()
	folder := t.TempDir()
	d := watch(t, folder)
	if p := work(t.Context(), filepath.Join(folder, "journal.db"), records, func(progress) {}); p.err != nil {
		t.Fatal(p.err)
	}
	return d.log()
}

func TestWhicheverCallOfTheDiskFailsWhatWasDurableStays(t *testing.T) {
	t.Parallel()
	records := journaltest.Chain(t, "run", 7)
	calls := whole(t, records)
	for name, c := range map[string]struct {
		fault   fault
		lasting bool // every call from then on fails
		want    error
	}{
		"once":                    {fault: fault{code: sqlite3.SQLITE_IOERR_WRITE}, want: journal.ErrIO},
		"for ever":                {fault: fault{code: sqlite3.SQLITE_IOERR_WRITE}, lasting: true, want: journal.ErrIO},
		"short write, once":       {fault: fault{code: sqlite3.SQLITE_IOERR_WRITE, part: 17}, want: journal.ErrIO},
		"no space, short write":   {fault: fault{code: sqlite3.SQLITE_FULL, part: 1000}, lasting: true, want: journal.ErrFull},
		"no space for one moment": {fault: fault{code: sqlite3.SQLITE_FULL}, want: journal.ErrFull},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := 0
			for n := 1; n <= len(calls); n += every(3) {
				if c.want == journal.ErrFull && calls[n-1].kind != "write" { //nolint:errorlint // a table's own value
					continue // only writes need space
				}
				folder := t.TempDir()
				d, path := watch(t, folder), filepath.Join(folder, "journal.db")
				d.set(func(now call) fault {
					if now.n == n || c.lasting && now.n > n && (c.want != journal.ErrFull || now.kind == "write") { //nolint:errorlint // a table's own value
						return c.fault
					}
					return fault{}
				})
				p := work(t.Context(), path, records, func(progress) {})
				d.set(nil)
				if p.err != nil {
					failed++
					if !typed(p.err) {
						t.Errorf("call %d (%s %s): an error without a type: %v", n, calls[n-1].kind, calls[n-1].file, p.err)
					}
				}
				check(t, path, records, p, false)
				if t.Failed() {
					t.Fatalf("call %d, %s %s: told %v", n, calls[n-1].kind, calls[n-1].file, p.err)
				}
			}
			if failed == 0 {
				t.Error("nothing ever failed")
			}
			t.Logf("%d of %d workloads were told of the fault", failed, len(calls)/every(3))
		})
	}
}

func TestABitThatTheDiskReadsWrongIsNeverBelieved(t *testing.T) {
	t.Parallel()
	records := journaltest.Chain(t, "run", 7)
	folder := t.TempDir()
	d, path := watch(t, folder), filepath.Join(folder, "journal.db")
	p := work(t.Context(), path, records, func(progress) {})
	must(t, p.err)
	before := d.count()
	check(t, path, records, p, false)
	reads := d.count() - before
	if reads == 0 {
		t.Fatal("nothing was read")
	}
	const seed = 20261122
	random := rand.New(rand.NewPCG(seed, 0))
	whole, err := os.ReadFile(path)
	must(t, err)
	for i := range 4000 / every(10) {
		from, bit := d.count(), 1+random.IntN(8*4096)
		at := 1 + i%reads
		d.set(func(c call) fault {
			if c.kind == "read" && c.n == from+at {
				return fault{flip: bit}
			}
			return fault{}
		})
		check(t, path, records, p, true)
		d.set(nil)
		if t.Failed() {
			t.Fatalf("bit %d of call %d (seed %d)", bit, at, seed)
		}
		must(t, os.WriteFile(path, whole, 0o600)) // opening for writing may have written what was read
	}
}
