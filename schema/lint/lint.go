// Package lint reads migrations before anything runs them. It simulates what
// each step makes of the databases, without a server, and tells what would fail
// or hurt: data that is lost, data that does not fit, limits of the server,
// clients that break. Every rule has a code and a page in docs/lint.
package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

// Input is what is looked at.
type Input struct {
	Set migrations.Set
	// Files holds the files of the set, under the names that their positions
	// have. Nil: there are no comments to heed and no lines to point at.
	Files fs.FS
	// Since is a version: older migrations, and it, are simulated and not
	// looked at. Empty: all are.
	Since string
	// Limits are those of the server that the migrations are for.
	Limits schema.Limits
	// Severities are the project's own.
	Severities Severities
	// Records are where migrations have been recorded: backstep.sum, that of
	// the branch to be merged into, the history of an environment.
	Records []Record
	// Live, when not nil, is asked about documents.
	Live *Live
}

// Record is what somewhere is known of migrations.
type Record struct {
	Where     string            // as in "the history of production"
	Checksums map[string]string // by version; "" agrees with any
}

// Live is a project whose documents are looked at.
type Live struct {
	// Client must be read-only, see appwrite.WithReadOnly.
	Client *appwrite.Client
	// Schema is what the project has.
	Schema schema.Model
	// Applied are the versions whose effect is in Schema. They are neither
	// simulated nor looked at.
	Applied map[string]bool
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule      Rule
	Severity  Severity // Error or Warning
	At        migrations.Position
	Migration string // its id
	Step      string // id of the step, "" when it is about the whole migration
	Message   string
	// Fix says what to do instead.
	Fix string
	// Insert are lines that do what Fix says when they are put before the
	// first line of the step; nil where no lines alone do.
	Insert []string
	// Seen says that documents of the live project were looked at, and are as
	// the message says.
	Seen bool

	// Line is the line of At, "" where there is none.
	Line string

	ask  *question
	step int // first line of the step
}

// String gives the finding on one line, as compilers do.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s %s: %s", f.where(), f.Severity, f.Rule.Code, f.Message)
}

// where is the place in a file, or the step of a migration in Go.
func (f Finding) where() string {
	if at := f.At.String(); at != "" {
		return at
	}
	return strings.TrimSuffix(f.Migration+", "+f.Step, ", ")
}

// Report is what was found, by file and place.
type Report struct {
	Findings []Finding
	// Migrations is how many were looked at, Silenced how many findings
	// comments have silenced.
	Migrations int
	Silenced   int
}

// Errors counts the findings that are errors.
func (r Report) Errors() int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}

// Run looks at the migrations. Nothing is changed anywhere; without Live no
// server is asked. The error is about the input, never a finding.
func Run(ctx context.Context, in Input) (Report, error) {
	if err := errors.Join(in.Severities.Validate(), CheckSince(in.Since)); err != nil {
		return Report{}, err
	}
	sources, err := readSources(in)
	if err != nil {
		return Report{}, err
	}
	w, err := newWalker(in, sources)
	if err != nil {
		return Report{}, err
	}
	var report Report
	var found []Finding
	for _, m := range in.Set.All() {
		if in.Live != nil && in.Live.Applied[m.Version] {
			continue
		}
		if err := w.migration(m); err != nil {
			return Report{}, err
		}
		if m.Version <= in.Since {
			w.found = nil
			continue
		}
		report.Migrations++
		found = append(found, w.found...)
		w.found = nil
	}
	records, err := recorded(in)
	if err != nil {
		return Report{}, err
	}
	found = append(found, records...)
	if found, err = answered(ctx, in, found); err != nil {
		return Report{}, err
	}
	report.Findings, report.Silenced = silence(in, sources, found)
	report.Findings = slices.DeleteFunc(report.Findings, func(f Finding) bool { return f.Severity == Off })
	for i, f := range report.Findings {
		if f.At.File == "" { // a migration in Go has no lines to put any before
			report.Findings[i].Insert = nil
		}
		if s := sources[f.At.File]; s != nil && f.At.Line >= 1 && f.At.Line <= len(s.lines) {
			report.Findings[i].Line = s.lines[f.At.Line-1]
			report.Findings[i].Insert = s.before(f.step, f.Insert)
		}
	}
	slices.SortStableFunc(report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Migration, b.Migration), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column), cmp.Compare(a.Rule.Code, b.Rule.Code))
	})
	return report, nil
}

var version = regexp.MustCompile(`^[0-9]{14}$`)

// CheckSince refuses what is no version, and would leave out all migrations.
func CheckSince(since string) error {
	if since != "" && !version.MatchString(since) {
		return fmt.Errorf("since is %q; it may be a version of 14 digits, such as 20261121093000", since)
	}
	return nil
}

// State simulates migrations and gives the schema that they add up to, as far as
// that can be known without a server: what others have made before is not in
// it, nor what Go functions do.
func State(set migrations.Set) (schema.Model, error) {
	w, err := newWalker(Input{Set: set, Limits: schema.DefaultLimits()}, nil)
	if err != nil {
		return schema.Model{}, err
	}
	for _, m := range set.All() {
		if err := w.migration(m); err != nil {
			return schema.Model{}, err
		}
		w.found = nil
	}
	return w.world.model(), nil
}

// recorded finds migrations that are not what was recorded, or too old.
func recorded(in Input) ([]Finding, error) {
	var found []Finding
	for _, record := range in.Records {
		newest := ""
		for version := range record.Checksums {
			newest = max(newest, version)
		}
		for _, m := range in.Set.All() {
			if m.Version <= in.Since {
				continue
			}
			was, known := record.Checksums[m.Version]
			is, err := m.Checksum()
			if err != nil {
				return nil, err
			}
			switch {
			case known && was != "" && was != is && !m.Stands(was):
				found = append(found, in.onFile(m, CodeEdited, fmt.Sprintf("%s is not what %s has: its steps were changed since", m.ID(), record.Where),
					"put it back as it was, and write the change as a new migration"))
			case !known && m.Version < newest && m.Hold == "":
				found = append(found, in.onFile(m, CodeOutOfOrder, fmt.Sprintf("%s is older than %s, which %s has already", m.ID(), newest, record.Where),
					"rename the file to a version that is newer, such as `backstep new` gives"))
			}
		}
	}
	return found, nil
}

// onFile makes a finding about a whole migration.
func (in Input) onFile(m *migrations.Migration, code, message, fix string) Finding {
	rule, _ := FindRule(code)
	at := m.At
	if at.File != "" {
		at.Line, at.Column = 1, 1
	}
	return Finding{Rule: rule, Severity: in.Severities.of(rule, false), At: at, Migration: m.ID(), Message: message, Fix: fix}
}

// readSources reads the files of the set.
func readSources(in Input) (map[string]*source, error) {
	sources := map[string]*source{}
	if in.Files == nil {
		return sources, nil
	}
	var failures []error
	for _, m := range in.Set.All() {
		if m.At.File == "" {
			continue
		}
		data, err := fs.ReadFile(in.Files, m.At.File)
		if err != nil {
			failures = append(failures, fmt.Errorf("read %s: %w", m.At.File, err))
			continue
		}
		sources[m.At.File] = newSource(m, data)
	}
	return sources, errors.Join(failures...)
}

// RecordOf gives what a sum knows, under the name of where it is.
func RecordOf(where string, sum migrations.Sum) Record {
	r := Record{Where: where, Checksums: map[string]string{}}
	for _, line := range sum.Lines {
		version, _, _ := strings.Cut(line.ID, "_")
		r.Checksums[version] = line.Checksum
	}
	return r
}
