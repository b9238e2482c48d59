package migrations

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// Resume goes on with an unfinished run, see engine.Engine.Resume.
func (r *Runner) Resume(ctx context.Context, run string) (engine.Report, error) {
	return r.engine.Resume(ctx, run)
}

// Rollback undoes an unfinished run, see engine.Engine.Rollback.
func (r *Runner) Rollback(ctx context.Context, run string) (engine.Report, error) {
	return r.engine.Rollback(ctx, run)
}

// Resolve closes a run that a person has mended, in the journal and then in the
// history. The resolution says how the project now is.
func (r *Runner) Resolve(ctx context.Context, run string, resolution engine.Resolution) error {
	if err := r.engine.Resolve(ctx, run, resolution); err != nil {
		return err
	}
	return r.Settle(ctx, run)
}

// Settle brings the history in line with a run that has ended: it tells of a
// process that died between the two. It does nothing when there is nothing to do.
func (r *Runner) Settle(ctx context.Context, run string) error {
	state, err := r.engine.State(ctx, run)
	if err != nil {
		return err
	}
	if !state.Status.Final() {
		return fmt.Errorf("%w: run %s is %s", ErrUnfinished, run, state.Status)
	}
	operations := state.Operations
	if state.Status == journal.StatusRolledBack {
		slices.Reverse(operations)
	}
	for _, operation := range operations {
		step, err := r.codec.Decode(operation.Step)
		if err != nil {
			return err
		}
		s, ok := step.(historyStep)
		if !ok {
			continue
		}
		if err := r.settle(ctx, s, state.Status); err != nil {
			return fmt.Errorf("settle run %s: %w", run, err)
		}
	}
	return nil
}

// settle takes one entry to where the run's end has it, wherever between the
// step's two ends it stands.
func (r *Runner) settle(ctx context.Context, s historyStep, status journal.Status) error {
	live, _, err := s.read(ctx)
	if err != nil {
		return err
	}
	if status == journal.StatusRolledBack {
		s.Before, s.After, s.Since = s.After, s.Before, nil
	}
	if !live.same(s.Before) {
		return nil
	}
	_, err = s.Apply(ctx, engine.Site{Run: s.version()}, nil)
	return err
}
