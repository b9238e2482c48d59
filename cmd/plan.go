package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// planResult is what plan tells of one migration.
type planResult struct {
	Version    string          `json:"version"`
	Migration  string          `json:"migration"`
	Direction  string          `json:"direction"`
	Source     string          `json:"source,omitempty"` // of a down: journal, file or structure
	Operations []plannedResult `json:"operations"`
	Requests   int64           `json:"requests"`      // estimated, without waiting
	Archived   int64           `json:"archive_bytes"` // estimated, before compression
}

type plannedResult struct {
	ID           string `json:"id"`
	Kind         string `json:"kind"`
	Target       string `json:"target"`
	Late         bool   `json:"late,omitempty"`
	Undo         string `json:"undo"`
	Irreversible string `json:"irreversible,omitempty"`
	Refused      string `json:"refused,omitempty"` // why the run would not begin
	Requests     int64  `json:"requests"`
	Documents    int64  `json:"archive_documents,omitempty"`
	Archived     int64  `json:"archive_bytes,omitempty"`
	AtLeast      bool   `json:"archive_at_least,omitempty"` // the server stopped counting
}

type planOptions struct {
	to       string
	down     bool
	exitCode bool
	serial   bool
	shadow   bool
	data     int // documents of each collection that a shadow run takes along
}

