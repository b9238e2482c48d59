package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

// updateVariable, when set, makes TestEveryRule write what it sees.
const updateVariable = "BACKSTEP_UPDATE_GOLDEN"

// part gives the files of an archive below a folder.
func part(archive *txtar.Archive, folder string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, folder+"/"); ok {
			files[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return files
}

// look runs the rules over a folder of files. A backstep.sum among them is what
// was recorded.
func look(t *testing.T, files fs.FS) lint.Report {
	t.Helper()
	set, err := migrations.LoadSet(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	in := lint.Input{Set: set, Files: files, Limits: schema.DefaultLimits()}
	if data, err := fs.ReadFile(files, migrations.SumFile); err == nil {
		sum, err := migrations.ParseSum(migrations.SumFile, data)
		if err != nil {
			t.Fatal(err)
		}
		in.Records = append(in.Records, lint.RecordOf(migrations.SumFile, sum))
	}
	report, err := lint.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// shown is a report as the golden files have it.
func shown(report lint.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		b.WriteString(f.String() + "\n  fix: " + f.Fix + "\n")
		for _, line := range f.Insert {
			b.WriteString("  + " + line + "\n")
		}
	}
	return b.String()
}

func TestEveryRuleHasABadCaseAGoodCaseAndAPage(t *testing.T) {
	t.Parallel()
	for _, rule := range lint.Rules() {
		t.Run(rule.Code, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join("testdata", rule.Code+".txtar")
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatalf("the rule has no cases: %v", err)
			}
			bad := look(t, part(archive, "bad"))
			if !slices.ContainsFunc(bad.Findings, func(f lint.Finding) bool { return f.Rule == rule }) {
				t.Errorf("%s is not found in the bad case:\n%s", rule.Code, shown(bad))
			}
			golden(t, name, archive, shown(bad))
			if good := look(t, part(archive, "good")); len(good.Findings) > 0 || good.Migrations == 0 {
				t.Errorf("the good case has findings:\n%s", shown(good))
			}
			page(t, rule)
		})
	}
}

// golden compares with the archive's file "want".
func golden(t *testing.T, name string, archive *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	if os.Getenv(updateVariable) != "" {
		if i < 0 {
			archive.Files, i = append(archive.Files, txtar.File{Name: "want"}), len(archive.Files)
		}
		archive.Files[i].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatalf("%s has no file want", name)
	}
	if diff := cmp.Diff(string(archive.Files[i].Data), got); diff != "" {
		t.Errorf("found otherwise than wanted (-want +got):\n%s", diff)
	}
}

// page looks at the rule's page: what it says first, and that the parts are there.
func page(t *testing.T, rule lint.Rule) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint", rule.Code+".md"))
	if err != nil {
		t.Fatalf("the rule has no page: %v", err)
	}
	text := string(data)
	if !strings.HasPrefix(text, "# "+rule.Code+" "+rule.Name+"\n\n"+rule.Summary+" ") {
		t.Errorf("the page does not begin with %q and the rule's summary", "# "+rule.Code+" "+rule.Name)
	}
	if !strings.Contains(text, "Severity: "+string(rule.Severity)+".") {
		t.Errorf("the page does not say that the severity is %s", rule.Severity)
	}
	for _, part := range []string{"## Why", "## Bad", "## Good", "## Silence it"} {
		if !strings.Contains(text, part+"\n") {
			t.Errorf("the page has no part %q", part)
		}
	}
}

func TestEveryPageInDocsIsARules(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join("..", "..", "docs", "lint"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range lint.Rules() {
		if !strings.Contains(string(index), "["+rule.Code+"]("+rule.Code+".md)") {
			t.Errorf("the index does not list %s", rule.Code)
		}
	}
	for _, entry := range entries {
		code, _ := strings.CutSuffix(entry.Name(), ".md")
		if _, known := lint.FindRule(code); !known && code != "README" {
			t.Errorf("docs/lint/%s is the page of no rule", entry.Name())
		}
	}
}

// The bad and the good migration of a page are cut from the rule's cases, so
// that no page shows what the rules do not say.
func TestPagesShowWhatTheCasesHold(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, rule := range lint.Rules() {
		data, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint", rule.Code+".md"))
		if err != nil {
			t.Fatal(err)
		}
		cases, err := os.ReadFile(filepath.Join("testdata", rule.Code+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range block.FindAllStringSubmatch(string(data), -1) {
			for line := range strings.Lines(match[1]) {
				if line = strings.TrimSpace(line); line != "" && line != "steps:" && !strings.Contains(string(cases), line) {
					t.Errorf("%s shows a line that its cases do not have: %s", rule.Code, line)
				}
			}
		}
	}
}
