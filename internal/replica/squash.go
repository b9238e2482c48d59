package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// ErrUnlike says that a squashed migration does not do what the ones it is to replace do.
var ErrUnlike = errors.New("the squashed migration does something else")

// Apply applies migrations as they are, documents included.
func (r *Replica) Apply(ctx context.Context, list []*migrations.Migration) error {
	codec, err := steps.NewCodec(r.Client, nil)
	if err != nil {
		return err
	}
	e, _, err := r.engineOn(codec, engine.WithoutRivals())
	if err != nil {
		return err
	}
	for _, m := range list {
		plan, err := engine.NewPlan(steps.Bind(r.Client, migrations.Changes(m.Up)), engine.PlanOptions{})
		if err != nil {
			return &ReplayError{Migration: m, Err: err}
		}
		if _, err := e.Run(ctx, engine.Request{Migration: m.Name, Version: m.Version, Direction: string(migrations.Up), Plan: plan}); err != nil {
			return &ReplayError{Migration: m, Err: cause(err)}
		}
	}
	return nil
}

// Squash makes one migration of several, see migrations.Squash, and proves that
// it does the same: before, and then list or the squashed one, are applied to
// embedded servers of their own, and what those hold then is compared, schema and
// documents. Where nothing comes before, and documents allow, the steps are as
// few as the result needs; else they are those of the list, one after the other.
// The error wraps ErrUnlike where that is not the same either.
func Squash(ctx context.Context, before, list []*migrations.Migration, name string, profile Profile) (m *migrations.Migration, err error) {
	m, err = migrations.Squash(list, name)
	if err != nil {
		return nil, err
	}
	original, err := Start(ctx, profile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, original.Close()) }()
	if err := original.Apply(ctx, slices.Concat(before, list)); err != nil {
		return nil, err
	}
	want, err := original.held(ctx)
	if err != nil {
		return nil, err
	}
	if len(before) == 0 {
		few, err := original.fewest(ctx, want.model)
		if err != nil {
			return nil, err
		}
		if short := m.WithSteps(few); len(few) > 0 && len(few) < len(m.Up) {
			if unlike, err := compared(ctx, nil, short, want, profile); err == nil && len(unlike) == 0 {
				return short, nil
			}
		}
	}
	unlike, err := compared(ctx, before, m, want, profile)
	if err != nil {
		return nil, err
	}
	if len(unlike) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnlike, unlike[0])
	}
	return m, nil
}

// compared applies a squashed migration to a server of its own and lists how
// that differs from what it should hold.
func compared(ctx context.Context, before []*migrations.Migration, m *migrations.Migration, want snapshot, profile Profile) (unlike []string, err error) {
	r, err := Start(ctx, profile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.Apply(ctx, append(slices.Clone(before), m)); err != nil {
		return nil, err
	}
	got, err := r.held(ctx)
	if err != nil {
		return nil, err
	}
	return want.differences(got), nil
}

// held is everything on the replica but for the times of creation, which two
// runs never share.
func (r *Replica) held(ctx context.Context) (snapshot, error) {
	s, err := take(ctx, r.Client)
	for _, fields := range s.documents {
		delete(fields, "$createdAt")
	}
	return s, err
}

// fewest gives the steps that make what the replica holds, from nothing.
func (r *Replica) fewest(ctx context.Context, model schema.Model) ([]engine.Step, error) {
	list := schema.Steps(model)
	for _, db := range model.Databases {
		for _, col := range db.Collections {
			for page, err := range r.Client.Walk(ctx, db.ID, col.ID, appwrite.WalkOptions{}) {
				if err != nil {
					return nil, fmt.Errorf("read the documents of %s/%s: %w", db.ID, col.ID, err)
				}
				for _, d := range page {
					list = append(list, steps.CreateDocument{Database: db.ID, Collection: col.ID, ID: d.ID, Data: filled(d.Data), Permissions: d.Permissions})
				}
			}
		}
	}
	return list, nil
}

// filled leaves out fields that hold nothing.
func filled(data map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range data {
		items, many := value.([]any)
		if value != nil && (!many || len(items) > 0) {
			out[key] = value
		}
	}
	return out
}
