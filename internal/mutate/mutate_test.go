package mutate_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/backstep-dev/backstep/internal/mutate"
)

func TestEveryMutantIsDescribedAndItsCodeIsThereOnce(t *testing.T) {
	t.Parallel()
	mutants, err := mutate.Load(os.DirFS("mutants"))
	if err != nil {
		t.Fatal(err)
	}
	if len(mutants) < 25 {
		t.Errorf("%d mutants, want at least 25", len(mutants))
	}
	for _, m := range mutants {
		if err := m.Check(os.DirFS(filepath.Join("..", ".."))); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}

func TestAMutantIsKilledOnlyByATestThatPassedAndNowFails(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.org/door\n\ngo 1.26\n",
		"door.go":      "package door\n\nfunc Locked() bool {\n\treturn true\n}\n\nfunc Lit() bool {\n\treturn true\n}\n",
		"door_test.go": "package door\n\nimport \"testing\"\n\nfunc TestLocked(t *testing.T) {\n\tif !Locked() {\n\t\tt.Error(\"open\")\n\t}\n}\n\nfunc TestLit(t *testing.T) {\n\tLit()\n}\n\nfunc TestSick(t *testing.T) { t.Error(\"sick\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	locked, lit := "func Locked() bool {\n\treturn true\n", "func Lit() bool {\n\treturn true\n"
	for name, c := range map[string]struct {
		test, old, new string
		want           error
		killer         string
	}{
		"killed":           {test: "TestLocked", old: locked, new: "func Locked() bool {\n\treturn false\n", killer: "TestLocked"},
		"survives":         {test: "TestLit", old: lit, new: "func Lit() bool {\n\treturn false\n", want: mutate.ErrSurvived},
		"does not compile": {test: "TestLocked", old: locked, new: "func Locked() bool {\n", want: mutate.ErrBroken},
		"sick test":        {test: "TestSick", old: locked, new: "func Locked() bool {\n\treturn false\n", want: mutate.ErrSick},
		"no such test":     {test: "TestNone", old: locked, new: "func Locked() bool {\n\treturn false\n", want: mutate.ErrSick},
		"not there":        {test: "TestLocked", old: "return maybe", new: "", want: mutate.ErrSpec},
		"there twice":      {test: "TestLocked", old: "\treturn true\n", new: "", want: mutate.ErrSpec},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bench := mutate.Bench{Module: module, Jobs: 1}
			m := mutate.Mutant{Name: name, Package: ".", Test: c.test, Edits: []mutate.Edit{{File: "door.go", Old: c.old, New: c.new}}}
			told := 0
			err := bench.Try(t.Context(), []mutate.Mutant{m}, func(v mutate.Verdict) {
				told++
				if !errors.Is(v.Err, c.want) || v.Killer != c.killer {
					t.Errorf("killed by %q, error %v; want %q, %v", v.Killer, v.Err, c.killer, c.want)
				}
			})
			if err != nil || told != 1 {
				t.Errorf("%d verdicts, error %v", told, err)
			}
		})
	}
	t.Cleanup(func() {
		after, err := os.ReadFile(filepath.Join(module, "door.go"))
		if err != nil || string(after) != "package door\n\n"+locked+"}\n\n"+lit+"}\n" {
			t.Errorf("the code was changed: %q, error %v", after, err)
		}
	})
}

func TestDescriptionsThatAreNotWholeAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":       "",
		"no test":       "A lock.\n-- a.go --\nx\n-- becomes --\ny\n",
		"no sentence":   "test . TestX\n-- a.go --\nx\n-- becomes --\ny\n",
		"no pair":       "A lock.\ntest . TestX\n-- a.go --\nx\n",
		"another order": "A lock.\ntest . TestX\n-- becomes --\nx\n-- a.go --\ny\n",
		"no Go file":    "A lock.\ntest . TestX\n-- a.txt --\nx\n-- becomes --\ny\n",
	} {
		if _, err := mutate.Load(fstest.MapFS{"m.txtar": {Data: []byte(text)}}); !errors.Is(err, mutate.ErrSpec) {
			t.Errorf("%s: error %v, want ErrSpec", name, err)
		}
	}
}
