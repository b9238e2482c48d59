package migrations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// Source says where the steps of a down come from.
type Source string

// The sources, in the order in which they are asked.
const (
	// FromJournal: the inverses of what the run up did, with what it remembered.
	FromJournal Source = "journal"
	// FromFile: the migration's own down.
	FromFile Source = "file"
	// FromStructure: what undoes the steps up whatever was there before.
	FromStructure Source = "structure"
)

// Back says how far to go down.
type Back struct {
	Count int    // that many migrations, the newest first; 0 means 1 unless To is given
	To    string // every migration newer than this version; "0" means all
}

// PlanDown gives the tasks that take applied migrations back, the newest first.
// It changes nothing. ErrNothing when none is applied; ErrUnfinished when a run
// has to be ended first; ErrNoDown, with every reason, when there is no way back.
func (r *Runner) PlanDown(ctx context.Context, back Back) ([]Task, error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	if len(status.Unfinished) > 0 {
		return nil, status.obstacle(r.inOrder, "")
	}
	var applied []MigrationStatus
	for _, item := range slices.Backward(status.Migrations) {
		if item.Entry != nil && item.Entry.Applied {
			applied = append(applied, item)
		}
	}
	chosen, err := back.choose(applied)
	if err != nil {
		return nil, err
	}
	if chosen, err = r.set.whole(chosen, applied, back.To); err != nil {
		return nil, err
	}
	tasks := make([]Task, 0, len(chosen))
	for _, item := range chosen {
		task, err := r.planDown(ctx, item)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	return tasks, nil
}

// choose gives the migrations to take back.
func (b Back) choose(applied []MigrationStatus) ([]MigrationStatus, error) {
	if len(applied) == 0 {
		return nil, fmt.Errorf("%w: no migration is applied", ErrNothing)
	}
	if b.To == "" {
		return applied[:min(max(b.Count, 1), len(applied))], nil
	}
	i := slices.IndexFunc(applied, func(item MigrationStatus) bool { return item.Version <= b.To })
	switch {
	case b.To == "0":
		return applied, nil
	case i < 0 || applied[i].Version != b.To:
		return nil, fmt.Errorf("%w: %s is not applied", ErrUnknownVersion, b.To)
	case i == 0:
		return nil, fmt.Errorf("%w: %s is the newest that is applied", ErrNothing, b.To)
	default:
		return applied[:i], nil
	}
}

// Down takes applied migrations back, as PlanDown has them, one run each.
func (r *Runner) Down(ctx context.Context, back Back) ([]engine.Report, error) {
	tasks, err := r.PlanDown(ctx, back)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, tasks)
}

// PlanRedo gives the two tasks that take the newest applied migration back and
// apply it again. It wants the migration at hand, and changes nothing.
func (r *Runner) PlanRedo(ctx context.Context) ([]Task, error) {
	tasks, err := r.PlanDown(ctx, Back{Count: 1})
	if err != nil {
		return nil, err
	}
	m, err := r.set.Find(tasks[0].Version)
	if err != nil {
		return nil, fmt.Errorf("%w: %s_%s cannot be applied again", ErrMissing, tasks[0].Version, tasks[0].Name)
	}
	up, err := r.planUp(ctx, m)
	if err != nil {
		return nil, err
	}
	return append(tasks, up), nil
}

// Redo takes the newest applied migration back and applies it again, as PlanRedo
// has it.
func (r *Runner) Redo(ctx context.Context) ([]engine.Report, error) {
	tasks, err := r.PlanRedo(ctx)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, tasks)
}

// planDown makes the task that takes one migration back.
func (r *Runner) planDown(ctx context.Context, item MigrationStatus) (Task, error) {
	if r.set.standsFor(*item.Entry) != nil {
		item.Migration = nil // what is at hand does more than what was applied
	}
	task := Task{Direction: Down, Version: item.Version, Name: item.Entry.Name, Migration: item.Migration, id: uuid.NewString()}
	changes, source, err := r.inverse(ctx, item)
	if err != nil {
		return task, err
	}
	task.Source, task.changes = source, changes
	task.before, task.during = item.Entry, r.entry(task, item.Entry.Checksum, false)
	return r.plan(task)
}

