package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// blobs keeps archives' bytes in the journal's file.
type blobs struct{ db *sql.DB }

var _ journal.Blobs = blobs{}

func (b blobs) Put(ctx context.Context, name string, data []byte) error {
	if _, err := b.db.ExecContext(ctx, "INSERT INTO blobs (name, data) VALUES (?, ?)", name, data); err != nil {
		return fmt.Errorf("store %s: %w", name, typed(err))
	}
	return nil
}

func (b blobs) Get(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	err := b.db.QueryRowContext(ctx, "SELECT data FROM blobs WHERE name = ?", name).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoBlob, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, typed(err))
	}
	return data, nil
}
