package migrations

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// SumFile is the file that holds a project's Sum, beside its project file.
const SumFile = "backstep.sum"

// ErrSum says that the migrations at hand are not those that backstep.sum lists.
// errors.As gives the *SumError with every difference.
var ErrSum = errors.New("backstep.sum does not agree")

// Sum is what backstep.sum says: the checksum of every migration and of the
// whole. The last one changes with every migration that is added, so that two
// branches that both add one cannot be merged without somebody looking.
type Sum struct {
	Lines []SumLine // the oldest version first
}

// SumLine is what a Sum says about one migration.
type SumLine struct {
	ID       string // version and name, see Migration.ID
	Checksum string // see Migration.Checksum; "" while the migration is still being written
	Line     int    // of the file, from 1; 0 when the sum was not read from one
}

// Open says that the migration is still being written: any content agrees.
func (l SumLine) Open() bool { return l.Checksum == "" }

// SumOf gives the sum of a set of migrations.
func SumOf(set Set) (Sum, error) {
	var s Sum
	for _, m := range set.ordered {
		checksum, err := m.Checksum()
		if err != nil {
			return Sum{}, err
		}
		s.Lines = append(s.Lines, SumLine{ID: m.ID(), Checksum: checksum})
	}
	return s, nil
}

// With gives the sum with a line for a migration, in place of the one that its
// version has. An empty checksum leaves it open.
func (s Sum) With(id, checksum string) Sum {
	lines := append(s.Without(versionOf(id)).Lines, SumLine{ID: id, Checksum: checksum})
	slices.SortFunc(lines, func(a, b SumLine) int { return strings.Compare(a.ID, b.ID) })
	return Sum{Lines: lines}
}

// Without gives the sum without the lines of some versions.
func (s Sum) Without(versions ...string) Sum {
	return Sum{Lines: slices.DeleteFunc(slices.Clone(s.Lines), func(l SumLine) bool { return slices.Contains(versions, versionOf(l.ID)) })}
}

// Find gives the line of a version.
func (s Sum) Find(version string) (SumLine, bool) {
	i := slices.IndexFunc(s.Lines, func(l SumLine) bool { return versionOf(l.ID) == version })
	if i < 0 {
		return SumLine{}, false
	}
	return s.Lines[i], true
}

// Newest is the version of the last line, "" when there is none.
func (s Sum) Newest() string {
	if len(s.Lines) == 0 {
		return ""
	}
	return versionOf(s.Lines[len(s.Lines)-1].ID)
}

func versionOf(id string) string {
	version, _, _ := strings.Cut(id, "_")
	return version
}

const (
	sumHead   = "# Checksums of the migrations. Written by `backstep verify --write`; commit this file.\n"
	sumPrefix = "sha256:"
	sumWhole  = "whole"
	sumOpen   = "open"
)

// Bytes gives the file: a comment, the line of the whole, one line a migration.
func (s Sum) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(sumHead)
	fmt.Fprintf(&b, "%s %s%s\n", sumWhole, sumPrefix, s.whole())
	b.WriteString(s.body())
	return b.Bytes()
}

func (s Sum) body() string {
	var b strings.Builder
	for _, l := range s.Lines {
		checksum := sumOpen
		if !l.Open() {
			checksum = sumPrefix + l.Checksum
		}
		fmt.Fprintf(&b, "%s %s\n", l.ID, checksum)
	}
	return b.String()
}

func (s Sum) whole() string {
	sum := sha256.Sum256([]byte(s.body()))
	return hex.EncodeToString(sum[:])
}

var sumLine = regexp.MustCompile(`^([0-9]{14}_[A-Za-z0-9][A-Za-z0-9_-]*|whole) (open|sha256:[0-9a-f]{64})$`)

// ParseSum reads a backstep.sum. The error is a *SumError (ErrSum) with the
// places that are not as Bytes writes them: conflict markers, lines out of
// order, a whole that does not follow from the lines.
func ParseSum(file string, data []byte) (Sum, error) {
	var s Sum
	var problems []SumProblem
	whole, wholeAt := "", 0
	for i, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		text = strings.TrimSuffix(text, "\r")
		at := Position{File: file, Line: i + 1, Column: 1}
		match := sumLine.FindStringSubmatch(text)
		switch {
		case strings.HasPrefix(text, "#") || text == "":
		case match == nil:
			problems = append(problems, SumProblem{At: at, Reason: fmt.Sprintf("%.60q is no line of it: a merge may have left it", text)})
		case match[1] == sumWhole:
			whole, wholeAt = strings.TrimPrefix(match[2], sumPrefix), i+1
		default:
			if n := len(s.Lines); n > 0 && versionOf(s.Lines[n-1].ID) >= versionOf(match[1]) {
				problems = append(problems, SumProblem{At: at, Reason: match[1] + " is listed behind " + s.Lines[n-1].ID})
			}
			checksum := ""
			if match[2] != sumOpen {
				checksum = strings.TrimPrefix(match[2], sumPrefix)
			}
			s.Lines = append(s.Lines, SumLine{ID: match[1], Checksum: checksum, Line: i + 1})
		}
	}
	if len(problems) == 0 && whole != s.whole() {
		problems = append(problems, SumProblem{At: Position{File: file, Line: max(wholeAt, 1), Column: 1}, Reason: "the checksum of the whole does not follow from the lines: a merge or an editor changed them"})
	}
	if len(problems) > 0 {
		return Sum{}, &SumError{Problems: problems}
	}
	return s, nil
}

