package lint_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

func TestWhatAServerIsTooOldForIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step, since string // since is a version that takes the step
		before      string // and one that does not
	}{
		"dates":        {"  - create_document: { collection: products, id: lamp, data: { title: Lamp }, created_at: '2020-01-01T00:00:00.000+00:00' }\n", "1.8.0", "1.7.4"},
		"an increment": {"  - create_attribute: { collection: products, key: stock, type: integer }\n  - increment: { collection: products, id: lamp, attribute: stock, by: 1 } # backstep:nolint BS403 a lamp\n", "1.8.0", "1.7.4"},
		"a point":      {"  - create_attribute: { collection: products, key: at, type: point }\n", "1.8.0", "1.7.4"},
		"a text":       {"  - create_attribute: { collection: products, key: body, type: text }\n", "1.9.0", "1.8.1"},
		"a bigint":     {"  - create_attribute: { collection: products, key: n, type: bigint }\n", "1.9.5", "1.9.4"},
		"index of a list": {
			"  - create_attribute: { collection: products, key: tags, type: string, size: 20, array: true }\n  - create_index: { collection: products, key: by_tags, type: key, attributes: [tags] }\n",
			"1.8.1", "1.9.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for version, want := range map[string][]string{c.since: nil, c.before: {"BS306"}} {
				files := fstest.MapFS{
					"20260101000001_shop.yaml":   &fstest.MapFile{Data: []byte(shop)},
					"20260101000002_change.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n" + c.step)},
				}
				set, err := migrations.LoadSet(files, ".")
				if err != nil {
					t.Fatal(err)
				}
				limits, err := schema.LimitsFor(version)
				if err != nil {
					t.Fatal(err)
				}
				report, err := lint.Run(t.Context(), lint.Input{Set: set, Files: files, Limits: limits})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, f := range report.Findings {
					got = append(got, f.Rule.Code)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: found %v, want %v", version, got, want)
				}
			}
		})
	}
}
