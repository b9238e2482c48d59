package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

type diffOptions struct {
	format      string
	name        string
	renames     []string
	fills       []string
	ignore      []string
	server      string
	destructive bool
	exitCode    bool
}

func newDiff(a *app) *cobra.Command {
	o := diffOptions{}
	c := &cobra.Command{
		Use:     "diff [FROM [TO]]",
		Short:   "Compare two schemas, and write the migration between them",
		GroupID: "look",
		Long: `Tells what has to change so that FROM becomes as TO. Each of them is one of:
  live          the environment (--env, or the default)
  env:NAME      another environment
  migrations    what the migrations add up to, found out on an embedded server
  a path        an Appwrite CLI file

TO is the project's appwrite.config.json unless it is given, and FROM is live.
With --name the difference becomes a migration file, and FROM is the migrations:
edit appwrite.config.json, then diff --name writes what takes the project there.
Nothing else is written, and environments are only read.

The steps keep stored data. What cannot is marked with '!', and no file is
written without --allow-destructive. An attribute that has another key looks as
if one had gone and one had come: such a likely rename is asked about, or told
with --rename, and never guessed.`,
		Example: `  backstep diff                                       # the environment against the file
  backstep diff env:staging env:production --exit-code
  backstep diff --name add_prices                     # the migration from the migrations to the file
  backstep diff --name new_title --rename shop.products.title=name
  backstep diff live --format mermaid > change.mmd`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return runDiff(c, a, args, o) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "table", "output: table, json or mermaid")
	f.StringVar(&o.name, "name", "", "write the difference as a migration of this name")
	f.StringArrayVar(&o.renames, "rename", nil, "an attribute has another key now: DATABASE.COLLECTION.OLD=NEW")
	f.StringArrayVar(&o.fills, "fill", nil, "what documents get that have nothing in an attribute which becomes required: DATABASE.COLLECTION.KEY=VALUE")
	f.StringArrayVar(&o.ignore, "ignore", nil, "leave a database out of the comparison")
	f.StringVar(&o.server, "server", "", "version of Appwrite that the migration is for (default: that of the environments compared, else "+defaultServer+")")
	f.BoolVar(&o.destructive, "allow-destructive", false, "write a migration that loses stored data, too (all of it is archived when it runs)")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 6 when there is a difference")
	return c
}

// diffSides chooses what is compared.
func (a *app) diffSides(args []string, o diffOptions) (from, to string, err error) {
	if len(args) > 2 {
		return "", "", usageError(fmt.Errorf("diff compares two schemas, got %q", args), a.name+" diff --help")
	}
	from = sideLive
	if o.name != "" {
		from = sideMigrations
	}
	if len(args) > 0 {
		from = args[0]
	}
	if len(args) > 1 {
		return from, args[1], nil
	}
	to, _ = a.cliFile()
	return from, to, nil
}

func runDiff(c *cobra.Command, a *app, args []string, o diffOptions) error {
	if !slices.Contains([]string{"table", "json", "mermaid"}, o.format) {
		return usageError(fmt.Errorf("--format is %q; it may be table, json or mermaid", o.format), a.name+" diff --help")
	}
	if c.Flags().Changed("name") && slugOf(o.name) == "" {
		return usageError(fmt.Errorf("--name %q has no letter or digit to name a file by", o.name), a.name+" diff --help")
	}
	if o.destructive && o.name == "" {
		return usageError(errors.New("--allow-destructive is for --name: without it nothing is written"), a.name+" diff --help")
	}
	a.flags.format = o.format
	fromWord, toWord, err := a.diffSides(args, o)
	if err != nil {
		return err
	}
	reader, err := a.newSideReader(o.server, o.ignore)
	if err != nil {
		return err
	}
	from, to, err := reader.both(c.Context(), fromWord, toWord)
	if err != nil {
		return err
	}
	a.tellNotices(from, to)
	delta, err := a.delta(from, to, o)
	if err != nil {
		return err
	}
	written := ""
	if o.name != "" && !delta.Empty() {
		if written, err = a.writeDelta(reader.cfg, delta, from, to, o); err != nil {
			return err
		}
	}
	if err := a.printDelta(delta, from, to, written, o); err != nil {
		return err
	}
	if o.exitCode && !delta.Empty() {
		return &ExitError{Code: ExitDiffers, Err: errors.New("the schemas differ"), Reported: true}
	}
	return nil
}

