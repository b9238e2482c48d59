package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

func newReset(a *app) *cobra.Command {
	var confirm string
	c := &cobra.Command{
		Use:     "reset",
		Short:   "Delete every database of the project, archived first",
		GroupID: "change",
		Long: `Deletes every database of the project and the history, after archiving each next
to the journal. It is one journaled run: until it has ended, rollback puts
everything back. It asks for the project's id; --confirm gives it in scripts.
A protected environment is refused.`,
		Example: "  backstep reset\n  backstep reset --confirm my-dev-project",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runReset(c, a, confirm) },
	}
	c.Flags().StringVar(&confirm, "confirm", "", "the project's id")
	return c
}

func runReset(c *cobra.Command, a *app, confirm string) error {
	s, err := a.open(c, changing, wishes{onConflict: string(engine.ConflictHalt)})
	if err != nil {
		return err
	}
	defer s.close()
	if s.target.Protected {
		return &ExitError{Code: ExitRefused, Err: fmt.Errorf("environment %q is protected: reset is for throw-away projects", s.target.Name)}
	}
	ctx := c.Context()
	databases, err := s.client.ListDatabases(ctx)
	if err != nil {
		return s.explain(err)
	}
	if len(databases) == 0 {
		return s.nothing("reset", "Nothing to do: the project has no databases.")
	}
	if err := s.confirmReset(confirm, len(databases)); err != nil {
		return err
	}
	var list []engine.Step
	for _, d := range slices.Backward(databases) {
		list = append(list, steps.DropDatabase{ID: d.ID})
	}
	plan, err := engine.NewPlan(steps.Bind(s.client, list), engine.PlanOptions{})
	if err != nil {
		return err
	}
	origin := s.origin()
	report, err := s.engine.Run(ctx, engine.Request{
		Migration: "reset", Direction: string(migrations.Down), Environment: origin.Environment,
		Actor: origin.Actor, Host: origin.Host, Tool: origin.Tool, Plan: plan,
	})
	if err == nil && !a.asJSON() {
		defer func(w io.Writer) {
			fmt.Fprintf(w, "%s archived in %s and deleted.\n", plural(len(databases), "database"), a.journalPath(&s.cfg, s.target.Name))
		}(a.streams.Out)
	}
	return s.concluded("reset", []engine.Report{report}, err)
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
