package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// Append makes records durable, all or none.
func (s *Store) Append(ctx context.Context, records ...journal.Record) error {
	if err := s.append(ctx, records); err != nil {
		return fmt.Errorf("append to the journal: %w", typed(err))
	}
	return nil
}

func (s *Store) append(ctx context.Context, records []journal.Record) error {
	if len(records) == 0 {
		return nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit this does nothing
	tails := make(map[string]journal.Tail)
	for _, r := range records {
		tail, known := tails[r.Run]
		if !known {
			if tail, err = tailOf(ctx, tx, r.Run); err != nil {
				return err
			}
		}
		if err := journal.CheckAppend(tail, r); err != nil {
			return err
		}
		data, err := r.Encode()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO records (run, seq, record) VALUES (?, ?, ?)", r.Run, r.Seq, data); err != nil {
			return err
		}
		tails[r.Run] = r.Next()
	}
	return tx.Commit()
}

func tailOf(ctx context.Context, tx *sql.Tx, run string) (journal.Tail, error) {
	var seq int64
	var data []byte
	err := tx.QueryRowContext(ctx, "SELECT seq, record FROM records WHERE run = ? ORDER BY seq DESC LIMIT 1", run).Scan(&seq, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Tail{}, nil
	}
	if err != nil {
		return journal.Tail{}, err
	}
	last, err := decode(run, seq, data)
	return last.Next(), err
}

// Records gives a run's records, verified.
func (s *Store) Records(ctx context.Context, run string) ([]journal.Record, error) {
	records, err := s.records(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", typed(err))
	}
	return records, nil
}

func (s *Store) records(ctx context.Context, run string) ([]journal.Record, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT seq, record FROM records WHERE run = ? ORDER BY seq", run)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error comes from rows.Err, too
	var records []journal.Record
	for rows.Next() {
		var seq int64
		var data []byte
		if err := rows.Scan(&seq, &data); err != nil {
			return nil, err
		}
		r, err := decode(run, seq, data)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	return records, journal.CheckChain(run, records)
}

// Runs lists the runs by their first and last records.
func (s *Store) Runs(ctx context.Context) ([]journal.Summary, error) {
	summaries, err := s.runs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the runs in the journal: %w", typed(err))
	}
	return summaries, nil
}

func (s *Store) runs(ctx context.Context) ([]journal.Summary, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT ends.run, first.seq, first.record, last.seq, last.record
		FROM (SELECT run, min(seq) AS low, max(seq) AS high, min(rowid) AS place FROM records GROUP BY run) AS ends
		JOIN records AS first ON first.run = ends.run AND first.seq = ends.low
		JOIN records AS last ON last.run = ends.run AND last.seq = ends.high
		ORDER BY ends.place`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // its error comes from rows.Err, too
	var summaries []journal.Summary
	for rows.Next() {
		var run string
		var low, high int64
		var first, last []byte
		if err := rows.Scan(&run, &low, &first, &high, &last); err != nil {
			return nil, err
		}
		summaries = append(summaries, summarize(run, low, first, high, last))
	}
	return summaries, rows.Err()
}

func summarize(run string, low int64, first []byte, high int64, last []byte) journal.Summary {
	begin, beginErr := decode(run, low, first)
	end, endErr := decode(run, high, last)
	if err := errors.Join(beginErr, endErr); err != nil {
		return journal.Summary{Run: run, Records: high, Status: journal.StatusOpen, Err: err}
	}
	return journal.Summarize(begin, end)
}

// decode reads a row and names it in the error.
func decode(run string, seq int64, data []byte) (journal.Record, error) {
	r, err := journal.Decode(data)
	if err == nil && (r.Run != run || r.Seq != seq) {
		err = fmt.Errorf("%w: it is %s", journal.ErrDamaged, r.ID())
	}
	if err != nil {
		return journal.Record{}, &journal.RecordError{Run: run, Seq: seq, Err: err}
	}
	return r, nil
}
