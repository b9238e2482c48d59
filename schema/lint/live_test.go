package lint_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

// inhabited is what a server has in the tests of --live.
const inhabited = shop + `  - create_attribute: { collection: products, key: secret, type: string, size: 200, encrypt: true }
  - create_attribute: { collection: products, key: token, type: string, size: 200, encrypt: true }
  - create_document: { collection: products, id: lamp, data: { title: Lamp, secret: lamps, note: dim } }
  - create_document: { collection: products, id: desk, data: { title: Desk } }
`

// live looks at a change of what a server has, with the server at hand.
func live(t *testing.T, version string, changes ...string) []lint.Finding {
	t.Helper()
	server := started(t, version)
	first := fstest.MapFS{"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(inhabited)}}
	set, err := migrations.LoadSet(first, ".")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Apply(t.Context(), set.All()); err != nil {
		t.Fatal(err)
	}
	model, err := schema.Live(t.Context(), server.Client)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range changes {
		first["2026010100000"+string(rune('2'+i))+"_change.yaml"] = &fstest.MapFile{Data: []byte("database: shop\nsteps:\n" + text)}
	}
	if set, err = migrations.LoadSet(first, "."); err != nil {
		t.Fatal(err)
	}
	report, err := lint.Run(t.Context(), lint.Input{
		Set: set, Files: first, Limits: schema.DefaultLimits(),
		Live: &lint.Live{Client: server.Client, Schema: model, Applied: map[string]bool{"20260101000001": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

func started(t *testing.T, version string) *replica.Replica {
	t.Helper()
	profile, err := replica.ProfileFor(version)
	if err != nil {
		t.Fatal(err)
	}
	server, err := replica.Start(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestWithAServerAtHandOnlyWhatDocumentsOffendIsFound(t *testing.T) {
	t.Parallel()
	required := func(key string) string {
		return "  - update_attribute: { collection: products, key: " + key + ", required: true }\n"
	}
	drop := func(key string) string { return "  - delete_attribute: { collection: products, key: " + key + " }\n" }
	for name, c := range map[string]struct {
		changes []string
		want    []string // code, and what was seen
	}{
		"all have it, required":            {[]string{required("title")}, nil},
		"one lacks it, required":           {[]string{required("note")}, []string{"BS202 1 document: desk"}},
		"one lacks the secret, required":   {[]string{required("secret")}, []string{"BS202 1 document: desk"}},
		"one has the secret, dropped":      {[]string{drop("secret")}, []string{"BS103 1 document: lamp"}},
		"none has the secret, dropped":     {[]string{drop("token")}, nil},
		"no two are alike, unique":         {[]string{"  - create_index: { collection: products, key: one, type: unique, attributes: [title] }\n"}, nil},
		"two may come to be alike, unique": {[]string{"  - create_document: { collection: products, id: lamp2, data: { title: lamp } }\n", "  - create_index: { collection: products, key: one, type: unique, attributes: [title] }\n"}, []string{"BS206"}},
		"none has it, but gets it before":  {[]string{"  - update_document: { collection: products, id: desk, data: { token: t } }\n", drop("token")}, []string{"BS103"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range live(t, "1.9.6", c.changes...) {
				_, seen, _ := strings.Cut(f.Message, "; seen in ")
				got = append(got, strings.TrimSpace(f.Rule.Code+" "+seen))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// An assertion about what is encrypted would be refused by the server.
func TestNoQueryIsSuggestedForWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int{"note": 1, "secret": 0} {
		report := look(t, fstest.MapFS{
			"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(inhabited)},
			"20260101000002_more.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n  - update_attribute: { collection: products, key: " + key + ", required: true }\n")},
			"20260101000003_less.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n  - delete_attribute: { collection: products, key: " + key + " }\n")},
		})
		if len(report.Findings) != 2 || len(report.Findings[0].Insert) != want || len(report.Findings[1].Insert) != want {
			t.Errorf("%s: found %+v", key, report.Findings)
		}
	}
}
