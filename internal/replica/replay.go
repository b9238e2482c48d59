package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// State is what migrations add up to.
type State struct {
	Model schema.Model
	// Notices say what could not be replayed, such as steps in Go.
	Notices []string

	since map[string]*migrations.Migration
}

// Since gives the migration that last touched what a difference speaks of: the
// field of the object where it is known, else the object. It is nil when no
// migration has.
func (s *State) Since(d schema.Difference) *migrations.Migration {
	if m := s.since[d.Path+"\x00"+d.Field]; m != nil {
		return m
	}
	return s.since[d.Path+"\x00"]
}

// ReplayError says which migration cannot be replayed.
type ReplayError struct {
	Migration *migrations.Migration
	Err       error
}

// Error names the migration and the reason.
func (e *ReplayError) Error() string {
	return fmt.Sprintf("replay %s on an embedded server: %v", e.Migration.ID(), e.Err)
}

// Unwrap gives the reason.
func (e *ReplayError) Unwrap() error { return e.Err }

// Replay finds out what schema the migrations add up to, by applying them one
// after the other to an empty embedded server. Only what changes the schema is
// applied: documents, assertions and the values of attributes make no difference
// to it, and a copy without data could not take them. The error is a *ReplayError
// where a migration fails.
func Replay(ctx context.Context, list []*migrations.Migration, profile Profile) (state State, err error) {
	r, err := Start(ctx, profile)
	if err != nil {
		return State{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	codec, err := steps.NewCodec(r.Client, nil)
	if err != nil {
		return State{}, err
	}
	e, _, err := r.engineOn(codec)
	if err != nil {
		return State{}, err
	}
	state = State{since: map[string]*migrations.Migration{}, Notices: slices.Clone(profile.Notices)}
	for _, m := range list {
		changes, skipped := schemaChanges(m)
		state.Notices = append(state.Notices, skipped...)
		plan, err := engine.NewPlan(steps.Bind(r.Client, changes), engine.PlanOptions{})
		if err != nil {
			return State{}, &ReplayError{Migration: m, Err: err}
		}
		if _, err := e.Run(ctx, engine.Request{Migration: m.Name, Version: m.Version, Direction: string(migrations.Up), Plan: plan}); err != nil {
			return State{}, &ReplayError{Migration: m, Err: cause(err)}
		}
		next, err := schema.Live(ctx, r.Client)
		if err != nil {
			return State{}, err
		}
		state.touched(m, next)
		state.Model = next
	}
	return state, nil
}

// touched notes what a migration has changed: what came and what went, whole
// collections object by object, and the fields of what stayed.
func (s *State) touched(m *migrations.Migration, next schema.Model) {
	was, is := paths(s.Model), paths(next)
	for path := range was {
		if !is[path] {
			s.since[path+"\x00"] = m
		}
	}
	for path := range is {
		if !was[path] {
			s.since[path+"\x00"] = m
		}
	}
	for _, d := range schema.Compare(s.Model, next) {
		s.since[d.Path+"\x00"+d.Field] = m
	}
}

// paths names every object of a model as differences do.
func paths(m schema.Model) map[string]bool {
	all := map[string]bool{}
	for _, db := range m.Databases {
		all["database "+db.ID] = true
		for _, c := range db.Collections {
			in := db.ID + "/" + c.ID
			all["collection "+in] = true
			for _, a := range c.Attributes {
				all["attribute "+in+"/"+a.Key] = true
			}
			for _, x := range c.Indexes {
				all["index "+in+"/"+x.Key] = true
			}
		}
	}
	return all
}

// schemaChanges gives the steps of a migration that change the schema, and says
// which of the others might.
func schemaChanges(m *migrations.Migration) (changes []engine.Step, skipped []string) {
	kinds := []string{
		"create_database", "update_database", "delete_database", "create_collection", "update_collection", "delete_collection",
		"create_attribute", "update_attribute", "rename_attribute", "delete_attribute",
		"create_relationship", "update_relationship", "delete_relationship", "create_index", "update_index", "delete_index",
	}
	for _, step := range m.Up {
		switch kind := step.Change.Kind(); {
		case slices.Contains(kinds, kind):
			changes = append(changes, step.Change)
		case kind == "func":
			skipped = append(skipped, fmt.Sprintf("%s: step %s is Go, which is not replayed: what it does to the schema is not known here", m.ID(), step.ID))
		}
	}
	return changes, skipped
}

// cause gives what stopped a run, without the account of its undo.
func cause(err error) error {
	var run *engine.RunError
	if errors.As(err, &run) && run.Err != nil {
		return run.Err
	}
	return err
}
