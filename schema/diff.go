package schema

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// Delta is the way from one model to another.
type Delta struct {
	// Changes say object by object what differs, in the order of the target
	// model; what is removed comes last.
	Changes []Change
	// Steps lead from the first model to the second, in the order to run them.
	// They are unbound, can be written as a migration file, and keep stored
	// data except where a change says that it is lossy. Without Allowed they
	// should not be run.
	Steps []engine.Step
	// Candidates are removed and added attributes that are so alike that one
	// may be the other renamed, the likeliest first. None of them is applied:
	// a person says so with WithRenames.
	Candidates []Candidate
}

// Empty reports whether the two models mean the same.
func (d *Delta) Empty() bool { return len(d.Changes) == 0 }

// Lossy gives the changes that cannot keep stored data.
func (d *Delta) Lossy() []Change {
	var lossy []Change
	for _, c := range d.Changes {
		if len(c.Losses) > 0 {
			lossy = append(lossy, c)
		}
	}
	return lossy
}

// Allowed tells whether the steps may be used: always when destructive changes
// are allowed, else only when no change is lossy. The error is a
// *DestructiveError (ErrDestructive).
func (d *Delta) Allowed(destructive bool) error {
	lossy := d.Lossy()
	if destructive || len(lossy) == 0 {
		return nil
	}
	return &DestructiveError{Changes: lossy, Candidates: d.Candidates}
}

// Action is what happens to an object.
type Action string

// The actions.
const (
	Added   Action = "added"
	Removed Action = "removed"
	Changed Action = "changed"
	Renamed Action = "renamed" // and perhaps changed, see Change.Fields
)

// Way is how a change is made.
type Way string

// The ways.
const (
	ByCreation Way = "create"
	ByDeletion Way = "delete"   // late, after everything else; archived
	InPlace    Way = "in place" // the server changes it as it stands
	ByCopy     Way = "copy"     // a new attribute is filled from the old one and takes its key
	ByRebuild  Way = "rebuild"  // deleted and created again; links go through a spare attribute
)

// Change is one object that differs.
type Change struct {
	Action Action
	// Object is as the second model has it, or the first where it is removed.
	// Its Type is database, collection, attribute, relationship or index.
	Object engine.Ref
	Was    string // the key in the first model, of a renamed attribute
	Way    Way
	Fields []FieldChange // in a fixed order; none for added and removed ones
	Steps  []int         // positions in Delta.Steps; shared by changes made together
	Losses []Loss
	// Conditions are what stored documents must be like for the steps to go
	// through. A run that finds them otherwise changes nothing.
	Conditions []string
	// At is where the second model declares the object, or the first where it
	// is removed.
	At Position
}

// FieldChange is one field of an object that differs.
type FieldChange struct {
	Name     string
	From, To string // as Difference has them
}

// String gives the change of the field: "size 40 → 80". What a model does not
// have is "none".
func (f FieldChange) String() string {
	return fmt.Sprintf("%s %s → %s", f.Name, cmp.Or(f.From, none), cmp.Or(f.To, none))
}

// String gives the change as one line: "attribute shop/products/title: size 40 → 80 (in place)".
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.Object, c.Action)
	if c.Was != "" {
		b.WriteString(" from " + c.Was)
	}
	for i, f := range c.Fields {
		b.WriteString([]string{", ", "; "}[min(i, 1)])
		b.WriteString(f.String())
	}
	fmt.Fprintf(&b, " (%s)", c.Way)
	for _, loss := range c.Losses {
		b.WriteString("; loses data: " + loss.String())
	}
	return b.String()
}

// DiffOption refines Diff.
type DiffOption func(*differ) error

// WithRenames says which attributes have been renamed rather than removed and
// added. Diff fails when one does not fit the models.
func WithRenames(renames ...Rename) DiffOption {
	return func(d *differ) error {
		d.renames = append(d.renames, renames...)
		return nil
	}
}

// WithFills gives values for documents that have none in an attribute that
// becomes required. Diff fails when one does not fit its attribute.
func WithFills(fills ...Fill) DiffOption {
	return func(d *differ) error {
		d.fills = append(d.fills, fills...)
		return nil
	}
}

// WithLimits sets what the server can hold; the default is DefaultLimits.
func WithLimits(limits Limits) DiffOption {
	return func(d *differ) error {
		d.limits = limits
		return nil
	}
}

// ErrDestructive is wrapped by the error of Delta.Allowed.
var ErrDestructive = errors.New("stored data would be lost")

// DestructiveError lists the changes that cannot keep stored data.
type DestructiveError struct {
	Changes []Change // at least one
	// Candidates are renames that would keep some of it.
	Candidates []Candidate
}

// Error names every lossy change, and the renames that would avoid some.
func (e *DestructiveError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v by %d changes", ErrDestructive, len(e.Changes))
	if len(e.Changes) == 1 {
		b.Reset()
		fmt.Fprintf(&b, "%v by 1 change", ErrDestructive)
	}
	for _, c := range e.Changes {
		for _, loss := range c.Losses {
			fmt.Fprintf(&b, "\n  %s: %s", c.Object, loss)
		}
	}
	for _, c := range e.Candidates {
		fmt.Fprintf(&b, "\n  perhaps a rename: %s", c.Rename)
	}
	return b.String()
}

// Unwrap gives ErrDestructive.
func (e *DestructiveError) Unwrap() error { return ErrDestructive }

// Diff compares two models and plans the way from the first to the second. It
// is pure: nothing is asked of any server, and models that mean the same, in
// whatever order, give the same result.
//
// It fails with a *RefusedError (ErrRefused) when no server with the given
// limits can hold the second model, or cannot hold what is needed on the way.
// Where the way loses data the delta says so; see Delta.Allowed.
func Diff(from, to Model, opts ...DiffOption) (*Delta, error) {
	d := &differ{limits: DefaultLimits()}
	for _, opt := range opts {
		if err := opt(d); err != nil {
			return nil, fmt.Errorf("diff: %w", err)
		}
	}
	return d.diff(from, to)
}
