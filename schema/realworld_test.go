package schema_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

// realworld gives the folder of real projects' files: BACKSTEP_REALWORLD, from
// the top of the repository, or the one beside it. The files are no part of the
// repository, so without a folder the test is skipped; a folder that is named
// must be there.
func realworld(t *testing.T) string {
	t.Helper()
	named := os.Getenv("BACKSTEP_REALWORLD")
	folder := named
	if named == "" {
		folder = "../shared/realworld"
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", folder)
	}
	if _, err := os.Stat(folder); err != nil {
		if named != "" {
			t.Fatalf("BACKSTEP_REALWORLD: %v", err)
		}
		if os.Getenv("CI") == "true" {
			t.Fatal("no folder of real projects' files beside the project, and CI has to have it")
		}
		t.Skip("no folder of real projects' files: set BACKSTEP_REALWORLD to one with *.json in it")
	}
	return folder
}

// outcome is what became of one file.
type outcome struct{ file, result, detail string }

func TestRealProjectsAreImportedWholeOrRefusedWithPathAndReason(t *testing.T) {
	t.Parallel()
	folder := realworld(t)
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.json in %s: %v", folder, err)
	}
	for _, version := range []string{"1.9.6", "1.8.1", "1.7.4"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && version != "1.9.6" {
				t.Skip("one version is enough for a short test")
			}
			var mu sync.Mutex
			var outcomes []outcome
			t.Run("files", func(t *testing.T) {
				t.Parallel()
				for _, file := range files {
					t.Run(filepath.Base(file), func(t *testing.T) {
						t.Parallel()
						o := importFile(t, file, version)
						mu.Lock()
						defer mu.Unlock()
						outcomes = append(outcomes, o)
					})
				}
			})
			t.Cleanup(func() { t.Logf("real projects on %s:%s", version, table(outcomes)) })
		})
	}
}

// table writes the outcomes for people.
func table(outcomes []outcome) string {
	slices.SortFunc(outcomes, func(a, b outcome) int { return strings.Compare(a.file, b.file) })
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, o := range outcomes {
		fmt.Fprintf(w, "\n%d\t%s\t%s\t%s", i+1, o.file, o.result, o.detail)
	}
	_ = w.Flush()
	return b.String()
}

// importFile takes a file through import, up and down on a server of its own.
func importFile(t *testing.T, path, version string) outcome {
	t.Helper()
	o := outcome{file: filepath.Base(path)}
	file, err := schema.Read(os.DirFS(filepath.Dir(path)), o.file)
	if err != nil {
		o.result, o.detail = refusal(t, err)
		file, err = schema.Read(os.DirFS(filepath.Dir(path)), o.file, schema.WithStringSize(255), schema.WithoutBrokenIndexes())
		if err != nil {
			return o
		}
		p := newProject(t, version)
		if schema.Check(file.Model, p.limits()) == nil {
			p.upAndDown(file)
			o.result += fmt.Sprintf("; imported with options, notices: %d", len(file.Notices))
		}
		return o
	}
	if len(file.Model.Databases) == 0 {
		o.result, o.detail = "nothing to import", fmt.Sprintf("left to other tools: %d parts", len(file.Unmanaged))
		return o
	}
	p := newProject(t, version)
	if err := schema.Check(file.Model, p.limits()); err != nil {
		o.result, o.detail = refusal(t, err)
		p.refusedToo(file)
		return o
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counted := 0
	made := p.upAndDown(file, func() { counted = compareRaw(t, data, p.snapshot(), file.Notices) })
	o.result = fmt.Sprintf("imported, notices: %d", len(file.Notices))
	o.detail = fmt.Sprintf("%d steps, %d objects compared", made, counted)
	return o
}

// migration makes a migration of a file the way import does, by way of its text.
func migration(t *testing.T, file *schema.File) *migrations.Migration {
	t.Helper()
	var written strings.Builder
	if err := migrations.Write(&written, "Imported from "+file.Name, schema.Steps(file.Model)); err != nil {
		t.Fatal(err)
	}
	m, err := migrations.Parse("20260101000000_import.yaml", []byte(written.String()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// upAndDown imports a file into an empty project, compares, and takes it back.
// It gives the number of steps.
func (p *project) upAndDown(file *schema.File, compare ...func()) int {
	t := p.t
	t.Helper()
	file = p.placed(file)
	m := migration(t, file)
	r := p.runner(m)
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, d := range schema.Compare(file.Model, p.live()) {
		t.Errorf("file / live: %s", d)
	}
	for _, f := range compare {
		f()
	}
	if _, err := r.Down(t.Context(), migrations.Back{}); err != nil {
		t.Fatal(err)
	}
	if left := p.snapshot(); len(left) > 0 {
		t.Errorf("down leaves\n%s", left)
	}
	return len(m.Up)
}

// refusedToo makes sure that a server refuses what Check refuses, and that
// nothing is left of the attempt.
func (p *project) refusedToo(file *schema.File) {
	t := p.t
	t.Helper()
	if _, err := p.runner(migration(t, p.placed(file))).Up(t.Context(), ""); !errors.Is(err, engine.ErrRolledBack) {
		t.Errorf("Check refuses what the server does not: %v", err)
	}
	if left := p.snapshot(); len(left) > 0 {
		t.Errorf("the refused import leaves\n%s", left)
	}
}

// refusal holds a refusal against what one must say.
func refusal(t *testing.T, err error) (result, detail string) {
	t.Helper()
	var refused *schema.RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, schema.ErrRefused) {
		t.Fatalf("neither imported nor refused: %v", err)
	}
	for _, problem := range refused.Problems {
		if problem.At.File == "" || !strings.HasPrefix(problem.At.Path, "$") || problem.At.Line == 0 || problem.Reason == "" {
			t.Errorf("refused without place or reason: %+v", problem)
		}
	}
	return fmt.Sprintf("refused, reasons: %d", len(refused.Problems)), refused.Problems[0].At.Path + ": " + refused.Problems[0].Reason
}
