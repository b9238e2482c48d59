package cmd

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"

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
	return a.openStore(c, &cfg, firstOf(a.flags.env, cfg.Default))
}

// journalPath is where the journal of one environment lies.
func (a *app) journalPath(cfg *config, environment string) string {
	folder := cfg.Journal
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(a.flags.dir, folder)
	}
	return filepath.Join(folder, environment+".journal.db")
}

func (a *app) openStore(c *cobra.Command, cfg *config, environment string) (journal.Store, error) {
	path := a.journalPath(cfg, environment)
	store, err := sqlite.Open(c.Context(), path)
	if err != nil {
		return nil, fmt.Errorf("open the journal %s: %w", path, err)
	}
	return store, nil
}

func newJournalShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show [RUN]",
		Short:   "List the runs, or the records of one run",
		Example: "  backstep journal show\n  backstep journal show 0197e1c2 --format json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := a.openJournal(c)
			if err != nil {
				return err
			}
			defer store.Close()
			if len(args) == 0 {
				return a.showRuns(c, store)
			}
			return a.showRecords(c, store, args[0])
		},
	}
}

func (a *app) showRuns(c *cobra.Command, store journal.Store) error {
	runs, err := store.Runs(c.Context())
	if err != nil {
		return fmt.Errorf("list the runs: %w", err)
	}
	type line struct {
		Run       string         `json:"run"`
		Migration string         `json:"migration"`
		Version   string         `json:"version"`
		Direction string         `json:"direction"`
		Status    journal.Status `json:"status"`
		Records   int64          `json:"records"`
		StartedAt string         `json:"started_at"`
		Error     string         `json:"error,omitempty"`
	}
	lines := make([]line, 0, len(runs))
	rows := make([][]string, 0, len(runs))
	for _, r := range runs {
		l := line{
			Run: r.Run, Migration: r.Migration, Version: r.Version, Direction: r.Direction,
			Status: r.Status, Records: r.Records, StartedAt: shortTime(r.StartedAt),
		}
		if r.Err != nil {
			l.Error = r.Err.Error()
		}
		lines = append(lines, l)
		rows = append(rows, []string{
			l.Run, l.Version, l.Migration, l.Direction, statusWord(r.Status),
			strconv.FormatInt(l.Records, 10), l.StartedAt, l.Error,
		})
	}
	return a.result("journal-runs", lines, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "The journal is empty: nothing has been run from this folder.")
			return
		}
		a.grid(w, []string{"RUN", "VERSION", "MIGRATION", "WAY", "STATUS", "RECORDS", "STARTED", ""}, rows)
	})
}

// statusWord is a status as people read it.
func statusWord(s journal.Status) string {
	switch s {
	case journal.StatusOpen:
		return "interrupted"
	case journal.StatusRolledBack:
		return "rolled back"
	default:
		return string(s)
	}
}

func (a *app) showRecords(c *cobra.Command, store journal.Store, prefix string) error {
	run, err := findRun(c, store, prefix)
	if err != nil {
		return err
	}
	records, err := store.Records(c.Context(), run)
	if err != nil {
		return fmt.Errorf("read run %s: %w", run, err)
	}
	return a.result("journal-records", records, func(w io.Writer) {
		rows := make([][]string, 0, len(records))
		for _, r := range records {
			rows = append(rows, []string{
				strconv.FormatInt(r.Seq, 10), shortTime(r.Time), string(r.Type), r.Operation,
				shorten(string(r.Body), 80), r.Hash[:min(12, len(r.Hash))],
			})
		}
		a.grid(w, []string{"SEQ", "TIME (UTC)", "RECORD", "OPERATION", "BODY", "HASH"}, rows)
	})
}

// findRun completes the beginning of a run's id.
func findRun(c *cobra.Command, store journal.Store, prefix string) (string, error) {
	runs, err := store.Runs(c.Context())
	if err != nil {
		return "", fmt.Errorf("list the runs: %w", err)
	}
	var found []string
	for _, r := range runs {
		if r.Run == prefix {
			return r.Run, nil
		}
		if len(prefix) > 0 && len(r.Run) >= len(prefix) && r.Run[:len(prefix)] == prefix {
			found = append(found, r.Run)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", usageError(fmt.Errorf("no run %q in this journal", prefix), "backstep journal show")
	default:
		return "", usageError(fmt.Errorf("%q is the beginning of %d runs; give more of it", prefix, len(found)), "backstep journal show")
	}
}

func newJournalVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "verify [RUN]",
		Short:   "Check every record's hash and chain, and every archive",
		Example: "  backstep journal verify\n  backstep journal verify 0197e1c2",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := a.openJournal(c)
			if err != nil {
				return err
			}
			defer store.Close()
			return a.verifyJournal(c, store, args)
		},
	}
}

// verified is what journal verify found of one run.
type verified struct {
	Run      string `json:"run"`
	Records  int    `json:"records"`
	Archives int    `json:"archives"`
	Error    string `json:"error,omitempty"`
}

func (a *app) verifyJournal(c *cobra.Command, store journal.Store, args []string) error {
	runs, err := runsToVerify(c, store, args)
	if err != nil {
		return err
	}
	results := make([]verified, 0, len(runs))
	damaged := 0
	for _, run := range runs {
		v := verifyRun(c, store, run)
		if v.Error != "" {
			damaged++
		}
		results = append(results, v)
	}
	if err := a.result("journal-verify", results, func(w io.Writer) {
		for _, v := range results {
			if v.Error != "" {
				fmt.Fprintf(w, "%s  %s\n", v.Run, v.Error)
				continue
			}
			fmt.Fprintf(w, "%s  %s, %s: whole\n", v.Run, plural(v.Records, "record"), plural(v.Archives, "archive"))
		}
	}); err != nil {
		return err
	}
	if damaged > 0 {
		return &ExitError{
			Code: ExitHalted, Err: fmt.Errorf("%s cannot be trusted", plural(damaged, "run")),
			Next: "restore the journal from a backup, then: backstep journal verify",
		}
	}
	return nil
}

func runsToVerify(c *cobra.Command, store journal.Store, args []string) ([]string, error) {
	if len(args) == 1 {
		run, err := findRun(c, store, args[0])
		return []string{run}, err
	}
	summaries, err := store.Runs(c.Context())
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	runs := make([]string, 0, len(summaries))
	for _, s := range summaries {
		runs = append(runs, s.Run)
	}
	return runs, nil
}

func verifyRun(c *cobra.Command, store journal.Store, run string) verified {
	found, err := journal.Verify(c.Context(), store, run)
	v := verified{Run: run, Records: found.Records, Archives: len(found.Archives)}
	if err != nil {
		v.Error = err.Error()
	}
	return v
}

// shorten cuts s to n runes.
func shorten(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
