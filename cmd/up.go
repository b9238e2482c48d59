package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/migrations"
)

type upOptions struct {
	to            string
	outOfOrder    bool
	onInterrupted string
	confirm       string
	limits        limits
	serial        bool
}

func newUp(a *app) *cobra.Command {
	o := upOptions{}
	c := &cobra.Command{
		Use:     "up",
		Short:   "Apply the pending migrations",
		GroupID: "change",
		Long: `Applies every pending migration in order, one run each. A migration that cannot
finish is undone, and the ones after it are not begun. Where an earlier run was
cut off, it is resumed first (see on_interrupted in backstep.yaml).`,
		Example: "  backstep up\n  backstep up --to 20261121093000\n  backstep up --env production --confirm production",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runUp(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "the last version to apply (default: all)")
	f.BoolVar(&o.outOfOrder, "allow-out-of-order", false, "apply migrations that are older than applied ones")
	f.StringVar(&o.onInterrupted, "on-interrupted", "", "what to do about an unfinished run: resume, rollback or fail")
	addConfirm(f, &o.confirm)
	addLimits(f, &o.limits)
	addSerial(f, &o.serial)
	return c
}

func runUp(c *cobra.Command, a *app, o upOptions) error {
	if !slices.Contains([]string{"", "resume", "rollback", "fail"}, o.onInterrupted) {
		return usageError(fmt.Errorf("--on-interrupted is %q; it may be resume, rollback or fail", o.onInterrupted), a.name+" up --help")
	}
	s, err := a.open(c, changing, wishes{outOfOrder: o.outOfOrder, limits: o.limits, serial: o.serial, confirm: named(o.confirm)})
	if err != nil {
		return err
	}
	defer s.close()
	ctx := c.Context()
	if _, err := s.status(ctx); err != nil {
		return err
	}
	reports, err := s.endUnfinished(ctx, firstOf(o.onInterrupted, s.cfg.OnInterrupted))
	if err != nil {
		return s.concluded("up", reports, err)
	}
	tasks, err := s.runner.PlanUp(ctx, o.to)
	if errors.Is(err, migrations.ErrNothing) {
		if len(reports) > 0 {
			return s.concluded("up", reports, nil)
		}
		return s.nothing("up", "Nothing to do"+because(err)+".")
	}
	if err != nil {
		return s.concluded("up", reports, err)
	}
	if err := s.beforeUp(ctx, tasks); err != nil {
		return s.concluded("up", reports, err)
	}
	more, err := s.runTasks(ctx, tasks)
	return s.concluded("up", append(reports, more...), err)
}

// runTasks carries out tasks one by one, each under its name.
func (s *session) runTasks(ctx context.Context, tasks []migrations.Task) ([]engine.Report, error) {
	var reports []engine.Report
	for _, task := range tasks {
		fmt.Fprintf(s.app.streams.Err, "%s %s %s\n", task.Direction, task.Version, task.Name)
		report, err := s.carry(ctx, func(ctx context.Context) (engine.Report, error) {
			done, err := s.runner.Run(ctx, []migrations.Task{task})
			if len(done) == 0 {
				return engine.Report{}, err
			}
			return done[0], err
		}, s.runner.Resume)
		reports = append(reports, report)
		if err != nil {
			return reports, err
		}
	}
	return reports, nil
}

// because is what ErrNothing says beside "nothing to do".
func because(err error) string {
	return strings.TrimPrefix(err.Error(), migrations.ErrNothing.Error())
}

// nothing ends a command that had nothing to do.
func (s *session) nothing(command, sentence string) error {
	return s.app.result(command, []runResult{}, func(w io.Writer) { fmt.Fprintln(w, sentence) })
}

// endUnfinished takes up the runs that stand in the way, as the policy says.
// Only a person ends a halted run.
func (s *session) endUnfinished(ctx context.Context, policy string) ([]engine.Report, error) {
	status, err := s.runner.Status(ctx)
	if err != nil {
		return nil, err
	}
	var reports []engine.Report
	for _, u := range status.Unfinished {
		if u.Settled {
			if err := s.runner.Settle(ctx, u.Run); err != nil {
				return reports, err
			}
			continue
		}
		if u.Status != journal.StatusOpen {
			return reports, s.elsewhere(ctx, u)
		}
		report, err := s.endOne(ctx, u, policy)
		if report.Run != "" {
			reports = append(reports, report)
		}
		if err != nil {
			return reports, err
		}
	}
	return reports, nil
}

func (s *session) endOne(ctx context.Context, u *migrations.UnfinishedError, policy string) (engine.Report, error) {
	fmt.Fprintf(s.app.streams.Err, "run %s (%s %s %s) was interrupted\n", u.Run, u.Direction, u.Version, u.Name)
	if s.app.mayAsk() {
		answer, err := s.app.choose("What shall become of it?", []choice{
			{"resume", "resume: go on where it stopped"},
			{"rollback", "rollback: undo what it did"},
			{"fail", "neither: leave it as it is"},
		}, policy)
		if err != nil {
			return engine.Report{}, err
		}
		policy = answer
	}
	switch policy {
	case "resume":
		fmt.Fprintf(s.app.streams.Err, "resuming it\n")
		return s.end(ctx, u.Run, s.runner.Resume)
	case "rollback":
		fmt.Fprintf(s.app.streams.Err, "rolling it back\n")
		return s.end(ctx, u.Run, s.runner.Rollback)
	default:
		return engine.Report{}, u
	}
}
