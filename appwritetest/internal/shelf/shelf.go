// Package shelf keeps small named values in an SQLite database: what the
// server has to remember besides records.
package shelf

import (
	"context"
	"database/sql"
	"fmt"
)

// Shelf is a table of named values. Callers serialise Save.
type Shelf struct{ db *sql.DB }

// New returns the shelf in a database that the caller opened and closes.
func New(ctx context.Context, db *sql.DB) (*Shelf, error) {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS shelf (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`)
	if err != nil {
		return nil, fmt.Errorf("create shelf: %w", err)
	}
	return &Shelf{db: db}, nil
}

// Load returns every value whose name begins with prefix.
func (s *Shelf) Load(ctx context.Context, prefix string) (map[string][]byte, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT name, value FROM shelf WHERE substr(name, 1, ?) = ?`, len(prefix), prefix)
	if err != nil {
		return nil, fmt.Errorf("read shelf: %w", err)
	}
	defer rows.Close()
	values := map[string][]byte{}
	for rows.Next() {
		var name string
		var value []byte
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("read shelf: %w", err)
		}
		values[name] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read shelf: %w", err)
	}
	return values, nil
}

// Save replaces values, all or none; nil removes one.
func (s *Shelf) Save(changes map[string][]byte) error {
	tx, err := s.db.BeginTx(background(), nil)
	if err != nil {
		return fmt.Errorf("write shelf: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for name, value := range changes {
		query, args := `INSERT OR REPLACE INTO shelf VALUES (?, ?)`, []any{name, value}
		if value == nil {
			query, args = `DELETE FROM shelf WHERE name = ?`, []any{name}
		}
		if _, err := tx.ExecContext(background(), query, args...); err != nil {
			return fmt.Errorf("write shelf: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write shelf: %w", err)
	}
	return nil
}

// background is the context of saving: what has to be kept is kept, also when
// the client that caused it has left.
func background() context.Context { return context.Background() }
