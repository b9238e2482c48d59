package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
)

// emptyJournal is what people read of a journal without runs.
const emptyJournal = "The journal is empty: nothing has been run yet."

func newJournalShow(a *app) *cobra.Command {
	reveal := false
	c := &cobra.Command{
		Use:     "show [RUN]",
		Short:   "List the runs, or the records of one run",
		Example: "  backstep journal show\n  backstep journal show 0197e1c2 --format json\n  backstep journal show 0197e1c2 --format json --reveal",
		Args:    atMostOne("the id of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := a.openJournal(c)
			if err != nil {
				return err
			}
			defer store.Close()
			if reveal {
				a.redact.Reveal()
			}
			if len(args) == 0 {
				return a.showRuns(c, store)
			}
			return a.showRecords(c, store, args[0])
		},
	}
	c.Flags().BoolVar(&reveal, "reveal", false, "show the values of the fields that backstep.yaml has redacted")
	return c
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
			a.runInTable(l.Run), l.Version, l.Migration, l.Direction, statusWord(r.Status),
			strconv.FormatInt(l.Records, 10), l.StartedAt, l.Error,
		})
	}
	return a.result("journal-runs", lines, func(w io.Writer) {
		if len(rows) == 0 {
			fmt.Fprintln(w, emptyJournal)
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
	run, err := a.findRun(c, store, prefix)
	if err != nil {
		return err
	}
	records, err := store.Records(c.Context(), run)
	if errors.Is(err, journal.ErrSealed) {
		fmt.Fprintf(a.streams.Err, "the data is sealed; shown without it (%v)\n", err)
		records, err = storedForm(store).Records(c.Context(), run)
	}
	if err != nil {
		return fmt.Errorf("read run %s: %w", run, err)
	}
	state, err := journal.Fold(records)
	if err != nil {
		return fmt.Errorf("read run %s: %w", run, err)
	}
	return a.result("journal-records", a.redactedRecords(state, records), func(w io.Writer) {
		rows := make([][]string, 0, len(records))
		for _, r := range records {
			rows = append(rows, []string{
				strconv.FormatInt(r.Seq, 10), shortTime(r.Time), string(r.Type), r.Operation,
				a.recordInWords(state, r), r.Hash[:min(12, len(r.Hash))],
			})
		}
		a.grid(w, []string{"SEQ", "TIME (UTC)", "RECORD", "OPERATION", "WHAT", "HASH"}, rows)
	})
}

// recordInWords says what a record is about: the migration, the operation's
// step, or how the run ended. --format json has the whole record.
func (a *app) recordInWords(state journal.State, r journal.Record) string {
	switch r.Type {
	case journal.RunStarted:
		return strings.TrimSpace(state.Started.Direction + " " + state.Started.Version + " " + state.Started.Migration)
	case journal.RunFinished:
		var finished journal.Finished
		if json.Unmarshal(r.Body, &finished) != nil {
			return ""
		}
		words := statusWord(finished.Status)
		if reason := firstOf(finished.UndoReason, finished.Reason); reason != "" {
			words += ": " + shorten(a.redact.Text(reason), 80)
		}
		return words
	default:
		return stepInWords(recordedStep(state, r.Operation))
	}
}

// findRun completes the beginning of a run's id.
func (a *app) findRun(c *cobra.Command, store journal.Store, prefix string) (string, error) {
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
		return "", usageError(fmt.Errorf("no run %q in this journal", prefix), a.name+" journal show")
	default:
		return "", usageError(fmt.Errorf("%q is the beginning of %d runs; give more of it", prefix, len(found)), a.name+" journal show")
	}
}

// shorten cuts s to n runes.
func shorten(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}

// recordedStep is the step of an operation, "3", or of an inverse, "3/undo/1".
func recordedStep(state journal.State, id string) json.RawMessage {
	id, undo, undoing := strings.Cut(id, "/undo/")
	for _, operation := range state.Operations {
		if operation.ID != id {
			continue
		}
		if n, err := strconv.Atoi(undo); undoing && err == nil && n >= 1 && n <= len(operation.Undo) {
			return operation.Undo[n-1].Step
		}
		return operation.Step
	}
	return nil
}

// stepInWords names a step and the object that it is for.
func stepInWords(encoded json.RawMessage) string {
	var step struct{ Kind, Database, Collection, ID, Key string }
	if json.Unmarshal(encoded, &step) != nil {
		return ""
	}
	var path []string
	for _, part := range []string{step.Database, step.Collection, step.ID, step.Key} {
		if part != "" {
			path = append(path, part)
		}
	}
	return strings.TrimSpace(step.Kind + " " + strings.Join(path, "/"))
}
