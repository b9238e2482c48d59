package cmd

import (
	"context"
	"errors"

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
		Args:    exactArgs(1, "a version, or 0"),
		RunE:    func(c *cobra.Command, args []string) error { return runTo(c, a, o, args[0]) },
	}
	addConflict(c.Flags(), &o.onConflict)
	addConfirm(c.Flags(), &o.confirm)
	return c
}

func runTo(c *cobra.Command, a *app, o downOptions, version string) error {
	if err := knownConflict(o.onConflict); err != nil {
		return err
	}
	s, err := a.open(c, changing, wishes{onConflict: o.onConflict})
	if err != nil {
		return err
	}
	defer s.close()
	ctx := c.Context()
	if _, err := s.status(ctx); err != nil {
		return err
	}
	tasks, more, err := s.runner.PlanTo(ctx, version)
	if errors.Is(err, migrations.ErrNothing) {
		return s.nothing("to", "Nothing to do"+because(err)+".")
	}
	if err != nil {
		return s.refused(err)
	}
	if err := s.showPlan(ctx, tasks); err != nil {
		return err
	}
	if err := s.confirm(o.confirm); err != nil {
		return err
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
