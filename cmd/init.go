package cmd

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/migrations"
)

// templates are the files that init and new write.
//
//go:embed templates
var templates embed.FS

func newInit(a *app) *cobra.Command {
	var inGo bool
	c := &cobra.Command{
		Use:     "init",
		Short:   "Start a project in this folder",
		GroupID: "start",
		Long: `Writes backstep.yaml, the migrations folder and a line in .gitignore; never
overwrites anything. With --go the migrations are Go: their folder is a small
program of its own that has the whole command line.`,
		Example: "  backstep init\n  backstep init --go",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return runInit(a, inGo) },
	}
	c.Flags().BoolVar(&inGo, "go", false, "write migrations in Go (needs a go.mod)")
	return c
}

func runInit(a *app, inGo bool) error {
	if inGo {
		if _, err := os.Stat(filepath.Join(a.flags.dir, "go.mod")); errors.Is(err, fs.ErrNotExist) {
			return usageError(errors.New("migrations in Go need a module, and there is no go.mod here"), "go mod init example.com/yourproject")
		}
	}
	if _, err := os.Stat(filepath.Join(a.flags.dir, configFile)); err == nil {
		return &ExitError{Code: ExitFailed, Err: fmt.Errorf("%s is here already; nothing was written", configFile), Next: a.name + " status"}
	}
	files := map[string][]byte{}
	for path, source := range map[string]string{configFile: "templates/backstep.yaml", "migrations/README.md": "templates/README.md"} {
		files[path] = a.template(source, nil)
	}
	if inGo {
		files["migrations/main.go"] = a.template("templates/main.go.txt", nil)
		files["migrations/all.go"] = goList(nil)
	} else {
		files["migrations/migration.schema.json"] = migrations.JSONSchema()
	}
	written, err := a.writeNew(files)
	if err != nil {
		return err
	}
	if err := a.ignoreJournal(); err != nil {
		return err
	}
	for _, path := range written {
		fmt.Fprintf(a.streams.Out, "wrote %s\n", path)
	}
	fmt.Fprintf(a.streams.Out, "next: %s\n", a.firstMigration(inGo))
	return nil
}

func (a *app) firstMigration(inGo bool) string {
	if inGo {
		return "go get github.com/backstep-dev/backstep && " + a.name + " new --go create_products && go run ./migrations plan"
	}
	return a.name + " new create_products"
}

// template reads one of the embedded files and replaces what pairs says.
func (a *app) template(path string, pairs []string) []byte {
	data, err := templates.ReadFile(path)
	if err != nil {
		// The file is part of this program; its name is a constant.
		panic(err)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(data)))
}

// writeNew writes files that must not exist yet, below the project's folder.
// Those that do exist are left alone. It gives the paths that it wrote.
func (a *app) writeNew(files map[string][]byte) ([]string, error) {
	var written []string
	for _, path := range sortedKeys(files) {
		full := filepath.Join(a.flags.dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // a source folder is for everybody to read
			return written, fmt.Errorf("make the folder of %s: %w", path, err)
		}
		err := writeExclusive(full, files[path])
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return written, fmt.Errorf("write %s: %w", path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

// writeExclusive writes a file that does not exist, or nothing.
func writeExclusive(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a source file is for everybody to read
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// ignoreJournal keeps journals, which hold before-images of data, out of git.
func (a *app) ignoreJournal() error {
	path := filepath.Join(a.flags.dir, ".gitignore")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read .gitignore: %w", err)
	}
	const line = ".backstep/"
	for have := range strings.Lines(string(data)) {
		if strings.TrimSpace(have) == line {
			return nil
		}
	}
	if len(data) > 0 && !strings.HasSuffix(string(data), "\n") {
		data = append(data, '\n')
	}
	data = append(data, line+"\n"...)
	if err := os.WriteFile(path, data, 0o644); err != nil { //nolint:gosec // a source file is for everybody to read
		return fmt.Errorf("write .gitignore: %w", err)
	}
	return nil
}
