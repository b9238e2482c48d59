// Package engine decides what a run does next and does it: it plans steps into
// operations, journals each one before it acts, retries what may be retried,
// undoes in reverse order what cannot be finished, and goes on with a run that
// was cut off. It knows nothing of Appwrite: steps and their store are handed in.
package engine

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/journal"
)

// Step is one typed change to one object. A step is plain data bound to what
// it acts on; every method but Kind, Target and Inverse talks to the server.
//
// All methods may be called again after a failure or in another process, so
// none keeps state in the step: what must be remembered is in the Memento
// (before) and the Observation (after), both journaled.
type Step interface {
	// Kind is the step's name in files and in the journal, such as "create_attribute".
	Kind() string
	// Target names the object that the step changes.
	Target() Ref
	// Capture reads what undoing the step will need and changes nothing but
	// archives. It fails when the step cannot start, for instance because the
	// object to create exists already; nothing has happened then.
	Capture(ctx context.Context, site Site) (Memento, error)
	// Apply makes the change. It is called again after a transient failure,
	// and, when Probe says so, after an ambiguous one; so it converges: what
	// an earlier attempt has already done it leaves alone.
	Apply(ctx context.Context, site Site, before Memento) (Observation, error)
	// Settle waits until the server has finished what Apply asked for.
	Settle(ctx context.Context, site Site, before Memento) error
	// Probe reads where the object stands between its before-image and its
	// after-image. It never changes anything. Where nothing can tell, it fails
	// with an error that wraps ErrUnknownOutcome: the journal is believed then,
	// and an operation that is only intended needs a person.
	Probe(ctx context.Context, site Site, before Memento) (Finding, error)
	// Inverse gives the steps, in the order to run them, that take the object
	// back to its before-image. It is pure. A step that changes nothing has
	// none; a step that cannot be undone returns an error that wraps
	// ErrIrreversible.
	Inverse(before Memento, after Observation) ([]Step, error)
}

// Irreversible is implemented by steps that can tell before anything runs that
// they cannot be undone.
type Irreversible interface {
	// Irreversible gives the reason, or "" when the step can be undone.
	Irreversible() string
}

// Splitter is implemented by steps whose destruction waits. Plan puts the
// first part in the step's place and the second at the end of the run, after
// every step that may still fail.
type Splitter interface {
	Split() (now, last Step)
}

// Maker is implemented by steps that bring objects into being, or give one a
// name it did not have: create_collection makes its collection, restore_… what
// it restores, rename_attribute the attribute under its new name,
// retire_attribute the tombstone. The proof after an undo leaves such objects
// and what is inside them to the operation that made them.
type Maker interface {
	// Makes lists them; it is pure.
	Makes() []Ref
}

// Compound is implemented by steps that act on several objects at once, for
// which Target stands.
type Compound interface {
	// Targets lists the objects; it is pure.
	Targets() []Ref
}

// targets gives what a step acts on.
func targets(step Step) []Ref {
	if compound, ok := step.(Compound); ok {
		return compound.Targets()
	}
	return []Ref{step.Target()}
}

// Sparing is implemented by steps that act on several objects at once and, under
// ConflictSkip, leave alone just those that somebody else has changed. Other
// steps are not run at all then.
type Sparing interface {
	Spares() bool
}

func spares(step Step) bool {
	sparing, ok := step.(Sparing)
	return ok && sparing.Spares()
}

// Codec turns steps into canonical JSON and back, so that another process can
// finish what this one began. Decode refuses kinds and fields it does not know.
type Codec interface {
	Encode(step Step) (json.RawMessage, error)
	Decode(data json.RawMessage) (Step, error)
}

// Ref names one object on the server.
type Ref struct {
	Type       string `json:"type"` // "database", "collection", "attribute", "relationship", "index", "document", "func", …
	Database   string `json:"database,omitempty"`
	Collection string `json:"collection,omitempty"`
	Key        string `json:"key,omitempty"` // attribute or index key, document id, func name
}

// String gives the reference as people write it: "attribute shop/products/title".
func (r Ref) String() string {
	parts := slices.DeleteFunc([]string{r.Database, r.Collection, r.Key}, func(part string) bool { return part == "" })
	if len(parts) == 0 {
		return r.Type
	}
	return r.Type + " " + strings.Join(parts, "/")
}

