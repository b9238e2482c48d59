package journal

import (
	"encoding/json"
	"time"
)

// Phase says how far an operation, or one inverse step, has come.
type Phase string

// The phases of an operation. An inverse step knows planned, intended and undone.
const (
	PhasePlanned  Phase = "planned"  // nothing recorded
	PhaseIntended Phase = "intended" // may have acted
	PhaseApplied  Phase = "applied"  // has acted and settled
	PhaseUndoing  Phase = "undoing"  // an inverse step is intended
	PhaseUndone   Phase = "undone"
)

// State is what a run's records add up to.
type State struct {
	Run        string
	Started    Started
	StartedAt  time.Time
	UpdatedAt  time.Time // time of the last record
	Operations []Operation
	// Undoing says that the undo has begun; there is no way forward then.
	Undoing  bool
	Cause    string    // why the run is being undone
	Status   Status    // StatusOpen until a run_finished, and again when a halted run goes on
	Finished *Finished // the last run_finished while it stands
	Tail     Tail
}

// Operation is where one operation stands.
type Operation struct {
	ID      string
	Step    json.RawMessage
	Phase   Phase
	Before  json.RawMessage // from intended on
	After   json.RawMessage // from applied on
	Adopted bool
	Notice  string
	Refused bool // see Leftover
	Skipped bool // closed without undoing, by conflict policy
	// Conflict is the foreign change that the undo met, "" for none.
	Conflict string
	Reason   string // why there was nothing to undo
	Promise
	Undo []UndoStep
}

// Promise is what the records say of the receipt of an operation, or of one
// inverse step; see Intended and Observed.
type Promise struct {
	Receipted  bool
	Generation int    // of the receipt in use
	Receipt    string // hash of the one that was committed
}

// UndoStep is where one inverse step stands.
type UndoStep struct {
	Step    json.RawMessage
	Phase   Phase
	Before  json.RawMessage
	After   json.RawMessage
	Adopted bool
	// Conflict and Policy tell of a foreign change that the step was let loose on.
	Conflict string
	Policy   string
	Promise
}

// Operation finds an operation by its id, nil when there is none.
func (s *State) Operation(id string) *Operation {
	for i := range s.Operations {
		if s.Operations[i].ID == id {
			return &s.Operations[i]
		}
	}
	return nil
}
