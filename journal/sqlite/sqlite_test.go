package sqlite_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

func TestSQLitePassesTheSuite(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, journaltest.Backend{New: func(t *testing.T) journaltest.Opened {
		t.Helper()
		path := filepath.Join(t.TempDir(), "journal.db")
		store := open(t, path)
		return journaltest.Opened{
			Store:  store,
			Reopen: func(t *testing.T) journal.Store { t.Helper(); return open(t, path) },
			Damage: func(t *testing.T, run string, seq int64, change func([]byte) []byte) {
				t.Helper()
				data, err := store.Text(t.Context(), "SELECT record FROM records WHERE run = ? AND seq = ?", run, seq)
				must(t, err)
				must(t, store.Exec(t.Context(), "UPDATE records SET record = ? WHERE run = ? AND seq = ?", change([]byte(data)), run, seq))
			},
			DamageBlobs: func(t *testing.T, change func(string, []byte) []byte) {
				t.Helper()
				all, err := store.Pairs(t.Context(), "SELECT name, data FROM blobs")
				must(t, err)
				for name, data := range all {
					must(t, store.Exec(t.Context(), "UPDATE blobs SET data = ? WHERE name = ?", change(name, data), name))
				}
			},
		}
	}})
}

func TestTheFileIsDurableAndItsOwnersAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "dir ?#%")
	path := filepath.Join(folder, "journal.db")
	store := open(t, path)
	must(t, store.Append(t.Context(), journaltest.Chain(t, "run", 1)...))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		if got, err := store.Text(t.Context(), "PRAGMA "+pragma); err != nil || got != want {
			t.Errorf("%s is %q, error %v, want %q", pragma, got, err, want)
		}
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, folder: 0o700} {
		if got := mode(t, name); got != want {
			t.Errorf("mode of %s is %o, want %o", filepath.Base(name), got, want)
		}
	}
}

func TestAJournalThatOthersCouldReadIsClosedToThem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Chmod(path, 0o644))
	open(t, path)
	if got := mode(t, path); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}

func TestAFullDiskIsErrFullAndLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	store := open(t, path)
	records := journaltest.Chain(t, "run", 3)
	must(t, store.Append(t.Context(), records[:2]...))
	must(t, store.Exec(t.Context(), "PRAGMA max_page_count = 1")) // SQLite rounds up to the present size
	writer, err := store.Archives().Create(t.Context(), "run", "1", "documents")
	must(t, err)
	must(t, writer.Write(t.Context(), json.RawMessage(`"`+string(bytes.Repeat([]byte("x"), 100))+`"`)))
	random := rand.New(rand.NewPCG(1, 2))
	var big []byte
	for range 200_000 {
		big = append(big, byte('a'+random.IntN(26)))
	}
	must(t, writer.Write(t.Context(), json.RawMessage(`"`+string(big)+`"`)))
	if _, err := writer.Close(t.Context()); !errors.Is(err, journal.ErrFull) {
		t.Errorf("archive: error %v, want ErrFull", err)
	}
	full, err := journal.NewRecord(records[1].Next(), "run", time.Now(), journal.RunFinished, "",
		journal.Finished{Status: journal.StatusHalted, Reason: string(big)})
	must(t, err)
	if err := store.Append(t.Context(), full); !errors.Is(err, journal.ErrFull) {
		t.Errorf("append: error %v, want ErrFull", err)
	}
	must(t, store.Exec(t.Context(), "PRAGMA max_page_count = 1000000"))
	must(t, store.Append(t.Context(), records[2]))
	if got, err := open(t, path).Records(t.Context(), "run"); err != nil || len(got) != 3 {
		t.Errorf("%d records, error %v, want 3", len(got), err)
	}
}

func TestAReadOnlyJournalReadsAndRefusesToWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	if _, err := sqlite.Open(t.Context(), path, sqlite.ReadOnly()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("opening for reading made a file")
	}
	records := journaltest.Chain(t, "run", 2)
	must(t, open(t, path).Append(t.Context(), records[0]))
	store, err := sqlite.Open(t.Context(), path, sqlite.ReadOnly())
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	if got, err := store.Records(t.Context(), "run"); err != nil || len(got) != 1 {
		t.Errorf("%d records, error %v, want 1", len(got), err)
	}
	if err := store.Append(t.Context(), records[1]); !errors.Is(err, journal.ErrReadOnly) {
		t.Errorf("error %v, want ErrReadOnly", err)
	}
}

func TestAFolderThatCannotBeWrittenIsErrReadOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	folder := t.TempDir()
	must(t, os.Chmod(folder, 0o500))
	if _, err := sqlite.Open(t.Context(), filepath.Join(folder, "journal.db")); !errors.Is(err, journal.ErrReadOnly) {
		t.Errorf("error %v, want ErrReadOnly", err)
	}
}

func TestAFileThatIsNoJournalIsErrDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	must(t, os.WriteFile(path, bytes.Repeat([]byte("not a database "), 1000), 0o600))
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("text: error %v, want ErrDamaged", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", other)
	must(t, err)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE users (id)")
	must(t, errors.Join(err, db.Close()))
	if _, err := sqlite.Open(t.Context(), other); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("another application's: error %v, want ErrDamaged", err)
	}
}

func TestANewerFileIsErrVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	store := open(t, path)
	must(t, store.Exec(t.Context(), "PRAGMA user_version = 2"))
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, journal.ErrVersion) {
		t.Errorf("error %v, want ErrVersion", err)
	}
}

func TestAWriterThatWaitsTooLongIsErrBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	holder := open(t, path)
	must(t, holder.Exec(t.Context(), "BEGIN IMMEDIATE"))
	store, err := sqlite.Open(t.Context(), path, sqlite.ReadOnly())
	must(t, err)
	must(t, store.Close())
	if _, err := sqlite.Open(t.Context(), path, sqlite.Busy(time.Millisecond)); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	must(t, holder.Exec(t.Context(), "COMMIT"))
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path)
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Mode().Perm()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
