package migrations

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/nearest"
	"github.com/backstep-dev/backstep/steps"
)

var (
	fileName   = regexp.MustCompile(`^([0-9]{14})_([A-Za-z0-9][A-Za-z0-9_-]*)\.ya?ml$`)
	versionTag = regexp.MustCompile(`^[0-9]{14}$`)
	nameTag    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	stepID     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// maxFile bounds what is read as a migration, in bytes.
const maxFile = 32 << 20

// Load reads every migration file of a folder: all of *.yaml and *.yml, which
// must be called <14 digits>_<name>.yaml. Other files and folders are left
// alone. The error joins what is wrong with each file; see Parse.
func Load(fsys fs.FS, folder string) ([]*Migration, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, err
	}
	var loaded []*Migration
	var failures []error
	for _, entry := range entries {
		extension := path.Ext(entry.Name())
		if entry.IsDir() || extension != ".yaml" && extension != ".yml" || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		name := path.Join(folder, entry.Name())
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		m, err := Parse(name, data)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		loaded = append(loaded, m)
	}
	return loaded, errors.Join(failures...)
}

// Parse reads one migration file. Version and name come from the last element
// of its path. The error is a *SyntaxError (ErrMalformed) that lists every
// mistake with line and column.
func Parse(file string, data []byte) (*Migration, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors put the mark of UTF-8 first
	s := &source{file: file, lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")}
	m := &Migration{At: Position{File: file}}
	match := fileName.FindStringSubmatch(path.Base(file))
	if match == nil {
		s.fail(Position{File: file}, "", "a migration file is called <14 digits>_<name>.yaml, such as 20261121093000_create_products.yaml")
		return nil, s.err()
	}
	m.Version, m.Name = match[1], match[2]
	if len(data) > maxFile {
		s.fail(Position{File: file}, "", "larger than %d MiB: split it", maxFile>>20)
		return nil, s.err()
	}
	root, ok := s.tree(data)
	if !ok {
		return nil, s.err()
	}
	s.migration(m, root)
	if err := s.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// migration reads the top of a file.
func (s *source) migration(m *Migration, root value) {
	if root.kind != mapValue {
		s.fail(root.at, "", "a migration is a mapping with the key steps, not %v", root.kind)
		return
	}
	known := []string{"description", "hold", "replaces", "database", "steps", "down"}
	for _, p := range root.pairs {
		if !slices.Contains(known, p.key) {
			s.fail(p.at, nearest.Word(p.key, known), "unknown key %q: a migration has %s", p.key, strings.Join(known, ", "))
		}
	}
	m.Description = s.text(root, "description")
	m.Hold = s.text(root, "hold")
	s.replaced(m, root)
	database := s.text(root, "database")
	r := &stepReader{source: s, database: database, ids: map[string]Position{}}
	list := root.find("steps")
	if list == nil {
		s.fail(root.at, "", "a migration needs steps")
	} else {
		m.Up = r.list(list.value, "steps")
		if list.value.kind == listValue && len(list.value.items) == 0 {
			s.fail(list.value.at, "", "a migration needs at least one step")
		}
	}
	if down := root.find("down"); down != nil {
		m.Down = r.list(down.value, "down")
		m.HasDown = true
	}
}

func (s *source) text(root value, key string) string {
	p := root.find(key)
	if p == nil {
		return ""
	}
	if p.value.kind != stringValue {
		s.fail(p.value.at, "", "%s must be a string, not %v%s", key, p.value.kind, quoteIt(p.value))
	}
	return p.value.text
}

// A stepReader reads the steps of one migration.
type stepReader struct {
	*source
	database string // for steps that name none
	ids      map[string]Position
}

func (r *stepReader) list(v value, what string) []Step {
	if v.kind == nullValue {
		r.fail(v.at, "", "%s: nothing is written here yet; it needs at least one step", what)
		return nil
	}
	if v.kind != listValue {
		r.fail(v.at, "", "%s must be a list, not %v", what, v.kind)
		return nil
	}
	list := make([]Step, 0, len(v.items))
	for _, item := range v.items {
		if step, ok := r.step(item); ok {
			list = append(list, step)
		}
	}
	number(list, what == "down")
	for _, step := range list {
		if earlier, taken := r.ids[step.ID]; taken {
			r.fail(step.At, "", "step id %q is taken by the step on line %d", step.ID, earlier.Line)
		}
		r.ids[step.ID] = step.At
	}
	return list
}

// step reads one item: its kind, the fields of that, and perhaps an id.
func (r *stepReader) step(v value) (Step, bool) {
	if v.kind != mapValue {
		r.fail(v.at, "", "a step is a mapping such as \"create_collection: { … }\", not %v", v.kind)
		return Step{}, false
	}
	step := Step{At: v.at}
	var found, retry *pair
	for i := range v.pairs {
		p := &v.pairs[i]
		switch {
		case p.key == "id":
			if step.ID = r.text(v, "id"); !stepID.MatchString(step.ID) {
				r.fail(p.value.at, "", "step id %q may hold letters, digits, '.', '_' and '-'", step.ID)
			}
		case p.key == "retry":
			retry = p
		case found != nil:
			r.fail(p.at, "", "%q beside %q: one item is one step", p.key, found.key)
			return Step{}, false
		default:
			found = p
		}
	}
	if found == nil {
		r.fail(v.at, "", "the step has no kind: one of %s", strings.Join(userKinds(), ", "))
		return Step{}, false
	}
	k, ok := findKind(canonicalKind(found.key))
	if !ok {
		r.fail(found.at, nearest.Word(found.key, kindWords()), "unknown kind of step %q", found.key)
		return Step{}, false
	}
	step.At = found.at
	if step.Change, ok = r.change(k, found); ok && retry != nil {
		step.Change, ok = r.retry(step.Change, retry)
	}
	return step, ok
}

// retry gives a step a retry policy of its own.
func (r *stepReader) retry(step engine.Step, p *pair) (engine.Step, bool) {
	before := len(r.problems)
	r.fit(p.value, reflect.TypeFor[steps.Retry](), p.key)
	if len(r.problems) > before {
		return nil, false
	}
	var b bytes.Buffer
	p.value.json(&b)
	var policy steps.Retry
	err := json.Unmarshal(b.Bytes(), &policy)
	if err == nil {
		step, err = steps.WithRetry(step, policy)
	}
	if err != nil {
		r.fail(p.value.at, "", "retry: %v", err)
		return nil, false
	}
	return step, true
}

// change reads the fields of a step.
func (r *stepReader) change(k kind, p *pair) (engine.Step, bool) {
	before := len(r.problems)
	if p.value.kind != mapValue {
		r.fail(p.value.at, "", "%s needs its fields as a mapping, not %v", p.key, p.value.kind)
		return nil, false
	}
	given := value{kind: mapValue, at: p.value.at}
	for _, f := range p.value.pairs {
		name, ok := k.canonicalField(f.key)
		if !ok {
			r.fail(f.at, nearest.Word(f.key, k.names()), "%s has no field %q: it has %s", p.key, f.key, strings.Join(k.names(), ", "))
			continue
		}
		if given.find(name) != nil {
			r.fail(f.at, "", "%q and its other name are both given", name)
			continue
		}
		spec, _ := k.field(name)
		r.fit(f.value, spec.typ, f.key)
		given.pairs = append(given.pairs, pair{key: name, at: f.at, value: f.value})
	}
	if _, has := k.field("database"); has && given.find("database") == nil && r.database != "" {
		given.pairs = append(given.pairs, pair{key: "database", at: p.at, value: value{kind: stringValue, text: r.database, at: p.at}})
	}
	for _, f := range k.fields {
		if !f.required || given.find(f.name) != nil {
			continue
		}
		hint := ""
		if f.name == "database" {
			hint = "a line \"database: …\" at the top, which holds for every step"
		}
		r.fail(p.at, hint, "%s needs %s", p.key, f.name)
	}
	if len(r.problems) > before {
		return nil, false
	}
	return r.build(k, given, p)
}

// build makes the step and lets it check itself.
func (r *stepReader) build(k kind, given value, p *pair) (engine.Step, bool) {
	var b bytes.Buffer
	given.json(&b)
	target := reflect.New(k.typ)
	decoder := json.NewDecoder(&b)
	decoder.UseNumber()
	if err := decoder.Decode(target.Interface()); err != nil {
		r.fail(p.at, "", "%s: %v", p.key, err)
		return nil, false
	}
	step, _ := target.Elem().Interface().(engine.Step)
	checker, ok := step.(interface{ Validate() error })
	if !ok {
		return step, true
	}
	err := checker.Validate()
	if err == nil {
		return step, true
	}
	at, reason := p.at, err.Error()
	var wrong *steps.FieldError
	if errors.As(err, &wrong) {
		reason = wrong.Field + " " + wrong.Reason
		if f := given.find(strings.FieldsFunc(wrong.Field+".", func(c rune) bool { return c == '.' || c == '[' })[0]); f != nil {
			at = f.value.at
		}
	}
	r.fail(at, "", "%s: %s", p.key, reason)
	return nil, false
}

// fit refuses a value of another type than the field's.
func (r *stepReader) fit(v value, t reflect.Type, name string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	wrong := func(want string) { r.fail(v.at, "", "%s must be %s, not %v%s", name, want, v.kind, quoteIt(v)) }
	switch {
	case isRaw(t):
	case readsText(t):
		if v.kind != stringValue {
			wrong("text such as 1m30s")
		}
	case readsItself(t) && v.kind == stringValue:
	case isNumber(t):
		if v.kind != numberValue {
			wrong("a number")
		}
	case t.Kind() == reflect.String && v.kind != stringValue:
		wrong("a string")
	case t.Kind() == reflect.Bool && v.kind != boolValue:
		wrong("true or false")
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int:
		if _, err := strconv.ParseInt(v.text, 10, 64); v.kind != numberValue || err != nil {
			r.fail(v.at, "", "%s must be a whole number", name)
		}
	case t.Kind() == reflect.Slice:
		if v.kind != listValue {
			wrong("a list")
		}
		for i, item := range v.items {
			r.fit(item, t.Elem(), name+"["+strconv.Itoa(i)+"]")
		}
	case t.Kind() == reflect.Map:
		if v.kind != mapValue {
			wrong("a mapping")
		}
	case t.Kind() == reflect.Struct:
		r.fitStruct(v, t, name)
	}
}

func (r *stepReader) fitStruct(v value, t reflect.Type, name string) {
	if v.kind != mapValue {
		r.fail(v.at, "", "%s must be a mapping, not %v", name, v.kind)
		return
	}
	inner := kind{name: name, typ: t, fields: fieldsOf(t)}
	for _, p := range v.pairs {
		spec, ok := inner.field(p.key)
		if !ok {
			r.fail(p.at, nearest.Word(p.key, inner.names()), "%s has no field %q: it has %s", name, p.key, strings.Join(inner.names(), ", "))
			continue
		}
		r.fit(p.value, spec.typ, name+"."+p.key)
	}
	for _, f := range inner.fields {
		if f.required && v.find(f.name) == nil {
			r.fail(v.at, "", "%s needs %s", name, f.name)
		}
	}
}

// quoteIt advises quotes for what YAML reads as something else than text.
func quoteIt(v value) string {
	if v.kind == numberValue || v.kind == boolValue {
		return ": quote it if it is text"
	}
	return ""
}
