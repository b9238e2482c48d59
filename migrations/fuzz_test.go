package migrations_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/migrations"
)

func sprint(v any) string { return fmt.Sprint(v) }

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		example, "", "steps: [", "steps:\n  - create_row: {table: t, id: x, data: {a: [1, {b: 1e400}]}}\ndatabase: d\n",
		"a: &x [*x]", "? {a: b}\n: c", "steps: !!binary x", "%YAML 1.2\n---\nsteps: []\n", "steps: |\n  x\n", "- - - -", "\xff\xfe", "steps:\n\t- x",
		"database: d\nsteps:\n  - increment: {collection: c, id: x, attribute: n, by: -0.0}\n",
		"database: d\nsteps:\n  - assert: {collection: c, at_least: 1, where: ['{\"method\":\"isNull\",\"attribute\":\"a\"}']}\n",
		"down: []\n{steps: []}", "steps: &a\n  <<: *a\n", "\"steps\": [{'assert': {'database': d, exists: true}}]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := migrations.Parse(exampleName, []byte(text))
		if err != nil {
			var syntax *migrations.SyntaxError
			if !errors.As(err, &syntax) || len(syntax.Problems) == 0 || err.Error() == "" {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		sum, err := m.Checksum()
		if err != nil {
			t.Fatalf("accepted, but without a checksum: %v", err)
		}
		var b strings.Builder
		if err := migrations.Write(&b, m.Description, migrations.Changes(m.Up)); err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		again, err := migrations.Parse(exampleName, []byte(b.String()))
		if err != nil {
			t.Fatalf("written, but not read back: %v\n%s", err, b.String())
		}
		if got, err := again.Checksum(); err != nil || got != sum {
			t.Fatalf("written and read back as something else: %v\n%s", err, b.String())
		}
	})
}
