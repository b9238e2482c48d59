package steps

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// Builder chains steps in Go. Its methods append a step each, in the order in
// which they are called; what they return refines that step. Mistakes are
// collected, with the line that made them, and reported by Steps.
type Builder struct {
	entries []*entry
	errs    []error
}

// NewBuilder makes an empty builder.
func NewBuilder() *Builder { return &Builder{} }

// entry is one step to be, which may still be refined.
type entry struct {
	place string
	step  func() (engine.Step, error)
	retry *Retry
}

// BuildError is a mistake in a chain and the line that made it.
type BuildError struct {
	Place string // "20261121_products.go:14"
	Err   error
}

// Error gives place and mistake.
func (e *BuildError) Error() string { return e.Place + ": " + e.Err.Error() }

// Unwrap gives the mistake.
func (e *BuildError) Unwrap() error { return e.Err }

// Steps gives the steps, unbound. Its error joins a *BuildError for each mistake.
func (b *Builder) Steps() ([]engine.Step, error) {
	errs := append([]error(nil), b.errs...)
	var built []engine.Step
	for _, e := range b.entries {
		step, err := e.build()
		if err != nil {
			errs = append(errs, &BuildError{Place: e.place, Err: err})
			continue
		}
		built = append(built, step)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return built, nil
}

// Funcs gives the functions that were chained, for NewCodec.
func (b *Builder) Funcs() []Func {
	var funcs []Func
	for _, e := range b.entries {
		if step, err := e.step(); err == nil {
			if f, ok := step.(funcStep); ok {
				funcs = append(funcs, f.body)
			}
		}
	}
	return funcs
}

func (e *entry) build() (engine.Step, error) {
	step, err := e.step()
	if err != nil {
		return nil, err
	}
	if err := Validate(step); err != nil {
		return nil, err
	}
	if e.retry == nil {
		return step, nil
	}
	return WithRetry(step, *e.retry)
}

// Add appends a step that was made by hand.
func (b *Builder) Add(step engine.Step) {
	b.append(func() (engine.Step, error) {
		if step == nil {
			return nil, errors.New("there is no step to add")
		}
		return step, nil
	}, settings{})
}

// Func appends a function.
func (b *Builder) Func(f Func, options ...Option) {
	b.append(func() (engine.Step, error) { return NewFunc(f) }, b.settings("func", options))
}

// append adds an entry for the caller's line.
func (b *Builder) append(step func() (engine.Step, error), with settings) {
	b.entries = append(b.entries, &entry{place: callerPlace(), step: step, retry: with.retry})
}

// plain appends a step that nothing refines.
func (b *Builder) plain(step engine.Step, with settings) {
	b.append(func() (engine.Step, error) { return step, nil }, with)
}

// mistake records an error at the caller's line.
func (b *Builder) mistake(format string, args ...any) {
	b.errs = append(b.errs, &BuildError{Place: callerPlace(), Err: fmt.Errorf(format, args...)})
}

// callerPlace names the first line outside this package on the way here.
func callerPlace() string {
	const own = "github.com/backstep-dev/backstep/steps."
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, own) {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

// Option refines a step as it is chained.
type Option struct {
	name  string
	apply func(*settings)
}

// settings are what options can say.
type settings struct {
	permissions      *[]string
	documentSecurity *bool
	enabled          *bool
	name             string
	api              string
	createdAt        string
	updatedAt        string
	retry            *Retry
}

// Permissions sets the permissions of a collection or document.
func Permissions(permissions ...string) Option {
	return Option{"Permissions", func(s *settings) {
		list := append([]string{}, permissions...)
		s.permissions = &list
	}}
}

// DocumentSecurity says whether documents have permissions of their own.
func DocumentSecurity(on bool) Option {
	return Option{"DocumentSecurity", func(s *settings) { s.documentSecurity = &on }}
}

// Enabled says whether clients without an API key can use a database or collection.
func Enabled(on bool) Option {
	return Option{"Enabled", func(s *settings) { s.enabled = &on }}
}

// Named changes the name of a database or collection.
func Named(name string) Option {
	return Option{"Named", func(s *settings) { s.name = name }}
}

// Through makes a database through one of the two APIs: appwrite.TypeLegacy or
// appwrite.TypeTablesDB.
func Through(api string) Option {
	return Option{"Through", func(s *settings) { s.api = api }}
}

// Times sets when a document was created and updated (since Appwrite 1.8).
func Times(createdAt, updatedAt string) Option {
	return Option{"Times", func(s *settings) { s.createdAt, s.updatedAt = createdAt, updatedAt }}
}

// Retrying gives any step a retry policy of its own.
func Retrying(policy Retry) Option {
	return Option{"Retrying", func(s *settings) { s.retry = &policy }}
}

// settings applies options, of which only the allowed ones and Retrying make sense.
func (b *Builder) settings(kind string, options []Option, allowed ...string) settings {
	var s settings
	for _, option := range options {
		known := option.name == "Retrying"
		for _, name := range allowed {
			known = known || option.name == name
		}
		if !known {
			b.mistake("%s: %s does not apply", kind, option.name)
			continue
		}
		option.apply(&s)
	}
	return s
}

// DatabaseBuilder chains steps on one database.
type DatabaseBuilder struct {
	b  *Builder
	id string
}

// Database speaks of a database; it appends nothing.
func (b *Builder) Database(id string) *DatabaseBuilder { return &DatabaseBuilder{b: b, id: id} }

// Create creates the database. Options: Enabled, Through.
func (d *DatabaseBuilder) Create(name string, options ...Option) {
	s := d.b.settings("create_database", options, "Enabled", "Through")
	d.b.plain(CreateDatabase{ID: d.id, Name: name, Enabled: s.enabled, Type: s.api}, s)
}

// Update changes the database. Options: Named, Enabled.
func (d *DatabaseBuilder) Update(options ...Option) {
	s := d.b.settings("update_database", options, "Named", "Enabled")
	d.b.plain(UpdateDatabase{ID: d.id, Name: s.name, Enabled: s.enabled}, s)
}

// Delete deletes the database with everything in it, at the end of the run.
func (d *DatabaseBuilder) Delete(options ...Option) {
	d.b.plain(DeleteDatabase{ID: d.id}, d.b.settings("delete_database", options))
}

// Assert fails the run unless a is so; its database is this one.
func (d *DatabaseBuilder) Assert(a Assert, options ...Option) {
	a.Database = d.id
	d.b.plain(a, d.b.settings("assert", options))
}

// Collection speaks of a collection; it appends nothing.
func (d *DatabaseBuilder) Collection(id string) *CollectionBuilder {
	return &CollectionBuilder{b: d.b, database: d.id, id: id}
}

// Where reads queries made with the SDK's query package, for an Assert. A query
// that is none makes the assertion invalid.
func Where(queries ...string) []Query {
	list := make([]Query, 0, len(queries))
	for _, text := range queries {
		q, err := ParseQuery(text)
		if err != nil {
			q = Query{}
		}
		list = append(list, q)
	}
	return list
}
