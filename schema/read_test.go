package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/backstep-dev/backstep/schema"
)

func TestTry(t *testing.T) {
	files, _ := filepath.Glob("/work/shared/realworld/*.json")
	for _, f := range files {
		got, err := schema.Read(os.DirFS(filepath.Dir(f)), filepath.Base(f))
		var re *schema.RefusedError
		if errors.As(err, &re) {
			t.Logf("REFUSED %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(got.Model, schema.DefaultLimits()); err != nil {
			t.Logf("CHECK %v", err)
		}
		t.Logf("OK %s %d notices, %d steps, unmanaged %v", got.Name, len(got.Notices), len(schema.Steps(got.Model)), got.Unmanaged)
		for i, n := range got.Notices {
			if i < 4 {
				t.Log("    ", n)
			}
		}
	}
}
