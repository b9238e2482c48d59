package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

// lintConfig is what backstep.yaml says about lint.
type lintConfig struct {
	Rules  lint.Severities `yaml:"rules"`  // error, warning or off, by code
	Since  string          `yaml:"since"`  // older migrations, and this one, are not looked at
	Server string          `yaml:"server"` // version whose limits count; default: the newest known
	// BeforeUp makes `up` refuse pending migrations: "error" those with an
	// error, "warning" those with anything; "off" (default) none.
	BeforeUp string `yaml:"before_up"`
}

func (c *lintConfig) validate() error {
	if err := c.Rules.Validate(); err != nil {
		return fmt.Errorf("%s: lint.rules: %w", configFile, err)
	}
	if err := lint.CheckSince(c.Since); err != nil {
		return fmt.Errorf("%s: lint: %w", configFile, err)
	}
	if !slices.Contains([]string{"", "off", "error", "warning"}, c.BeforeUp) {
		return fmt.Errorf("%s: lint.before_up is %q; it may be off, error or warning", configFile, c.BeforeUp)
	}
	if _, err := c.limits(); err != nil {
		return fmt.Errorf("%s: lint.server: %w", configFile, err)
	}
	return nil
}

func (c *lintConfig) limits() (schema.Limits, error) {
	if c.Server == "" {
		return schema.DefaultLimits(), nil
	}
	return schema.LimitsFor(c.Server)
}

type lintOptions struct {
	format string
	since  string
	base   string
	live   bool
}

// lintResult is what --format json tells.
type lintResult struct {
	Migrations int           `json:"migrations"`
	Errors     int           `json:"errors"`
	Warnings   int           `json:"warnings"`
	Silenced   int           `json:"silenced"`
	Findings   []lint.Result `json:"findings"`
}

func newLint(a *app) *cobra.Command {
	o := lintOptions{}
	c := &cobra.Command{
		Use:     "lint",
		Short:   "Look for what would fail or hurt, before anything is run",
		GroupID: "look",
		Long: `Reads the migrations, simulates what each step makes of the databases, and tells
what would fail or hurt: data that is lost, data that does not fit, limits of the
server, clients that break. No server is asked, unless --live has the pending
migrations held against an environment and its documents, read-only.

Errors exit with 7. Each rule has a page in docs/lint; severities are set in
backstep.yaml, and a comment in the file silences a rule with a reason:
  # backstep:nolint BS103 exported on 2 May`,
		Example: `  backstep lint
  backstep lint --live --env production
  backstep lint --format github
  git show origin/main:backstep.sum > base.sum && backstep lint --base base.sum`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runLint(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "table", "output: table, json, github or sarif")
	f.StringVar(&o.since, "since", "", "do not look at this version and older ones (default: lint.since of backstep.yaml)")
	f.StringVar(&o.base, "base", "", "the "+migrations.SumFile+" of the branch to merge into: what it has must be unchanged, what is new must be newer")
	f.BoolVar(&o.live, "live", false, "look at the pending migrations only, and at the documents of the environment")
	return c
}

func runLint(c *cobra.Command, a *app, o lintOptions) error {
	if !slices.Contains([]string{"table", "json", "github", "sarif"}, o.format) {
		return usageError(fmt.Errorf("--format is %q; it may be table, json, github or sarif", o.format), a.name+" lint --help")
	}
	if err := lint.CheckSince(o.since); err != nil {
		return usageError(err, a.name+" lint --help")
	}
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	in, err := a.lintInput(&cfg, o)
	if err != nil {
		return err
	}
	if o.live {
		if err := a.lintLive(c.Context(), &cfg, &in); err != nil {
			return err
		}
	}
	report, err := lint.Run(c.Context(), in)
	if err != nil {
		return err
	}
	if err := a.printLint(o.format, report); err != nil {
		return err
	}
	if n := report.Errors(); n > 0 {
		return &ExitError{Code: ExitRefused, Err: fmt.Errorf("lint: %s", plural(n, "error")), Reported: true}
	}
	return nil
}

// lintInput gathers what lint looks at, without a server.
func (a *app) lintInput(cfg *config, o lintOptions) (lint.Input, error) {
	set, err := a.loadSet(cfg)
	if err != nil {
		return lint.Input{}, err
	}
	limits, err := cfg.Lint.limits()
	if err != nil {
		return lint.Input{}, usageError(err, "")
	}
	in := lint.Input{
		Set: set, Files: os.DirFS(a.migrationRoot(cfg)), Since: firstOf(o.since, cfg.Lint.Since), Limits: limits, Severities: cfg.Lint.Rules,
	}
	sum, found, err := a.readSum()
	switch {
	case err != nil:
		return in, sumRefused(a.name, err)
	case found:
		in.Records = append(in.Records, lint.RecordOf(migrations.SumFile, sum))
	}
	if o.base != "" {
		data, err := os.ReadFile(filepath.Join(a.flags.dir, o.base))
		if filepath.IsAbs(o.base) {
			data, err = os.ReadFile(o.base)
		}
		if err != nil {
			return in, usageError(fmt.Errorf("read --base: %w", err), "")
		}
		base, err := migrations.ParseSum(o.base, data)
		if err != nil {
			return in, usageError(err, "")
		}
		in.Records = append(in.Records, lint.RecordOf(o.base, base))
	}
	return in, nil
}

// migrationRoot is the folder that the positions of migrations start from.
func (a *app) migrationRoot(cfg *config) string {
	if filepath.IsAbs(cfg.Migrations) {
		return filepath.Dir(cfg.Migrations)
	}
	return a.flags.dir
}

// lintLive adds what an environment has, through a client that cannot write.
func (a *app) lintLive(ctx context.Context, cfg *config, in *lint.Input) error {
	t, client, err := a.client(appwrite.WithReadOnly())
	if err != nil {
		return err
	}
	server, err := client.Detect(ctx)
	if err != nil {
		return explained(a.name, t, err)
	}
	history := migrations.History{Database: cfg.History.Database, Collection: cfg.History.Collection}
	entries, err := history.Entries(ctx, client)
	if err != nil {
		return explained(a.name, t, err)
	}
	live, err := schema.Live(ctx, client, cfg.History.Database)
	if err != nil {
		return explained(a.name, t, err)
	}
	in.Limits = schema.LimitsOf(server)
	in.Live = &lint.Live{Client: client, Schema: live, Applied: map[string]bool{}}
	record := lint.Record{Where: "the history of " + t.Name, Checksums: map[string]string{}}
	for _, entry := range entries {
		in.Live.Applied[entry.Version] = entry.Applied
		record.Checksums[entry.Version] = entry.Checksum
	}
	in.Records = append(in.Records, record)
	return nil
}

// explained adds what to do about an error that the server gave.
func explained(name string, t target, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &ExitError{Code: ExitFailed, Err: fmt.Errorf("environment %q: %w", t.Name, err), Next: hint(name, err, t)}
}
