// Package sqlite keeps a journal in one SQLite file: records and archives side
// by side, in WAL mode and synchronised on every commit, so that what Append
// and Put have returned from survives a power cut.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/backstep-dev/backstep/journal"
)

// schemaVersion is the version of the tables below; a file of a higher one is
// refused with journal.ErrVersion.
const schemaVersion = 1

// applicationID marks the file as a journal of ours, for file(1) and for us.
const applicationID = 0x4253544a // "BSTJ"

const schema = `
CREATE TABLE records (
	run    TEXT    NOT NULL,
	seq    INTEGER NOT NULL,
	record BLOB    NOT NULL,
	PRIMARY KEY (run, seq)
) STRICT;
CREATE TABLE blobs (
	name TEXT NOT NULL PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;
`

// DefaultBusy is how long a write waits for another process by default.
const DefaultBusy = 10 * time.Second

// Store is a journal in one SQLite file. It may be used from several
// goroutines, and several processes may have the file open.
type Store struct {
	db       *sql.DB
	archives journal.Archives
}

var _ journal.Store = (*Store)(nil)

// Option refines Open.
type Option func(*options) error

type options struct {
	readOnly bool
	busy     time.Duration
}

// ReadOnly opens a journal that exists for reading; every write fails with
// journal.ErrReadOnly. A file that does not exist is fs.ErrNotExist.
func ReadOnly() Option {
	return func(o *options) error {
		o.readOnly = true
		return nil
	}
}

// Busy sets how long a write waits for another process before it fails with
// journal.ErrBusy; the default is DefaultBusy.
func Busy(d time.Duration) Option {
	return func(o *options) error {
		if d < 0 {
			return fmt.Errorf("%w: busy timeout %s", journal.ErrInvalid, d)
		}
		o.busy = d
		return nil
	}
}

// Open opens the journal at path and makes it, with the folder it is in, when
// it does not exist. The file is its owner's alone (0600, new folders 0700).
//
// Errors wrap journal.ErrReadOnly, ErrFull, ErrBusy, ErrDamaged (not a journal,
// or not one any more) or ErrVersion (a newer release's).
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	o := options{busy: DefaultBusy}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	store, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, typed(err))
	}
	return store, nil
}

func open(ctx context.Context, path string, o options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := prepare(path, o.readOnly); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, o))
	if err != nil {
		return nil, err
	}
	// One connection: writers of one process queue here instead of failing as
	// busy, and every pragma holds for all of them.
	db.SetMaxOpenConns(1)
	store := &Store{db: db}
	store.archives = journal.NewArchives(blobs{db: db}, 0)
	if err := store.migrate(ctx, o.readOnly); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

// prepare makes the folder and the file with the modes they must have from the
// first moment, whatever the umask, and makes their names durable. Files beside
// it that SQLite left are closed to others, too.
func prepare(path string, readOnly bool) error {
	if readOnly {
		_, err := os.Stat(path)
		return err
	}
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(closeToOthers(path), file.Close()); err != nil {
		return err
	}
	return syncFolder(folder)
}

// makeFolder makes a folder and those it is in, for the owner alone. Folders
// that exist stay as they are.
func makeFolder(folder string) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeFolder(filepath.Dir(folder)); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) { // another process was faster
			return nil
		}
		return err
	}
	return os.Chmod(folder, 0o700) //nolint:gosec // a folder that its owner can enter
}

// closeToOthers gives the journal and the files that SQLite keeps beside it
// their owner's mode. SQLite makes new ones like the journal itself.
func closeToOthers(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode().Perm() != 0o600 {
			err = os.Chmod(path+suffix, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may have taken it away
			return err
		}
	}
	return nil
}

func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func dsn(path string, o options) string {
	query := url.Values{"_txlock": {"immediate"}}
	query.Add("_pragma", "busy_timeout("+strconv.FormatInt(o.busy.Milliseconds(), 10)+")")
	if o.readOnly {
		query.Set("mode", "ro")
	} else {
		query.Add("_pragma", "journal_mode(WAL)")
		query.Add("_pragma", "synchronous(FULL)")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// migrate brings a new file to the schema and refuses one that is not ours.
func (s *Store) migrate(ctx context.Context, readOnly bool) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit this does nothing
	var id, version, tables int
	for query, into := range map[string]*int{
		"PRAGMA application_id": &id, "PRAGMA user_version": &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := tx.QueryRowContext(ctx, query).Scan(into); err != nil {
			return err
		}
	}
	switch {
	case id == applicationID && version == schemaVersion:
		return nil
	case id == applicationID && version > schemaVersion:
		return fmt.Errorf("%w: file version %d, this release knows %d", journal.ErrVersion, version, schemaVersion)
	case id != 0 || version != 0 || tables != 0:
		return fmt.Errorf("%w: the file is something else than a Backstep journal", journal.ErrDamaged)
	case readOnly:
		return fmt.Errorf("%w: the file holds no journal", fs.ErrNotExist)
	}
	pragmas := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion)
	if _, err := tx.ExecContext(ctx, schema+pragmas); err != nil {
		return err
	}
	return tx.Commit()
}

// Archives keeps archives in the same file.
func (s *Store) Archives() journal.Archives { return s.archives }

// Close folds the write-ahead log into the file and closes it.
func (s *Store) Close() error { return typed(s.db.Close()) }
