package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
)

type squashOptions struct {
	name   string
	server string
}

// squashResult is what squash tells.
type squashResult struct {
	Wrote    string   `json:"wrote"`
	Steps    int      `json:"steps"`
	Replaced []string `json:"replaced"` // files that were removed
	Were     int      `json:"steps_before"`
}

func newSquash(a *app) *cobra.Command {
	o := squashOptions{}
	c := &cobra.Command{
		Use:     "squash FROM..TO",
		Short:   "Make one migration of many that are applied",
		GroupID: "start",
		Long: `Writes one migration that does what those from FROM to TO do, and removes their
files. Before that it proves that it does: both ways are taken on embedded servers,
and what those hold afterwards is compared, schema and documents.

The new file has the version of TO and lists what it replaces, with checksums. An
environment that has applied all of those counts it as applied; one that has none
of them runs it; one that has some is refused, with what to do about it.`,
		Example: "  backstep squash 20260101000001..20260301000000\n  backstep squash 20260101000001..20260301000000 --name first_quarter",
		Args:    oneArg("a range of versions, such as 20260101000001..20260301000000"),
		RunE:    func(c *cobra.Command, args []string) error { return runSquash(c, a, args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.name, "name", "squashed", "name of the migration")
	f.StringVar(&o.server, "server", "1.9.6", "version of Appwrite that the embedded servers behave as")
	return c
}

func runSquash(c *cobra.Command, a *app, span string, o squashOptions) error {
	from, to, ok := strings.Cut(span, "..")
	if !ok || from == "" || to == "" {
		return usageError(fmt.Errorf("%q is no range of versions", span), a.name+" squash --help")
	}
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	profile, err := replica.ProfileFor(o.server)
	if err != nil {
		return usageError(fmt.Errorf("--server: %w", err), a.name+" squash --help")
	}
	for _, notice := range profile.Notices {
		fmt.Fprintf(a.streams.Err, "note: %s\n", notice)
	}
	set, err := a.loadSet(&cfg)
	if err != nil {
		return err
	}
	// What is squashed cannot be told from what was edited any more.
	if err := a.agreesWithSum(set, true); err != nil {
		return err
	}
	before, list, err := split(set, from, to)
	if err != nil {
		return usageError(err, a.name+" status")
	}
	for _, m := range list {
		if m.At.File == "" || m.Hold != "" {
			return usageError(fmt.Errorf("%s is written in Go, or on hold: it cannot be squashed", m.ID()), "")
		}
		if m.HasDown {
			fmt.Fprintf(a.streams.Err, "note: the down of %s is not carried over\n", m.ID())
		}
	}
	slug := firstOf(slugOf(o.name), "squashed")
	m, err := replica.Squash(c.Context(), before, list, slug, profile)
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	return a.replaceFiles(&cfg, m, list)
}

// split gives the migrations before a range and those of it.
func split(set migrations.Set, from, to string) (before, list []*migrations.Migration, err error) {
	for _, version := range []string{from, to} {
		if _, err := set.Find(version); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range set.All() {
		switch {
		case m.Version < from:
			before = append(before, m)
		case m.Version <= to:
			list = append(list, m)
		}
	}
	if len(list) < 2 {
		return nil, nil, errors.New("a squash takes at least two migrations")
	}
	return before, list, nil
}

// replaceFiles writes the squashed migration and removes what it replaces. The
// old files go last: a process that dies between leaves too much, never too little.
func (a *app) replaceFiles(cfg *config, m *migrations.Migration, list []*migrations.Migration) error {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return err
	}
	file := path.Join(path.Dir(list[0].At.File), m.ID()+".yaml")
	if _, err := migrations.Parse(file, b.Bytes()); err != nil {
		return fmt.Errorf("the squashed migration cannot be read back; nothing was written: %w", err)
	}
	root := a.migrationRoot(cfg)
	err := writeExclusive(filepath.Join(root, filepath.FromSlash(file)), b.Bytes())
	if errors.Is(err, fs.ErrExist) {
		return usageError(fmt.Errorf("%s is here already; nothing was written", file), "the same command with another --name")
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	result := squashResult{Wrote: file, Steps: len(m.Up), Replaced: []string{}}
	for _, old := range list {
		if err := os.Remove(filepath.Join(root, filepath.FromSlash(old.At.File))); err != nil {
			return fmt.Errorf("remove %s: %w", old.At.File, err)
		}
		result.Replaced = append(result.Replaced, old.At.File)
		result.Were += len(old.Up)
	}
	if err := a.squashSum(m, list); err != nil {
		return err
	}
	return a.result("squash", result, func(w io.Writer) {
		fmt.Fprintf(w, "wrote %s: %s in place of %d, proven the same on embedded servers\n", file, plural(result.Steps, "step"), result.Were)
		for _, old := range result.Replaced {
			fmt.Fprintf(w, "removed %s\n", old)
		}
		fmt.Fprintf(w, "next: %s status\n", a.name)
	})
}

// squashSum puts the squashed migration into backstep.sum, where the project
// keeps one, in the place of what it replaces. Other lines stay as they are.
func (a *app) squashSum(m *migrations.Migration, list []*migrations.Migration) error {
	sum, found, err := a.readSum()
	if err != nil || !found {
		return err
	}
	checksum, err := m.Checksum()
	if err != nil {
		return err
	}
	for _, old := range list {
		sum = sum.Without(old.Version)
	}
	return a.writeSum(sum.With(m.ID(), checksum))
}
