package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

type driftOptions struct {
	format   string
	ignore   []string
	exitCode bool
}

// driftResult is what drift tells.
type driftResult struct {
	Environment string        `json:"environment"`
	Applied     int           `json:"applied"` // migrations that were replayed
	Server      string        `json:"server"`  // version that they were replayed for
	Drifted     bool          `json:"drifted"`
	Differences []driftLine   `json:"differences"`
	Notices     []string      `json:"notices,omitempty"`
	files       map[int]place // of the differences, for annotations
	pending     bool          // there are migrations that are not applied
}

// driftLine is one way in which an environment is not what its history says.
type driftLine struct {
	Object  string `json:"object"` // "attribute shop/products/title"
	Field   string `json:"field,omitempty"`
	History string `json:"history"` // what the migrations make it, "absent" where they do not
	Project string `json:"project"`
	// Since is the migration that made it so last, "" when none did.
	Since     string `json:"since,omitempty"`
	AppliedAt string `json:"applied_at,omitempty"` // of that migration
	// ChangedAt is when the object was last changed in the project, where the
	// server tells.
	ChangedAt string `json:"changed_at,omitempty"`
	// File is who has it the project's CLI file agrees with: history, project
	// or neither; "" without a file.
	File    string `json:"file,omitempty"`
	Verdict string `json:"verdict"`
}

// place is a line of a migration file.
type place struct {
	file string
	line int
}

// below gives the place with its file as seen from where the program runs.
func (p place) below(root string) place {
	if p.file != "" {
		p.file = filepath.ToSlash(filepath.Join(root, filepath.FromSlash(p.file)))
	}
	return p
}

