package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"

	_ "modernc.org/sqlite" // the driver

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
)

// SQLite is a Store in a file. What it holds in memory does not grow with the
// number of records.
type SQLite struct {
	db      *sql.DB
	fold    collation.Fold
	indexes map[int64][]Index // by table
	last    map[int64]int64   // highest sequence given out, by table
}

const sqliteSchema = `
CREATE TABLE IF NOT EXISTS record (
	tbl INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (tbl, seq)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS record_id ON record (tbl, id);
CREATE TABLE IF NOT EXISTS record_last (tbl INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record_index (
	tbl INTEGER NOT NULL, idx INTEGER NOT NULL, definition BLOB NOT NULL,
	PRIMARY KEY (tbl, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record_key (
	tbl INTEGER NOT NULL, idx INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
	PRIMARY KEY (tbl, idx, key, seq)) WITHOUT ROWID;`

// NewSQLite returns the store in a database that the caller opened and closes
// after Close; its tables all begin with "record". Text is compared by fold,
// which must be the same each time the file is opened.
func NewSQLite(db *sql.DB, fold collation.Fold) (*SQLite, error) {
	s := &SQLite{db: db, fold: fold, indexes: map[int64][]Index{}, last: map[int64]int64{}}
	if _, err := db.ExecContext(background(), sqliteSchema); err != nil {
		return nil, fmt.Errorf("create record tables: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("read record tables: %w", err)
	}
	return s, nil
}

// load reads what is kept in memory.
func (s *SQLite) load() error {
	err := eachRow(s.db, func(rows *sql.Rows) error {
		var table, last int64
		if err := rows.Scan(&table, &last); err != nil {
			return err
		}
		s.last[table] = last
		return nil
	}, `SELECT tbl, seq FROM record_last`)
	if err != nil {
		return err
	}
	return eachRow(s.db, func(rows *sql.Rows) error {
		var table, number int64
		var definition []byte
		if err := rows.Scan(&table, &number, &definition); err != nil {
			return err
		}
		index, err := decodeIndex(number, definition)
		s.indexes[table] = append(s.indexes[table], index)
		return err
	}, `SELECT tbl, idx, definition FROM record_index`)
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// background is the context of every statement: what a request has begun is
// finished, also when its client has left.
func background() context.Context { return context.Background() }

func eachRow(q querier, visit func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(background(), query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Get implements Reader.
func (s *SQLite) Get(table int64, id string) (*Record, error) { return s.on(s.db).Get(table, id) }

// Scan implements Reader.
func (s *SQLite) Scan(table, after int64, order Order) iter.Seq2[*Record, error] {
	return s.on(s.db).Scan(table, after, order)
}

// Find implements Reader.
func (s *SQLite) Find(table, index int64, values ...any) ([]*Record, error) {
	return s.on(s.db).Find(table, index, values...)
}

func (s *SQLite) on(q querier) *sqliteWriter { return &sqliteWriter{SQLite: s, q: q} }

// Update implements Store.
func (s *SQLite) Update(change func(Writer) error) error {
	return s.inTransaction(func(w *sqliteWriter) error { return change(w) })
}

func (s *SQLite) inTransaction(change func(*sqliteWriter) error) error {
	tx, err := s.db.BeginTx(background(), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	w := s.on(tx)
	if err := change(w); err != nil {
		return err
	}
	for table, last := range w.inserted {
		if _, err := tx.ExecContext(background(), `INSERT OR REPLACE INTO record_last VALUES (?, ?)`, table, last); err != nil {
			return fmt.Errorf("keep sequence: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	maps.Copy(s.last, w.inserted)
	return nil
}

// AddIndex implements Store.
func (s *SQLite) AddIndex(table int64, index Index) error {
	err := s.inTransaction(func(w *sqliteWriter) error {
		if _, err := w.q.ExecContext(background(), `INSERT INTO record_index VALUES (?, ?, ?)`, table, index.Number, encodeIndex(index)); err != nil {
			return fmt.Errorf("keep index: %w", err)
		}
		const batch = 1000
		for after, full := int64(0), true; full; {
			var records []*Record
			for record, err := range w.Scan(table, after, Ascending) {
				if err != nil {
					return err
				}
				if records = append(records, record); len(records) == batch {
					break
				}
			}
			full = len(records) == batch
			for _, record := range records {
				after = record.Sequence
				if err := w.addKey(table, index, record); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		s.indexes[table] = append(s.indexes[table], index)
	}
	return err
}

// DropIndex implements Store.
func (s *SQLite) DropIndex(table, number int64) error {
	err := s.inTransaction(func(w *sqliteWriter) error {
		return errors.Join(
			w.exec(`DELETE FROM record_index WHERE tbl = ? AND idx = ?`, table, number),
			w.exec(`DELETE FROM record_key WHERE tbl = ? AND idx = ?`, table, number))
	})
	if err != nil {
		return err
	}
	kept := make([]Index, 0, len(s.indexes[table]))
	for _, index := range s.indexes[table] {
		if index.Number != number {
			kept = append(kept, index)
		}
	}
	s.indexes[table] = kept
	return nil
}

// DropTable implements Store.
func (s *SQLite) DropTable(table int64) error {
	err := s.inTransaction(func(w *sqliteWriter) error {
		return errors.Join(
			w.exec(`DELETE FROM record WHERE tbl = ?`, table),
			w.exec(`DELETE FROM record_last WHERE tbl = ?`, table),
			w.exec(`DELETE FROM record_index WHERE tbl = ?`, table),
			w.exec(`DELETE FROM record_key WHERE tbl = ?`, table))
	})
	if err == nil {
		delete(s.indexes, table)
		delete(s.last, table)
	}
	return err
}

// Close implements Store.
func (s *SQLite) Close() error { return nil }

// encodeIndex writes an index without its number: unique, the number of
// columns, the columns, the lengths.
func encodeIndex(index Index) []byte {
	out := []byte{0}
	if index.Unique {
		out[0] = 1
	}
	out = binary.AppendUvarint(out, uint64(len(index.Columns)))
	for _, column := range index.Columns {
		out = binary.AppendVarint(out, column)
	}
	for _, length := range index.Lengths {
		out = binary.AppendVarint(out, int64(length))
	}
	return out
}

func decodeIndex(number int64, definition []byte) (Index, error) {
	d := decoder{rest: definition}
	index := Index{Number: number, Unique: d.byte() == 1}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		index.Columns = append(index.Columns, d.varint())
	}
	for len(d.rest) > 0 && d.err == nil {
		index.Lengths = append(index.Lengths, int(d.varint()))
	}
	return index, d.err
}
