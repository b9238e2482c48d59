package lint_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
	"github.com/backstep-dev/backstep/steps"
)

func sample(t *testing.T) lint.Report {
	t.Helper()
	return look(t, fstest.MapFS{
		"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(shop)},
		"20260101000002_drop.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n  - delete_attribute: { collection: products, key: note }\n")},
	})
}

func TestGitHubAnnotationsAreEscaped(t *testing.T) {
	t.Parallel()
	report := sample(t)
	report.Findings[0].Message = "100%, two\nlines"
	report.Findings[0].At.File = "a:b,c.yaml"
	var b bytes.Buffer
	if err := report.GitHub(&b); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%3Ab%2Cc.yaml,line=3,col=5,title=BS103 drop-attribute::100%25, two%0Alines%0Afix: " + report.Findings[0].Fix + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// The parts of SARIF 2.1.0 that readers rely on: each result names a rule of the
// driver, a place that exists, and a fix that puts lines before the step.
func TestSARIFNamesRulePlaceAndFix(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sample(t).SARIF(&b, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct{ ID, HelpURI string }
				}
			}
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
				Fixes []struct {
					ArtifactChanges []struct {
						Replacements []struct {
							DeletedRegion   struct{ StartLine, StartColumn, EndLine, EndColumn int }
							InsertedContent struct{ Text string }
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Name != "backstep" || len(run.Tool.Driver.Rules) != len(lint.Rules()) || len(run.Results) != 1 {
		t.Fatalf("the log is %s", b.String())
	}
	r := run.Results[0]
	at := r.Locations[0].PhysicalLocation
	if r.RuleID != "BS103" || r.Level != "error" || at.ArtifactLocation.URI != "20260101000002_drop.yaml" || at.Region.StartLine != 3 || at.Region.StartColumn != 5 {
		t.Errorf("the result is %+v", r)
	}
	change := r.Fixes[0].ArtifactChanges[0].Replacements[0]
	if change.DeletedRegion.StartLine != 3 || change.DeletedRegion.EndLine != 3 || change.DeletedRegion.StartColumn != 1 || change.DeletedRegion.EndColumn != 1 {
		t.Errorf("the fix replaces %+v", change.DeletedRegion)
	}
	fixed := "database: shop\nsteps:\n" + change.InsertedContent.Text + "  - delete_attribute: { collection: products, key: note }\n"
	if got := codes(t, fixed); len(got) != 0 {
		t.Errorf("with the fix in place, %v is still found in\n%s", got, fixed)
	}
}

func TestPathsInSARIFAreReferences(t *testing.T) {
	t.Parallel()
	report := sample(t)
	report.Findings[0].At.File = "my app/20260101000002_drop#1.yaml"
	var b bytes.Buffer
	if err := report.SARIF(&b, ""); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"uri": "my%20app/20260101000002_drop%231.yaml"`) {
		t.Errorf("the log is %s", b.String())
	}
}

func TestAMigrationInGoIsNamedByItsStep(t *testing.T) {
	t.Parallel()
	set, err := migrations.NewSet(migrations.New("20260101000001", "drop", func(s *steps.Builder) {
		s.Database("shop").Collection("products").DeleteAttribute("note")
	}))
	if err != nil {
		t.Fatal(err)
	}
	report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
	if err != nil || len(report.Findings) != 1 || len(report.Findings[0].Insert) != 0 {
		t.Fatalf("found %+v, %v", report.Findings, err)
	}
	var b bytes.Buffer
	if err := report.GitHub(&b); err != nil {
		t.Fatal(err)
	}
	want := "::error title=BS103 drop-attribute::20260101000001_drop, delete_attribute-1: " + report.Findings[0].Message
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("the annotation is %s, want %s", b.String(), want)
	}
}
