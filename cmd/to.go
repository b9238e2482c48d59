package cmd

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
)

func newTo(a *app) *cobra.Command {
	o := downOptions{}
	c := &cobra.Command{
		Use:     "to VERSION",
		Short:   "Go up or down to where a version is the newest that is applied",
		GroupID: "change",
		Long: `Applies what is pending up to VERSION and takes back what is newer, as far as
either is needed: down first, then up. The plan is shown before anything is done. 0
means that no migration is to be applied.`,
		Example: "  backstep to 20261121093000\n  backstep to 0 --env production --confirm production",
		Args:    oneArg("a version, or 0"),
		RunE:    func(c *cobra.Command, args []string) error { return runTo(c, a, o, args[0]) },
	}
	addConflict(c.Flags(), &o.onConflict)
	addConfirm(c.Flags(), &o.confirm)
	addLimits(c.Flags(), &o.limits)
	return c
}

func runTo(c *cobra.Command, a *app, o downOptions, version string) error {
	if err := knownConflict(o.onConflict); err != nil {
		return err
	}
	shown, err := a.lookTo(c, o, version)
	if err != nil || len(shown) == 0 {
		return err
	}
	s, err := a.open(c, changing, wishes{onConflict: o.onConflict, limits: o.limits})
	if err != nil {
		return err
	}
	defer s.close()
	ctx := c.Context()
	tasks, more, err := s.runner.PlanTo(ctx, version)
	if err != nil {
		return s.refused(err)
	}
	if !slices.Equal(headings(tasks), shown) {
		return &ExitError{
			Code: ExitFailed, Err: errors.New("the environment has changed since the plan was shown; nothing was changed"), Next: a.name + " to " + version,
		}
	}
	reports, err := s.performTo(ctx, tasks)
	if err == nil && more {
		if tasks, err = s.runner.PlanUp(ctx, version); err == nil {
			err = s.showPlan(ctx, tasks)
		}
		if err == nil {
			var up []engine.Report
			up, err = s.performTo(ctx, tasks)
			reports = append(reports, up...)
		}
	}
	return s.concluded("to", reports, err)
}

// lookTo shows the plan and asks whoever has to be asked, before the lease is
// taken. It gives what was shown; nothing when there is nothing to do.
func (a *app) lookTo(c *cobra.Command, o downOptions, version string) ([]string, error) {
	s, err := a.open(c, reading, wishes{onConflict: o.onConflict})
	if err != nil {
		return nil, err
	}
	defer s.close()
	if _, err := s.status(c.Context()); err != nil {
		return nil, err
	}
	tasks, more, err := s.runner.PlanTo(c.Context(), version)
	if errors.Is(err, migrations.ErrNothing) {
		return nil, s.nothing("to", "Nothing to do"+because(err)+".")
	}
	if err == nil {
		err = s.atHand(c.Context(), tasks)
	}
	if err == nil {
		err = s.remembered(c.Context(), tasks)
	}
	if err == nil && more {
		err = s.checkSum() // before the way down, which is begun for the way up
	}
	if err != nil {
		return nil, s.refused(err)
	}
	if err := s.showPlan(c.Context(), tasks); err != nil {
		return nil, err
	}
	return headings(tasks), s.confirm(o.confirm)
}

// headings names tasks and their ways.
func headings(tasks []migrations.Task) []string {
	list := make([]string, len(tasks))
	for i, task := range tasks {
		list[i] = string(task.Direction) + " " + task.Version
	}
	return list
}

// performTo carries out tasks that all go one way.
func (s *session) performTo(ctx context.Context, tasks []migrations.Task) ([]engine.Report, error) {
	if len(tasks) > 0 && tasks[0].Direction == migrations.Up {
		if err := s.beforeUp(ctx, tasks); err != nil {
			return nil, err
		}
	}
	return s.runTasks(ctx, tasks)
}

// showPlan shows what is about to be done.
func (s *session) showPlan(ctx context.Context, tasks []migrations.Task) error {
	plans := make([]planResult, 0, len(tasks))
	for _, task := range tasks {
		p, err := s.planned(ctx, task)
		if err != nil {
			return s.explain(err)
		}
		plans = append(plans, p)
	}
	s.app.printPlans(s.app.streams.Err, plans)
	return nil
}
