package livetest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite" // reads the journals that tests leave

	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// Marker is the API key of every embedded server and stub that tests start.
// Nothing that they leave may hold it; .ci/keyless searches their output for the
// same text.
const Marker = "key-that-nobody-may-see"

// Logger gives a logger at the lowest level that fails the test when the key
// is logged.
func Logger(tb TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(watch{tb, io.Discard}, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
}

// watch fails the test when the key is written to it. Each write is searched
// by itself, as loggers write whole lines.
type watch struct {
	tb TB
	to io.Writer
}

// Write implements io.Writer.
func (w watch) Write(p []byte) (int, error) {
	if holdsKey(p) {
		w.tb.Errorf("the API key is in a log")
	}
	return w.to.Write(p)
}

// SearchBytes fails the test when the key is in data, which may be compressed
// with zstd, or hold what is encoded with base64. Where says what was searched.
func SearchBytes(tb TB, where string, data []byte) {
	tb.Helper()
	if holdsKey(data) {
		tb.Errorf("the API key is in %s", where)
	}
	for _, encoded := range encodedParts().FindAll(data, -1) {
		plain, err := base64.StdEncoding.DecodeString(string(encoded))
		if err == nil && holdsKey(plain) {
			tb.Errorf("the API key is in %s, encoded", where)
		}
	}
}

// encodedParts matches what may be base64 and long enough to hold the key, as
// exports and journals in the project have their archives.
var encodedParts = sync.OnceValue(func() *regexp.Regexp { //nolint:gochecknoglobals // compiled once
	return regexp.MustCompile("[A-Za-z0-9+/]{24,}={0,2}")
})

// SearchServer fails the test when the key is in anything that the databases of
// a server hold: journals, locks, receipts and the history are there. It gives
// the number of objects searched. A server that a test has left unable to answer
// is passed over.
func SearchServer(tb TB, s *Server, space Space) int {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	reader := oracle.Reader{Endpoint: s.Endpoint, Project: s.Project, Key: s.Key}
	snapshot, err := reader.Read(ctx, space.Holds)
	if err != nil {
		return 0
	}
	for path, object := range snapshot {
		SearchBytes(tb, "the server, at "+path, []byte(object))
	}
	return len(snapshot)
}

func holdsKey(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		if plain, err := expand(data); err == nil {
			data = plain
		}
	}
	return bytes.Contains(data, []byte(Marker)) || drawnKey().Match(data) || Live() && bytes.Contains(data, []byte(os.Getenv(EnvKey)))
}

// drawnKey matches a key as embedded servers draw them.
var drawnKey = sync.OnceValue(func() *regexp.Regexp { //nolint:gochecknoglobals // compiled once
	return regexp.MustCompile("standard_[0-9a-f]{16}")
})

func expand(data []byte) ([]byte, error) {
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	return decoder.DecodeAll(data, nil)
}

// SearchFiles fails the test when the key is in a file below a folder, or in
// the name of one. It gives the number of files searched; what a test has made
// unreadable on purpose is passed over.
func SearchFiles(tb TB, dir string) int {
	tb.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		tb.Errorf("search %s: %v", dir, err)
		return 0
	}
	defer root.Close()
	searched := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // passed over
		}
		SearchBytes(tb, "the name of "+name, []byte(name))
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return nil //nolint:nilerr // passed over
		}
		searched++
		SearchBytes(tb, name, data)
		if bytes.HasPrefix(data, []byte("SQLite format 3\x00")) {
			return searchDatabase(tb, filepath.Join(dir, name), name)
		}
		return nil
	})
	if err != nil {
		tb.Errorf("search %s: %v", dir, err)
	}
	return searched
}

// searchDatabase searches every value of an SQLite file: pages split and
// archives compress what the file's bytes would show.
func searchDatabase(tb TB, path, name string) error {
	tb.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	tables, err := values(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return err
	}
	for _, table := range tables {
		found, err := values(db, fmt.Sprintf("SELECT * FROM %q", table))
		if err != nil {
			return err
		}
		for _, value := range found {
			SearchBytes(tb, fmt.Sprintf("table %s of %s", table, name), value)
		}
	}
	return nil
}

// values gives everything that a query finds, row by row.
func values(db *sql.DB, query string) ([][]byte, error) {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for rows.Next() {
		row := make([][]byte, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row...)
	}
	return all, rows.Err()
}

// SearchJournal fails the test when the key is in a journal that is kept in
// memory, or in its archives.
func SearchJournal(tb TB, store *journaltest.Memory) {
	tb.Helper()
	for name, data := range store.Stored() {
		SearchBytes(tb, name, data)
	}
}
