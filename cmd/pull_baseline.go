package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

// mayBaseline refuses a baseline before anything is written: where there are
// migrations already, here or in the history, and where a protected environment
// is not named.
func (a *app) mayBaseline(ctx context.Context, cfg config, t target, o pullOptions) error {
	files, err := filepath.Glob(filepath.Join(a.migrationRoot(&cfg), filepath.Base(cfg.Migrations), "*.y*ml"))
	if err != nil {
		return fmt.Errorf("look for migrations: %w", err)
	}
	if len(files) > 0 || len(a.goSet) > 0 {
		return &ExitError{
			Code: ExitRefused, Err: fmt.Errorf("there are migrations in %s already, and a baseline is the first: nothing was written", cfg.Migrations),
			Next: a.name + " pull, and " + a.name + " baseline VERSION for what the environment has of them",
		}
	}
	if err := (&session{app: a, target: t}).confirm(o.confirm); err != nil {
		return err
	}
	entries, err := a.recorded(ctx, &cfg, t)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return &ExitError{
			Code: ExitRefused, Err: fmt.Errorf("the history of %s has %s already, and a baseline is the first: nothing was written", t.Name, plural(len(entries), "migration")),
			Next: "bring the files of the migrations back from version control, then: " + a.name + " status",
		}
	}
	return nil
}

// recorded reads the history of an environment, and nothing else.
func (a *app) recorded(ctx context.Context, cfg *config, t target) ([]migrations.Entry, error) {
	client, err := newClient(cfg, t, a, appwrite.WithReadOnly())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	history := migrations.History{Database: cfg.History.Database, Collection: cfg.History.Collection}
	entries, err := history.Entries(ctx, client)
	if err != nil {
		return nil, explained(a.name, t, err)
	}
	return entries, nil
}

// baseline writes what the environment has as a first migration and notes it as
// applied.
func (a *app) baseline(c *cobra.Command, cfg config, live side, o pullOptions) (string, error) {
	model := schema.Model{Databases: slices.DeleteFunc(slices.Clone(live.model.Databases), func(d schema.Database) bool { return slices.Contains(o.ignore, d.ID) })}
	changes := schema.Steps(model)
	if len(changes) == 0 {
		return "", &ExitError{Code: ExitRefused, Err: errors.New("the environment has no database: there is nothing to begin with"), Next: a.name + " new NAME"}
	}
	path, err := a.writeChanges(cfg, o.name, "What "+live.Label+" had when migrations began", changes, nil)
	if err != nil {
		return "", err
	}
	version := anyVersion.FindStringSubmatch(filepath.Base(path))[1]
	if err := a.mark(c, version); err != nil {
		return "", &ExitError{
			Code: exitCode(err), Err: fmt.Errorf("%s was written, but not noted as applied: %w", path, err), Next: a.name + " baseline " + version,
		}
	}
	return path, nil
}

// mark notes the migrations up to a version as applied.
func (a *app) mark(c *cobra.Command, version string) error {
	s, err := a.open(c, changing, wishes{})
	if err != nil {
		return err
	}
	defer s.close()
	tasks, err := s.runner.PlanBaseline(c.Context(), version)
	if err != nil {
		return s.refused(err)
	}
	_, err = s.runTasks(c.Context(), tasks)
	return err
}
