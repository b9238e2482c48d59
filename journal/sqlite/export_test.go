package sqlite

import "context"

// Exec runs a statement behind the store's back.
func (s *Store) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.db.ExecContext(ctx, statement, args...)
	return err
}

// Text gives the one value that a query answers with.
func (s *Store) Text(ctx context.Context, query string, args ...any) (string, error) {
	var text string
	err := s.db.QueryRowContext(ctx, query, args...).Scan(&text)
	return text, err
}

// Pairs gives the rows of a query of two columns.
func (s *Store) Pairs(ctx context.Context, query string) (map[string][]byte, error) {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	pairs := make(map[string][]byte)
	for rows.Next() {
		var name string
		var data []byte
		if err := rows.Scan(&name, &data); err != nil {
			return nil, err
		}
		pairs[name] = data
	}
	return pairs, rows.Err()
}
