package steps

import (
	"context"
	"fmt"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Func is a step whose effect is Go code of the user's. The journal records its
// name and version only: a process that resumes a run must have the same
// function, of the same version, and is refused otherwise. What the function
// does to which objects is its own affair; it can be run again after a failure
// and should leave alone what it has done already.
type Func struct {
	Name    string
	Version string
	// Do makes the change. The client's requests are bound to ctx.
	Do func(ctx context.Context, sdk client.Client) error
	// Undo takes it back. Nil means that the step cannot be undone.
	Undo func(ctx context.Context, sdk client.Client) error
	// Probe tells where things stand after an answer that got lost or a
	// process that died: engine.StateBefore when Do has still to run (or can
	// run again), engine.StateAfter when it has run. Nil means that nobody can
	// tell, so that the run halts then.
	Probe func(ctx context.Context, sdk client.Client) (engine.State, error)
}

// funcRecord is a Func as the journal keeps it.
type funcRecord struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Undo    bool   `json:"undo,omitempty"`
}

// funcStep is a Func, or the undo of one, in a run.
type funcStep struct {
	funcRecord
	body   Func
	client *appwrite.Client
}

// NewFunc makes a step of a function. It fails without a name, a version or Do.
func NewFunc(f Func) (engine.Step, error) {
	step := funcStep{funcRecord: funcRecord{Name: f.Name, Version: f.Version}, body: f}
	return step, step.Validate()
}

// Kind is "func".
func (s funcStep) Kind() string { return "func" }

// Target names the function.
func (s funcStep) Target() engine.Ref { return engine.Ref{Type: "func", Key: s.Name} }

// Validate checks name, version and Do.
func (s funcStep) Validate() error {
	c := check{kind: s.Kind()}
	c.id("name", s.Name)
	if s.Version == "" {
		c.fail("version", "is missing: it tells a function from the one it was")
	}
	if s.body.Do == nil {
		c.fail("do", "is missing")
	}
	return c.err
}

func (s funcStep) bind(client *appwrite.Client) engine.Step {
	s.client = client
	return s
}

// Irreversible gives a reason when there is no Undo.
func (s funcStep) Irreversible() string {
	if s.body.Undo == nil && !s.Undo {
		return "the function has no Undo"
	}
	return ""
}

// Capture has nothing to remember.
func (s funcStep) Capture(context.Context, engine.Site) (engine.Memento, error) {
	return encode(struct{}{})
}

// Apply calls Do, or Undo.
func (s funcStep) Apply(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Observation, error) {
	call := s.body.Do
	if s.Undo {
		call = s.body.Undo
	}
	if err := call(ctx, s.client.SDK(ctx)); err != nil {
		return nil, fmt.Errorf("func %s: %w", s.Name, err)
	}
	return encode(struct{}{})
}

// Settle has nothing to wait for.
func (s funcStep) Settle(context.Context, engine.Site, engine.Memento) error { return nil }

// Probe asks the function's Probe.
func (s funcStep) Probe(ctx context.Context, _ engine.Site, _ engine.Memento) (engine.Finding, error) {
	if s.body.Probe == nil {
		return engine.Finding{}, stopped(s.Target(), engine.ErrUnknownOutcome, "the function has no Probe")
	}
	state, err := s.body.Probe(ctx, s.client.SDK(ctx))
	if err != nil {
		return engine.Finding{}, fmt.Errorf("func %s: probe: %w", s.Name, err)
	}
	if s.Undo {
		switch state {
		case engine.StateBefore:
			state = engine.StateAfter
		case engine.StateAfter:
			state = engine.StateBefore
		case engine.StatePartial, engine.StateForeign: // the same either way
		}
	}
	finding := engine.Finding{State: state, Detail: fmt.Sprintf("says the Probe of func %s", s.Name)}
	if state == engine.StateAfter {
		finding.After, err = encode(struct{}{})
	}
	return finding, err
}

// Inverse calls Undo, or Do again.
func (s funcStep) Inverse(engine.Memento, engine.Observation) ([]engine.Step, error) {
	if reason := s.Irreversible(); reason != "" {
		return nil, stopped(s.Target(), engine.ErrIrreversible, "%s", reason)
	}
	inverse := s
	inverse.Undo = !s.Undo
	return []engine.Step{inverse}, nil
}
