package schema

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused is wrapped by the errors of Read and Check for declarations that
// no migration can be made of. errors.As gives the *RefusedError with every
// reason.
var ErrRefused = errors.New("schema refused")

// Notice tells what a reader made of something that Appwrite would not take as
// it stands, or that it does not hold as the file puts it.
type Notice struct {
	At      Position
	Message string
}

// String gives position and message.
func (n Notice) String() string { return n.At.String() + ": " + n.Message }

// Problem is one reason why a declaration is refused.
type Problem struct {
	At     Position
	Reason string
	// Limit is the server's limit that Check found exceeded, "" for anything else.
	Limit Limit
}

// Limit is one of the things that Limits bound.
type Limit string

// The limits that Check tells apart.
const (
	LimitAttributes  Limit = "attributes"
	LimitRowWidth    Limit = "row_width"
	LimitIndexes     Limit = "indexes"
	LimitIndexLength Limit = "index_length"
	LimitFeature     Limit = "feature" // a type, or an index on lists, that the server does not have
	LimitLetterCase  Limit = "case"    // a name that another one takes, letter case aside
)

// String gives position and reason.
func (p Problem) String() string { return p.At.String() + ": " + p.Reason }

// RefusedError lists every reason why a declaration is refused.
type RefusedError struct {
	File     string
	Problems []Problem // at least one
}

// Error gives the first reasons and how many more there are.
func (e *RefusedError) Error() string {
	const shown = 20
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v for %d reason", e.File, ErrRefused, len(e.Problems))
	if len(e.Problems) != 1 {
		b.WriteByte('s')
	}
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "\n  … and %d more", len(e.Problems)-shown)
			break
		}
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// Unwrap gives ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// refused gives the error for problems, nil when there are none.
func refused(file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &RefusedError{File: file, Problems: problems}
}
