package appwritetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/shelf"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// data is where a server keeps what it holds.
type data struct {
	records store.Store
	shelf   *shelf.Shelf // nil in memory
	db      *sql.DB      // nil in memory
}

func openData(ctx context.Context, file string, p profile.Profile) (*data, error) {
	if file == "" {
		return &data{records: store.NewMemory(p.Fold)}, nil
	}
	d, err := openFile(ctx, file, p)
	if err != nil {
		return nil, fmt.Errorf("data file %s: %w", file, err)
	}
	return d, nil
}

func openFile(ctx context.Context, file string, p profile.Profile) (*data, error) {
	query := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)", "locking_mode(NORMAL)",
	}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	d := &data{db: db}
	if d.shelf, err = shelf.New(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := d.checkBackend(ctx, p); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d.records, err = store.NewSQLite(db, p.Fold) //nolint:contextcheck // the store's statements are never cancelled
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// checkBackend refuses a file that was written under other rules of comparison:
// its indexes would not be found again.
func (d *data) checkBackend(ctx context.Context, p profile.Profile) error {
	const name = "server/backend"
	values, err := d.shelf.Load(ctx, name)
	if err != nil {
		return err
	}
	written, known := values[name]
	switch {
	case !known:
		return d.shelf.Save(map[string][]byte{name: []byte(p.Backend.String())}) //nolint:contextcheck // saving is never cancelled
	case string(written) != p.Backend.String():
		return fmt.Errorf("it was written with backend %s, not %s", written, p.Backend)
	}
	return nil
}

// keep returns the shelf as the rooms want it: nil when there is none.
func (d *data) keep() catalog.Shelf {
	if d.shelf == nil {
		return nil
	}
	return d.shelf
}

func (d *data) close() error {
	err := d.records.Close()
	if d.db != nil {
		err = errors.Join(err, d.db.Close())
	}
	return err
}
