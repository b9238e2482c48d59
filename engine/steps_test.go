package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// The fields of a step of the world. One struct serves every kind.
type fields struct {
	Name   string `json:"kind"`
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Expect string `json:"expect,omitempty"` // what an inverse expects to find
	N      int    `json:"n,omitempty"`
}

type step struct {
	fields
	world *world
	// commit, when set, makes the changes instead of the world's write.
	commit func(ctx context.Context, what string, effect func()) error
}

// write makes one change.
func (s step) write(ctx context.Context, site engine.Site, what string, effect func()) error {
	if s.commit != nil {
		return s.commit(ctx, what, effect)
	}
	return s.world.write(ctx, site, what, effect)
}

// The world's kinds.
func create(key, value string) engine.Step {
	return step{fields: fields{Name: "create", Key: key, Value: value}}
}

func set(key, value string) engine.Step {
	return step{fields: fields{Name: "set", Key: key, Value: value}}
}
func remove(key string) engine.Step      { return step{fields: fields{Name: "remove", Key: key}} }
func add(key string, n int) engine.Step  { return step{fields: fields{Name: "add", Key: key, N: n}} }
func many(key string, n int) engine.Step { return step{fields: fields{Name: "many", Key: key, N: n}} }
func slow(key, value string) engine.Step {
	return step{fields: fields{Name: "slow", Key: key, Value: value}}
}
func check(key string) engine.Step { return step{fields: fields{Name: "check", Key: key}} }
func blind(key, value string) engine.Step {
	return step{fields: fields{Name: "blind", Key: key, Value: value}}
}
func final(key string) engine.Step  { return step{fields: fields{Name: "final", Key: key}} }
func broken(key string) engine.Step { return step{fields: fields{Name: "broken", Key: key}} }
func discard(key string) engine.Step {
	return discarding{step{fields: fields{Name: "discard", Key: key}}}
}

const processing = "processing…"

// image is the memento of every kind.
type image struct {
	Found bool   `json:"found"`
	Value string `json:"value,omitempty"`
}

// codec writes the world's steps down.
type codec struct{ world *world }

func (c codec) Encode(s engine.Step) (json.RawMessage, error) {
	plain, ok := s.(step)
	if !ok {
		return nil, fmt.Errorf("%s cannot be written down", s.Kind())
	}
	return json.Marshal(plain.fields)
}

func (c codec) Decode(data json.RawMessage) (engine.Step, error) {
	s := step{world: c.world}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s.fields); err != nil {
		return nil, err
	}
	switch s.Name {
	case "create", "set", "remove", "add", "many", "slow", "check", "blind", "final", "broken", "move":
		return s, nil
	default:
		return nil, fmt.Errorf("unknown kind %q", s.Name)
	}
}

func (s step) Kind() string { return s.Name }

func (s step) Target() engine.Ref { return ref(s.Key) }

func ref(key string) engine.Ref {
	if container, name, inside := strings.Cut(key, "/"); inside {
		return engine.Ref{Type: "document", Collection: container, Key: name}
	}
	return engine.Ref{Type: "collection", Collection: key}
}

// Makes implements engine.Maker.
func (s step) Makes() []engine.Ref {
	switch s.Name {
	case "create", "slow", "blind":
		return []engine.Ref{s.Target()}
	case "move":
		return []engine.Ref{ref(s.Value)}
	default:
		return nil
	}
}

// Irreversible implements engine.Irreversible.
func (s step) Irreversible() string {
	if s.Name == "final" {
		return "what is gone is gone"
	}
	return ""
}

func (s step) Capture(ctx context.Context, site engine.Site) (engine.Memento, error) {
	s.world.point("capture " + site.Operation)
	value, found, err := s.world.read(ctx, s.Key)
	if err != nil {
		return nil, err
	}
	container, _, inside := strings.Cut(s.Key, "/")
	if _, there, _ := s.world.read(ctx, container); inside && !there {
		return nil, fmt.Errorf("%s is missing", container)
	}
	fresh := s.Name == "create" || s.Name == "slow" || s.Name == "blind" || s.Name == "broken"
	switch {
	case fresh && found:
		return nil, fmt.Errorf("%s exists", s.Key)
	case !fresh && !found && s.Name != "many" && s.Expect == "":
		return nil, fmt.Errorf("%s is missing", s.Key)
	}
	return json.Marshal(image{Found: found, Value: value})
}

