package appwritetest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Sharing code with the client would let one mistake pass on both sides. What
// tests draw their random cases from is no such code.
func TestServerImportsNoOtherRoomOfTheModule(t *testing.T) {
	t.Parallel()
	const module = "github.com/backstep-dev/backstep/"
	files := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			room, ours := strings.CutPrefix(imported+"/", module)
			draws := strings.HasSuffix(path, "_test.go") && room == "internal/seeded/"
			if ours && !strings.HasPrefix(room, "appwritetest/") && !draws {
				t.Errorf("%s imports %s", path, imported)
			}
			if strings.HasPrefix(imported, "github.com/appwrite/sdk-for-go") {
				t.Errorf("%s imports the SDK: %s", path, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("looked at %d files only", files)
	}
}
