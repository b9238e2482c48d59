package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

func newResume(a *app) *cobra.Command {
	return takeUp(a, &cobra.Command{
		Use:     "resume [RUN]",
		Short:   "Go on with a run that was cut off or halted",
		GroupID: "mend",
		Long: `Goes on with the recorded steps in the direction in which the run was going. What
the last request did is found out first; nothing happens twice. Without RUN, the
one unfinished run of the environment.`,
		Example: "  backstep resume\n  backstep resume 0197e1c2",
	}, "resume", func(ctx context.Context, s *session, run string) (engine.Report, error) {
		return s.runner.Resume(ctx, run)
	})
}

func newRollback(a *app) *cobra.Command {
	return takeUp(a, &cobra.Command{
		Use:     "rollback [RUN]",
		Short:   "Undo a run that was cut off or halted",
		GroupID: "mend",
		Long: `Undoes what the run has done, in reverse order, and checks that every object it
touched is as it was. Without RUN, the one unfinished run of the environment. To
take back a migration that was applied, use down.`,
		Example: "  backstep rollback\n  backstep rollback 0197e1c2 --on-conflict merge",
	}, "rollback", func(ctx context.Context, s *session, run string) (engine.Report, error) {
		return s.runner.Rollback(ctx, run)
	})
}

// takeUp makes a command that ends an unfinished run.
func takeUp(a *app, c *cobra.Command, verb string, end func(context.Context, *session, string) (engine.Report, error)) *cobra.Command {
	var onConflict, confirm string
	var limits limits
	c.Args = atMostOne("the id of a run")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := knownConflict(onConflict); err != nil {
			return err
		}
		s, err := a.open(c, changing, wishes{onConflict: onConflict, limits: limits, confirm: named(confirm)})
		if err != nil {
			return err
		}
		defer s.close()
		run, err := s.unfinishedRun(c, args, verb)
		if err != nil || run == "" {
			return err
		}
		report, err := s.end(c.Context(), run, func(ctx context.Context, run string) (engine.Report, error) { return end(ctx, s, run) })
		if report.Run == "" && err != nil {
			return s.refused(err)
		}
		return s.concluded(verb, []engine.Report{report}, err)
	}
	addConflict(c.Flags(), &onConflict)
	addConfirm(c.Flags(), &confirm)
	addLimits(c.Flags(), &limits)
	return c
}

// end takes up a run, under the lease.
func (s *session) end(ctx context.Context, run string, goOn work) (engine.Report, error) {
	return s.carry(ctx, func(ctx context.Context) (engine.Report, error) { return goOn(ctx, run) }, goOn)
}

// unfinishedRun is the run that the arguments name, or the only unfinished one.
// A run that has ended without the history's knowing is settled here, and ""
// returned.
func (s *session) unfinishedRun(c *cobra.Command, args []string, verb string) (string, error) {
	if len(args) == 1 {
		return s.chosen(c, args[0])
	}
	status, err := s.status(c.Context())
	if err != nil {
		return "", err
	}
	switch len(status.Unfinished) {
	case 0:
		return "", &ExitError{Code: ExitFailed, Err: fmt.Errorf("nothing to %s: no run is unfinished", spaced(verb)), Next: s.app.name + " status"}
	case 1:
		u := status.Unfinished[0]
		if u.Status == "" {
			return "", s.elsewhere(c.Context(), u)
		}
		if u.Settled {
			if err := s.runner.Settle(c.Context(), u.Run); err != nil {
				return "", err
			}
			return "", s.nothing(verb, fmt.Sprintf("Run %s had ended as %s; the history knows it now.", u.Run, statusWord(u.Status)))
		}
		return u.Run, nil
	default:
		return "", usageError(errors.New("several runs are unfinished; name one"), s.app.name+" journal show")
	}
}

func spaced(verb string) string {
	if verb == "rollback" {
		return "roll back"
	}
	return verb
}

func newResolve(a *app) *cobra.Command {
	var applied, rolledBack bool
	var reason, confirm string
	var wait time.Duration
	c := &cobra.Command{
		Use:     "resolve RUN",
		Short:   "Close a halted run that you have mended by hand",
		GroupID: "mend",
		Long: `Says how the project is now, after you have mended what the run left: as after
the migration, or as before it. Nothing is changed but the journal and the history.`,
		Example: "  backstep resolve 0197e1c2 --rolled-back --reason 'deleted the index by hand'",
		Args:    oneArg("the id of a run (" + a.name + " journal show)"),
		RunE: func(c *cobra.Command, args []string) error {
			if applied == rolledBack {
				return usageError(errors.New("resolve needs --applied or --rolled-back"), a.name+" resolve --help")
			}
			if reason == "" {
				return usageError(errors.New("resolve needs a --reason, for those who read the journal later"), a.name+" resolve --help")
			}
			outcome := engine.OutcomeRolledBack
			if applied {
				outcome = engine.OutcomeApplied
			}
			return runResolve(c, a, args[0], outcome, reason, confirm, wait)
		},
	}
	f := c.Flags()
	f.BoolVar(&applied, "applied", false, "the project is as after the migration")
	f.BoolVar(&rolledBack, "rolled-back", false, "the project is as before the migration")
	f.StringVar(&reason, "reason", "", "what was done by hand")
	addConfirm(f, &confirm)
	addWait(f, &wait)
	return c
}

func runResolve(c *cobra.Command, a *app, prefix string, outcome engine.Outcome, reason, confirm string, wait time.Duration) error {
	s, err := a.open(c, changing, wishes{limits: limits{wait: wait}, confirm: named(confirm)})
	if err != nil {
		return err
	}
	defer s.close()
	run, err := s.chosen(c, prefix)
	if err != nil {
		return err
	}
	origin := s.origin()
	if err := s.runner.Resolve(c.Context(), run, engine.Resolution{
		Outcome: outcome, Reason: reason, Actor: origin.Actor, Host: origin.Host,
	}); err != nil {
		return s.refused(err)
	}
	return s.nothing("resolve", fmt.Sprintf("Run %s is closed as %s.", run, statusWord(journal.Status(outcome))))
}
