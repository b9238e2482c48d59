package journal

import "encoding/json"

// Started is the body of run_started: everything another process needs to
// finish or undo the run, and everything a person asks about it later.
type Started struct {
	Migration   string `json:"migration,omitempty"`   // name, such as "create_products"
	Version     string `json:"version,omitempty"`     // such as "20261121093000"
	Checksum    string `json:"checksum,omitempty"`    // of the migration's steps
	Direction   string `json:"direction,omitempty"`   // "up" or "down"
	Environment string `json:"environment,omitempty"` // name in backstep.yaml
	Actor       string `json:"actor,omitempty"`       // who started it
	Host        string `json:"host,omitempty"`        // where
	Tool        string `json:"tool,omitempty"`        // version of the tool
	Server      string `json:"server,omitempty"`      // version of the server
	// Capabilities are what the run relies on: name to a set of words,
	// separated by spaces. A resume on a server that lacks one is refused.
	Capabilities map[string]string `json:"capabilities,omitempty"`
	Operations   []Planned         `json:"operations"`
	Envelope
}

// Planned is one operation as planned.
type Planned struct {
	ID   string          `json:"id"`   // unique in the run
	Step json.RawMessage `json:"step"` // as the engine's codec encodes it
}

// Intended is the body of intent: what undoing the operation will need.
type Intended struct {
	Before json.RawMessage `json:"before"` // the memento, or null
	// Receipted says that the operation commits together with a receipt and in
	// no other way, so that revoking the receipt tells whether it has acted.
	Receipted bool `json:"receipted,omitempty"`
	// Generation is that of the receipt. It is 0 in an operation's first intent;
	// once a receipt is revoked, another intent with the same memento goes before
	// an attempt under the next one. So a holder whose run was taken over
	// meanwhile fails to append, and never uses it.
	Generation int `json:"generation,omitempty"`
	Envelope
}

// Observed is the body of applied.
type Observed struct {
	After json.RawMessage `json:"after"` // what the step saw, or null
	// Adopted says that the effect was found rather than seen to happen: the
	// response was lost, or another process had sent the request.
	Adopted bool `json:"adopted,omitempty"`
	// Notice is what a person should know, such as a foreign change passed over.
	Notice string `json:"notice,omitempty"`
	// Receipt is the hash of the receipt that was committed with the effect. A
	// receipted operation has one, and no other does.
	Receipt string `json:"receipt,omitempty"`
	Envelope
}

// UndoIntended is the body of undo_intent, of one inverse step.
type UndoIntended struct {
	// Steps are all inverse steps of the operation in the order to run them.
	// Only the first undo_intent of an operation has them.
	Steps  []json.RawMessage `json:"steps,omitempty"`
	Before json.RawMessage   `json:"before"` // the inverse step's own memento, or null
	// Receipted and Generation are as in Intended.
	Receipted  bool `json:"receipted,omitempty"`
	Generation int  `json:"generation,omitempty"`
	// Conflict says what was foreign when the policy let the step go on.
	Conflict string `json:"conflict,omitempty"`
	Policy   string `json:"policy,omitempty"` // the policy that let it go on
	// Cause is why the run is being undone. Only the run's first undo record has it.
	Cause string `json:"cause,omitempty"`
	Envelope
}

// UndoObserved is the body of undone. For "<operation>/undo/<n>" it closes one
// inverse step; for "<operation>" it closes the whole operation, because there
// was nothing to undo or because what is there was left alone.
type UndoObserved struct {
	After   json.RawMessage `json:"after,omitempty"`
	Adopted bool            `json:"adopted,omitempty"` // found undone, not seen to happen
	Receipt string          `json:"receipt,omitempty"` // as in Observed; of one inverse step only
	// Skipped says that the object was left as somebody else made it, as the
	// conflict policy had it; Conflict says what was found.
	Skipped  bool   `json:"skipped,omitempty"`
	Conflict string `json:"conflict,omitempty"`
	Reason   string `json:"reason,omitempty"` // why there was nothing to undo
	Cause    string `json:"cause,omitempty"`  // as in UndoIntended
	Envelope
}

// Finished is the body of run_finished.
type Finished struct {
	Status Status `json:"status"`
	// Reason is the error that ended the run, or what a person gave for resolving it.
	Reason     string      `json:"reason,omitempty"`
	UndoReason string      `json:"undo_reason,omitempty"` // the error that stopped the undo
	Proof      *Proof      `json:"proof,omitempty"`       // after an undo
	Left       []Leftover  `json:"left,omitempty"`        // of a halted run
	Resolved   *Resolution `json:"resolved,omitempty"`    // set when a person closed the run
	Envelope
}

// Status is where a run stands.
type Status string

// The statuses. Applied and rolled back are final; a halted run can be
// resumed, rolled back or resolved.
const (
	// StatusOpen is derived, never recorded: the run is under way, or was cut off.
	StatusOpen       Status = "open"
	StatusApplied    Status = "applied"
	StatusRolledBack Status = "rolled_back"
	StatusHalted     Status = "halted"
)

// Final reports whether nothing can follow.
func (s Status) Final() bool { return s == StatusApplied || s == StatusRolledBack }

// Proof is what the check after an undo found.
type Proof struct {
	Verified    bool         `json:"verified"` // no differences
	Checked     int          `json:"checked"`  // objects compared with their before-image
	Differences []Difference `json:"differences,omitempty"`
	Conflicts   []Difference `json:"conflicts,omitempty"` // objects whose undo met a foreign change
	// Unproven are objects whose state nothing can tell, such as those of a
	// step in Go that has no probe.
	Unproven []Difference `json:"unproven,omitempty"`
}

// Difference is one object that does not equal its before-image.
type Difference struct {
	Operation string `json:"operation"`
	Target    string `json:"target"`
	Found     string `json:"found"` // the state that the probe found
	Detail    string `json:"detail,omitempty"`
}

// Leftover is something a halted run leaves for a person.
type Leftover struct {
	Operation string `json:"operation"`
	Kind      string `json:"kind"`
	Target    string `json:"target"`
	Phase     Phase  `json:"phase"`
	Found     string `json:"found,omitempty"` // the state that the last probe found
	Detail    string `json:"detail,omitempty"`
	// Refused says that the server refused the operation's write because the
	// object was somebody else's: an equal object there is not this run's.
	Refused bool `json:"refused,omitempty"`
}

// Resolution tells who closed a run by hand.
type Resolution struct {
	Actor string `json:"actor,omitempty"`
	Host  string `json:"host,omitempty"`
}
