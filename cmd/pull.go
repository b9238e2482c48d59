package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/schema"
)

type pullOptions struct {
	file     string
	words    string
	ignore   []string
	baseline bool
	name     string
	confirm  string
}

// pullResult is what pull tells.
type pullResult struct {
	Environment string             `json:"environment"`
	File        string             `json:"file"`
	Written     []string           `json:"written"` // files, none when all of them said the same
	Changes     []pulledDifference `json:"changes"` // of what the file declares
	Databases   int                `json:"databases"`
	Collections int                `json:"collections"`
	Attributes  int                `json:"attributes"`
	Indexes     int                `json:"indexes"`
	Baseline    string             `json:"baseline,omitempty"`
}

type pulledDifference struct {
	Object string `json:"object"`
	Field  string `json:"field,omitempty"`
	Was    string `json:"was"`
	Is     string `json:"is"`
}

func newPull(a *app) *cobra.Command {
	o := pullOptions{}
	c := &cobra.Command{
		Use:     "pull",
		Short:   "Write the environment's schema into the Appwrite CLI file",
		GroupID: "start",
		Long: `Reads the databases of the environment and makes appwrite.config.json say the
same. What the file holds besides databases stays as it is, and so do its words
(collections or tables), its order, and the text of all that has not changed.
The environment is only read; the reserved database is left out.

With --baseline the schema also becomes a first migration, which the history
notes as applied: a project that was made by hand or by another tool is under
migrations from then on.`,
		Example: "  backstep pull\n  backstep pull --env production --file production.json\n  backstep pull --baseline",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runPull(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.file, "file", "", "the file to write (default: appwrite.config.json, or appwrite.json where that is there)")
	f.StringVar(&o.words, "words", "", "words for databases that are new in the file: collections or tables (default: the file's, or as the database was made)")
	f.StringArrayVar(&o.ignore, "ignore", nil, "leave a database as the file has it")
	f.BoolVar(&o.baseline, "baseline", false, "write a first migration, too, and note it as applied")
	f.StringVar(&o.name, "name", "baseline", "with --baseline: the name of the migration")
	f.StringVar(&o.confirm, "confirm", "", "with --baseline: the environment's name, which a protected environment asks for")
	return c
}

func runPull(c *cobra.Command, a *app, o pullOptions) error {
	if !slices.Contains([]string{"", string(schema.Collections), string(schema.Tables)}, o.words) {
		return usageError(fmt.Errorf("--words is %q; it may be collections or tables", o.words), a.name+" pull --help")
	}
	if !o.baseline && (c.Flags().Changed("name") || o.confirm != "") {
		return usageError(errors.New("--name and --confirm are for --baseline: pull only reads the environment"), a.name+" pull --help")
	}
	reader, err := a.newSideReader("", nil)
	if err != nil {
		return err
	}
	target, err := reader.cfg.target(a.flags.env, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	if o.baseline {
		if err := a.mayBaseline(c.Context(), reader.cfg, target, o); err != nil {
			return err
		}
	}
	live, err := reader.one(c.Context(), sideLive, nil)
	if err != nil {
		return err
	}
	result, err := a.pull(reader, live.model, target, o)
	if err != nil {
		return err
	}
	if o.baseline {
		if result.Baseline, err = a.baseline(c, reader.cfg, live, o); err != nil {
			return err
		}
	}
	return a.result("pull", result, func(w io.Writer) { a.printPull(w, result) })
}

// pull makes the file say what the environment has.
func (a *app) pull(reader *sideReader, live schema.Model, target target, o pullOptions) (pullResult, error) {
	name, _ := a.cliFile()
	name = firstOf(o.file, name)
	full := name
	if !filepath.IsAbs(name) {
		full = filepath.Join(a.flags.dir, name)
	}
	folder := os.DirFS(filepath.Dir(full))
	var was schema.Model
	file, err := schema.Read(folder, filepath.Base(full))
	switch {
	case err == nil:
		was = file.Model
	case !errors.Is(err, os.ErrNotExist):
		return pullResult{}, &ExitError{
			Code: ExitFailed, Err: fmt.Errorf("nothing was written, since %s could not be kept: %w", name, err),
			Next: "mend it, or " + a.name + " pull --file another.json",
		}
	}
	kept := append(slices.Clone(o.ignore), reader.cfg.History.Database) // as the file has them
	model := schema.Model{Databases: slices.DeleteFunc(slices.Clone(live.Databases), func(d schema.Database) bool { return slices.Contains(kept, d.ID) })}
	for _, d := range was.Databases {
		if slices.Contains(kept, d.ID) {
			model.Databases = append(model.Databases, d)
		}
	}
	files, err := schema.Write(folder, filepath.Base(full), model, schema.WriteOptions{Project: target.Project, Words: schema.Words(o.words)})
	if err != nil {
		return pullResult{}, err
	}
	result := pullResult{Environment: target.Name, File: name, Written: []string{}, Changes: []pulledDifference{}}
	result.count(model)
	for _, d := range schema.Compare(was, model) {
		result.Changes = append(result.Changes, pulledDifference{Object: d.Path, Field: d.Field, Was: d.A, Is: d.B})
	}
	for _, path := range sortedKeys(files) {
		path, data := filepath.Join(filepath.Dir(full), filepath.FromSlash(path)), files[path]
		if err := replaceFile(path, data); err != nil {
			return pullResult{}, err
		}
		result.Written = append(result.Written, path)
	}
	return result, nil
}

// count tells how much the file declares.
func (r *pullResult) count(m schema.Model) {
	r.Databases = len(m.Databases)
	for _, db := range m.Databases {
		r.Collections += len(db.Collections)
		for _, c := range db.Collections {
			r.Attributes += len(c.Attributes)
			r.Indexes += len(c.Indexes)
		}
	}
}

// replaceFile puts data in a file's place all at once: whoever reads it sees the
// old or the new, also after a power cut.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a source folder is for everybody to read
		return fmt.Errorf("make the folder of %s: %w", path, err)
	}
	if led, err := filepath.EvalSymlinks(path); err == nil {
		path = led // the link stays
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = io.Copy(f, bytes.NewReader(data))
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return flushFolder(filepath.Dir(path))
}

// flushFolder makes a rename in a folder outlive a power cut.
func flushFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the folder %s: %w", path, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func (a *app) printPull(w io.Writer, r pullResult) {
	if len(r.Written) == 0 {
		fmt.Fprintf(w, "%s says what environment %s has; nothing was written.\n", r.File, r.Environment)
	}
	const most = 40
	for i, d := range r.Changes {
		if i == most {
			fmt.Fprintf(w, "  … and %d more\n", len(r.Changes)-most)
			break
		}
		fmt.Fprintf(w, "  %s\n", d)
	}
	for _, path := range r.Written {
		fmt.Fprintf(w, "wrote %s\n", path)
	}
	fmt.Fprintf(w, "%s, %s, %s, %s\n", plural(r.Databases, "database"), plural(r.Collections, "collection"), plural(r.Attributes, "attribute"), indexes(r.Indexes))
	if r.Baseline != "" {
		fmt.Fprintf(w, "wrote %s, noted as applied to %s\nnext: %s status\n", r.Baseline, r.Environment, a.name)
	}
}

func indexes(n int) string {
	if n == 1 {
		return "1 index"
	}
	return fmt.Sprintf("%d indexes", n)
}

// String gives the difference on one line.
func (d pulledDifference) String() string {
	switch {
	case d.Field != "":
		return fmt.Sprintf("~ %s: %s %s → %s", d.Object, d.Field, orNone(d.Was), orNone(d.Is))
	case d.Was == absentWord:
		return "+ " + d.Object
	default:
		return "- " + d.Object
	}
}
