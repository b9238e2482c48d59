package steptest

import (
	"context"
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/engine"
)

// conflicts lets somebody else change the object before the undo, under each policy.
func (r *trial) conflicts(t *testing.T) {
	t.Helper()
	if r.c.Foreign == nil {
		return
	}
	for _, policy := range []engine.ConflictPolicy{
		engine.ConflictHalt, engine.ConflictSkip, engine.ConflictOverwrite, engine.ConflictMerge,
	} {
		r.tally.point()
		r.begin(t)
		before := r.read(t.Context(), t)
		point := "somebody else has changed it, " + string(policy)
		other := r.healthy(t).client
		var left State
		act := func(ctx context.Context) error {
			err := r.c.Foreign(ctx, other, r.database)
			left = r.read(ctx, t)
			return err
		}
		p := r.process(t, mishap{}, policy, r.known(act))
		report, err := p.run(t.Context(), t, r.c.Steps(r.database), r.failing(t, act))
		if report.Err != nil && !errors.Is(report.Err, errSabotage) {
			t.Fatalf("%s: %v", point, report.Err)
		}
		if len(report.Conflicts) == 0 {
			t.Fatalf("%s: no conflict is reported", point)
		}
		switch policy {
		case engine.ConflictHalt:
			wantOutcome(t, point, report, err, engine.OutcomeHalted)
			r.want(t, point, left)
		case engine.ConflictSkip:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			r.want(t, point, left)
		case engine.ConflictOverwrite:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			r.want(t, point, before)
		case engine.ConflictMerge:
			wantOutcome(t, point, report, err, engine.OutcomeRolledBack)
			if r.c.Merged != nil {
				r.c.Merged(t, r.read(t.Context(), t))
			}
		}
	}
}