// inverse finds the steps that take a migration back.
func (r *Runner) inverse(ctx context.Context, item MigrationStatus) ([]engine.Step, Source, error) {
	if item.Entry.Direction == baselined && (item.Migration == nil || !item.Migration.HasDown) {
		return nil, "", fmt.Errorf("%w: %s_%s was marked by a baseline and never run: nothing tells what was there before; take the mark away (baseline --remove), or write a down", ErrNoDown, item.Version, item.Name)
	}
	changes, err := r.engine.Inverse(ctx, item.Entry.Run)
	if err == nil && item.Entry.Direction != baselined {
		isHistory := func(step engine.Step) bool { _, ok := step.(historyStep); return ok }
		return slices.DeleteFunc(changes, isHistory), FromJournal, nil
	}
	if err != nil && !errors.Is(err, journal.ErrNoRun) && !errors.Is(err, engine.ErrIrreversible) {
		return nil, "", fmt.Errorf("read how %s_%s was applied: %w", item.Version, item.Name, err)
	}
	if err == nil {
		err = errors.New("it was marked by a baseline and never run")
	}
	reasons := []error{fmt.Errorf("from the journal: %w", err)}
	m := item.Migration
	switch {
	case m == nil:
		reasons = append(reasons, fmt.Errorf("from the file: %w", ErrMissing))
	case item.State == Edited:
		reasons = append(reasons, fmt.Errorf("from the file: %w", item.Err))
	case m.HasDown:
		return steps.Bind(r.client, Changes(m.Down)), FromFile, nil
	default:
		changes, err := structural(Changes(m.Up))
		if err == nil {
			return steps.Bind(r.client, changes), FromStructure, nil
		}
		reasons = append(reasons, errors.New("from the file: it has no down"), fmt.Errorf("from its structure: %w", err))
	}
	return nil, "", fmt.Errorf("%w: %s_%s: %w", ErrNoDown, item.Version, item.Name, errors.Join(reasons...))
}

// structural gives the steps that undo others whatever was there before: what
// creates something is undone by deleting it, with the deletion's own archive.
func structural(changes []engine.Step) ([]engine.Step, error) {
	var inverse []engine.Step
	for _, change := range slices.Backward(changes) {
		change, err := untuned(change)
		if err != nil {
			return nil, err
		}
		switch s := change.(type) {
		case steps.CreateDatabase:
			inverse = append(inverse, steps.DeleteDatabase{ID: s.ID})
		case steps.CreateCollection:
			inverse = append(inverse, steps.DeleteCollection{Database: s.Database, ID: s.ID})
		case steps.CreateAttribute:
			inverse = append(inverse, steps.DeleteAttribute{Database: s.Database, Collection: s.Collection, Key: s.Key})
		case steps.CreateRelationship:
			inverse = append(inverse, steps.DeleteRelationship{Database: s.Database, Collection: s.Collection, Key: s.Key})
		case steps.CreateIndex:
			inverse = append(inverse, steps.DeleteIndex{Database: s.Database, Collection: s.Collection, Key: s.Key})
		case steps.CreateDocument:
			if s.ID == "" {
				return nil, errors.New("the id of a created document is only in the journal")
			}
			inverse = append(inverse, steps.DeleteDocument{Database: s.Database, Collection: s.Collection, ID: s.ID})
		case steps.RenameAttribute:
			s.Key, s.NewKey = s.NewKey, s.Key
			inverse = append(inverse, s)
		case steps.Assert:
		default:
			return nil, fmt.Errorf("what %s of %s replaced is only in the journal", change.Kind(), change.Target())
		}
	}
	return inverse, nil
}

// untuned gives a step without the retry policy that may be around it.
func untuned(step engine.Step) (engine.Step, error) {
	data, err := canonical(step)
	if err != nil || !bytes.Contains(data, []byte(`"retry":`)) {
		return step, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	delete(object, "retry")
	if data, err = json.Marshal(object); err != nil {
		return nil, err
	}
	return new(steps.Codec).Decode(data)
}
