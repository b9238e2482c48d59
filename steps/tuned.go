package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Retry is how a step is tried and retried where it differs from the engine's policy;
// what is zero stays as it is there.
type Retry struct {
	Attempts int      `json:"attempts,omitempty"`
	Budget   Duration `json:"budget,omitempty"`
	Initial  Duration `json:"initial,omitempty"`
	Max      Duration `json:"max,omitempty"`
	// Timeout bounds each request, where the client's own limit does not suit.
	Timeout Duration `json:"timeout,omitempty"`
}

// Duration is a time.Duration that is written as text: "1m30s".
type Duration time.Duration

// MarshalText writes it as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads and refuses negative ones.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	if parsed < 0 {
		return fmt.Errorf("%s is negative", parsed)
	}
	*d = Duration(parsed)
	return nil
}

// tuned is a step with a retry policy of its own.
type tuned struct {
	bindable
	policy Retry
}

// tunedSplitter is tuned for steps that split.
type tunedSplitter struct{ tuned }

// WithRetry gives a step of this package a retry policy of its own.
func WithRetry(step engine.Step, policy Retry) (engine.Step, error) {
	inner, ok := step.(bindable)
	if !ok {
		return nil, fmt.Errorf("%s: %w", step.Kind(), ErrUnknownKind)
	}
	if policy.Attempts < 0 || policy.Budget < 0 || policy.Initial < 0 || policy.Max < 0 || policy.Timeout < 0 {
		return nil, &FieldError{Kind: step.Kind(), Field: "retry", Reason: "must not be negative"}
	}
	return retuned(inner, policy), nil
}

// retuned puts a policy around a step, in place of one that is there.
func retuned(step bindable, policy Retry) bindable {
	switch s := step.(type) {
	case tuned:
		step = s.bindable
	case tunedSplitter:
		step = s.bindable
	}
	t := tuned{bindable: step, policy: policy}
	if _, splits := step.(engine.Splitter); splits {
		return tunedSplitter{t}
	}
	return t
}

// Retry is the policy. It makes the step an engine.Budgeted.
func (t tuned) Retry() engine.RetryPolicy {
	return engine.RetryPolicy{
		Attempts: t.policy.Attempts,
		Budget:   time.Duration(t.policy.Budget),
		Initial:  time.Duration(t.policy.Initial),
		Max:      time.Duration(t.policy.Max),
	}
}

// bind binds the step inside.
func (t tuned) bind(client *appwrite.Client) engine.Step {
	if timeout := time.Duration(t.policy.Timeout); timeout > 0 && client != nil {
		if patient, err := client.With(appwrite.WithTimeout(timeout)); err == nil { // fails for no timeout above 0
			client = patient
		}
	}
	return t.around(t.bindable.bind(client))
}

// around puts the policy around another step.
func (t tuned) around(step engine.Step) engine.Step {
	if inner, ok := step.(bindable); ok {
		return retuned(inner, t.policy)
	}
	return step
}

// Irreversible asks the step inside.
func (t tuned) Irreversible() string {
	if inner, ok := t.bindable.(engine.Irreversible); ok {
		return inner.Irreversible()
	}
	return ""
}

// Receiptable asks the step inside.
func (t tuned) Receiptable(before engine.Memento) bool {
	inner, ok := t.bindable.(engine.Receiptable)
	return ok && inner.Receiptable(before)
}

// Committed asks the step inside.
func (t tuned) Committed(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	return committed(ctx, t.bindable, site, before)
}

// Exacting asks the step inside.
func (t tuned) Exacting() string {
	if inner, ok := t.bindable.(engine.Exacting); ok {
		return inner.Exacting()
	}
	return ""
}

// Makes asks the step inside.
func (t tuned) Makes() []engine.Ref {
	if inner, ok := t.bindable.(engine.Maker); ok {
		return inner.Makes()
	}
	return nil
}

// Inverse gives the inverses of the step inside the same policy.
func (t tuned) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	inverses, err := t.bindable.Inverse(before, after)
	for i := range inverses {
		inverses[i] = t.around(inverses[i])
	}
	return inverses, err
}

// Split gives both parts the same policy.
func (t tunedSplitter) Split() (now, last engine.Step) {
	now, last = t.bindable.(engine.Splitter).Split() // retuned has checked it
	if now != nil {
		now = t.around(now)
	}
	if last != nil {
		last = t.around(last)
	}
	return now, last
}
