package migrations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// ErrReserved says that a migration would change what Backstep itself keeps in the
// project, and so take the journal and the lease from under its own run.
var ErrReserved = errors.New("the migration would change what Backstep keeps in the project")

// refuseReserved refuses steps on the reserved database. Where the history is in
// a database of the user's own, which may have any collections, it refuses what
// removes that database and what changes the history.
func (h History) refuseReserved(changes []engine.Step) error {
	for _, step := range changes {
		at := step.Target()
		if !strings.EqualFold(at.Database, h.Database) || step.Kind() == "assert" { // as servers compare ids
			continue
		}
		removes := at.Collection == "" && (strings.HasPrefix(step.Kind(), "delete_") || strings.HasPrefix(step.Kind(), "drop_") || strings.HasPrefix(step.Kind(), "retire_"))
		if h.Database == DefaultHistoryDatabase || removes || strings.EqualFold(at.Collection, h.Collection) {
			return fmt.Errorf("%w: %s of %s; the history, the journal and the lease are in database %s", ErrReserved, step.Kind(), at, h.Database)
		}
	}
	return nil
}
