package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/backstep-dev/backstep/journal"
)

// typed puts the journal's sentinel in front of an error of SQLite or of the
// file system. Result codes: https://www.sqlite.org/rescode.html.
func typed(err error) error {
	if sentinel := sentinel(err); sentinel != nil && !errors.Is(err, sentinel) {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

func sentinel(err error) error {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*sqlite.Error](err); ok {
		switch failure.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return journal.ErrFull
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
			return journal.ErrReadOnly
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return journal.ErrBusy
		case sqlite3.SQLITE_IOERR:
			return journal.ErrIO
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return journal.ErrDamaged
		case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_MISMATCH:
			// Our statements are always the same: where one is not understood,
			// the file's own account of its tables or its format is garbled.
			return journal.ErrDamaged
		}
		return nil
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return journal.ErrFull
	case errors.Is(err, syscall.EIO):
		return journal.ErrIO
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return journal.ErrReadOnly
	case strings.Contains(err.Error(), "sql: database is closed"): // database/sql exports no sentinel for it
		return journal.ErrClosed
	}
	return nil
}
