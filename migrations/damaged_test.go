package migrations_test

import (
	"context"
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/journal"
)

// damaged is a journal that also holds a run whose ends cannot be read.
type damaged struct {
	journal.Store
	status journal.Status
}

func (d damaged) Runs(ctx context.Context) ([]journal.Summary, error) {
	runs, err := d.Store.Runs(ctx)
	return append(runs, journal.Summary{Run: "torn", Status: d.status, Err: journal.ErrDamaged}), err
}

func TestARunThatCannotBeReadMayBeUnfinishedAndStopsEverything(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	p.store = damaged{p.store, journal.StatusOpen}
	if _, err := p.runner(all()).Up(t.Context(), ""); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("up ends with %v, want ErrDamaged", err)
	}
	p.store = damaged{p.store.(damaged).Store, journal.StatusApplied}
	if _, err := p.runner(all()).Up(t.Context(), ""); err != nil {
		t.Errorf("up beside a damaged run that has ended: %v", err)
	}
}
