package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

// beforeUp holds what is about to be applied against the project's policies:
// backstep.sum, lint, and the order.
func (s *session) beforeUp(ctx context.Context, tasks []migrations.Task) error {
	if err := s.checkSum(); err != nil {
		return err
	}
	if err := s.lintBefore(ctx, tasks); err != nil {
		return err
	}
	if s.cfg.OutOfOrder != "warn" {
		return nil
	}
	status, err := s.runner.Status(ctx)
	if err != nil {
		return err
	}
	for _, m := range status.Migrations {
		about := slices.ContainsFunc(tasks, func(t migrations.Task) bool { return t.Version == m.Version })
		if m.State == migrations.OutOfOrder && about {
			fmt.Fprintf(s.app.streams.Err, "note: %v; it is applied all the same (out_of_order: warn)\n", m.Err)
		}
	}
	return nil
}

// lintBefore refuses pending migrations that lint finds fault with, where the
// project wants that.
func (s *session) lintBefore(ctx context.Context, tasks []migrations.Task) error {
	policy := s.cfg.Lint.BeforeUp
	if policy == "" || policy == "off" {
		return nil
	}
	server, err := s.client.Detect(ctx)
	if err != nil {
		return err
	}
	report, err := lint.Run(ctx, lint.Input{
		Set: s.set, Files: os.DirFS(s.app.migrationRoot(&s.cfg)), Since: s.cfg.Lint.Since, Limits: schema.LimitsOf(server), Severities: s.cfg.Lint.Rules,
	})
	if err != nil {
		return err
	}
	pending := map[string]bool{}
	for _, task := range tasks {
		pending[task.Version+"_"+task.Name] = true
	}
	report.Findings = slices.DeleteFunc(report.Findings, func(f lint.Finding) bool { return !pending[f.Migration] })
	report.Migrations = len(pending)
	if n := len(report.Findings); n == 0 || policy == "error" && report.Errors() == 0 {
		return nil
	}
	s.app.writeLint(s.app.streams.Err, report)
	return &ExitError{
		Code: ExitRefused, Err: errors.New("lint found fault with the pending migrations (lint.before_up); nothing was changed"),
		Next: "mend them, or silence with a reason what may be so: # backstep:nolint CODE reason",
	}
}

// readSum reads the project's backstep.sum, if there is one.
func (a *app) readSum() (migrations.Sum, bool, error) {
	data, err := os.ReadFile(filepath.Join(a.flags.dir, migrations.SumFile))
	if errors.Is(err, fs.ErrNotExist) {
		return migrations.Sum{}, false, nil
	}
	if err != nil {
		return migrations.Sum{}, false, fmt.Errorf("read %s: %w", migrations.SumFile, err)
	}
	sum, err := migrations.ParseSum(migrations.SumFile, data)
	return sum, true, err
}

// sumRefused gives the exit code and the next command for a sum that does not agree.
func sumRefused(name string, err error) error {
	if !errors.Is(err, migrations.ErrSum) {
		return err
	}
	return &ExitError{Code: ExitRefused, Err: err, Next: "see to what is named above; if the files are as they should be: " + name + " verify --write"}
}
