package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

type importOptions struct {
	name              string
	stringSize        int64
	skipBrokenIndexes bool
	server            string
}

func newImport(a *app) *cobra.Command {
	o := importOptions{}
	c := &cobra.Command{
		Use:     "import FILE",
		Short:   "Turn an Appwrite CLI file into a first migration",
		GroupID: "start",
		Long: `Reads appwrite.json or appwrite.config.json, collections or tables, and writes
the migration that creates what it declares. What the file cannot mean on any
server is refused with its place; what is understood differently from how it is
written is said. Buckets, functions and the rest are named and left alone.`,
		Example: "  backstep import appwrite.config.json\n  backstep import appwrite.json --name initial_schema --string-size 255",
		Args:    oneArg("the path of an Appwrite CLI file"),
		RunE:    func(_ *cobra.Command, args []string) error { return runImport(a, args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.name, "name", "initial_schema", "name of the migration")
	f.Int64Var(&o.stringSize, "string-size", 0, "size for strings that the file gives none (default: refuse them)")
	f.BoolVar(&o.skipBrokenIndexes, "skip-broken-indexes", false, "leave out indexes that name no attribute (default: refuse them)")
	f.StringVar(&o.server, "server", "1.9.6", "version of the server that the migration is for: what that cannot hold is refused")
	return c
}

func runImport(a *app, path string, o importOptions) error {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	var opts []schema.Option
	if o.stringSize != 0 {
		opts = append(opts, schema.WithStringSize(o.stringSize))
	}
	if o.skipBrokenIndexes {
		opts = append(opts, schema.WithoutBrokenIndexes())
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.flags.dir, path)
	}
	limits, err := schema.LimitsFor(o.server)
	if err != nil {
		return usageError(err, "")
	}
	file, err := schema.Read(os.DirFS(filepath.Dir(path)), filepath.Base(path), opts...)
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if err := schema.Check(file.Model, limits); err != nil {
		return fmt.Errorf("nothing was written, Appwrite %s cannot hold it (see --server): %w", o.server, err)
	}
	var notes []string
	for _, n := range file.Notices {
		notes = append(notes, n.String())
		fmt.Fprintf(a.streams.Err, "note: %s\n", n)
	}
	for _, u := range file.Unmanaged {
		fmt.Fprintf(a.streams.Err, "not managed by Backstep, left alone: %s (%d)\n", u.Name, u.Count)
	}
	steps := schema.Steps(file.Model)
	if len(steps) == 0 {
		return fmt.Errorf("%s declares no database, collection or table; nothing was written", filepath.Base(path))
	}
	version, err := a.nextVersion(cfg.Migrations)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := migrations.Write(&b, "Imported from "+filepath.Base(path), steps, notes...); err != nil {
		return err
	}
	slug := slugOf(o.name)
	target := filepath.Join(cfg.Migrations, version+"_"+firstOf(slug, "initial_schema")+".yaml")
	if _, err := migrations.Parse(filepath.ToSlash(target), b.Bytes()); err != nil {
		return fmt.Errorf("the migration made of %s cannot be read back; nothing was written: %w", filepath.Base(path), err)
	}
	fmt.Fprintf(a.streams.Err, "%s: %s\n", filepath.Base(path), plural(len(steps), "step"))
	return a.writeMigration(target, a.name, b.Bytes())
}