func newDrift(a *app) *cobra.Command {
	o := driftOptions{}
	c := &cobra.Command{
		Use:     "drift",
		Short:   "Compare an environment with what its history says",
		GroupID: "look",
		Long: `Replays the applied migrations on an embedded server of the environment's
version and compares the result with the environment, object by object: who has
what, since which migration, when it last changed, and which side the project's
CLI file takes. The environment is only read; the reserved database is left out.

Pending migrations do not count. An applied migration that was edited or is
missing is refused: the history cannot be replayed then.`,
		Example: `  backstep drift --env production
  backstep drift --exit-code --format json      # for cron: 6 when something drifted
  backstep drift --exit-code --format github    # for CI: an annotation each`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDrift(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "table", "output: table, json or github")
	f.StringArrayVar(&o.ignore, "ignore", nil, "leave a database out that others look after")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 6 when there is drift")
	return c
}

func runDrift(c *cobra.Command, a *app, o driftOptions) error {
	if !slices.Contains([]string{"table", "json", "github"}, o.format) {
		return usageError(fmt.Errorf("--format is %q; it may be table, json or github", o.format), a.name+" drift --help")
	}
	a.flags.format = o.format
	s, err := a.open(c, reading, wishes{})
	if err != nil {
		return err
	}
	defer s.close()
	result, err := s.drift(c.Context(), o)
	if err != nil {
		return err
	}
	for _, n := range result.Notices {
		fmt.Fprintf(a.streams.Err, "note: %s\n", n)
	}
	if o.format == "github" {
		a.annotateDrift(result)
	} else if err := a.result("drift", result, func(w io.Writer) { a.printDrift(w, result) }); err != nil {
		return err
	}
	if o.exitCode && result.Drifted {
		return &ExitError{Code: ExitDiffers, Err: errors.New("the environment has drifted"), Reported: true}
	}
	return nil
}

// drift compares the environment with its history.
func (s *session) drift(ctx context.Context, o driftOptions) (driftResult, error) {
	status, err := s.status(ctx)
	if err != nil {
		return driftResult{}, err
	}
	applied, entries, err := s.appliedMigrations(status)
	if err != nil {
		return driftResult{}, err
	}
	profile, err := replica.ProfileOf(ctx, s.client)
	if err != nil {
		return driftResult{}, s.explain(err)
	}
	state, err := replica.Replay(ctx, applied, profile)
	if err != nil {
		return driftResult{}, &ExitError{Code: ExitFailed, Err: err, Next: s.app.name + " verify"}
	}
	ignored := append(slices.Clone(o.ignore), s.cfg.History.Database)
	live, err := schema.Live(ctx, s.client, ignored...)
	if err != nil {
		return driftResult{}, s.explain(err)
	}
	history := schema.Model{Databases: slices.DeleteFunc(slices.Clone(state.Model.Databases), func(d schema.Database) bool { return slices.Contains(ignored, d.ID) })}
	result := driftResult{
		Environment: s.target.Name, Applied: len(applied), Server: profile.Version,
		Differences: []driftLine{}, Notices: state.Notices, files: map[int]place{}, pending: len(status.Migrations) > len(applied),
	}
	differences := schema.Compare(history, live)
	if len(differences) == 0 {
		return result, nil
	}
	times, err := s.changeTimes(ctx, live)
	if err != nil {
		return driftResult{}, s.explain(err)
	}
	declared := s.declared(history, live)
	for i, d := range differences {
		line := driftLine{Object: d.Path, Field: d.Field, History: d.A, Project: d.B, ChangedAt: times[d.Path], File: declared(d)}
		if m := state.Since(d); m != nil {
			line.Since, line.AppliedAt = m.ID(), entries[m.Version].UpdatedAt
			result.files[i] = placeOf(m, d.Path).below(s.app.migrationRoot(&s.cfg))
		}
		line.Verdict = verdict(line)
		result.Differences = append(result.Differences, line)
	}
	result.Drifted = true
	return result, nil
}

// appliedMigrations gives what the history has, the oldest first, and refuses a
// history that cannot be replayed.
func (s *session) appliedMigrations(status migrations.Status) ([]*migrations.Migration, map[string]migrations.Entry, error) {
	var applied []*migrations.Migration
	entries := map[string]migrations.Entry{}
	for _, m := range status.Migrations {
		switch m.State {
		case migrations.Applied:
			applied = append(applied, m.Migration)
			if m.Entry != nil {
				entries[m.Version] = *m.Entry
			}
		case migrations.Edited, migrations.Missing, migrations.Unfinished, migrations.Partly:
			return nil, nil, s.refused(m.Err)
		default: // not applied
		}
	}
	if len(status.Unfinished) > 0 {
		return nil, nil, s.refused(status.Unfinished[0])
	}
	return applied, entries, nil
}

// changeTimes gives when the objects of a project last changed, by their paths.
func (s *session) changeTimes(ctx context.Context, live schema.Model) (map[string]string, error) {
	times := map[string]string{}
	databases, err := s.client.ListDatabases(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range databases {
		times["database "+d.ID] = d.UpdatedAt
	}
	for _, db := range live.Databases {
		collections, err := s.client.ListCollections(ctx, db.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range collections {
			in := db.ID + "/" + c.ID
			times["collection "+in] = c.UpdatedAt
			for _, a := range c.Attributes {
				times["attribute "+in+"/"+a.Key] = a.UpdatedAt
			}
			for _, x := range c.Indexes {
				times["index "+in+"/"+x.Key] = x.UpdatedAt
			}
		}
	}
	return times, nil
}

// declared tells for each difference which side the project's CLI file takes,
// where there is one that can be read.
func (s *session) declared(history, live schema.Model) func(schema.Difference) string {
	reader := &sideReader{app: s.app, cfg: s.cfg, ignore: []string{s.cfg.History.Database}}
	name, found := s.app.cliFile()
	file, err := reader.file(name)
	if !found || err != nil {
		return func(schema.Difference) string { return "" }
	}
	index := func(m schema.Model) map[string]bool {
		differs := map[string]bool{}
		for _, d := range schema.Compare(m, file.model) {
			differs[d.Path+"\x00"+d.Field] = true
		}
		return differs
	}
	unlikeHistory, unlikeProject := index(history), index(live)
	return func(d schema.Difference) string {
		differs := func(from map[string]bool) bool {
			return from[d.Path+"\x00"+d.Field] || slices.ContainsFunc(within(d.Path), func(path string) bool { return from[path+"\x00"] })
		}
		switch {
		case !differs(unlikeHistory):
			return "history"
		case !differs(unlikeProject):
			return "project"
		default:
			return "neither"
		}
	}
}

// within names an object and what it is in, as differences do.
func within(object string) []string {
	_, name, _ := strings.Cut(object, " ")
	parts := strings.SplitN(name, "/", 3)
	all := []string{object, "database " + parts[0]}
	if len(parts) > 1 {
		all = append(all, "collection "+parts[0]+"/"+parts[1])
	}
	return all
}

// verdict says in words who has it and what that means.
func verdict(l driftLine) string {
	changed := l.ChangedAt != "" && l.AppliedAt != "" && after(l.ChangedAt, l.AppliedAt)
	switch {
	case l.Since == "" && l.History == absentWord:
		return "no migration made it: made outside Backstep"
	case l.Project == absentWord:
		return "a migration made it and the project lacks it: removed outside Backstep"
	case l.History == absentWord:
		return "a migration removed it and the project has it: made again outside Backstep"
	case changed:
		return "changed outside Backstep, after the migration was applied"
	case l.ChangedAt != "":
		return "differs, and has not changed since the migration was applied"
	default:
		return "differs; when it changed is not known"
	}
}

const absentWord = "absent"

func after(a, b string) bool {
	x, errX := time.Parse(time.RFC3339, a)
	y, errY := time.Parse(time.RFC3339, b)
	return errX == nil && errY == nil && x.After(y)
}

// placeOf finds the step of a migration that an object is the target of, the
// last such; else the migration itself.
func placeOf(m *migrations.Migration, object string) place {
	_, name, _ := strings.Cut(object, " ")
	at := place{file: m.At.File, line: m.At.Line}
	for _, step := range m.Up {
		t := step.Change.Target()
		if strings.Trim(path.Join(t.Database, t.Collection, t.Key), "/") == name && step.At.Line > 0 {
			at = place{file: step.At.File, line: step.At.Line}
		}
	}
	return at
}