func (s step) Settle(ctx context.Context, site engine.Site, _ engine.Memento) error {
	s.world.point("settle " + site.Operation)
	if err := ctx.Err(); err != nil {
		return err
	}
	s.world.mu.Lock()
	if s.Name == "slow" && s.world.objects[s.Key] == processing {
		s.world.objects[s.Key] = s.Value
	}
	s.world.mu.Unlock()
	s.world.point("settled " + site.Operation)
	return nil
}

func (s step) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	s.world.point("apply " + site.Operation)
	var m image
	if err := json.Unmarshal(before, &m); err != nil {
		return nil, err
	}
	value, found, err := s.world.read(ctx, s.Key)
	if err != nil {
		return nil, err
	}
	switch s.Name {
	case "check":
		return json.RawMessage(`{}`), nil
	case "broken":
		return nil, errDenied
	case "many":
		return s.applyMany(ctx, site)
	case "move":
		err = s.write(ctx, site, "move", func() {
			s.world.objects[s.Value] = s.world.objects[s.Key]
			delete(s.world.objects, s.Key)
		})
	case "add":
		err = s.write(ctx, site, "add "+strconv.Itoa(s.N), func() { s.world.objects[s.Key] = plus(s.world.objects[s.Key], s.N) })
	case "create", "slow", "blind":
		err = s.applyCreate(ctx, site, value, found)
	case "remove", "set", "final":
		err = s.applyChange(ctx, site, m, value, found)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(image{Found: true, Value: s.Value})
}

func (s step) applyCreate(ctx context.Context, site engine.Site, value string, found bool) error {
	if found {
		if site.Doubtful && (value == s.Value || value == processing) {
			return nil
		}
		return fmt.Errorf("%w: %s is there", engine.ErrForeign, s.Key)
	}
	value = s.Value
	if s.Name == "slow" {
		value = processing
	}
	return s.write(ctx, site, "create", func() { s.world.objects[s.Key] = value })
}

func (s step) applyChange(ctx context.Context, site engine.Site, m image, value string, found bool) error {
	gone := s.Name != "set"
	if found != m.Found || value != m.Value {
		if (gone && !found) || (!gone && value == s.Value) {
			return nil
		}
	}
	if s.foreign(m, value, found) {
		switch site.OnConflict {
		case engine.ConflictMerge:
			return nil
		case engine.ConflictHalt, engine.ConflictSkip:
			return fmt.Errorf("%w: %s holds %q", engine.ErrForeign, s.Key, value)
		case engine.ConflictOverwrite:
		}
	}
	return s.write(ctx, site, s.Name, func() {
		if gone {
			delete(s.world.objects, s.Key)
			return
		}
		s.world.objects[s.Key] = s.Value
	})
}

// foreign reports whether a change meets something else than it expects.
func (s step) foreign(m image, value string, found bool) bool {
	if found != m.Found || value != m.Value {
		return true
	}
	return s.Expect != "" && found && value != s.Expect && value != processing
}

func (s step) applyMany(ctx context.Context, site engine.Site) (engine.Observation, error) {
	for i := range s.N {
		key := s.Key + strconv.Itoa(i+1)
		value, found, err := s.world.read(ctx, key)
		if err != nil {
			return nil, err
		}
		if found && value == s.Key && site.Doubtful {
			continue
		}
		if found {
			return nil, fmt.Errorf("%w: %s is there", engine.ErrForeign, key)
		}
		if err := s.write(ctx, site, "create "+key, func() { s.world.objects[key] = s.Key }); err != nil {
			return nil, err
		}
	}
	return json.RawMessage(`{}`), nil
}