func newPlan(a *app) *cobra.Command {
	o := planOptions{}
	c := &cobra.Command{
		Use:     "plan",
		Short:   "Show what up, or down, would do and how it would be undone",
		GroupID: "look",
		Long: `Shows each operation in order, what its undo will be, how many requests it takes
and how much it will set aside. Nothing is changed: the client that plan uses
fails on any write.

With --shadow the migrations are tried: the environment's schema is copied into
an embedded server that behaves like it, with a sample of its documents if --data
says so, and the copy goes up, down and up again. What would fail is named with
its step and the server's answer, and so is what each step costs in requests and
whether down restores everything. It exits with 1 when something fails.`,
		Example: `  backstep plan
  backstep plan --to 20261121093000
  backstep plan --down
  backstep plan --shadow --data 100 --env production`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runPlan(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "as in up, or in down with --down")
	f.BoolVar(&o.down, "down", false, "plan taking the newest migration back")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 6 when there is something to do")
	addSerial(f, &o.serial)
	f.BoolVar(&o.shadow, "shadow", false, "try it on a copy of the environment: up, down and up again")
	f.IntVar(&o.data, "data", 0, "with --shadow: how many documents of each collection the copy holds, besides those that the migrations name")
	return c
}

func runPlan(c *cobra.Command, a *app, o planOptions) error {
	if o.shadow && o.down {
		return usageError(errors.New("--shadow takes the pending migrations up and down again; --down is for those that are applied"), a.name+" plan --shadow")
	}
	if o.shadow && o.exitCode {
		return usageError(errors.New("--exit-code tells whether something is pending; --shadow exits with 1 when something fails"), a.name+" plan --help")
	}
	if o.data < 0 || o.data > 0 && !o.shadow {
		return usageError(errors.New("--data is a number of documents for --shadow"), a.name+" plan --help")
	}
	s, err := a.open(c, reading, wishes{serial: o.serial})
	if err != nil {
		return err
	}
	defer s.close()
	ctx := c.Context()
	var tasks []migrations.Task
	if o.down {
		tasks, err = s.runner.PlanDown(ctx, migrations.Back{To: o.to})
	} else {
		tasks, err = s.runner.PlanUp(ctx, o.to)
	}
	switch {
	case errors.Is(err, migrations.ErrNothing) && o.shadow:
		return s.nothingToTry(ctx, err)
	case errors.Is(err, migrations.ErrNothing):
		return a.result("plan", []planResult{}, func(w io.Writer) { fmt.Fprintln(w, "Nothing to do"+because(err)+".") })
	case err != nil:
		return s.refused(err)
	case o.shadow:
		return s.shadow(ctx, tasks, o)
	}
	plans := make([]planResult, 0, len(tasks))
	for _, task := range tasks {
		p, err := s.planned(ctx, task)
		if err != nil {
			return s.explain(err)
		}
		plans = append(plans, p)
	}
	if err := a.result("plan", plans, func(w io.Writer) { a.printPlans(w, plans) }); err != nil {
		return err
	}
	if o.exitCode {
		return &ExitError{Code: ExitDiffers, Err: errors.New("there is something to do"), Reported: true}
	}
	return nil
}

func (s *session) planned(ctx context.Context, task migrations.Task) (planResult, error) {
	p := planResult{
		Version: task.Version, Migration: task.Name, Direction: string(task.Direction), Source: string(task.Source),
		Operations: []plannedResult{},
	}
	receipts, err := s.receipts(ctx)
	if err != nil {
		return p, err
	}
	for _, op := range task.Plan.Operations {
		subject := op.Effect
		if op.Late { // its effect speaks of a name that only the run will make
			subject = op.Steps[0]
		}
		estimate, err := steps.EstimateOf(ctx, s.client, subject)
		if err != nil {
			return p, fmt.Errorf("estimate %s of %s: %w", op.Effect.Kind(), op.Effect.Target(), err)
		}
		line := plannedResult{
			ID: op.ID, Kind: op.Effect.Kind(), Target: op.Effect.Target().String(), Late: op.Late,
			Undo: undoInWords(op), Irreversible: task.Irreversible[op.ID],
			Requests: estimate.Requests, Documents: estimate.Documents, Archived: estimate.Bytes, AtLeast: estimate.AtLeast,
		}
		if !receipts {
			line.Refused = op.Exacting
		}
		p.Requests += line.Requests
		p.Archived += line.Archived
		p.Operations = append(p.Operations, line)
	}
	return p, nil
}

// receipts reports whether a run has receipts here, by which it knows what has
// happened without an answer. Where nothing has run yet, no journal tells.
func (s *session) receipts(ctx context.Context) (bool, error) {
	server, err := s.client.Detect(ctx)
	return err == nil && s.place.remote() && server.Capabilities.Transactions, err
}

// undoInWords says what will take an operation back, as far as that is known
// before anything has been read.
func undoInWords(op engine.Operation) string {
	if op.Irreversible != "" {
		return "none"
	}
	words := map[string]string{
		"create_database":     "delete it, with what others have put there archived",
		"create_collection":   "delete it, with what others have put there archived",
		"create_attribute":    "delete it, with its values archived",
		"create_relationship": "delete it, with its links archived",
		"create_index":        "delete it",
		"create_document":     "delete it, if nobody has changed it",
		"create_documents":    "delete each that nobody has changed",
		"update_database":     "put the old values back",
		"update_collection":   "put the old values back",
		"update_attribute":    "put the old definition back",
		"update_relationship": "put the old rule back",
		"update_index":        "put the old index back",
		"update_document":     "put the old values of its fields back",
		"upsert_document":     "delete it, or put the old values back",
		"increment":           "the opposite increment",
		"delete_document":     "re-create it from the archive",
		"delete_index":        "create it again",
		"delete_relationship": "re-create it with its links from the archive",
		"rename_attribute":    "rename it back",
		"fill_attribute":      "put back what documents held",
		"retire_attribute":    "rename it back and restore its indexes",
		"retire_collection":   "enable it and give its permissions back",
		"retire_database":     "enable it",
		"drop_attribute":      "re-create it with its values from the archive",
		"drop_relationship":   "re-create it with its links from the archive",
		"drop_collection":     "re-create it with everything from the archive",
		"drop_database":       "re-create it with everything from the archive",
		"assert":              "nothing to undo",
		"func":                "its own undo",
		"open_history":        "remove the entry",
		"record_history":      "mark it as not applied",
		"reopen_history":      "mark it as applied",
		"close_history":       "put the entry back",
	}
	if w, ok := words[op.Effect.Kind()]; ok {
		return w
	}
	return "its inverse"
}

func (a *app) printPlans(w io.Writer, plans []planResult) {
	p := a.paint()
	for i, plan := range plans {
		if i > 0 {
			fmt.Fprintln(w)
		}
		source := ""
		if plan.Source != "" {
			source = ", from the " + plan.Source
		}
		fmt.Fprintf(w, "%s\n", p.bold(fmt.Sprintf("%s %s %s%s", plan.Direction, plan.Version, plan.Migration, source)))
		rows := make([][]string, 0, len(plan.Operations))
		for _, op := range plan.Operations {
			if historyKind(op.Kind) {
				continue
			}
			kind := op.Kind
			if op.Late {
				kind += " (last)"
			}
			undo := op.Undo
			if op.Irreversible != "" {
				undo = p.bad("NONE: " + op.Irreversible)
			}
			archive := ""
			if op.Documents > 0 || op.Archived > 0 {
				archive = plural(int(op.Documents), "document")
				if op.Archived > 0 {
					archive += ", about " + size(op.Archived)
				}
				if op.AtLeast {
					archive = "at least " + archive
				}
			}
			rows = append(rows, []string{fmt.Sprint(len(rows) + 1), kind, op.Target, fmt.Sprint(op.Requests), archive, undo})
		}
		a.grid(w, []string{"#", "OPERATION", "TARGET", "REQUESTS", "ARCHIVE", "UNDO"}, rows)
		for _, op := range plan.Operations {
			if op.Refused != "" {
				fmt.Fprintf(w, "%s: %s of %s: %s\n", p.bad("would be refused"), op.Kind, op.Target, op.Refused)
			}
		}
		fmt.Fprintf(w, "%s, about %d requests, the history's included", plural(len(rows), "operation"), plan.Requests)
		if plan.Archived > 0 {
			fmt.Fprintf(w, ", about %s set aside", size(plan.Archived))
		}
		fmt.Fprintln(w)
	}
}

// size is a number of bytes as people read it.
func size(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/unit/unit)
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/unit/unit/unit)
	}
}
