package engine

import (
	"time"
)

// Observer hears what a run does while it does it. Observe is called from the
// goroutine that runs and must return soon.
type Observer interface {
	Observe(event Event)
}

// ObserverFunc makes an Observer of a function.
type ObserverFunc func(event Event)

// Observe calls f.
func (f ObserverFunc) Observe(event Event) { f(event) }

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventRunStarted  EventKind = "run_started"  // Kinds of the operations, Total
	EventRunResumed  EventKind = "run_resumed"  // Kinds of the operations, Total, Done; Undoing
	EventRunFinished EventKind = "run_finished" // Outcome, Err
	EventOperation   EventKind = "operation"    // Phase: what the operation does now
	EventAttempt     EventKind = "attempt"      // a failed attempt: Attempt, Err, Class
	EventWait        EventKind = "wait"         // before the next attempt or look: Wait, Reason
	EventProgress    EventKind = "progress"     // Progress of a long step
	EventConflict    EventKind = "conflict"     // a foreign change: Policy, Detail
	EventUndo        EventKind = "undo"         // the undo begins: Err is the cause
	EventProof       EventKind = "proof"        // the proof was taken: Detail
	EventStop        EventKind = "stop"         // a stop was asked for: Detail
)

// OperationPhase says what an operation is doing.
type OperationPhase string

// What an operation does, in order. Forward and undo share the words; Undoing
// in the event tells them apart.
const (
	DoingCapture OperationPhase = "capture" // reading the before-image
	DoingIntent  OperationPhase = "intent"  // writing the intent
	DoingProbe   OperationPhase = "probe"   // looking where the object stands
	DoingApply   OperationPhase = "apply"   // changing it
	DoingSettle  OperationPhase = "settle"  // waiting for the server to finish
	DoingRecord  OperationPhase = "record"  // writing what was done
	DoingDone    OperationPhase = "done"    // recorded
	DoingSkipped OperationPhase = "skipped" // left alone
	DoingFailed  OperationPhase = "failed"  // Err says why
	DoingUndo    OperationPhase = "undo"    // finding out how to undo it
	DoingProof   OperationPhase = "proof"   // comparing with the before-image after the undo
)

// The reasons for a wait.
const (
	WaitBackoff    = "backoff"     // before the next attempt
	WaitRetryAfter = "retry-after" // before the next attempt, as the server asked
	WaitQuarantine = "quarantine"  // until a request that may be on its way has arrived or died
)

// Event is one thing that happened in a run. Fields that a kind does not
// mention are zero.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Run       string
	Operation string // "3", or "3/undo/1" for an inverse step
	Step      string // the step's kind
	Target    Ref
	Index     int      // the operation's place, from 1
	Total     int      // how many operations the run has
	Done      int      // how many of them are in effect when a run is resumed
	Kinds     []string // their steps' kinds, in order
	Undoing   bool
	Phase     OperationPhase
	Attempt   int // from 1
	Class     Class
	Wait      time.Duration
	Reason    string // of the wait: WaitBackoff, WaitRetryAfter or WaitQuarantine
	Progress  Progress
	Policy    ConflictPolicy
	Outcome   Outcome
	Detail    string
	Err       error
}
