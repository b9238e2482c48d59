package cmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
)

func newJournalVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "verify [RUN]",
		Short:   "Check every record's hash and chain, and every archive",
		Example: "  backstep journal verify\n  backstep journal verify 0197e1c2",
		Args:    atMostOne("the id of a run"),
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
	Sealed   bool   `json:"sealed,omitempty"` // checked as it is stored, without opening it
	Error    string `json:"error,omitempty"`
}

func (a *app) verifyJournal(c *cobra.Command, store journal.Store, args []string) error {
	runs, err := a.runsToVerify(c, store, args)
	if err != nil {
		return err
	}
	results := make([]verified, 0, len(runs))
	damaged := 0
	for _, run := range runs {
		found, err := journal.Verify(c.Context(), storedForm(store), run)
		sealed := false
		if err == nil {
			_, err = store.Records(c.Context(), run)
			if sealed = errors.Is(err, journal.ErrSealed); sealed {
				err = nil
			}
		}
		if err != nil {
			damaged++
		}
		results = append(results, verified{Run: run, Records: found.Records, Archives: len(found.Archives), Sealed: sealed, Error: text(err)})
	}
	if err := a.result("journal-verify", results, func(w io.Writer) {
		if len(results) == 0 {
			fmt.Fprintln(w, emptyJournal)
		}
		for _, v := range results {
			if v.Error != "" {
				fmt.Fprintf(w, "%s  %s\n", v.Run, v.Error)
				continue
			}
			whole := "whole"
			if v.Sealed {
				whole += " (sealed, and not opened)"
			}
			fmt.Fprintf(w, "%s  %s, %s: %s\n", v.Run, plural(v.Records, "record"), plural(v.Archives, "archive"), whole)
		}
	}); err != nil {
		return err
	}
	if damaged > 0 {
		return &ExitError{
			Code: ExitHalted, Err: fmt.Errorf("%s cannot be trusted", plural(damaged, "run")),
			Next: "restore the journal from a backup, then: " + a.name + " journal verify",
		}
	}
	return nil
}

func (a *app) runsToVerify(c *cobra.Command, store journal.Store, args []string) ([]string, error) {
	if len(args) == 1 {
		run, err := a.findRun(c, store, args[0])
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
