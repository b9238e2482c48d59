// Package mutate shows that the safeguards are tested: it takes each of them
// out of the code in turn, without touching a file (go build's -overlay), and
// wants a test to fail for it.
package mutate

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// becomes is the name of the section that follows each piece of code.
const becomes = "becomes"

// ErrSpec says of a mutant that it is not described as it has to be.
var ErrSpec = errors.New("not the description of a mutant")

// Mutant is one safeguard taken out.
type Mutant struct {
	Name      string // of its file
	Safeguard string // what is taken out, in a sentence
	Package   string // whose test must fail, such as "./engine"
	Test      string // the pattern of that test
	Edits     []Edit
}

// Edit replaces text that is in a file exactly once.
type Edit struct {
	File     string // below the module's folder
	Old, New string
}

// Load reads the mutants of a folder, one a .txtar file:
//
//	The intent is durable before the first request.
//	test ./engine TestIntentBeforeRequest
//	-- engine/forward.go --
//	code that is in the file once
//	-- becomes --
//	code to put in its place
//
// There may be several pairs of sections. The error wraps ErrSpec.
func Load(folder fs.FS) ([]Mutant, error) {
	names, err := fs.Glob(folder, "*.txtar")
	if err != nil {
		return nil, err
	}
	mutants := make([]Mutant, 0, len(names))
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		m, err := parse(strings.TrimSuffix(name, ".txtar"), data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

func parse(name string, data []byte) (Mutant, error) {
	archive := txtar.Parse(data)
	m := Mutant{Name: name}
	for line := range strings.Lines(string(archive.Comment)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "test" {
			m.Package, m.Test = fields[1], fields[2]
			continue
		}
		m.Safeguard = strings.TrimSpace(m.Safeguard + " " + strings.Join(fields, " "))
	}
	if m.Safeguard == "" || m.Package == "" {
		return m, fmt.Errorf("%w: it begins with a sentence and a line \"test PACKAGE PATTERN\"", ErrSpec)
	}
	if len(archive.Files) == 0 || len(archive.Files)%2 != 0 {
		return m, fmt.Errorf("%w: it has pairs of sections, a file and %q", ErrSpec, becomes)
	}
	for i := 0; i < len(archive.Files); i += 2 {
		from, to := archive.Files[i], archive.Files[i+1]
		if to.Name != becomes || from.Name == becomes || !fs.ValidPath(from.Name) || path.Ext(from.Name) != ".go" {
			return m, fmt.Errorf("%w: sections %q and %q are no pair", ErrSpec, from.Name, to.Name)
		}
		m.Edits = append(m.Edits, Edit{File: from.Name, Old: string(from.Data), New: string(to.Data)})
	}
	return m, nil
}

// apply gives the changed files of a module.
func (m Mutant) apply(module fs.FS) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for _, e := range m.Edits {
		data, known := changed[e.File]
		if !known {
			var err error
			if data, err = fs.ReadFile(module, e.File); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSpec, err)
			}
		}
		if n := strings.Count(string(data), e.Old); n != 1 {
			return nil, fmt.Errorf("%w: %s has this %d times, not once:\n%s", ErrSpec, e.File, n, e.Old)
		}
		changed[e.File] = []byte(strings.Replace(string(data), e.Old, e.New, 1))
	}
	return changed, nil
}

// Check says whether the code to take out is in the module, once. The error
// wraps ErrSpec.
func (m Mutant) Check(module fs.FS) error {
	_, err := m.apply(module)
	return err
}