// SumProblem is one way in which the migrations and backstep.sum differ.
type SumProblem struct {
	At     Position // in the sum, or the migration's file
	Reason string
	Open   bool // only that the migration is still being written
}

// String gives position and reason.
func (p SumProblem) String() string {
	if at := p.At.String(); at != "" {
		return at + ": " + p.Reason
	}
	return p.Reason
}

// SumError lists every difference.
type SumError struct {
	Problems []SumProblem // at least one
}

// Error gives one line a difference.
func (e *SumError) Error() string {
	lines := []string{ErrSum.Error()}
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives ErrSum.
func (e *SumError) Unwrap() error { return ErrSum }

// Compare holds the migrations at hand against the sum, which was read from
// file. What is open agrees, but is told as such.
func (s Sum) Compare(file string, set Set) ([]SumProblem, error) {
	var problems []SumProblem
	for _, m := range set.ordered {
		current, err := m.Checksum()
		if err != nil {
			return nil, err
		}
		at := m.firstLine()
		line, listed := s.Find(m.Version)
		switch {
		case !listed:
			problems = append(problems, SumProblem{At: at, Reason: m.ID() + " is not in " + file})
		case line.ID != m.ID():
			problems = append(problems, SumProblem{At: at, Reason: fmt.Sprintf("%s is called %s in %s:%d", m.ID(), line.ID, file, line.Line)})
		case line.Open():
			problems = append(problems, SumProblem{At: at, Reason: fmt.Sprintf("%s is still open in %s:%d", m.ID(), file, line.Line), Open: true})
		case line.Checksum != current:
			problems = append(problems, SumProblem{At: at, Reason: fmt.Sprintf("%s was changed: its checksum is %.12s…, and %s:%d says %.12s…", m.ID(), current, file, line.Line, line.Checksum)})
		}
	}
	for _, line := range s.Lines {
		if _, err := set.Find(versionOf(line.ID)); err != nil {
			problems = append(problems, SumProblem{At: Position{File: file, Line: line.Line, Column: 1}, Reason: line.ID + " is listed, and there is no such migration", Open: line.Open()})
		}
	}
	return problems, nil
}

// Verify is Compare as an error, a *SumError. Open migrations agree when open
// is true.
func (s Sum) Verify(file string, set Set, open bool) error {
	problems, err := s.Compare(file, set)
	if err != nil {
		return err
	}
	problems = slices.DeleteFunc(problems, func(p SumProblem) bool { return open && p.Open })
	if len(problems) > 0 {
		return &SumError{Problems: problems}
	}
	return nil
}

// Since tells how the sum differs from an older one, a line a migration.
func (s Sum) Since(old Sum) []string {
	var lines []string
	for _, line := range s.Lines {
		was, known := old.Find(versionOf(line.ID))
		switch {
		case !known:
			lines = append(lines, "added "+line.ID)
		case was.ID != line.ID:
			lines = append(lines, "renamed "+was.ID+" to "+line.ID)
		case was.Open() && !line.Open():
			lines = append(lines, "closed "+line.ID)
		case was.Checksum != line.Checksum:
			lines = append(lines, "changed "+line.ID)
		}
	}
	for _, was := range old.Lines {
		if _, still := s.Find(versionOf(was.ID)); !still {
			lines = append(lines, "removed "+was.ID)
		}
	}
	return lines
}

// HeldAgainst lists how the migrations at hand differ from those that a history
// says were applied; where says whose it is.
func (s Set) HeldAgainst(entries []Entry, where string) ([]SumProblem, error) {
	var problems []SumProblem
	for _, entry := range entries {
		m, err := s.Find(entry.Version)
		if err != nil {
			if s.standsFor(entry) == nil {
				problems = append(problems, SumProblem{Reason: fmt.Sprintf("%s_%s is in %s, and there is no such migration", entry.Version, entry.Name, where)})
			}
			continue
		}
		current, err := m.Checksum()
		if err != nil {
			return nil, err
		}
		if current != entry.Checksum && !m.Stands(entry.Checksum) {
			problems = append(problems, SumProblem{At: m.firstLine(), Reason: fmt.Sprintf("%s was changed: its checksum is %.12s…, and %s says %.12s…", m.ID(), current, where, entry.Checksum)})
		}
	}
	known := byVersion(entries)
	for _, m := range s.ordered {
		item := MigrationStatus{State: Pending}
		if entry, there := known[m.Version]; there && !m.Stands(entry.Checksum) {
			continue // applied as itself
		}
		if m.squashedState(&item, known); item.State == Partly {
			problems = append(problems, SumProblem{At: m.firstLine(), Reason: fmt.Sprintf("%v (%s)", item.Err, where)})
		}
	}
	return problems, nil
}

// firstLine is the beginning of the migration's file.
func (m *Migration) firstLine() Position {
	at := m.At
	if at.File != "" && at.Line == 0 {
		at.Line, at.Column = 1, 1
	}
	return at
}
