package engine

import (
	"time"

	"github.com/backstep-dev/backstep/journal"
)

// Outcome says how a run ended.
type Outcome string

// The outcomes.
const (
	OutcomeApplied     Outcome = "applied"     // every step is in effect
	OutcomeRolledBack  Outcome = "rolled_back" // every object equals its before-image, conflicts aside
	OutcomeHalted      Outcome = "halted"      // something needs a person
	OutcomeInterrupted Outcome = "interrupted" // stopped on the way; resume or rollback goes on
)

// Report tells what a run did. It is complete whatever the outcome.
type Report struct {
	Run        string
	Started    journal.Started // who, what and where, as recorded
	Outcome    Outcome
	Resumed    bool // the run was begun by another call
	Undoing    bool // the run was going back when it ended
	Operations []OperationReport
	// Err is what stopped the run going forward: nil when it was applied, or
	// when the undo was asked for. After a resumed undo it is the recorded
	// cause, as text only.
	Err error
	// UndoErr is what stopped the undo, nil when nothing did.
	UndoErr error
	Proof   *journal.Proof // after an undo
	// Conflicts are foreign changes that the run met, whether it halted on
	// them, left them alone or went over them.
	Conflicts []Conflict
	// Left names what a halted or interrupted run leaves behind.
	Left      []journal.Leftover
	StartedAt time.Time     // of the run, which may be before this call
	Duration  time.Duration // of this call
	Attempts  int           // of all operations, in this call
	Waited    time.Duration // between attempts and in quarantine, in this call
}

// OperationReport tells what became of one operation.
type OperationReport struct {
	ID       string
	Kind     string
	Target   Ref
	Phase    journal.Phase // where it stands
	Attempts int           // of Apply, in this call
	Waited   time.Duration // between attempts and in quarantine, in this call
	Duration time.Duration // forward, in this call
	Adopted  bool          // the effect was found rather than seen to happen
	Notice   string        // what a person should know
	Skipped  bool          // not undone, by conflict policy
	Err      error         // what stopped it going forward
	UndoErr  error         // what stopped its undo
	Undo     []UndoReport  // inverse steps, as far as the undo has come
}

// UndoReport tells what became of one inverse step.
type UndoReport struct {
	Operation string // "<operation>/undo/<n>"
	Kind      string
	Target    Ref
	Phase     journal.Phase
	Attempts  int
	Waited    time.Duration
	Duration  time.Duration
	Adopted   bool
	Conflict  string
}

// Conflict is one foreign change that a run met.
type Conflict struct {
	Operation string
	Target    Ref
	Undoing   bool
	Policy    ConflictPolicy // what was done about it
	Detail    string
}
