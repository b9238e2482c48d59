// Package migrations holds what a project is migrated by: migrations from YAML
// files and from Go, the set that orders them, the history of what an Appwrite
// project has, and the runner that takes a project from one to the other.
package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// Migration is a version, a name, a chain of steps up and perhaps one down.
// The steps are plain data; a Runner binds them to a client.
type Migration struct {
	Version     string // 14 digits, by which migrations are ordered
	Name        string // letters, digits, '_' and '-'
	Description string
	Up          []Step
	// Down is what takes the migration back where the journal of its up run
	// cannot: see Runner.Down. HasDown tells an empty one from none.
	Down    []Step
	HasDown bool
	// Hold says what has to be so before the migration may be applied, in words
	// for people. A migration that is on hold is only applied when its version
	// is asked for; others pass it by.
	Hold string
	// Replaces are the migrations that a squashed one stands for, see Squash.
	Replaces []Replaced
	At       Position // of the file; zero when built in Go

	funcs []steps.Func
	err   error // what is wrong with it, when built in Go; told by NewSet
}

// Step is one step of a migration.
type Step struct {
	// ID is unique in the migration. Where none is given it is the kind and
	// the place among the steps: "create_index-3", or "down-drop_index-1".
	ID     string
	Change engine.Step
	At     Position // zero when built in Go
}

// ID gives version and name as one word: "20261121093000_create_products".
func (m *Migration) ID() string { return m.Version + "_" + m.Name }

// Changes gives the steps without what files add to them.
func Changes(list []Step) []engine.Step {
	changes := make([]engine.Step, len(list))
	for i, step := range list {
		changes[i] = step.Change
	}
	return changes
}

// number gives the steps that have no id of their own one.
func number(list []Step, down bool) {
	for i := range list {
		if list[i].ID != "" {
			continue
		}
		list[i].ID = fmt.Sprintf("%s-%d", list[i].Change.Kind(), i+1)
		if down {
			list[i].ID = "down-" + list[i].ID
		}
	}
}

// Checksum gives the SHA-256, in hexadecimal, of the canonical steps up: of what
// a run does. Comments, formatting, order of keys, the words chosen, the
// description and the steps down do not change it.
func (m *Migration) Checksum() (string, error) {
	sum := sha256.New()
	for _, step := range m.Up {
		data, err := canonical(step.Change)
		if err != nil {
			return "", fmt.Errorf("migration %s, step %s: %w", m.ID(), step.ID, err)
		}
		sum.Write(data)
		sum.Write([]byte{'\n'}) // canonical JSON has no line ends of its own
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// canonical gives a step as the journal records it.
func canonical(step engine.Step) (json.RawMessage, error) {
	return new(steps.Codec).Encode(step)
}

// Option adds to a migration built in Go.
type Option func(*Migration)

// Describe sets the description.
func Describe(text string) Option {
	return func(m *Migration) { m.Description = text }
}

// WithDown sets the steps that take the migration back where the journal of its
// up run cannot.
func WithDown(build func(*steps.Builder)) Option {
	return func(m *Migration) { m.Down, m.HasDown = m.build(build, true), true }
}

// New makes a migration in Go. What is wrong with it is told by NewSet, so that
// a list of migrations can be written as one expression.
func New(version, name string, up func(*steps.Builder), opts ...Option) *Migration {
	m := &Migration{Version: version, Name: name}
	m.Up = m.build(up, false)
	for _, opt := range opts {
		opt(m)
	}
	return m
}

func (m *Migration) build(build func(*steps.Builder), down bool) []Step {
	b := steps.NewBuilder()
	build(b)
	changes, err := b.Steps()
	m.funcs = append(m.funcs, b.Funcs()...)
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("%w: %s: %w", ErrMalformed, m.ID(), err)
	}
	list := make([]Step, len(changes))
	for i, change := range changes {
		list[i].Change = change
	}
	number(list, down)
	return list
}

// check tells what is wrong with a migration.
func (m *Migration) check() error {
	switch {
	case m.err != nil:
		return m.err
	case !versionTag.MatchString(m.Version):
		return fmt.Errorf("%w: version %q must be 14 digits, such as 20261121093000", ErrMalformed, m.Version)
	case !nameTag.MatchString(m.Name) || len(m.Name) > 200:
		return fmt.Errorf("%w: name %q may hold up to 200 letters, digits, '_' and '-'", ErrMalformed, m.Name)
	case len(m.Up) == 0:
		return fmt.Errorf("%w: %s has no steps", ErrMalformed, m.ID())
	}
	seen := map[string]bool{}
	for _, step := range append(append([]Step{}, m.Up...), m.Down...) {
		if step.Change == nil || seen[step.ID] || strings.TrimSpace(step.ID) == "" {
			return fmt.Errorf("%w: %s: step id %q is missing, taken, or has no step", ErrMalformed, m.ID(), step.ID)
		}
		seen[step.ID] = true
	}
	return nil
}
