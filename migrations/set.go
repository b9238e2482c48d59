package migrations

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/steps"
)

// Set is an ordered collection of migrations without duplicates. It is a value:
// adding to it makes another.
type Set struct {
	ordered []*Migration
}

// NewSet orders migrations by version, whatever their source. The error joins
// what is wrong with each (ErrMalformed) and the versions that more than one has
// (ErrDuplicate).
func NewSet(list ...*Migration) (Set, error) {
	var failures []error
	for _, m := range list {
		if err := m.check(); err != nil {
			failures = append(failures, err)
		}
	}
	ordered := slices.Clone(list)
	slices.SortStableFunc(ordered, func(a, b *Migration) int { return strings.Compare(a.Version, b.Version) })
	for i := 1; i < len(ordered); i++ {
		if a, b := ordered[i-1], ordered[i]; a.Version == b.Version {
			failures = append(failures, fmt.Errorf("%w: version %s is both %s and %s", ErrDuplicate, a.Version, a.origin(), b.origin()))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return Set{}, err
	}
	return Set{ordered: ordered}, nil
}

// LoadSet makes the set of the migrations in a folder and of those built in Go.
func LoadSet(fsys fs.FS, folder string, built ...*Migration) (Set, error) {
	loaded, err := Load(fsys, folder)
	if err != nil {
		return Set{}, err
	}
	return NewSet(append(loaded, built...)...)
}

// origin says where a migration comes from.
func (m *Migration) origin() string {
	if m.At.File != "" {
		return m.At.File
	}
	return m.Name + " (built in Go)"
}

// All gives the migrations, the oldest first. The caller may keep the slice.
func (s Set) All() []*Migration { return slices.Clone(s.ordered) }

// Funcs gives the Go functions of all migrations, for NewCodec.
func (s Set) Funcs() []steps.Func {
	var funcs []steps.Func
	for _, m := range s.ordered {
		funcs = append(funcs, m.funcs...)
	}
	return funcs
}

// Find gives the migration of a version; the error wraps ErrUnknownVersion.
func (s Set) Find(version string) (*Migration, error) {
	if i, ok := slices.BinarySearchFunc(s.ordered, version, func(m *Migration, v string) int { return strings.Compare(m.Version, v) }); ok {
		return s.ordered[i], nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownVersion, version)
}
