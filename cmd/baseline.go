package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

type baselineOptions struct {
	remove  bool
	force   bool
	confirm string
	limits  limits
}

func newBaseline(a *app) *cobra.Command {
	o := baselineOptions{}
	c := &cobra.Command{
		Use:     "baseline VERSION",
		Short:   "Mark migrations as applied without running them",
		GroupID: "change",
		Long: `Marks every migration up to VERSION as applied, for a project that has what they
make from elsewhere. Before that, the migrations are replayed on an embedded server
and what they add up to is compared with the project; where the two differ, nothing
is marked unless --force says so. Databases that no migration speaks of do not count.

A marked migration was never run, so there is nothing to take back: down refuses it
unless its file has a down. --remove takes the marks away again.`,
		Example: "  backstep baseline 20260101000001\n  backstep baseline 20260101000001 --remove",
		Args:    oneArg("a version"),
		RunE:    func(c *cobra.Command, args []string) error { return runBaseline(c, a, o, args[0]) },
	}
	f := c.Flags()
	f.BoolVar(&o.remove, "remove", false, "take the marks of VERSION and newer ones away again")
	f.BoolVar(&o.force, "force", false, "mark although the project differs from what the migrations add up to")
	addConfirm(f, &o.confirm)
	addLimits(f, &o.limits)
	return c
}

func runBaseline(c *cobra.Command, a *app, o baselineOptions, version string) error {
	if proceed, err := a.lookBaseline(c, o, version); err != nil || !proceed {
		return err
	}
	s, err := a.open(c, changing, wishes{limits: o.limits})
	if err != nil {
		return err
	}
	defer s.close()
	tasks, err := s.planBaseline(c.Context(), o, version)
	if err != nil {
		return s.refused(err)
	}
	reports, err := s.runTasks(c.Context(), tasks)
	return s.concluded("baseline", reports, err)
}

// lookBaseline compares and asks before the lease is taken. proceed is false
// when there is nothing to do.
func (a *app) lookBaseline(c *cobra.Command, o baselineOptions, version string) (proceed bool, err error) {
	s, err := a.open(c, reading, wishes{})
	if err != nil {
		return false, err
	}
	defer s.close()
	if _, err := s.status(c.Context()); err != nil {
		return false, err
	}
	_, err = s.planBaseline(c.Context(), o, version)
	switch {
	case errors.Is(err, migrations.ErrNothing):
		return false, s.nothing("baseline", "Nothing to do"+because(err)+".")
	case errors.Is(err, migrations.ErrNotBaseline):
		return false, &ExitError{Code: ExitRefused, Err: err, Next: a.name + " down --to VERSION"}
	case err != nil:
		return false, s.refused(err)
	}
	if !o.remove {
		if err := s.sameAsReplayed(c.Context(), version, o.force); err != nil {
			return false, err
		}
	}
	return true, s.confirm(o.confirm)
}

func (s *session) planBaseline(ctx context.Context, o baselineOptions, version string) ([]migrations.Task, error) {
	if o.remove {
		return s.runner.PlanUnbaseline(ctx, version)
	}
	return s.runner.PlanBaseline(ctx, version)
}

// sameAsReplayed compares the project with what the migrations up to a version
// add up to. With force, differences are only told.
func (s *session) sameAsReplayed(ctx context.Context, version string, force bool) error {
	list := s.set.All()
	list = slices.DeleteFunc(list, func(m *migrations.Migration) bool { return m.Version > version })
	profile, err := replica.ProfileOf(ctx, s.client)
	if err != nil {
		return s.explain(err)
	}
	state, err := replica.Replay(ctx, list, profile)
	if err != nil {
		if force {
			fmt.Fprintf(s.app.streams.Err, "note: not compared: %v\n", err)
			return nil
		}
		return &ExitError{Code: ExitRefused, Err: fmt.Errorf("the project cannot be compared with the migrations; nothing was marked: %w", err), Next: "the same command with --force, if you know that it is as they would make it"}
	}
	live, err := schema.Live(ctx, s.client, s.cfg.History.Database)
	if err != nil {
		return s.explain(err)
	}
	named := map[string]bool{}
	for _, m := range list {
		for _, step := range m.Up {
			named[step.Change.Target().Database] = true
		}
	}
	live.Databases = slices.DeleteFunc(live.Databases, func(db schema.Database) bool { return !named[db.ID] })
	for _, notice := range state.Notices {
		fmt.Fprintf(s.app.streams.Err, "note: %s\n", notice)
	}
	return s.tellDifferences(schema.Compare(state.Model, live), force)
}

func (s *session) tellDifferences(differences []schema.Difference, force bool) error {
	if len(differences) == 0 {
		return nil
	}
	w := s.app.streams.Err
	fmt.Fprintf(w, "the project differs from what the migrations add up to (migrations / project):\n")
	writeDifferences(w, differences)
	if force {
		return nil
	}
	return &ExitError{
		Code: ExitRefused, Err: fmt.Errorf("%s; nothing was marked", plural(len(differences), "difference")),
		Next: "write a migration for what differs, or mark all the same: the same command with --force",
	}
}

func writeDifferences(w io.Writer, differences []schema.Difference) {
	const shown = 40
	for i, d := range differences {
		if i == shown {
			fmt.Fprintf(w, "  … and %d more\n", len(differences)-shown)
			return
		}
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(d.String()))
	}
}
