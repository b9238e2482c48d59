package cmd

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
)

// defaultKeep is how long an ended run is kept where nobody says otherwise.
const defaultKeep = 30 * 24 * time.Hour

type pruneOptions struct {
	keep    string
	force   bool
	dryRun  bool
	confirm string
	limits  limits
}

// prunedRun is what prune tells of one run.
type prunedRun struct {
	Run       string              `json:"run"`
	Version   string              `json:"version"`
	Migration string              `json:"migration"`
	Direction string              `json:"direction"`
	Status    journal.Status      `json:"status"`
	UpdatedAt string              `json:"updated_at"`
	Prune     bool                `json:"prune"`
	Reason    journal.PruneReason `json:"reason"`
	Detail    string              `json:"detail"`
}

func newJournalPrune(a *app) *cobra.Command {
	o := pruneOptions{}
	c := &cobra.Command{
		Use:   "prune [RUN…]",
		Short: "Remove runs that nothing can need any more",
		Long: `Removes runs that have ended, with their archives, once they are older than
--keep. A run that is unfinished, or whose migration is in effect, is kept: a
resume, a rollback or a down needs what it remembers. So is a run whose archives
another one points at. To remove such a run all the same, name it with --force.`,
		Example: "  backstep journal prune --dry-run\n  backstep journal prune --keep 90d\n  backstep journal prune 0197e1c2 --force",
		RunE:    func(c *cobra.Command, args []string) error { return runJournalPrune(c, a, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.keep, "keep", "", "keep runs that changed within this time, such as 30d or 12h (default: journal_keep of backstep.yaml, else 30d)")
	f.BoolVar(&o.force, "force", false, "remove the named runs whatever speaks against it")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would go and why, and remove nothing")
	addConfirm(f, &o.confirm)
	addWait(f, &o.limits.wait)
	return c
}

func runJournalPrune(c *cobra.Command, a *app, o pruneOptions, args []string) error {
	if o.force && len(args) == 0 {
		return usageError(errors.New("--force takes the runs by name"), a.name+" journal prune --dry-run")
	}
	may := changing
	want := wishes{limits: o.limits, confirm: named(o.confirm)}
	if o.dryRun {
		may, want = reading, wishes{}
	}
	s, err := a.open(c, may, want)
	if err != nil {
		return err
	}
	defer s.close()
	policy, err := s.prunePolicy(c, o, args)
	if err != nil {
		return err
	}
	runs, err := journal.PruneRuns(c.Context(), storedForm(s.store))
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	decisions, err := journal.PlanPrune(runs, time.Now(), policy)
	if err != nil {
		return usageError(err, "")
	}
	if !o.dryRun {
		removed, err := journal.Prune(c.Context(), storedForm(s.store), decisions)
		if err != nil {
			return &ExitError{
				Code: ExitFailed, Err: fmt.Errorf("%w (%s removed before)", err, plural(len(removed), "run")),
				Next: a.name + " journal prune again: it goes on where it stopped",
			}
		}
	}
	return s.printPruned(decisions, o.dryRun)
}

// prunePolicy gives what may go: never what the project's history names.
func (s *session) prunePolicy(c *cobra.Command, o pruneOptions, args []string) (journal.PrunePolicy, error) {
	keep, err := parseKeep(firstOf(o.keep, s.cfg.JournalKeep), defaultKeep)
	if err != nil {
		return journal.PrunePolicy{}, usageError(err, s.app.name+" journal prune --help")
	}
	policy := journal.PrunePolicy{Keep: keep, Force: o.force}
	for _, prefix := range args {
		run, err := s.app.findRun(c, s.store, prefix)
		if err != nil {
			return policy, err
		}
		policy.Runs = append(policy.Runs, run)
	}
	status, err := s.status(c.Context())
	if err != nil {
		return policy, err
	}
	for _, m := range status.Migrations {
		if m.Entry != nil {
			policy.InEffect = append(policy.InEffect, m.Entry.Run)
		}
	}
	return policy, nil
}

// parseKeep reads a time such as "30d" or "12h".
func parseKeep(text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is no time to keep; write 30d or 12h", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	keep, err := time.ParseDuration(text)
	if err != nil || keep < 0 {
		return 0, fmt.Errorf("%q is no time to keep; write 30d or 12h", text)
	}
	return keep, nil
}

func (s *session) printPruned(decisions []journal.PruneDecision, dryRun bool) error {
	results := make([]prunedRun, 0, len(decisions))
	rows := make([][]string, 0, len(decisions))
	gone := 0
	for _, d := range decisions {
		r := d.Run
		results = append(results, prunedRun{
			Run: r.Run, Version: r.Version, Migration: r.Migration, Direction: r.Direction, Status: r.Status,
			UpdatedAt: shortTime(r.UpdatedAt), Prune: d.Prune, Reason: d.Reason, Detail: d.Detail,
		})
		word := "kept"
		if d.Prune {
			word = "removed"
			gone++
		}
		rows = append(rows, []string{word, s.app.runInTable(r.Run), r.Version, r.Migration, r.Direction, statusWord(r.Status), d.Detail})
	}
	return s.app.result("journal-prune", results, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, emptyJournal)
			return
		}
		s.app.grid(w, []string{"", "RUN", "VERSION", "MIGRATION", "WAY", "STATUS", "WHY"}, rows)
		words := "removed"
		if dryRun {
			words = "would be removed; nothing was"
		}
		fmt.Fprintf(w, "%s of %d %s\n", plural(gone, "run"), len(decisions), words)
	})
}
