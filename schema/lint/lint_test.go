package lint_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
	"github.com/backstep-dev/backstep/steps"
)

const shop = `database: shop
steps:
  - create_database: { id: shop, name: Shop }
  - create_collection: { id: products, name: Products }
  - create_attribute: { collection: products, key: title, type: string, size: 255 }
  - create_attribute: { collection: products, key: note, type: string, size: 255 }
`

// codes looks at the shop and one more migration, and gives what is found in it.
func codes(t *testing.T, steps string) []string {
	t.Helper()
	report := look(t, fstest.MapFS{
		"20260101000001_shop.yaml":   &fstest.MapFile{Data: []byte(shop)},
		"20260101000002_change.yaml": &fstest.MapFile{Data: []byte(steps)},
	})
	found := []string{}
	for _, f := range report.Findings {
		found = append(found, f.Rule.Code)
	}
	return found
}

func TestCommentsSilenceTheStepTheyStandByOrTheFileTheyHead(t *testing.T) {
	t.Parallel()
	const drop = "delete_attribute: { collection: products, key: note }"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"behind the step":        {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103 no notes\n", nil},
		"on a line before":       {"database: shop\nsteps:\n  # backstep:nolint BS103 no notes\n  - " + drop + "\n", nil},
		"two lines before":       {"database: shop\nsteps:\n  # backstep:nolint BS103 no notes\n  # and another remark\n  - " + drop + "\n", nil},
		"at the top of the file": {"# backstep:nolint BS103 no notes\ndatabase: shop\nsteps:\n  - " + drop + "\n", nil},
		"inside a long step":     {"database: shop\nsteps:\n  - delete_attribute:\n      collection: products # backstep:nolint BS103 no notes\n      key: note\n", nil},
		"several codes":          {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS105,BS103 no notes\n", nil},
		"by another step": {
			"database: shop\nsteps:\n  - " + drop + "\n  - create_collection: { id: orders, name: Orders } # backstep:nolint BS103 no notes\n",
			[]string{"BS103", "BS002"},
		},
		"for another rule":                   {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS102 no notes\n", []string{"BS103", "BS002"}},
		"without a reason":                   {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103\n", []string{"BS103", "BS001"}},
		"without a code":                     {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint no notes\n", []string{"BS103", "BS001"}},
		"with nothing":                       {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint\n", []string{"BS103", "BS001"}},
		"of a rule unknown":                  {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103,BS998 no notes\n", []string{"BS103", "BS001"}},
		"of a rule unknown only":             {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS998 no notes\n", []string{"BS103", "BS001"}},
		"on a line of its own inside a step": {"database: shop\nsteps:\n  - delete_attribute:\n      # backstep:nolint BS103 no notes\n      collection: products\n      key: note\n  - create_collection: { id: orders, name: Orders }\n", nil},
		"with a tab":                         {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103\tno notes\n", nil},
		"several codes, with a blank":        {"database: shop\nsteps:\n  - create_index: { collection: products, key: i, type: key, attributes: [note] }\n  - " + drop + " # backstep:nolint BS105, BS103 no notes\n", nil},
		"several codes and no reason":        {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103, BS105\n", []string{"BS103", "BS001"}},
		"a comma before the reason":          {"database: shop\nsteps:\n  - " + drop + " # backstep:nolint BS103, no notes\n", nil},
		"in a text":                          {"description: '# backstep:nolint BS103 no notes'\ndatabase: shop\nsteps:\n  - " + drop + "\n", []string{"BS103"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := codes(t, c.file); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestFillingBelongsToAddingAnAttributeAndToRequiringIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps string
		want  []string
	}{
		"an attribute that is added":    {"  - create_attribute: { collection: products, key: headline, type: string, size: 255 }\n  - fill_attribute: { collection: products, key: headline, from: title }\n", nil},
		"one that becomes required":     {"  - fill_attribute: { collection: products, key: title, value: untitled }\n  - update_attribute: { collection: products, key: title, required: true }\n", nil},
		"one beside another change":     {"  - create_attribute: { collection: products, key: stock, type: integer }\n  - fill_attribute: { collection: products, key: title, value: untitled }\n", []string{"BS403"}},
		"by itself":                     {"  - fill_attribute: { collection: products, key: title, value: untitled }\n", nil},
		"what is deleted when it moved": {"  - create_attribute: { collection: products, key: headline, type: string, size: 255 }\n  - fill_attribute: { collection: products, key: headline, from: title }\n  - delete_attribute: { collection: products, key: title }\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := codes(t, "database: shop\nsteps:\n"+c.steps); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestAGoFunctionWithoutUndoNeedsADeclaredWayBack(t *testing.T) {
	t.Parallel()
	do := func(context.Context, client.Client) error { return nil }
	bad := migrations.New("20260101000001", "call", func(s *steps.Builder) { s.Func(steps.Func{Name: "call", Version: "1", Do: do}) })
	undone := migrations.New("20260101000002", "undone", func(s *steps.Builder) { s.Func(steps.Func{Name: "undone", Version: "1", Do: do, Undo: do}) })
	declared := migrations.New("20260101000003", "declared", func(s *steps.Builder) { s.Func(steps.Func{Name: "declared", Version: "1", Do: do}) },
		migrations.WithDown(func(*steps.Builder) {}))
	set, err := migrations.NewSet(bad, undone, declared)
	if err != nil {
		t.Fatal(err)
	}
	report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	want := "20260101000001_call, func-1: error BS402: func call cannot be undone: "
	if len(report.Findings) != 1 || !strings.HasPrefix(report.Findings[0].String(), want) {
		t.Errorf("found %v, want one that begins with %q", report.Findings, want)
	}
}

// What Go code does to the schema is unknown: nothing is called missing after it.
func TestAfterAGoFunctionNothingIsCalledMissing(t *testing.T) {
	t.Parallel()
	do := func(context.Context, client.Client) error { return nil }
	build := func(with bool) lint.Report {
		set, err := migrations.NewSet(migrations.New("20260101000001", "all", func(s *steps.Builder) {
			s.Database("shop").Create("Shop")
			s.Database("shop").Collection("products").Create("Products")
			if with {
				s.Func(steps.Func{Name: "columns", Version: "1", Do: do, Undo: do})
			}
			s.Database("shop").Collection("products").Index("by_title", steps.Key, "title")
		}))
		if err != nil {
			t.Fatal(err)
		}
		report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if got := build(false).Findings; len(got) != 1 || got[0].Rule.Code != lint.CodeBeforeAvailable {
		t.Errorf("without the function: %v", got)
	}
	if got := build(true).Findings; len(got) != 0 {
		t.Errorf("with the function: %v", got)
	}
}

func TestWhatIsDeletedLateTakesItsRoomUntilTheMigrationEnds(t *testing.T) {
	t.Parallel()
	const make16k = "database: shop\nsteps:\n  - create_database: { id: shop, name: Shop }\n  - create_collection: { id: notes, name: Notes }\n" +
		"  - create_attribute: { collection: notes, key: body, type: string, size: 16000 }\n"
	const swap = "database: shop\nsteps:\n  - delete_attribute: { collection: notes, key: body } # backstep:nolint BS103 moved\n"
	const add = "  - create_attribute: { collection: notes, key: text, type: string, size: 16000 }\n"
	look := func(files map[string]string) []lint.Finding {
		fsys := fstest.MapFS{"20260101000001_notes.yaml": &fstest.MapFile{Data: []byte(make16k)}}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		return look(t, fsys).Findings
	}
	together := look(map[string]string{"20260101000002_swap.yaml": swap + add})
	if len(together) != 1 || together[0].Rule.Code != lint.CodeRowWidth || !strings.Contains(together[0].Message, "until the migration ends") {
		t.Errorf("in one migration: %v", together)
	}
	apart := look(map[string]string{"20260101000002_drop.yaml": swap, "20260101000003_add.yaml": "database: shop\nsteps:\n" + add})
	if len(apart) != 0 {
		t.Errorf("in two: %v", apart)
	}
}

// Databases that others made are not called missing, nor what may be in them.
func TestWhatOthersMadeIsNotCalledMissing(t *testing.T) {
	t.Parallel()
	report := look(t, fstest.MapFS{"20260101000001_change.yaml": &fstest.MapFile{Data: []byte(`database: theirs
steps:
  - create_index: { collection: products, key: by_title, type: key, attributes: [title] }
  - update_document: { collection: products, id: lamp, data: { price: 3 } } # backstep:nolint BS403 one lamp
`)}})
	if len(report.Findings) != 0 {
		t.Errorf("found %v", report.Findings)
	}
}

func TestSeveritiesOfTheProjectCount(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(shop)},
		"20260101000002_drop.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n  - delete_attribute: { collection: products, key: note }\n")},
	}
	set, err := migrations.LoadSet(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	for severity, want := range map[lint.Severity]string{lint.Error: "1 error, 0 warnings", lint.Warning: "0 errors, 1 warning", lint.Off: "nothing found"} {
		report, err := lint.Run(t.Context(), lint.Input{
			Set: set, Files: files, Limits: schema.DefaultLimits(), Severities: lint.Severities{lint.CodeDropAttribute: severity},
		})
		if err != nil || report.Counts() != "2 migrations looked at: "+want {
			t.Errorf("%s: %q, %v; want %q", severity, report.Counts(), err, want)
		}
	}
	for _, wrong := range []lint.Severities{{"BS999": lint.Error}, {lint.CodeRename: "loud"}} {
		if _, err := lint.Run(t.Context(), lint.Input{Set: set, Severities: wrong}); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}

func TestSinceIsAVersion(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(shop)}}
	set, err := migrations.LoadSet(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	for since, want := range map[string]int{"": 1, "20251231235959": 1, "20260101000001": 0} {
		report, err := lint.Run(t.Context(), lint.Input{Set: set, Files: files, Limits: schema.DefaultLimits(), Since: since})
		if err != nil || report.Migrations != want {
			t.Errorf("since %q: %d migrations, %v; want %d", since, report.Migrations, err, want)
		}
	}
	for _, since := range []string{"v1", "2026", "main", "20260101000001_shop"} {
		if _, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits(), Since: since}); err == nil {
			t.Errorf("since %q leaves out what it pleases", since)
		}
	}
}

func TestADocumentThatNoTransactionTakesIsFound(t *testing.T) {
	t.Parallel()
	const around = len(`{"title":""}`)
	found := func(characters int) []lint.Finding {
		set, err := migrations.NewSet(migrations.New("20260101000001", "large", func(s *steps.Builder) {
			s.Database("shop").Collection("products").Document("lamp").Upsert(map[string]any{"title": strings.Repeat("x", characters)})
		}))
		if err != nil {
			t.Fatal(err)
		}
		report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
		if err != nil {
			t.Fatal(err)
		}
		return report.Findings
	}
	if got := found(5_000_000 - around); len(got) != 0 {
		t.Errorf("at the limit: %v", got)
	}
	if got := found(5_000_001 - around); len(got) != 1 || got[0].Rule.Code != lint.CodeTransaction {
		t.Errorf("beyond it: %v", got)
	}
}

func TestWhatIsOnHoldMayComeLate(t *testing.T) {
	t.Parallel()
	late := func(head string) []lint.Finding {
		files := fstest.MapFS{"20260101000001_late.yaml": &fstest.MapFile{Data: []byte(head + shop)}}
		set, err := migrations.LoadSet(files, ".")
		if err != nil {
			t.Fatal(err)
		}
		report, err := lint.Run(t.Context(), lint.Input{
			Set: set, Files: files, Limits: schema.DefaultLimits(),
			Records: []lint.Record{{Where: "the history", Checksums: map[string]string{"20260102000000": "x"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return report.Findings
	}
	if got := late(""); len(got) != 1 || got[0].Rule.Code != lint.CodeOutOfOrder {
		t.Errorf("not on hold: %v", got)
	}
	if got := late("hold: the clients are deployed\n"); len(got) != 0 {
		t.Errorf("on hold: %v", got)
	}
}
