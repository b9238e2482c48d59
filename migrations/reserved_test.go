package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/migrations"
)

// TestAMigrationMayNotChangeWhatBackstepKeeps plans migrations that would take
// the history, the journal or the lease from under their own run.
func TestAMigrationMayNotChangeWhatBackstepKeeps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		history  migrations.History
		database string
		step     string
		refused  bool
	}{
		"the reserved database deleted":   {database: "backstep", step: "delete_database: { id: backstep }", refused: true},
		"in other letters":                {database: "Backstep", step: "delete_database: { id: Backstep }", refused: true},
		"the journal deleted":             {database: "backstep", step: "delete_collection: { id: records }", refused: true},
		"a lock written":                  {database: "backstep", step: "create_document: { collection: locks, id: lock-9, data: { fence: 9 } }", refused: true},
		"another database":                {database: "shop", step: "delete_collection: { id: records }"},
		"a user's database with history":  {history: migrations.History{Database: "shop"}, database: "shop", step: "delete_database: { id: shop }", refused: true},
		"the history in it":               {history: migrations.History{Database: "shop"}, database: "shop", step: "delete_collection: { id: migrations }", refused: true},
		"the user's own collection in it": {history: migrations.History{Database: "shop"}, database: "shop", step: "delete_collection: { id: products }"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "")
			m, err := migrations.Parse("20260101000000_x.yaml", []byte("database: "+c.database+"\nsteps:\n  - "+c.step+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if c.history.Database == "" {
				c.history.Database = migrations.DefaultHistoryDatabase
			}
			_, err = p.runnerOf([]*migrations.Migration{m}, migrations.WithHistory(c.history)).PlanUp(t.Context(), "")
			if errors.Is(err, migrations.ErrReserved) != c.refused || c.refused && !strings.Contains(err.Error(), "20260101000000_x") {
				t.Errorf("error %v, refused is to be %t", err, c.refused)
			}
		})
	}
}
