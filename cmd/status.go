package cmd

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/migrations"
)

// statusResult is what status tells.
type statusResult struct {
	Environment string            `json:"environment"`
	Applied     int               `json:"applied"`
	Pending     int               `json:"pending"`
	Migrations  []migrationResult `json:"migrations"`
	Unfinished  []runInTheWay     `json:"unfinished,omitempty"`
}

type migrationResult struct {
	Version   string                    `json:"version"`
	Name      string                    `json:"name"`
	State     migrations.MigrationState `json:"state"`
	Steps     int                       `json:"steps"`
	AppliedAt string                    `json:"applied_at,omitempty"`
	Run       string                    `json:"run,omitempty"`
	Problem   string                    `json:"problem,omitempty"`
}

type runInTheWay struct {
	Run       string `json:"run"`
	Version   string `json:"version"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Status    string `json:"status"`
	Problem   string `json:"problem"`
}

func newStatus(a *app) *cobra.Command {
	var exitCode bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show which migrations are applied and what stands in the way",
		GroupID: "look",
		Example: "  backstep status\n  backstep status --env production --exit-code",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runStatus(c, a, exitCode) },
	}
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 6 when a migration is not applied as it stands here")
	return c
}

func runStatus(c *cobra.Command, a *app, exitCode bool) error {
	s, err := a.open(c, reading, wishes{})
	if err != nil {
		return err
	}
	defer s.close()
	status, err := s.status(c.Context())
	if err != nil {
		return err
	}
	result := a.statusOf(s.target.Name, status)
	if err := a.result("status", result, func(w io.Writer) { a.printStatus(w, result) }); err != nil {
		return err
	}
	if exitCode && result.Applied != len(result.Migrations) {
		return &ExitError{Code: ExitDiffers, Err: errors.New("not every migration is applied"), Reported: true}
	}
	return nil
}

func (a *app) statusOf(environment string, status migrations.Status) statusResult {
	r := statusResult{Environment: environment, Migrations: []migrationResult{}}
	for _, m := range status.Migrations {
		if m.State == migrations.Squashed { // told by the one that stands for it
			continue
		}
		line := migrationResult{Version: m.Version, Name: m.Name, State: m.State, Problem: text(m.Err)}
		if m.Migration != nil {
			line.Steps = len(m.Migration.Up)
		}
		if m.State == migrations.Held {
			line.Problem = "on hold until " + a.name + " up --to " + m.Version + ": " + m.Migration.Hold
		}
		if m.Entry != nil {
			line.AppliedAt, line.Run = m.Entry.UpdatedAt, m.Entry.Run
		}
		switch m.State {
		case migrations.Applied:
			r.Applied++
		case migrations.Pending, migrations.OutOfOrder, migrations.Held:
			r.Pending++
		case migrations.Edited, migrations.Missing, migrations.Unfinished, migrations.Squashed, migrations.Partly:
		}
		r.Migrations = append(r.Migrations, line)
	}
	for _, u := range status.Unfinished {
		word := statusWord(u.Status)
		if word == "" {
			word = "elsewhere"
		}
		r.Unfinished = append(r.Unfinished, runInTheWay{
			Run: u.Run, Version: u.Version, Name: u.Name, Direction: u.Direction, Status: word, Problem: u.Error(),
		})
	}
	return r
}

func (a *app) printStatus(w io.Writer, r statusResult) {
	p := a.paint()
	if len(r.Migrations) == 0 {
		fmt.Fprintf(w, "No migrations yet. Write one: %s new NAME\n", a.name)
		return
	}
	words := map[migrations.MigrationState]string{
		migrations.Applied: p.good("applied"), migrations.Pending: "pending",
		migrations.OutOfOrder: p.warn("out of order"), migrations.Edited: p.bad("edited"),
		migrations.Missing: p.bad("missing"), migrations.Unfinished: p.warn("unfinished"),
		migrations.Held: p.warn("held"), migrations.Partly: p.bad("partly applied"),
	}
	rows := make([][]string, 0, len(r.Migrations))
	for _, m := range r.Migrations {
		at := ""
		if t, err := time.Parse(time.RFC3339, m.AppliedAt); err == nil {
			at = shortTime(t)
		}
		rows = append(rows, []string{m.Version, m.Name, words[m.State], fmt.Sprint(m.Steps), at, a.runInTable(m.Run)})
	}
	a.grid(w, []string{"VERSION", "MIGRATION", "STATE", "STEPS", "CHANGED (UTC)", "RUN"}, rows)
	told := map[string]bool{}
	for _, m := range r.Migrations {
		if m.Problem != "" {
			fmt.Fprintf(w, "%s\n", m.Problem)
			told[m.Problem] = true
		}
	}
	for _, u := range r.Unfinished {
		if !told[u.Problem] {
			fmt.Fprintf(w, "%s\n", u.Problem)
		}
	}
	fmt.Fprintf(w, "%s: %d applied, %d pending", r.Environment, r.Applied, r.Pending)
	if other := len(r.Migrations) - r.Applied - r.Pending; other > 0 {
		fmt.Fprintf(w, ", %d in need of attention", other)
	}
	fmt.Fprintln(w)
}

func newHistory(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "history",
		Short:   "Show what the project's own record says was applied, and how",
		GroupID: "look",
		Long: `Reads the history that is kept in the project, which every machine sees, and
shows for each migration the run, how long it took, with which version of the
tool, and where its journal is.`,
		Example: "  backstep history\n  backstep history --format json",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runHistory(c, a) },
	}
}

func runHistory(c *cobra.Command, a *app) error {
	s, err := a.open(c, reading, wishes{})
	if err != nil {
		return err
	}
	defer s.close()
	status, err := s.status(c.Context())
	if err != nil {
		return err
	}
	entries := []*migrations.Entry{}
	rows := [][]string{}
	for _, m := range status.Migrations {
		e := m.Entry
		if e == nil {
			continue
		}
		entries = append(entries, e)
		state := "applied"
		if !e.Applied {
			state = "under way (" + e.Direction + ")"
		}
		rows = append(rows, []string{
			e.Version, e.Name, state, shortDuration(time.Duration(e.DurationMS) * time.Millisecond), e.Tool, a.runInTable(e.Run), e.Journal,
		})
	}
	return a.result("history", entries, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, "Nothing has been applied to this project.")
			return
		}
		a.grid(w, []string{"VERSION", "MIGRATION", "STATE", "TOOK", "TOOL", "RUN", "JOURNAL"}, rows)
	})
}
