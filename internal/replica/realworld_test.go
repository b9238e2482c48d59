package replica_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

// TestSchemasOfRealProjectsAreReplayedAndClonedWhole takes every fourth file, or
// all of them with BACKSTEP_SOAK. See BACKSTEP_REALWORLD in package schema.
func TestSchemasOfRealProjectsAreReplayedAndClonedWhole(t *testing.T) {
	t.Parallel()
	versions(t)
	folder := os.Getenv("BACKSTEP_REALWORLD")
	if folder == "" {
		folder = "../shared/realworld"
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", "..", folder)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no folder of real projects' files beside the project, and CI has to have it")
		}
		t.Skip("no folder of real projects' files: set BACKSTEP_REALWORLD to one with *.json in it")
	}
	profile, err := replica.ProfileFor("1.9.6")
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range files {
		if i%4 != 0 && os.Getenv("BACKSTEP_SOAK") == "" {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			file, err := schema.Read(os.DirFS(folder), filepath.Base(path))
			if err == nil {
				err = schema.Check(file.Model, schema.DefaultLimits())
			}
			if errors.Is(err, schema.ErrRefused) {
				t.Skipf("no server holds it: %.200v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			wholeAgain(t, file.Model, profile)
		})
	}
}

// wholeAgain makes a model by a migration, replays that, and clones the result.
func wholeAgain(t *testing.T, model schema.Model, profile replica.Profile) {
	t.Helper()
	m := &migrations.Migration{Version: "20260101000001", Name: "all"}
	for _, step := range schema.Steps(model) {
		m.Up = append(m.Up, migrations.Step{Change: step})
	}
	state, err := replica.Replay(t.Context(), []*migrations.Migration{m}, profile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := schema.Compare(model, state.Model); len(diff) > 0 {
		t.Errorf("the replay differs: %v", diff)
	}
	source, err := replica.Start(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	if err := source.Apply(t.Context(), []*migrations.Migration{m}); err != nil {
		t.Fatal(err)
	}
	clone, err := replica.Start(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = clone.Close() })
	copied, err := clone.Clone(t.Context(), source.Client, replica.Sample{})
	if err != nil {
		t.Fatal(err)
	}
	if len(copied.Notices) > 0 {
		t.Errorf("the clone is not like it: %v", copied.Notices)
	}
	if diff := schema.Compare(model, copied.Model); len(diff) > 0 {
		t.Errorf("the project differs: %v", diff)
	}
}
