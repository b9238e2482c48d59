package remote

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// Store is a journal in an Appwrite project. It may be used from several
// goroutines, and by several processes on different machines.
type Store struct {
	place
	*knowledge

	archives     journal.Archives
	receipts     journal.Receipts // nil without transactions
	transactions bool             // whether the server has them
	readOnly     bool
}

var (
	_ journal.Store         = (*Store)(nil)
	_ journal.Blobs         = (*Store)(nil)
	_ journal.Pruner        = (*Store)(nil)
	_ journal.ReceiptKeeper = (*Store)(nil)
)

// knowledge is what stores derived from one another share.
type knowledge struct {
	mu     sync.Mutex
	tails  map[string]journal.Tail // where runs end, as far as this process knows
	closed bool
}

// Option refines Open.
type Option func(*Store) error

// WithClock replaces the time by which failed requests are repeated.
func WithClock(clock appwrite.Clock) Option {
	return func(s *Store) error {
		if clock == nil {
			return fmt.Errorf("%w: the clock is nil", journal.ErrInvalid)
		}
		s.patience.clock = clock
		return nil
	}
}

// WithPatience bounds for how long a request that failed for the moment is
// repeated; the default is DefaultPatience. While the journal is being opened
// it is 15 seconds at most.
func WithPatience(budget time.Duration) Option {
	return func(s *Store) error {
		if budget < 0 {
			return fmt.Errorf("%w: a patience of %s", journal.ErrInvalid, budget)
		}
		s.patience.budget = budget
		return nil
	}
}

// WithLogger tells of every request that failed for the moment and will be
// repeated, as a warning. The default tells nobody.
func WithLogger(logger *slog.Logger) Option {
	return func(s *Store) error {
		if logger == nil {
			return fmt.Errorf("%w: the logger is nil", journal.ErrInvalid)
		}
		s.patience.logger = logger
		return nil
	}
}

// ReadOnly opens a journal that exists for reading; every write fails with
// journal.ErrReadOnly. Where the project has none, Open is fs.ErrNotExist.
func ReadOnly() Option {
	return func(s *Store) error {
		s.readOnly = true
		return nil
	}
}

var databaseID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$`)

// Open opens the journal in a database of client's project, and makes the
// database and its collections where they are missing. It takes no lease: any
// number of processes may open the journal at once, and may be killed meanwhile.
//
// The client is the journal's own. One that is guarded by a lease would keep
// the journal from being opened before there is a lease; Guarded puts the
// writes under it once there is one.
//
// Errors wrap ErrForeign, journal.ErrVersion (a newer release's),
// journal.ErrReadOnly (the key may not write) or journal.ErrDamaged.
func Open(ctx context.Context, client *appwrite.Client, database string, opts ...Option) (*Store, error) {
	if client == nil || !databaseID.MatchString(database) {
		return nil, fmt.Errorf("open the journal: %w: a client and an id for its database are needed, not %q", journal.ErrInvalid, database)
	}
	s := &Store{place: newPlace(client, database), knowledge: &knowledge{tails: make(map[string]journal.Tail)}}
	for _, opt := range opts {
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
	}
	budget := s.patience.budget
	s.patience.budget = min(budget, openPatience)
	err := s.open(ctx)
	s.patience.budget = budget
	if err != nil {
		return nil, fmt.Errorf("open the journal in database %s: %w", database, typed(err))
	}
	s.assemble()
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	var server appwrite.Server
	err := s.patience.do(ctx, func(ctx context.Context) (err error) {
		server, err = s.client.Detect(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if s.readOnly {
		if s.client, err = s.client.With(appwrite.WithReadOnly()); err != nil {
			return err
		}
		missing, err := s.missing(ctx, shapes())
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("%w: the project holds no journal", fs.ErrNotExist)
		}
		if err != nil {
			return err
		}
	} else if err := s.ensure(ctx, shapes()...); err != nil {
		return err
	}
	s.transactions = server.Capabilities.Transactions
	return nil
}

// assemble makes the parts that work through the store's client.
func (s *Store) assemble() {
	s.archives = journal.NewArchives(s, 0)
	if s.transactions {
		s.receipts = receiptBook{place: s.place}
	}
}

// Guarded gives the same journal, each of whose writes asks guard first: when
// it fails nothing is sent, and the write fails with its error. A runner puts
// its journal under its lease so. Closing either closes both.
func (s *Store) Guarded(guard func(context.Context) error) (*Store, error) {
	guarded := *s
	var err error
	if guarded.client, err = s.client.With(appwrite.WithGuard(guard)); err != nil {
		return nil, fmt.Errorf("guard the journal: %w", err)
	}
	guarded.assemble()
	return &guarded, nil
}

// Archives keeps archives in the same database.
func (s *Store) Archives() journal.Archives { return s.archives }

// Receipts gives the receipts of the operations of this journal's runs; nil
// where the server has no transactions, before 1.8.
func (s *Store) Receipts() journal.Receipts { return s.receipts }

// Close ends the use of the journal. The client is left open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// usable fails once the journal is closed.
func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return journal.ErrClosed
	}
	return nil
}

// tailOf gives where a run ends, as far as this process knows. Nobody can have
// put something else there: records are never changed, and a further one would
// have the document's id that the next append needs.
func (k *knowledge) tailOf(run string) (journal.Tail, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	tail, known := k.tails[run]
	return tail, known
}

// learn remembers where a run ends, unless a later end is known.
func (k *knowledge) learn(run string, tail journal.Tail) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if tail.Seq > k.tails[run].Seq {
		k.tails[run] = tail
	}
}

func (k *knowledge) forget(run string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.tails, run)
}
