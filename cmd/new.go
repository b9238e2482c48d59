package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

const versionLayout = "20060102150405"

func newNew(a *app) *cobra.Command {
	var inGo, pair bool
	c := &cobra.Command{
		Use:     "new NAME",
		Short:   "Write the file of a new migration",
		GroupID: "start",
		Long: `Writes a migration file with a version that comes last, for you to fill in.

With --expand-contract it writes two that give an attribute another name without
breaking deployed clients. The first adds the new name and copies the values; the
second, on hold until its version is asked for, makes sure that nothing is left
under the old name only, and deletes that.`,
		Example: `  backstep new create_products
  backstep new --go add_prices
  backstep new --expand-contract rename products.title headline`,
		Args: func(c *cobra.Command, args []string) error {
			if pair {
				return nil // told with the form that is wanted
			}
			return oneArg("a name, such as create_products")(c, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case pair && inGo:
				return usageError(errors.New("--expand-contract writes YAML: leave --go out"), a.name+" new --help")
			case pair:
				return runExpandContract(a, args)
			}
			return runNew(a, args[0], inGo)
		},
	}
	c.Flags().BoolVar(&inGo, "go", false, "write it in Go, in a folder made by init --go")
	c.Flags().BoolVar(&pair, "expand-contract", false, "write the two migrations that change a name step by step: rename collection.attribute newname")
	return c
}

var (
	notWord    = regexp.MustCompile(`[^a-z0-9]+`)
	goFileName = regexp.MustCompile(`^(\d{14})_([a-z0-9_]+)\.go$`)
	anyVersion = regexp.MustCompile(`^(\d{14})_`)
)

// slugOf is what a file's name makes of a migration's, "" where nothing is left.
func slugOf(name string) string {
	return strings.Trim(notWord.ReplaceAllString(strings.ToLower(name), "_"), "_")
}

func runNew(a *app, name string, inGo bool) error {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	slug := slugOf(name)
	if slug == "" {
		return usageError(fmt.Errorf("%q has no letter or digit to name a file by", name), a.name+" new create_products")
	}
	version, err := a.nextVersion(cfg.Migrations)
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.Migrations, version+"_"+slug)
	words := strings.ReplaceAll(slug, "_", " ")
	words = strings.ToUpper(words[:1]) + words[1:]
	pairs := []string{
		"{{description}}", words, "{{version}}", version, "{{name}}", slug, "{{function}}", goFunction(version, slug),
	}
	if inGo {
		return a.newInGo(cfg.Migrations, path+".go", pairs)
	}
	return a.writeMigration(path+".yaml", writeSteps+a.name, a.template("templates/migration.yaml", pairs))
}

// writeMigration writes a new migration file and says what comes next: a look at
// the plan.
func (a *app) writeMigration(path, next string, data []byte) error {
	if err := a.sumReadable(); err != nil {
		return err
	}
	written, err := a.writeNew(map[string][]byte{path: data})
	if err != nil {
		return err
	}
	if len(written) == 0 {
		return fmt.Errorf("%s is here already; nothing was written", path)
	}
	if err := a.addToSum(path, data); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "wrote %s\n", path)
	fmt.Fprintf(a.streams.Out, "next: %s plan\n", next)
	return nil
}

// writeSteps is what a file without steps asks for.
const writeSteps = "write its steps, then: "

// nextVersion is the current second, or the second after the newest file where
// that is later, so that a new migration always comes last.
func (a *app) nextVersion(folder string) (string, error) {
	entries, err := os.ReadDir(filepath.Join(a.flags.dir, folder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the migrations folder: %w", err)
	}
	version := time.Now().UTC().Format(versionLayout)
	for _, e := range entries {
		m := anyVersion.FindStringSubmatch(e.Name())
		if m == nil || m[1] < version {
			continue
		}
		newest, err := time.Parse(versionLayout, m[1])
		if err != nil {
			continue // fourteen digits that are no time cannot be counted on from
		}
		version = newest.Add(time.Second).Format(versionLayout)
	}
	return version, nil
}

func (a *app) newInGo(folder, path string, pairs []string) error {
	if _, err := os.Stat(filepath.Join(a.flags.dir, folder, "main.go")); err != nil {
		return usageError(fmt.Errorf("%s has no main.go: it was not made for Go", folder), a.name+" init --go")
	}
	if err := a.writeMigration(path, writeSteps+"go run ./"+filepath.ToSlash(folder), a.template("templates/migration.go.txt", pairs)); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(a.flags.dir, folder))
	if err != nil {
		return fmt.Errorf("read the migrations folder: %w", err)
	}
	var functions []string
	for _, e := range entries {
		if m := goFileName.FindStringSubmatch(e.Name()); m != nil && !strings.HasSuffix(m[2], "_test") {
			functions = append(functions, goFunction(m[1], m[2]))
		}
	}
	list := filepath.Join(a.flags.dir, folder, "all.go")
	if err := os.WriteFile(list, goList(functions), 0o644); err != nil { //nolint:gosec // a source file is for everybody to read
		return fmt.Errorf("write the list of migrations: %w", err)
	}
	return nil
}

// goFunction is the name of the function that makes a Go migration.
func goFunction(version, slug string) string {
	var b strings.Builder
	b.WriteString("migration" + version)
	for word := range strings.SplitSeq(slug, "_") {
		if word != "" {
			b.WriteRune(unicode.ToUpper(rune(word[0])))
			b.WriteString(word[1:])
		}
	}
	return b.String()
}

// goList is the file all.go, which lists the migrations of a folder.
func goList(functions []string) []byte {
	var b bytes.Buffer
	b.WriteString("// Code generated by backstep new. DO NOT EDIT.\n\npackage main\n\n")
	b.WriteString("import \"github.com/backstep-dev/backstep/migrations\"\n\n")
	b.WriteString("// all lists the migrations of this folder.\nfunc all() []*migrations.Migration {\n\treturn []*migrations.Migration{\n")
	for _, f := range slices.Sorted(slices.Values(functions)) {
		fmt.Fprintf(&b, "\t\t%s(),\n", f)
	}
	b.WriteString("\t}\n}\n")
	formatted, err := format.Source(b.Bytes())
	if err != nil {
		return b.Bytes() // names made of letters and digits always format
	}
	return formatted
}

// sortedKeys gives a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
