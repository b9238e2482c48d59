package lint_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

func TestACleanSetIsFoundNoFaultWithAndAppliesAsSimulated(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "clean.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	if report := look(t, files); len(report.Findings) > 0 || report.Migrations != len(files) {
		t.Errorf("%s:\n%s", report.Counts(), shown(report))
	}
	set, err := migrations.LoadSet(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	state, err := lint.State(set)
	if err != nil {
		t.Fatal(err)
	}
	server := started(t, "1.9.6")
	if err := server.Apply(t.Context(), set.All()); err != nil {
		t.Fatal(err)
	}
	live, err := schema.Live(t.Context(), server.Client)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range schema.Compare(live, state) {
		t.Errorf("server / simulation: %s", d)
	}
}

func TestTheMigrationsOfTheDocumentationAreFoundNoFaultWith(t *testing.T) {
	t.Parallel()
	files := os.DirFS(filepath.Join("..", "..", "docs", "testdata", "migrations"))
	if report := look(t, files); len(report.Findings) > 0 || report.Migrations == 0 {
		t.Errorf("%s:\n%s", report.Counts(), shown(report))
	}
}

// applies takes the migrations of a case to an embedded server.
func applies(t *testing.T, files fstest.MapFS, version string) error {
	t.Helper()
	set, err := migrations.LoadSet(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	return started(t, version).Apply(t.Context(), set.All())
}

// Every good case works, and the bad ones of rules that foretell a failure fail.
func TestServersAgreeWithTheCases(t *testing.T) {
	t.Parallel()
	fails := []string{
		lint.CodeRowWidth, lint.CodeIndexLength, lint.CodeServer, lint.CodeBeforeAvailable, lint.CodeLetterCase,
	}
	if os.Getenv("BACKSTEP_SOAK") != "" {
		fails = append(fails, lint.CodeIndexCount) // fifty-nine indexes take their time; a thousand attributes, minutes
	}
	for _, rule := range lint.Rules() {
		t.Run(rule.Code, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(filepath.Join("testdata", rule.Code+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			version := "1.9.6"
			if rule.Code == lint.CodeIrreversible {
				version = "1.8.1" // the last that indexes lists
			}
			if err := applies(t, part(archive, "good"), version); err != nil {
				t.Errorf("the good case fails: %v", err)
			}
			if !slices.Contains(fails, rule.Code) {
				return
			}
			if err := applies(t, part(archive, "bad"), version); err == nil {
				t.Error("the bad case works")
			}
		})
	}
}
