package migrations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// Codec writes and reads every step that a run of a migration consists of: those
// of package steps and those of the history. It implements engine.Codec.
type Codec struct {
	steps  *steps.Codec
	client *appwrite.Client
	now    func() time.Time
}

// NewCodec makes a codec whose decoded steps act through client. The functions
// are those that recorded steps may name, see steps.NewCodec and Set.Funcs. now
// is the clock that tells how long a run took; nil means time.Now.
func NewCodec(client *appwrite.Client, funcs []steps.Func, now func() time.Time) (*Codec, error) {
	inner, err := steps.NewCodec(client, funcs)
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &Codec{steps: inner, client: client, now: now}, nil
}

// Encode writes a step down.
func (c *Codec) Encode(step engine.Step) (json.RawMessage, error) {
	s, ok := step.(historyStep)
	if !ok {
		return c.steps.Encode(step)
	}
	return journal.Canonical(struct {
		Kind string `json:"kind"`
		historyStep
	}{s.Kind(), s})
}

// Decode reads a step and binds it. What it does not know it refuses.
func (c *Codec) Decode(data json.RawMessage) (engine.Step, error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil || !slices.Contains([]string{kindOpen, kindRecord, kindReopen, kindClose}, head.Kind) {
		return c.steps.Decode(data)
	}
	var record struct {
		Kind string `json:"kind"`
		historyStep
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&record); err != nil {
		return nil, fmt.Errorf("decode %s: %w", head.Kind, err)
	}
	s := record.historyStep
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("decode %s: %w", head.Kind, err)
	}
	if s.Kind() != record.Kind {
		return nil, fmt.Errorf("decode %s: it is a %s", record.Kind, s.Kind())
	}
	return c.bound(s), nil
}

func (c *Codec) bound(s historyStep) historyStep {
	s.client, s.now = c.client, c.now
	return s
}
