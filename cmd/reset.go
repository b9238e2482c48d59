package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

func newReset(a *app) *cobra.Command {
	var confirm string
	var wait time.Duration
	c := &cobra.Command{
		Use:     "reset",
		Short:   "Delete every database of the project, archived first",
		GroupID: "change",
		Long: `Deletes every database of the project and the history, after archiving each next
to the journal. It is one journaled run: until it has ended, rollback puts
everything back. What remains is Backstep's own database, with the journal and
the lease. It asks for the project's id; --confirm gives it in scripts. A
protected environment is refused.`,
		Example: "  backstep reset\n  backstep reset --confirm my-dev-project",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runReset(c, a, confirm, wait) },
	}
	c.Flags().StringVar(&confirm, "confirm", "", "the project's id")
	addWait(c.Flags(), &wait)
	return c
}

func runReset(c *cobra.Command, a *app, confirm string, wait time.Duration) error {
	s, err := a.open(c, changing, wishes{
		onConflict: string(engine.ConflictHalt), limits: limits{wait: wait},
		confirm: func(ctx context.Context, s *session) error { return s.mayReset(ctx, confirm) },
	})
	if err != nil {
		return err
	}
	defer s.close()
	ctx := c.Context()
	drops, databases, err := s.drops(ctx)
	if err != nil {
		return s.explain(err)
	}
	if len(drops) == 0 {
		return s.nothing("reset", "Nothing to do: the project has no databases.")
	}
	plan, err := engine.NewPlan(steps.Bind(s.client, drops), engine.PlanOptions{})
	if err != nil {
		return err
	}
	origin := s.origin()
	report, err := s.carry(ctx, func(ctx context.Context) (engine.Report, error) {
		return s.engine.Run(ctx, engine.Request{
			Migration: "reset", Direction: string(migrations.Down), Environment: origin.Environment,
			Actor: origin.Actor, Host: origin.Host, Tool: origin.Tool, Plan: plan,
		})
	}, s.engine.Resume)
	if err == nil && !a.asJSON() {
		defer func(w io.Writer) {
			fmt.Fprintf(w, "%s archived in %s and deleted.\n", plural(databases, "database"), s.place)
		}(a.streams.Out)
	}
	return s.concluded("reset", []engine.Report{report}, err)
}

// drops gives the steps that empty the project: all databases but Backstep's
// own, which holds the lease that this runs under, and of that the history.
func (s *session) drops(ctx context.Context) (list []engine.Step, databases int, err error) {
	found, err := s.client.ListDatabases(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, d := range slices.Backward(found) {
		if d.ID != s.cfg.History.Database {
			list = append(list, steps.DropDatabase{ID: d.ID})
		}
	}
	databases = len(list)
	own, err := s.client.ListCollections(ctx, s.cfg.History.Database)
	if err != nil && !errors.Is(err, appwrite.ErrNotFound) {
		return nil, 0, err
	}
	for _, collection := range own {
		if collection.ID == s.cfg.History.Collection {
			list = append(list, steps.DropCollection{Database: s.cfg.History.Database, ID: collection.ID})
		}
	}
	return list, databases, nil
}

// mayReset refuses what is protected, and asks for the project's id.
func (s *session) mayReset(ctx context.Context, given string) error {
	if s.target.Protected {
		return &ExitError{Code: ExitRefused, Err: fmt.Errorf("environment %q is protected: reset is for throw-away projects", s.target.Name)}
	}
	drops, databases, err := s.drops(ctx)
	if err != nil {
		return s.explain(err)
	}
	if len(drops) == 0 {
		return nil
	}
	return s.confirmReset(given, databases)
}

func (s *session) confirmReset(given string, databases int) error {
	project := s.target.Project
	if given == "" && s.app.mayAsk() {
		typed, err := s.app.typed(fmt.Sprintf("This deletes %s of project %s at %s. Type the project's id to go on:",
			plural(databases, "database"), project, s.target.Endpoint))
		if err != nil {
			return err
		}
		given = typed
	}
	if given != project {
		return &ExitError{
			Code: ExitRefused, Err: errors.New("reset needs the project's id; nothing was changed"),
			Next: s.app.name + " reset --confirm " + project,
		}
	}
	return nil
}
