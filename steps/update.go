package steps

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/engine"
)

// change is the memento of an update: the image found and the image wanted.
type change[T any] struct {
	Before T `json:"before"`
	After  T `json:"after"`
}

// update answers the engine's questions for every kind that takes one object
// from an image to another by writing whole images.
type update[T any] struct {
	target engine.Ref
	// expect is the image an undo believes to find; nil in a forward step,
	// which believes in what it captured.
	expect *T
	equal  func(a, b T) bool
	// path gives the images passed through, both ends included.
	path func(from, to T) []T
	read func(ctx context.Context) (T, bool, error)
	// write takes the object from one image of a path to the next.
	write func(ctx context.Context, from, to T) error
}

// direct is the path of objects that one request changes.
func direct[T any](from, to T) []T { return []T{from, to} }

// capture reads the object and lets wanted say what is to become of it.
func (u update[T]) capture(ctx context.Context, wanted func(live T) (T, error)) (engine.Memento, error) {
	live, found, err := u.read(ctx)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(u.target, ErrMissing, "nothing to update")
	}
	goal, err := wanted(live)
	if err != nil {
		return nil, err
	}
	return encode(change[T]{Before: live, After: goal})
}

// apply writes what is missing on the way to the goal and reads it back.
func (u update[T]) apply(ctx context.Context, site engine.Site, memento engine.Memento) (engine.Observation, error) {
	m, err := recall[change[T]](memento)
	if err != nil {
		return nil, err
	}
	live, found, err := u.read(ctx)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, stopped(u.target, ErrMissing, "it was there when the step began")
	}
	goal, way, err := u.route(site.OnConflict, m, live)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(way); i++ {
		if err := u.write(ctx, way[i-1], way[i]); err != nil {
			return nil, err
		}
	}
	live, _, err = u.read(ctx)
	if err != nil {
		return nil, err
	}
	if !u.equal(live, goal) {
		return nil, stopped(u.target, engine.ErrForeign, "read back after the update: %s", differences(goal, live))
	}
	return encode(live)
}

// route decides where to go from the live image and on which way.
func (u update[T]) route(policy engine.ConflictPolicy, m change[T], live T) (goal T, way []T, err error) {
	if u.equal(live, m.After) {
		return m.After, nil, nil
	}
	way = u.path(u.base(m), m.After)
	if i := u.position(way, live); i >= 0 {
		return m.After, way[i:], nil
	}
	goal = m.After
	switch {
	case u.halfway(m, live):
	case u.expect != nil && policy == engine.ConflictOverwrite:
	case u.expect != nil && policy == engine.ConflictMerge:
		if goal, err = merged(live, *u.expect, m.After); err != nil {
			return goal, nil, err
		}
		if u.equal(live, goal) {
			return goal, nil, nil
		}
	default:
		return goal, nil, stopped(u.target, engine.ErrForeign, "%s", differences(u.base(m), live))
	}
	return goal, u.path(live, goal), nil
}

// probe places the live image on the way from base to goal.
func (u update[T]) probe(ctx context.Context, memento engine.Memento) (engine.Finding, error) {
	m, err := recall[change[T]](memento)
	if err != nil {
		return engine.Finding{}, err
	}
	live, found, err := u.read(ctx)
	switch {
	case err != nil:
		return lost(err)
	case !found:
		return foreign("it is gone")
	case u.equal(live, m.After):
		return foundAfter(live)
	}
	way := u.path(u.base(m), m.After)
	switch i := u.position(way, live); {
	case i == 0:
		return untouched()
	case u.halfway(m, live):
		return partial("the change that is undone was not finished")
	case i > 0:
		return partial("%d of %d requests have acted", i, len(way)-1)
	default:
		return foreign("%s", differences(u.base(m), live))
	}
}

// base is the image that the way begins at.
func (u update[T]) base(m change[T]) T {
	if u.expect != nil {
		return *u.expect
	}
	return m.Before
}

// halfway reports whether an undo has met the change that it undoes before that
// was finished.
func (u update[T]) halfway(m change[T], live T) bool {
	return u.expect != nil && u.position(u.path(m.After, *u.expect), live) >= 0
}

// position finds an image on a way; -1 when it is not there.
func (u update[T]) position(way []T, live T) int {
	for i := range way {
		if u.equal(way[i], live) {
			return i
		}
	}
	return -1
}

// merged gives the live image with the goal's value in every field that still
// holds what was expected.
func merged[T any](live, expect, goal T) (T, error) {
	var out T
	l, errL := fields(live)
	e, errE := fields(expect)
	g, errG := fields(goal)
	for _, err := range []error{errL, errE, errG} {
		if err != nil {
			return out, err
		}
	}
	for _, name := range union(l, e, g) {
		if !same(l[name], e[name]) {
			continue
		}
		if value, set := g[name]; set {
			l[name] = value
		} else {
			delete(l, name)
		}
	}
	data, err := json.Marshal(l)
	if err != nil {
		return out, fmt.Errorf("merge %T: %w", out, err)
	}
	return out, json.Unmarshal(data, &out)
}
