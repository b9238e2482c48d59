package sqlite

import (
	"context"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

var _ journal.Pruner = (*Store)(nil)

// Prune removes a run and its archives, in one transaction. The file keeps its
// size; the room is used again.
func (s *Store) Prune(ctx context.Context, run string) error {
	if err := s.prune(ctx, run); err != nil {
		return fmt.Errorf("remove run %s from the journal: %w", run, typed(err))
	}
	return nil
}

func (s *Store) prune(ctx context.Context, run string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit this does nothing
	result, err := tx.ExecContext(ctx, "DELETE FROM records WHERE run = ?", run)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM blobs WHERE substr(name, 1, instr(name, '/') - 1) = ?", run); err != nil {
		return err
	}
	return tx.Commit()
}

// Pruning lists nothing: a removal happens as a whole or not at all.
func (s *Store) Pruning(context.Context) ([]string, error) { return nil, nil }
