package migrations

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// baselined is the direction of entries that were marked and not run.
const baselined = "baseline"

// Baseline says that the migration was marked as applied without being run.
func (e *Entry) Baseline() bool { return e.Direction == baselined }

// PlanBaseline gives the tasks that mark every migration up to and including a
// version as applied, without running any. It does not look at what the project
// holds: whoever calls it does. ErrNothing when all are applied; what stands in
// the way is told as in PlanUp.
func (r *Runner) PlanBaseline(ctx context.Context, version string) ([]Task, error) {
	if _, err := r.set.Find(version); err != nil {
		return nil, err
	}
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	if err := status.obstacle(false, version); err != nil {
		return nil, err
	}
	var tasks []Task
	for _, item := range status.Migrations {
		if item.Version > version || !slices.Contains([]MigrationState{Pending, OutOfOrder, Held}, item.State) {
			continue
		}
		checksum, err := item.Migration.Checksum()
		if err != nil {
			return nil, err
		}
		task := Task{Direction: Up, Version: item.Version, Name: item.Name, Migration: item.Migration, id: uuid.NewString()}
		task.during, task.after = r.entry(task, checksum, false), r.entry(task, checksum, true)
		task.during.Direction, task.after.Direction = baselined, baselined
		if task, err = r.plan(task); err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("%w: every migration up to %s is applied", ErrNothing, version)
	}
	return tasks, nil
}

// ErrNotBaseline says that a migration was run, not marked.
var ErrNotBaseline = errors.New("not marked by a baseline")

// PlanUnbaseline gives the tasks that take the marks of a baseline away again:
// those of version and of newer ones. Nothing else is changed. ErrNotBaseline
// when one of them was run.
func (r *Runner) PlanUnbaseline(ctx context.Context, version string) ([]Task, error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	if len(status.Unfinished) > 0 {
		return nil, status.obstacle(false, "")
	}
	var tasks []Task
	found := false
	for _, item := range slices.Backward(status.Migrations) {
		if item.Version < version || item.Entry == nil || !item.Entry.Applied {
			continue
		}
		if !item.Entry.Baseline() {
			return nil, fmt.Errorf("%w: %s_%s was applied by run %s: take it down first", ErrNotBaseline, item.Version, item.Name, item.Entry.Run)
		}
		found = found || item.Version == version
		task := Task{Direction: Down, Version: item.Version, Name: item.Entry.Name, id: uuid.NewString()}
		task.before, task.during = item.Entry, r.entry(task, item.Entry.Checksum, false)
		if task, err = r.plan(task); err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	if !found {
		return nil, fmt.Errorf("%w: %s is not applied", ErrUnknownVersion, version)
	}
	return tasks, nil
}

// PlanTo gives the tasks that take the project to where every migration up to
// and including a version is applied and no newer one is; "0" means none at all.
// Where newer ones have to be taken back and older ones are still pending, the
// tasks are those down, and more says that PlanUp is to follow when they are
// done; what would keep that from anything is an error here already. ErrNothing
// when the project is there.
func (r *Runner) PlanTo(ctx context.Context, version string) (tasks []Task, more bool, err error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, false, err
	}
	newer, known := 0, version == "0"
	for _, item := range status.Migrations {
		known = known || item.Version == version
		if item.Version > version && item.Entry != nil && item.Entry.Applied {
			newer++
		}
		pending := item.State == Pending || item.State == OutOfOrder || item.State == Held && item.Version == version
		more = more || pending && item.Version <= version
	}
	switch {
	case !known:
		return nil, false, fmt.Errorf("%w: %s", ErrUnknownVersion, version)
	case newer > 0:
		if more {
			if err := status.upTo(version).obstacle(r.inOrder, version); err != nil {
				return nil, false, err
			}
		}
		tasks, err = r.PlanDown(ctx, Back{Count: newer})
		if n := len(tasks); err == nil && tasks[n-1].Version <= version {
			return nil, false, fmt.Errorf("%w: %s is one of those that a squashed migration stands for: go to the one before all of them, or after", ErrUnknownVersion, version)
		}
		return tasks, more, err
	case !more:
		return nil, false, fmt.Errorf("%w: every migration up to %s is applied, and no newer one", ErrNothing, version)
	default:
		tasks, err = r.PlanUp(ctx, version)
		return tasks, false, err
	}
}

// upTo is the status as it will be when everything newer than a version is taken
// back: what is out of order to that only is pending then.
func (s Status) upTo(version string) Status {
	var kept Status
	newest := ""
	for _, item := range s.Migrations {
		if item.Version > version {
			continue
		}
		if item.Entry != nil && item.Entry.Applied {
			newest = max(newest, item.Version)
		}
		kept.Migrations = append(kept.Migrations, item)
	}
	for i, item := range kept.Migrations {
		if item.State == OutOfOrder && item.Version > newest {
			kept.Migrations[i].State, kept.Migrations[i].Err = Pending, nil
		}
	}
	return kept
}
