package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/cmd"
)

// A rename is likely here: the two attributes are alike but for their keys.
const (
	beforeRename = `
database: shop
steps:
  - create_database: { id: shop, name: Shop }
  - create_collection: { id: products, name: Products }
  - create_attribute: { collection: products, key: title, type: string, size: 40, required: true }
`
	afterRename = `{"tablesDB": [{"$id": "shop", "name": "Shop"}], "tables": [{"$id": "products", "databaseId": "shop", "name": "Products",
  "columns": [{"key": "product_title", "type": "string", "size": 40, "required": true}]}]}`
)

func TestALikelyRenameIsAskedAboutAndNeverGuessed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		terminal     bool
		code         int
		asked        bool
	}{
		{"yes on a terminal", "2\n", true, cmd.ExitDone, true},
		{"no on a terminal", "1\n", true, cmd.ExitRefused, true},
		{"nobody to ask", "", false, cmd.ExitRefused, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{
				"migrations/20260101000001_shop.yaml": beforeRename, "appwrite.config.json": afterRename,
			})
			var out, err bytes.Buffer
			streams := cmd.Streams{In: strings.NewReader(test.answer), Out: &out, Err: &err, Terminal: test.terminal}
			getenv := func(name string) string { return map[string]string{"ACCESSIBLE": "1", "NO_COLOR": "1"}[name] }
			code := cmd.Execute(t.Context(), []string{"diff", "--name", "rename", "-C", dir}, streams, cmd.WithGetenv(getenv))
			if code != test.code {
				t.Fatalf("exit code %d, want %d\n%s\n%s", code, test.code, &out, &err)
			}
			if asked := strings.Contains(err.String(), "is product_title what was called title?"); asked != test.asked {
				t.Errorf("asked: %t\n%s", asked, &err)
			}
			files, globErr := filepath.Glob(filepath.Join(dir, "migrations", "*_rename.yaml"))
			if globErr != nil {
				t.Fatal(globErr)
			}
			if code != cmd.ExitDone {
				if len(files) > 0 {
					t.Errorf("a migration was written: %v", files)
				}
				if !strings.Contains(err.String(), "--rename shop.products.title=product_title") {
					t.Errorf("the next command does not name the rename:\n%s", &err)
				}
				return
			}
			data, readErr := os.ReadFile(files[0])
			if readErr != nil {
				t.Fatal(readErr)
			}
			if !bytes.Contains(data, []byte("rename_attribute")) || bytes.Contains(data, []byte("delete_attribute")) {
				t.Errorf("the migration is\n%s", data)
			}
		})
	}
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
