package steps

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// What a codec refuses.
var (
	// ErrUnknownKind: a step of a kind that this release does not have.
	ErrUnknownKind = errors.New("unknown kind of step")
	// ErrUnknownFunc: a recorded function that the codec was not given, or
	// that it was given in another version.
	ErrUnknownFunc = errors.New("unknown function")
)

// Codec turns steps into canonical JSON and back: the fields of the step in
// alphabetical order and its kind as "kind". Decoded steps act through the
// codec's client. It implements engine.Codec.
type Codec struct {
	client *appwrite.Client
	funcs  map[string]Func
}

// NewCodec makes a codec. The functions are those that recorded steps may name.
// Without a client steps can be read and compared but not run.
func NewCodec(client *appwrite.Client, funcs []Func) (*Codec, error) {
	c := &Codec{client: client, funcs: make(map[string]Func, len(funcs))}
	for _, f := range funcs {
		if _, err := NewFunc(f); err != nil {
			return nil, err
		}
		key := f.Name + "\x00" + f.Version
		if _, taken := c.funcs[key]; taken {
			return nil, fmt.Errorf("func %s, version %s, is given twice", f.Name, f.Version)
		}
		c.funcs[key] = f
	}
	return c, nil
}

// Kinds lists the kinds of steps that can be written down, sorted.
func Kinds() []string {
	return slices.Sorted(maps.Keys(kinds()))
}

// Bind returns the steps so that they act through client. Steps of other
// packages are returned as they are.
func Bind(client *appwrite.Client, steps []engine.Step) []engine.Step {
	bound := make([]engine.Step, len(steps))
	for i, step := range steps {
		bound[i] = step
		if b, ok := step.(bindable); ok {
			bound[i] = b.bind(client)
		}
	}
	return bound
}

// Validate checks a step's own fields without a server. Its error is a
// *FieldError.
func Validate(step engine.Step) error {
	if b, ok := step.(bindable); ok {
		return b.Validate()
	}
	return nil
}

// Encode writes a step down.
func (c *Codec) Encode(step engine.Step) (json.RawMessage, error) {
	more := map[string]any{"kind": step.Kind()}
	switch s := step.(type) {
	case tuned:
		step, more["retry"] = s.bindable, s.policy
	case tunedSplitter:
		step, more["retry"] = s.bindable, s.policy
	}
	var fields any = step
	if s, ok := step.(funcStep); ok {
		fields = s.funcRecord
	} else if _, known := kinds()[step.Kind()]; !known {
		return nil, fmt.Errorf("encode %s: %w", step.Kind(), ErrUnknownKind)
	}
	raw, err := encode(fields)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	for key, value := range more {
		if object[key], err = encode(value); err != nil {
			return nil, err
		}
	}
	return journal.Canonical(object)
}

// Decode reads a step and binds it. Unknown kinds, unknown fields, fields that
// make no sense and unknown functions are refused.
func (c *Codec) Decode(data json.RawMessage) (engine.Step, error) {
	step, err := c.decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode step: %w", err)
	}
	return step, nil
}

func (c *Codec) decode(data json.RawMessage) (engine.Step, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	var kind string
	if err := json.Unmarshal(object["kind"], &kind); err != nil {
		return nil, errors.New("it has no kind")
	}
	retry, isTuned := object["retry"]
	delete(object, "kind")
	delete(object, "retry")
	fields, err := encode(object)
	if err != nil {
		return nil, err
	}
	step, err := c.unbound(kind, fields)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	if err := step.Validate(); err != nil {
		return nil, err
	}
	if isTuned {
		policy, err := recall[Retry](retry)
		if err != nil {
			return nil, &FieldError{Kind: kind, Field: "retry", Reason: err.Error()}
		}
		step = retuned(step, policy)
	}
	return step.bind(c.client), nil
}

// unbound makes the step of a kind.
func (c *Codec) unbound(kind string, fields json.RawMessage) (bindable, error) {
	if kind == (funcStep{}).Kind() {
		record, err := recall[funcRecord](fields)
		if err != nil {
			return nil, err
		}
		body, known := c.funcs[record.Name+"\x00"+record.Version]
		if !known {
			return nil, fmt.Errorf("%s, version %s: %w", record.Name, record.Version, ErrUnknownFunc)
		}
		return funcStep{funcRecord: record, body: body}, nil
	}
	decode, known := kinds()[kind]
	if !known {
		return nil, ErrUnknownKind
	}
	return decode(fields)
}
