package migrations

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// ErrPartly says that a squashed migration cannot be applied where some of the migrations
// that it replaces are applied, and others are not. errors.As gives the
// *PartlyError.
var ErrPartly = errors.New("a squashed migration is applied in part")

// Replaced is a migration that a squashed one stands for.
type Replaced struct {
	ID       string // version and name, see Migration.ID
	Checksum string // see Migration.Checksum
}

// Version is the version of the migration that is replaced.
func (r Replaced) Version() string { return versionOf(r.ID) }

// PartlyError tells which of the migrations that a squashed one replaces are
// applied, and which are not.
type PartlyError struct {
	ID      string // of the squashed migration
	Applied []string
	Pending []string
}

// Error names them and says what to do.
func (e *PartlyError) Error() string {
	return fmt.Sprintf("%v: %s stands for %s, which are applied, and %s, which are not: bring the old files back, apply them all (or take them all back), then squash",
		ErrPartly, e.ID, strings.Join(e.Applied, ", "), strings.Join(e.Pending, ", "))
}

// Unwrap gives ErrPartly.
func (e *PartlyError) Unwrap() error { return ErrPartly }

// byVersion gives the entries that say that a migration is applied.
func byVersion(entries []Entry) map[string]Entry {
	known := map[string]Entry{}
	for _, entry := range entries {
		if entry.Applied {
			known[entry.Version] = entry
		}
	}
	return known
}

// squashedState corrects the state of a squashed migration by what is known of
// those that it stands for.
func (m *Migration) squashedState(item *MigrationStatus, known map[string]Entry) {
	if len(m.Replaces) == 0 || item.State == Unfinished || item.State == Applied {
		return
	}
	partly := &PartlyError{ID: m.ID()}
	for _, r := range m.Replaces {
		entry, applied := known[r.Version()]
		switch {
		case !applied:
			partly.Pending = append(partly.Pending, r.ID)
		case entry.Checksum == r.Checksum:
			partly.Applied = append(partly.Applied, r.ID)
		default:
			item.State = Edited
			item.Err = &EditedError{Version: entry.Version, Name: entry.Name, Recorded: entry.Checksum, Current: r.Checksum}
			return
		}
	}
	switch {
	case len(partly.Pending) == 0:
		item.State, item.Err = Applied, nil
	case len(partly.Applied) > 0:
		item.State, item.Err = Partly, partly
	}
}

// standsFor gives the squashed migration that stands for an applied one, nil
// when there is none.
func (s Set) standsFor(entry Entry) *Migration {
	for _, m := range s.ordered {
		if slices.ContainsFunc(m.Replaces, func(r Replaced) bool { return r.Version() == entry.Version && r.Checksum == entry.Checksum }) {
			return m
		}
	}
	return nil
}

// whole makes sure that what is taken back holds all or none of the migrations
// that a squashed one stands for. Both lists have the newest first. to is the
// version that was asked for, "" for a number of migrations.
func (s Set) whole(chosen, applied []MigrationStatus, to string) ([]MigrationStatus, error) {
	groups := map[*Migration]bool{}
	taken := map[string]bool{}
	for _, item := range chosen {
		taken[item.Version] = true
		if m := s.standsFor(*item.Entry); m != nil {
			groups[m] = true
		}
	}
	var list []MigrationStatus
	for _, item := range applied {
		m := s.standsFor(*item.Entry)
		if !taken[item.Version] && (m == nil || !groups[m]) {
			continue
		}
		if !taken[item.Version] && to != "" {
			return nil, fmt.Errorf("%w: %s is one of those that %s stands for: go to the one before all of them, or after", ErrUnknownVersion, to, m.ID())
		}
		list = append(list, item)
	}
	return list, nil
}

// Stands says that the migration stands for one of the same version that had
// this checksum: that it is a squashed one, and the last of those that it
// replaces had it.
func (m *Migration) Stands(checksum string) bool {
	return slices.ContainsFunc(m.Replaces, func(r Replaced) bool { return r.Version() == m.Version && r.Checksum == checksum })
}

// Squash gives the migration that does what several did, one after the other. It
// has the version of the last one and lists all as replaced: where they are
// applied it counts as applied, where none is it is run. Steps that only look
// (assert) are left out: what they made sure of is behind. A Go function cannot
// be moved into a file, so a migration with one is refused.
func Squash(list []*Migration, name string) (*Migration, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%w: a squash takes at least two migrations", ErrMalformed)
	}
	var names []string
	last := list[len(list)-1]
	m := &Migration{Version: last.Version, Name: name}
	for _, one := range list {
		checksum, err := one.Checksum()
		if err != nil {
			return nil, err
		}
		if len(one.Replaces) > 0 {
			return nil, fmt.Errorf("%w: %s is a squash already: squash those after it into another", ErrMalformed, one.ID())
		}
		names = append(names, one.ID())
		m.Replaces = append(m.Replaces, Replaced{ID: one.ID(), Checksum: checksum})
		for _, step := range one.Up {
			switch step.Change.Kind() {
			case "func":
				return nil, fmt.Errorf("%w: %s runs Go code (%s), which a file cannot hold", ErrMalformed, one.ID(), step.Change.Target())
			case "assert":
			default:
				m.Up = append(m.Up, Step{Change: step.Change})
			}
		}
	}
	m.Description = "Squashed: " + strings.Join(names, ", ")
	number(m.Up, false)
	return m, m.check()
}

// WithSteps gives the migration with other steps up.
func (m *Migration) WithSteps(changes []engine.Step) *Migration {
	other := *m
	other.Up = make([]Step, len(changes))
	for i, change := range changes {
		other.Up[i].Change = change
	}
	number(other.Up, false)
	return &other
}

var hexChecksum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// replaced reads the migrations that a file stands for.
func (s *source) replaced(m *Migration, root value) {
	p := root.find("replaces")
	if p == nil {
		return
	}
	if p.value.kind != mapValue {
		s.fail(p.value.at, "", "replaces is a mapping from migrations to their checksums, not %v", p.value.kind)
		return
	}
	for _, one := range p.value.pairs {
		match := fileName.FindStringSubmatch(one.key + ".yaml")
		switch {
		case match == nil:
			s.fail(one.at, "", "%q is no migration: write its version and name, such as 20261121093000_create_products", one.key)
		case match[1] > m.Version:
			s.fail(one.at, "", "%s is newer than the migration that replaces it", one.key)
		case one.value.kind != stringValue || !hexChecksum.MatchString(one.value.text):
			s.fail(one.value.at, "", "the checksum of %s is 64 hexadecimal digits in quotes", one.key)
		}
		m.Replaces = append(m.Replaces, Replaced{ID: one.key, Checksum: one.value.text})
	}
}
