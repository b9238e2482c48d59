package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

func newJournal(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "journal",
		Short:   "Read and check the account of runs",
		GroupID: "look",
		Example: "  backstep journal show            the runs\n  backstep journal show RUN        one run's records\n  backstep journal verify          check every record's hash",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newJournalShow(a), newJournalVerify(a))
	return c
}

// openJournal opens the journal of the environment without needing a server.
func (a *app) openJournal(c *cobra.Command) (journal.Store, error) {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return nil, usageError(err, "")
	}
	return a.openStore(c.Context(), &cfg, firstOf(a.flags.env, cfg.Default), reading)
}

// journalPath is where the journal of one environment lies.
func (a *app) journalPath(cfg *config, environment string) string {
	folder := cfg.Journal
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(a.flags.dir, folder)
	}
	return filepath.Join(folder, environment+".journal.db")
}

// openStore opens the journal of an environment. For reading it writes nothing:
// a journal that is not there is an empty one, and stays not there.
func (a *app) openStore(ctx context.Context, cfg *config, environment string, may access) (journal.Store, error) {
	path := a.journalPath(cfg, environment)
	var opts []sqlite.Option
	if may == reading {
		opts = append(opts, sqlite.ReadOnly())
	}
	store, err := sqlite.Open(ctx, path, opts...)
	switch {
	case err == nil:
		return a.withSecrets(cfg, store)
	case may == reading && errors.Is(err, fs.ErrNotExist):
		return noJournal{}, nil
	case may == changing:
		return nil, &ExitError{Code: ExitFailed, Err: err, Next: "see to " + filepath.Dir(path) + ": nothing is changed without a journal"}
	default:
		return nil, err
	}
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
