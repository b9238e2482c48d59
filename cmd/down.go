package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/migrations"
)

type downOptions struct {
	to         string
	onConflict string
	confirm    string
	limits     limits
}

func newDown(a *app) *cobra.Command {
	o := downOptions{}
	c := &cobra.Command{
		Use:     "down [N]",
		Short:   "Take the newest migration back, or the N newest",
		GroupID: "change",
		Long: `Takes applied migrations back, the newest first, one run each: with what the
journal remembers of how they were applied, else with their own down, else by
deleting what they created. A down that cannot finish is undone like an up.`,
		Example: "  backstep down            # the newest\n  backstep down 3          # the three newest\n  backstep down --to 20261121093000   # everything newer than that\n  backstep down --to 0     # everything",
		Args:    atMostOne("the number of migrations"),
		RunE:    func(c *cobra.Command, args []string) error { return runDown(c, a, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "take back every migration newer than this version; 0 takes back all")
	addConflict(f, &o.onConflict)
	addConfirm(f, &o.confirm)
	addLimits(f, &o.limits)
	return c
}

func runDown(c *cobra.Command, a *app, o downOptions, args []string) error {
	back := migrations.Back{To: o.to}
	if len(args) == 1 {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 {
			return usageError(fmt.Errorf("down takes a number of migrations, got %q", args[0]), a.name+" down --help")
		}
		if o.to != "" {
			return usageError(errors.New("down takes a number or --to, not both"), a.name+" down --help")
		}
		back.Count = n
	}
	if err := knownConflict(o.onConflict); err != nil {
		return err
	}
	s, err := a.open(c, changing, wishes{onConflict: o.onConflict, limits: o.limits, confirm: named(o.confirm)})
	if err != nil {
		return err
	}
	defer s.close()
	tasks, err := s.runner.PlanDown(c.Context(), back)
	if errors.Is(err, migrations.ErrNothing) {
		return s.nothing("down", "Nothing to do"+because(err)+".")
	}
	if err != nil {
		return s.unremembered(c.Context(), err)
	}
	if err := s.atHand(c.Context(), tasks); err != nil {
		return err
	}
	if err := s.remembered(c.Context(), tasks); err != nil {
		return err
	}
	reports, err := s.runTasks(c.Context(), tasks)
	return s.concluded("down", reports, err)
}

// atHand refuses to take several migrations back where files of some are not
// here: it looks like the wrong folder or the wrong branch. One by one is told
// apart from a mistake, and goes on.
func (s *session) atHand(ctx context.Context, tasks []migrations.Task) error {
	down := map[string]bool{}
	for _, task := range tasks {
		down[task.Version] = task.Direction == migrations.Down
	}
	if len(down) < 2 {
		return nil
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, m := range status.Migrations {
		if m.State == migrations.Missing && down[m.Version] {
			missing = append(missing, m.Version+"_"+m.Entry.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &ExitError{
		Code: ExitRefused, Err: fmt.Errorf("%d of %d migrations to take back have no file here: %s; is this the project's folder, and its newest state? Nothing was changed",
			len(missing), len(down), strings.Join(missing, ", ")),
		Next: "bring the files back from version control, or take back one at a time: " + s.app.name + " down",
	}
}

func newRedo(a *app) *cobra.Command {
	o := downOptions{}
	c := &cobra.Command{
		Use:     "redo",
		Short:   "Take the newest migration back and apply it again",
		GroupID: "change",
		Example: "  backstep redo",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := knownConflict(o.onConflict); err != nil {
				return err
			}
			s, err := a.open(c, changing, wishes{onConflict: o.onConflict, limits: o.limits, confirm: named(o.confirm)})
			if err != nil {
				return err
			}
			defer s.close()
			tasks, err := s.runner.PlanRedo(c.Context())
			if errors.Is(err, migrations.ErrNothing) {
				return s.nothing("redo", "Nothing to do"+because(err)+".")
			}
			if err != nil {
				return s.unremembered(c.Context(), err)
			}
			if err := s.remembered(c.Context(), tasks); err != nil {
				return err
			}
			reports, err := s.runTasks(c.Context(), tasks)
			return s.concluded("redo", reports, err)
		},
	}
	addConflict(c.Flags(), &o.onConflict)
	addConfirm(c.Flags(), &o.confirm)
	addLimits(c.Flags(), &o.limits)
	return c
}

// knownConflict refuses values of --on-conflict that are none.
func knownConflict(policy string) error {
	if !slices.Contains([]string{"", "halt", "merge", "overwrite", "skip"}, policy) {
		return usageError(fmt.Errorf("--on-conflict is %q; it may be halt, merge, overwrite or skip", policy), "")
	}
	return nil
}