// unnamed reports whether the id is drawn only when the step begins, so that
// two equal references need not name one object.
func (r Ref) unnamed() bool {
	return r.Key == "" && r.Type != "database" && r.Type != "collection"
}

// Contains reports whether other lies inside r: a collection contains its
// attributes, indexes and documents, a database its collections and theirs.
func (r Ref) Contains(other Ref) bool {
	switch r.Type {
	case "database":
		return other.Type != "database" && r.Database == other.Database
	case "collection":
		return other.Type != "collection" && other.Type != "database" &&
			r.Database == other.Database && r.Collection == other.Collection
	default:
		return false
	}
}

// Shapes reports whether a change of r can change how other looks without
// touching it: attributes make up what is in their collection, relationships
// what is in their database, indexes belong to the attributes they are on, and
// documents show which others lead to them.
func (r Ref) Shapes(other Ref) bool {
	switch r.Type {
	case "attribute":
		return r != other && r.Database == other.Database && r.Collection == other.Collection
	case "relationship":
		return r != other && r.Database == other.Database
	case "index":
		return other.Type == "attribute" && r.Database == other.Database && r.Collection == other.Collection
	case "document":
		return r != other && other.Type == "document" && r.Database == other.Database
	default:
		return false
	}
}

// Memento is a step's before-image as canonical JSON. Data too large for a
// journal record is archived and referred to by a journal.ArchiveRef in it.
type Memento = json.RawMessage

// Observation is what a step saw after it had acted, as canonical JSON.
type Observation = json.RawMessage

// State says where an object stands between a step's before and after.
type State int

// The states a probe can find.
const (
	// StateBefore: the object equals its before-image; the step has not acted.
	StateBefore State = iota + 1
	// StateAfter: the object is as the step makes it.
	StateAfter
	// StatePartial: the step has begun and not finished, for instance an
	// attribute that is still processing, is stuck or has failed.
	StatePartial
	// StateForeign: the object is neither; somebody else has changed it, or
	// what contains it is gone.
	StateForeign
)

// String gives the state's name in reports.
func (s State) String() string {
	switch s {
	case StateBefore:
		return "before"
	case StateAfter:
		return "after"
	case StatePartial:
		return "partial"
	case StateForeign:
		return "foreign"
	default:
		return "unknown"
	}
}

// Finding is the answer of a probe.
type Finding struct {
	State  State
	After  Observation // the after-image as read, where State is StateAfter
	Detail string      // for people: what is partial or foreign
}

// ConflictPolicy says what an undo does about an object that somebody else has
// changed since the run did.
type ConflictPolicy string

// The conflict policies.
const (
	ConflictHalt      ConflictPolicy = "halt"      // stop and ask a person: the default
	ConflictMerge     ConflictPolicy = "merge"     // restore only what still holds what the run wrote
	ConflictOverwrite ConflictPolicy = "overwrite" // restore the before-image whatever is there, archived first
	ConflictSkip      ConflictPolicy = "skip"      // leave the object as it is and report it
)

// Site is what a step may use while it acts, besides what it is bound to.
type Site struct {
	Run       string // id of the run
	Operation string // id of the operation, "" while planning
	// Doubtful says that an earlier attempt of this operation may have acted
	// or may still act, so that an equal object may be the step's own. Capture
	// comes before every attempt and is never in doubt.
	Doubtful bool
	// OnConflict is the policy that applies to foreign changes: the engine's
	// for undo steps and for the steps of a run down, ConflictHalt for others.
	OnConflict ConflictPolicy
	// Receipt, when it is not nil, must be committed in one transaction with the
	// effect; where there is nothing to change, it is committed alone. A step
	// that finds it cannot be must fail. Only Receiptable steps are given one,
	// and never in doubt.
	Receipt *journal.Receipt
	// Archives is where data is set aside before it is destroyed.
	Archives journal.Archives
	// Progress, never nil inside the engine, tells how far a long step is.
	Progress func(Progress)
}

// Progress tells how far a long step is.
type Progress struct {
	What  string // "documents archived"
	Done  int64
	Total int64 // 0: not known
}
