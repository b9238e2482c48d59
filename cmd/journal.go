package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

func newJournal(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "journal",
		Short:   "Read, check, move and prune the account of runs",
		GroupID: "look",
		Long: `The journal holds what every run was about to do, did and saw, and the data that
was set aside. It is kept in the project itself, in the reserved database, so that
any machine can go on with what another began; --journal file:PATH keeps it in a
file of this machine.`,
		Example: "  backstep journal show            # the runs\n  backstep journal show RUN        # one run's records\n  backstep journal verify          # check every record's hash\n  backstep journal export backup.ndjson\n  backstep journal prune --keep 90d",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newJournalShow(a), newJournalVerify(a), newJournalExport(a), newJournalImport(a), newJournalPrune(a))
	return c
}

// openJournal opens the journal of the environment for reading. A journal that
// is a file needs no server.
func (a *app) openJournal(c *cobra.Command) (journal.Store, error) {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return nil, usageError(err, "")
	}
	environment := firstOf(a.flags.env, cfg.Default)
	place, err := a.place(&cfg, environment)
	if err != nil {
		return nil, err
	}
	how := opening{may: reading}
	if place.remote() {
		if _, how.client, err = a.client(appwrite.WithReadOnly()); err != nil {
			return nil, err
		}
	}
	store, err := a.openStore(c.Context(), &cfg, place, how)
	if err != nil && place.remote() {
		if t, terr := cfg.target(a.flags.env, a.getenv); terr == nil {
			return nil, (&session{app: a, target: t}).explain(err)
		}
	}
	return store, err
}

// noJournal is the journal of an environment that has none yet: nothing to read
// and no place to write.
type noJournal struct{}

func (noJournal) Append(context.Context, ...journal.Record) error { return journal.ErrReadOnly }

func (noJournal) Records(_ context.Context, run string) ([]journal.Record, error) {
	return nil, fmt.Errorf("%w: %s", journal.ErrNoRun, run)
}

func (noJournal) Runs(context.Context) ([]journal.Summary, error) { return nil, nil }

func (noJournal) Archives() journal.Archives { return noArchives{} }

func (noJournal) Close() error { return nil }

// noArchives is the archives of a journal that there is not.
type noArchives struct{}

func (noArchives) Create(context.Context, string, string, string) (journal.ArchiveWriter, error) {
	return nil, journal.ErrReadOnly
}

func (noArchives) Read(_ context.Context, ref journal.ArchiveRef) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		yield(nil, fmt.Errorf("%w: %s: there is no journal", journal.ErrDamaged, ref.Name))
	}
}
