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

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

// realworld gives the folder of real projects' files, BACKSTEP_REALWORLD or the
// one beside the repository. Without it the test is skipped, but not in CI.
func realworld(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("BACKSTEP_REALWORLD")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared", "realworld")
	} else if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", folder) // given from the top of the repository
	}
	if _, err := os.Stat(folder); err != nil {
		message := "no folder of real projects' files: set BACKSTEP_REALWORLD to one with *.json in it"
		if os.Getenv("CI") == "true" && os.Getenv("BACKSTEP_REALWORLD") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
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
	for _, version := range []string{"1.9.6", "1.8.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
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
			t.Cleanup(func() { t.Log(table(outcomes)) })
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
		return o
	}
	p := newProject(t, version)
	if err := schema.Check(file.Model, p.limits()); err != nil {
		o.result, o.detail = refusal(t, err)
		return o
	}
	var written strings.Builder
	if err := migrations.Write(&written, "Imported from "+o.file, schema.Steps(file.Model)); err != nil {
		t.Fatal(err)
	}
	m, err := migrations.Parse("20260101000000_import.yaml", []byte(written.String()))
	if err != nil {
		t.Fatal(err)
	}
	r := p.runner(m)
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	live, err := schema.Live(t.Context(), p.client, migrations.DefaultHistoryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range schema.Compare(file.Model, live) {
		t.Errorf("file / live: %s", d)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counted := compareRaw(t, data, p.snapshot())
	if _, err := r.Down(t.Context(), migrations.Back{}); err != nil {
		t.Fatal(err)
	}
	if left := p.snapshot(); len(left) > 0 {
		t.Errorf("down leaves\n%s", left)
	}
	o.result = fmt.Sprintf("imported, %d notices", len(file.Notices))
	o.detail = fmt.Sprintf("%d steps, %d objects compared", len(m.Up), counted)
	return o
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
	return fmt.Sprintf("refused, %d reasons", len(refused.Problems)), refused.Problems[0].At.Path + ": " + refused.Problems[0].Reason
}

func (p *project) snapshot() oracle.Snapshot {
	p.t.Helper()
	reader := oracle.Reader{Endpoint: p.server.Endpoint(), Project: p.server.Project(), Key: p.server.Key()}
	s, err := reader.Read(p.t.Context(), func(id string) bool { return id != migrations.DefaultHistoryDatabase })
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

var _ = appwritetest.New
