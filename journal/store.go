package journal

import (
	"context"
	"time"
)

// Store keeps the records of runs. Every backend passes the suite in journaltest.
type Store interface {
	// Append makes records of one run durable, all or none, before it returns
	// nil. They continue the tail of their run: when they do not, because somebody else
	// has appended meanwhile, the error wraps ErrTail and nothing is stored.
	// After any other error the records may or may not have been stored.
	Append(ctx context.Context, records ...Record) error
	// Records gives a run's records in order, every one decoded strictly and
	// verified against the chain. The error wraps ErrNoRun when the run is not
	// known, and ErrDamaged or ErrVersion, in a *RecordError that names the
	// record, when one cannot be trusted or understood.
	Records(ctx context.Context, run string) ([]Record, error)
	// Runs lists the runs, the first started first. It reads the ends of each
	// run only; a run whose ends cannot be trusted is listed with Err set.
	Runs(ctx context.Context) ([]Summary, error)
	// Archives is where data is set aside next to the records.
	Archives() Archives
	Close() error
}

// Summary is one line in the list of runs, taken from the first and the last
// record of a run.
type Summary struct {
	Run         string
	Migration   string
	Version     string
	Checksum    string
	Direction   string
	Environment string
	Actor       string
	Host        string
	StartedAt   time.Time
	UpdatedAt   time.Time
	Records     int64
	Status      Status // StatusOpen when the last record is no run_finished
	Undoing     bool   // the last record, if any undo record, tells that the undo has begun
	Err         error  // why the run's ends cannot be trusted; the rest may be empty then
}
