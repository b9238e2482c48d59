package store

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
)

// sqliteWriter reads and writes on one connection or inside one transaction.
type sqliteWriter struct {
	*SQLite
	q        querier
	inserted map[int64]int64 // highest sequence given out in this transaction
}

func (w *sqliteWriter) exec(query string, args ...any) error {
	if _, err := w.q.ExecContext(background(), query, args...); err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return nil
}

// Get implements Reader.
func (w *sqliteWriter) Get(table int64, id string) (*Record, error) {
	return w.one(`SELECT seq, body FROM record WHERE tbl = ? AND id = ?`, table, w.folded(id))
}

func (w *sqliteWriter) folded(id string) []byte { return []byte(w.fold(id)) }

func (w *sqliteWriter) one(query string, args ...any) (*Record, error) {
	var sequence int64
	var body []byte
	switch err := w.q.QueryRowContext(background(), query, args...).Scan(&sequence, &body); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read record: %w", err)
	}
	return decode(sequence, body)
}

// Scan implements Reader.
func (w *sqliteWriter) Scan(table, after int64, order Order) iter.Seq2[*Record, error] {
	query := `SELECT seq, body FROM record WHERE tbl = ? AND seq > ? ORDER BY seq`
	if order == Descending {
		query = `SELECT seq, body FROM record WHERE tbl = ? AND seq < ? ORDER BY seq DESC`
		if after == 0 {
			after = math.MaxInt64
		}
	}
	return func(yield func(*Record, error) bool) {
		stop := errors.New("enough")
		err := eachRow(w.q, func(rows *sql.Rows) error {
			var sequence int64
			var body sql.RawBytes
			if err := rows.Scan(&sequence, &body); err != nil {
				return err
			}
			record, err := decode(sequence, body)
			if err != nil {
				return err
			}
			if !yield(record, nil) {
				return stop
			}
			return nil
		}, query, table, after)
		if err != nil && !errors.Is(err, stop) {
			yield(nil, fmt.Errorf("scan records: %w", err))
		}
	}
}

// Find implements Reader.
func (w *sqliteWriter) Find(table, number int64, values ...any) ([]*Record, error) {
	for _, index := range w.indexes[table] {
		if index.Number != number {
			continue
		}
		key, ok := index.keyOf(w.fold, values)
		if !ok {
			return nil, nil
		}
		var found []*Record
		err := eachRow(w.q, func(rows *sql.Rows) error {
			var sequence int64
			var body sql.RawBytes
			if err := rows.Scan(&sequence, &body); err != nil {
				return err
			}
			record, err := decode(sequence, body)
			found = append(found, record)
			return err
		}, `SELECT r.seq, r.body FROM record_key k JOIN record r ON r.tbl = k.tbl AND r.seq = k.seq
			WHERE k.tbl = ? AND k.idx = ? AND k.key = ? ORDER BY k.seq`, table, number, []byte(key))
		if err != nil {
			return nil, fmt.Errorf("find records: %w", err)
		}
		return found, nil
	}
	return nil, nil
}

// Insert implements Writer.
func (w *sqliteWriter) Insert(table int64, record *Record) error {
	if err := w.clash(table, record, 0); err != nil {
		return err
	}
	last, ok := w.inserted[table]
	if !ok {
		last = w.last[table]
	}
	record.Sequence = last + 1
	if err := w.exec(`INSERT INTO record VALUES (?, ?, ?, ?)`,
		table, record.Sequence, w.folded(record.ID), encode(record)); err != nil {
		return err
	}
	if w.inserted == nil {
		w.inserted = map[int64]int64{}
	}
	w.inserted[table] = record.Sequence
	return w.addKeys(table, record)
}

// Replace implements Writer.
func (w *sqliteWriter) Replace(table int64, record *Record) error {
	before, err := w.at(table, record.Sequence)
	if err != nil || before == nil {
		return err
	}
	if err := w.clash(table, record, record.Sequence); err != nil {
		return err
	}
	if err := w.dropKeys(table, before); err != nil {
		return err
	}
	if err := w.exec(`UPDATE record SET id = ?, body = ? WHERE tbl = ? AND seq = ?`,
		w.folded(record.ID), encode(record), table, record.Sequence); err != nil {
		return err
	}
	return w.addKeys(table, record)
}

// Delete implements Writer.
func (w *sqliteWriter) Delete(table, sequence int64) error {
	before, err := w.at(table, sequence)
	if err != nil || before == nil {
		return err
	}
	if err := w.dropKeys(table, before); err != nil {
		return err
	}
	return w.exec(`DELETE FROM record WHERE tbl = ? AND seq = ?`, table, sequence)
}

func (w *sqliteWriter) at(table, sequence int64) (*Record, error) {
	return w.one(`SELECT seq, body FROM record WHERE tbl = ? AND seq = ?`, table, sequence)
}

// clash looks for another record than self that holds the id or a unique
// value of record.
func (w *sqliteWriter) clash(table int64, record *Record, self int64) error {
	var holder int64
	taken := func(index int64, query string, args ...any) error {
		switch err := w.q.QueryRowContext(background(), query, args...).Scan(&holder); {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("look for duplicates: %w", err)
		}
		return &DuplicateError{Index: index, Holder: holder}
	}
	err := taken(IDIndex, `SELECT seq FROM record WHERE tbl = ? AND id = ? AND seq <> ?`,
		table, w.folded(record.ID), self)
	for _, index := range w.indexes[table] {
		if err != nil {
			return err
		}
		if key, ok := index.key(w.fold, record); ok && index.Unique {
			err = taken(index.Number, `SELECT seq FROM record_key WHERE tbl = ? AND idx = ? AND key = ? AND seq <> ?`,
				table, index.Number, []byte(key), self)
		}
	}
	return err
}

func (w *sqliteWriter) addKeys(table int64, record *Record) error {
	for _, index := range w.indexes[table] {
		key, ok := index.key(w.fold, record)
		if !ok {
			continue
		}
		if err := w.exec(`INSERT INTO record_key VALUES (?, ?, ?, ?)`, table, index.Number, []byte(key), record.Sequence); err != nil {
			return err
		}
	}
	return nil
}

// addKey enters a record in a new index, unless that breaks its uniqueness.
func (w *sqliteWriter) addKey(table int64, index Index, record *Record) error {
	key, ok := index.key(w.fold, record)
	if !ok {
		return nil
	}
	if index.Unique {
		var holder int64
		err := w.q.QueryRowContext(background(), `SELECT seq FROM record_key WHERE tbl = ? AND idx = ? AND key = ?`,
			table, index.Number, []byte(key)).Scan(&holder)
		if err == nil {
			return &DuplicateError{Index: index.Number, Holder: holder}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look for duplicates: %w", err)
		}
	}
	return w.exec(`INSERT INTO record_key VALUES (?, ?, ?, ?)`, table, index.Number, []byte(key), record.Sequence)
}

// dropKeys takes a stored record out of every index.
func (w *sqliteWriter) dropKeys(table int64, record *Record) error {
	for _, index := range w.indexes[table] {
		key, ok := index.key(w.fold, record)
		if !ok {
			continue
		}
		if err := w.exec(`DELETE FROM record_key WHERE tbl = ? AND idx = ? AND key = ? AND seq = ?`,
			table, index.Number, []byte(key), record.Sequence); err != nil {
			return err
		}
	}
	return nil
}
