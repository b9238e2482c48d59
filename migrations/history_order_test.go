package migrations_test

import (
	"testing"

	"github.com/backstep-dev/backstep/migrations"
)

// TestTheHistoryIsTheFirstThingChangedAndTheLast pins the order in which another
// machine learns of a run: that it has begun before anything else is changed,
// that the migration is applied after everything else is, and that it is not any
// more before anything is taken back.
func TestTheHistoryIsTheFirstThingChangedAndTheLast(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	r := p.runner(all())
	up, err := r.PlanUp(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	down, err := r.PlanDown(t.Context(), migrations.Back{})
	if err != nil {
		t.Fatal(err)
	}
	for way, c := range map[string]struct {
		task        migrations.Task
		first, last string
	}{"up": {up[0], "open_history", "record_history"}, "down": {down[0], "reopen_history", "close_history"}} {
		operations := c.task.Plan.Operations
		if first := operations[0].Effect.Kind(); first != c.first {
			t.Errorf("%s begins with %s, want %s", way, first, c.first)
		}
		if last := operations[len(operations)-1].Effect.Kind(); last != c.last {
			t.Errorf("%s ends with %s, want %s", way, last, c.last)
		}
		if len(operations) < 3 {
			t.Errorf("%s has %d operations", way, len(operations))
		}
	}
}
