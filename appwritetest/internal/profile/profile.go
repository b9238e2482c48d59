// Package profile says how one Appwrite version on one kind of backend differs
// from another: what exists, what is refused, and the limits.
package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
)

// Backend is the storage whose comparison rules the server follows.
type Backend int

const (
	// MariaDB compares ids, keys and unique strings without regard to case.
	MariaDB Backend = iota
	// Exact compares byte by byte, as PostgreSQL and MongoDB do.
	Exact
)

// String is the name a person would use.
func (b Backend) String() string {
	if b == Exact {
		return "exact"
	}
	return "mariadb"
}

// Latest is the version served when none is asked for.
const Latest = "1.9.6"

// Profile is what one version does. The zero value is no version; use For.
type Profile struct {
	Version string
	Backend Backend

	release [3]int
}

// ErrVersion is a version that there is no profile of.
var ErrVersion = errors.New("unknown Appwrite version")

// For returns the profile of a version between 1.7.0 and 1.9.6; ErrVersion for
// any other.
func For(version string, backend Backend) (Profile, error) {
	p := Profile{Version: version, Backend: backend}
	parts := strings.Split(version, ".")
	if len(parts) != len(p.release) {
		return Profile{}, fmt.Errorf("%w %q: want three numbers such as %s", ErrVersion, version, Latest)
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return Profile{}, fmt.Errorf("%w %q: want three numbers such as %s", ErrVersion, version, Latest)
		}
		p.release[i] = n
	}
	if !p.AtLeast(1, 7, 0) || p.AtLeast(1, 9, 7) {
		return Profile{}, fmt.Errorf("%w %q: 1.7.0 to %s are known", ErrVersion, version, Latest)
	}
	return p, nil
}

// AtLeast compares the version with a release. The named capabilities below
// are the better question where one fits.
func (p Profile) AtLeast(major, minor, patch int) bool {
	for i, want := range [3]int{major, minor, patch} {
		if p.release[i] != want {
			return p.release[i] > want
		}
	}
	return true
}

// TablesDB says whether the second dialect, transactions, spatial attributes,
// increments and client-set dates exist (1.8.0).
func (p Profile) TablesDB() bool { return p.AtLeast(1, 8, 0) }

// Operators says whether atomic operators and total=0 exist (1.8.1).
func (p Profile) Operators() bool { return p.AtLeast(1, 8, 1) }

// InlineSchema says whether a collection can be created with its attributes
// and indexes, and whether the newer text types exist (1.9.0).
func (p Profile) InlineSchema() bool { return p.AtLeast(1, 9, 0) }

// BigInt says whether bigint attributes exist (1.9.5).
func (p Profile) BigInt() bool { return p.AtLeast(1, 9, 5) }

// NullBreaks says whether null for an optional parameter that is not nullable
// crashes the route (500) instead of being refused (400 on 1.8).
func (p Profile) NullBreaks() bool { return !p.TablesDB() || p.AtLeast(1, 9, 0) }

// SequenceKind is how $sequence appears in a record.
type SequenceKind int

const (
	// NoSequence means that the field is absent (1.7).
	NoSequence SequenceKind = iota
	// IntSequence is a JSON integer (1.8).
	IntSequence
	// StringSequence is a decimal string (1.9).
	StringSequence
)

// Sequence says how $sequence appears in a record.
func (p Profile) Sequence() SequenceKind {
	switch {
	case p.AtLeast(1, 9, 0):
		return StringSequence
	case p.AtLeast(1, 8, 0):
		return IntSequence
	default:
		return NoSequence
	}
}

// Fold returns the form under which the backend compares text: ids, keys and
// values.
func (p Profile) Fold(text string) string {
	if p.Backend == Exact {
		return text
	}
	return collation.General(text)
}

// Limits of one container on an SQL backend (APPWRITE §11).
const (
	MaxAttributes  = 1010
	MaxIndexes     = 58
	MaxRowBytes    = 65535
	BaseRowBytes   = 1067
	MaxIndexLength = 768
	MaxIDLength    = 36
)
