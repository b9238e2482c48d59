package migrations

import (
	"errors"
	"fmt"
	"strings"
)

// The conditions that callers tell apart with errors.Is.
var (
	// ErrMalformed: a migration file or a migration built in Go is not one.
	// errors.As gives the *SyntaxError with every place, for files.
	ErrMalformed = errors.New("malformed migration")
	// ErrDuplicate: two migrations have the same version.
	ErrDuplicate = errors.New("duplicate migration")
	// ErrUnknownVersion: no migration has the version asked for.
	ErrUnknownVersion = errors.New("no such migration")
	// ErrEdited: an applied migration is not what was applied. errors.As gives
	// the *EditedError with what changed.
	ErrEdited = errors.New("applied migration was edited")
	// ErrMissing: an applied migration is not among those at hand.
	ErrMissing = errors.New("applied migration is missing")
	// ErrOutOfOrder: a pending migration is older than one that is applied.
	ErrOutOfOrder = errors.New("migration out of order")
	// ErrUnfinished: an earlier run has to be resumed, rolled back or resolved
	// first. errors.As gives the *UnfinishedError.
	ErrUnfinished = errors.New("an earlier run is unfinished")
	// ErrElsewhere: the journal of a run is not on this machine.
	ErrElsewhere = errors.New("the run's journal is elsewhere")
	// ErrNoDown: there is no way to take a migration back.
	ErrNoDown = errors.New("migration cannot be taken back")
	// ErrNothing: there is no migration to apply or to take back.
	ErrNothing = errors.New("nothing to do")
	// ErrHistory: the collection that holds the history is not what it should be.
	ErrHistory = errors.New("history cannot be used")
)

// Position is a place in a migration file. The zero value means that the
// migration was built in Go.
type Position struct {
	File   string
	Line   int // from 1
	Column int // from 1, in characters
}

// String gives the position as "file:line:column".
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one mistake in a migration file.
type Problem struct {
	At     Position
	Line   string // the line of the file, without its end
	Reason string
	Hint   string // what was probably meant, "" when nothing comes to mind
}

// String gives the mistake on one line.
func (p Problem) String() string {
	s := p.At.String() + ": " + p.Reason
	if p.Hint != "" {
		s += " (did you mean " + p.Hint + "?)"
	}
	return s
}

// SyntaxError lists every mistake that was found in a migration file.
type SyntaxError struct {
	File     string
	Problems []Problem // at least one
}

// Error shows each mistake with the line it is on.
func (e *SyntaxError) Error() string {
	const shown = 20
	var b strings.Builder
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "\n… and %d more", len(e.Problems)-shown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
		if p.At.Line > 0 {
			b.WriteString(excerpt(p))
		}
	}
	return b.String()
}

// excerpt shows the line and points at the column.
func excerpt(p Problem) string {
	const widest = 160
	line, column := []rune(strings.ReplaceAll(p.Line, "\t", " ")), p.At.Column
	if column > widest {
		cut := min(column-widest/2, len(line))
		line, column = line[cut:], column-cut
	}
	if len(line) > widest {
		line = append(line[:widest:widest], '…')
	}
	number := fmt.Sprintf("%5d", p.At.Line)
	return "\n" + number + " | " + string(line) + "\n" + strings.Repeat(" ", len(number)) + " | " + strings.Repeat(" ", max(column-1, 0)) + "^"
}

// Unwrap gives ErrMalformed.
func (e *SyntaxError) Unwrap() error { return ErrMalformed }