// delta compares, and asks about likely renames where a migration is to be
// written and somebody is there to answer.
func (a *app) delta(from, to side, o diffOptions) (*schema.Delta, error) {
	limits, err := limitsFor(from, to, o.server)
	if err != nil {
		return nil, usageError(err, "")
	}
	var renames []schema.Rename
	for _, text := range o.renames {
		rename, err := schema.ParseRename(from.model, text)
		if err != nil {
			return nil, usageError(fmt.Errorf("--rename: %w", err), a.name+" diff --help")
		}
		renames = append(renames, rename)
	}
	var fills []schema.Fill
	for _, text := range o.fills {
		fill, err := schema.ParseFill(to.model, text)
		if err != nil {
			return nil, usageError(fmt.Errorf("--fill: %w", err), a.name+" diff --help")
		}
		fills = append(fills, fill)
	}
	declined := map[string]bool{}
	for {
		delta, err := schema.Diff(from.model, to.model, schema.WithLimits(limits), schema.WithRenames(renames...), schema.WithFills(fills...))
		if err != nil && len(o.renames) > 0 && !errors.Is(err, schema.ErrRefused) {
			return nil, usageError(fmt.Errorf("--rename: %w", err), a.name+" diff --help")
		}
		if err != nil {
			return nil, err
		}
		if o.name == "" || !a.mayAsk() {
			return delta, nil
		}
		i := slices.IndexFunc(delta.Candidates, func(c schema.Candidate) bool { return !declined[c.String()] })
		if i < 0 {
			return delta, nil
		}
		renamed, err := a.askRename(delta.Candidates[i])
		if err != nil {
			return nil, err
		}
		if renamed {
			renames = append(renames, delta.Candidates[i].Rename)
		} else {
			declined[delta.Candidates[i].String()] = true
		}
	}
}

// limitsFor gives the limits of the server that a migration is for: the one to
// be changed, else the other one, else the one that is named.
func limitsFor(from, to side, server string) (schema.Limits, error) {
	switch {
	case server != "":
		return schema.LimitsFor(server)
	case from.profile != nil:
		return from.limits, nil
	case to.profile != nil:
		return to.limits, nil
	default:
		return schema.LimitsFor(defaultServer)
	}
}

// askRename puts the question whether an attribute has been renamed.
func (a *app) askRename(c schema.Candidate) (bool, error) {
	question := fmt.Sprintf("%s/%s: is %s what was called %s? (%s)", c.Database, c.Collection, c.To, c.From, strings.Join(c.Reasons, ", "))
	answer, err := a.choose(question, []choice{
		{"no", fmt.Sprintf("no: %s goes and %s is new", c.From, c.To)},
		{"yes", fmt.Sprintf("yes: rename %s to %s and keep its values", c.From, c.To)},
	}, "no")
	return answer == "yes", err
}

// writeDelta writes the difference as a migration file and gives its path.
func (a *app) writeDelta(cfg config, delta *schema.Delta, from, to side, o diffOptions) (string, error) {
	if err := delta.Allowed(o.destructive); err != nil {
		next := "the same command with --allow-destructive, if that is what you want: the data is archived when the migration runs"
		if len(delta.Candidates) > 0 {
			next = fmt.Sprintf("the same command with --rename %s, if it was renamed, or with --allow-destructive", delta.Candidates[0].Rename)
		}
		return "", &ExitError{Code: ExitRefused, Err: fmt.Errorf("no migration was written: %w", err), Next: next}
	}
	notes := []string{}
	for _, c := range delta.Changes {
		for _, condition := range c.Conditions {
			notes = append(notes, fmt.Sprintf("%s: %s", c.Object, condition))
		}
		for _, loss := range c.Losses {
			notes = append(notes, fmt.Sprintf("%s: loses data: %s", c.Object, loss))
		}
	}
	return a.writeChanges(cfg, o.name, fmt.Sprintf("From %s to %s", from.Label, to.Label), delta.Steps, notes)
}

// writeChanges writes steps as a new migration file and gives its path.
func (a *app) writeChanges(cfg config, name, description string, changes []engine.Step, notes []string) (string, error) {
	slug := slugOf(name)
	if slug == "" {
		return "", usageError(fmt.Errorf("--name %q has no letter or digit to name a file by", name), "")
	}
	if err := a.sumReadable(); err != nil {
		return "", err
	}
	version, err := a.nextVersion(cfg.Migrations)
	if err != nil {
		return "", err
	}
	path := filepath.Join(cfg.Migrations, version+"_"+slug+".yaml")
	var b bytes.Buffer
	if err := migrations.Write(&b, description, changes, notes...); err != nil {
		return "", err
	}
	if _, err := migrations.Parse(filepath.ToSlash(path), b.Bytes()); err != nil {
		return "", fmt.Errorf("the migration cannot be read back; nothing was written: %w", err)
	}
	written, err := a.writeNew(map[string][]byte{path: b.Bytes()})
	if err != nil {
		return "", err
	}
	if len(written) == 0 {
		return "", fmt.Errorf("%s is here already; nothing was written", path)
	}
	return path, a.addToSum(path, b.Bytes())
}