func (s step) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	s.world.point("probe " + site.Operation)
	var m image
	if err := json.Unmarshal(before, &m); err != nil {
		return engine.Finding{}, err
	}
	value, found, err := s.world.read(ctx, s.Key)
	if err != nil {
		return engine.Finding{}, err
	}
	after, err := json.Marshal(image{Found: true, Value: s.Value})
	if err != nil {
		return engine.Finding{}, err
	}
	finding := engine.Finding{State: s.state(ctx, m, value, found), After: after, Detail: s.Key + " holds " + strconv.Quote(value)}
	if s.Name == "blind" {
		return engine.Finding{}, fmt.Errorf("%w: nothing tells", engine.ErrUnknownOutcome)
	}
	return finding, nil
}

func (s step) state(ctx context.Context, m image, value string, found bool) engine.State {
	if container, _, inside := strings.Cut(s.Key, "/"); inside {
		if _, there, _ := s.world.read(ctx, container); !there {
			return engine.StateForeign
		}
	}
	moved := image{}
	if s.Name == "move" {
		moved.Value, moved.Found, _ = s.world.read(ctx, s.Value)
	}
	switch s.Name {
	case "check", "broken":
		return engine.StateBefore
	case "many":
		return s.stateMany(ctx)
	case "move":
		return pick(found && value == m.Value && !moved.Found, !found && moved.Value == m.Value, false)
	case "add":
		return pick(value == m.Value, value == plus(m.Value, s.N), false)
	case "remove", "final":
		if !found {
			return engine.StateAfter
		}
		return pick(!s.foreign(m, value, found) && !s.world.inhabited(s.Key), false, false)
	case "set":
		if found && value == s.Value {
			return engine.StateAfter // even when it was so before
		}
		return pick(!s.foreign(m, value, found), false, false)
	default:
		return pick(!found, value == s.Value, value == processing)
	}
}

func (s step) stateMany(ctx context.Context) engine.State {
	mine := 0
	for i := range s.N {
		if value, found, _ := s.world.read(ctx, s.Key+strconv.Itoa(i+1)); found {
			if value != s.Key {
				return engine.StateForeign
			}
			mine++
		}
	}
	return pick(mine == 0, mine == s.N, true)
}

func pick(before, after, partial bool) engine.State {
	switch {
	case before:
		return engine.StateBefore
	case after:
		return engine.StateAfter
	case partial:
		return engine.StatePartial
	default:
		return engine.StateForeign
	}
}

func (s step) Inverse(before engine.Memento, _ engine.Observation) ([]engine.Step, error) {
	var m image
	if err := json.Unmarshal(before, &m); err != nil {
		return nil, err
	}
	inverse := func(f fields) ([]engine.Step, error) { return []engine.Step{step{fields: f, world: s.world}}, nil }
	switch s.Name {
	case "check":
		return nil, nil
	case "create", "slow":
		return inverse(fields{Name: "remove", Key: s.Key, Expect: s.Value})
	case "blind":
		return inverse(fields{Name: "remove", Key: s.Key, Expect: s.Value})
	case "set":
		return inverse(fields{Name: "set", Key: s.Key, Value: m.Value, Expect: s.Value})
	case "remove":
		if !m.Found {
			return nil, nil
		}
		return inverse(fields{Name: "create", Key: s.Key, Value: m.Value})
	case "add":
		return inverse(fields{Name: "add", Key: s.Key, N: -s.N})
	case "move":
		return inverse(fields{Name: "move", Key: s.Value, Value: s.Key})
	case "many":
		steps := make([]engine.Step, 0, s.N)
		for i := s.N; i > 0; i-- {
			steps = append(steps, step{fields: fields{Name: "remove", Key: s.Key + strconv.Itoa(i), Expect: s.Key}, world: s.world})
		}
		return steps, nil
	case "final":
		return nil, engine.ErrIrreversible
	default:
		return nil, errors.New("no inverse")
	}
}

// discarding splits into a move at once and a removal at the end.
type discarding struct{ step }

func (d discarding) Split() (now, last engine.Step) {
	tombstone := "gone:" + d.Key
	return step{fields: fields{Name: "move", Key: d.Key, Value: tombstone}, world: d.world},
		step{fields: fields{Name: "remove", Key: tombstone}, world: d.world}
}

func plus(value string, n int) string {
	v, err := strconv.Atoi(value)
	if err != nil {
		return value
	}
	return strconv.Itoa(v + n)
}
