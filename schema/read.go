package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/nearest"
)

// File is what Read made of an Appwrite CLI file.
type File struct {
	Name    string // as given to Read
	Project string // its projectId, "" when it names none
	Model   Model
	// Notices tell where the model is not, letter by letter, what the file says.
	Notices []Notice
	// Unmanaged are the parts of the file that are no databases: they are
	// neither made nor changed.
	Unmanaged []Unmanaged
}

// Unmanaged is a part of a CLI file that Backstep leaves to other tools.
type Unmanaged struct {
	At    Position
	Name  string // as in the file: "buckets"
	Count int    // of list items; 1 for anything else
}

// Option changes how Read takes a file.
type Option func(*reader) error

// WithStringSize gives strings without a size this one. Without the option they
// are refused, since Appwrite has no default for it.
func WithStringSize(characters int64) Option {
	return func(r *reader) error {
		if characters < 1 || characters > maxStringSize {
			return fmt.Errorf("string size %d is not within 1…%d", characters, maxStringSize)
		}
		r.stringSize = characters
		return nil
	}
}

// WithoutBrokenIndexes leaves indexes that name no attribute out, with a notice
// each. Without the option they are refused.
func WithoutBrokenIndexes() Option {
	return func(r *reader) error {
		r.leaveIndexes = true
		return nil
	}
}

// Read reads an Appwrite CLI file, appwrite.json or appwrite.config.json, in
// collections' or tables' words or both, and the files it includes, which must
// lie inside fsys.
//
// What real files contain and Appwrite does not take is turned into what the
// author meant, with a notice; where that cannot be known, the file is refused
// with a *RefusedError (ErrRefused) that gives every place and reason. A file
// that cannot be read gives the error of fsys.
func Read(fsys fs.FS, name string, opts ...Option) (*File, error) {
	r := &reader{collector: &collector{}, fsys: fsys, file: &File{Name: name}}
	for _, opt := range opts {
		if err := opt(r); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	root, err := r.load(name)
	if err != nil {
		return nil, err
	}
	r.project(root)
	r.settle()
	if err := refused(name, r.problems); err != nil {
		return nil, err
	}
	r.file.Notices = r.notices
	return r.file, nil
}

// A reader takes one file, and those it includes, to a model.
type reader struct {
	*collector
	fsys         fs.FS
	file         *File
	stringSize   int64
	leaveIndexes bool
	databases    []*database
}

// A database being read.
type database struct {
	Database
	listed      bool // not only named by a collection
	collections []*collection
}

// load parses one file.
func (r *reader) load(name string) (*node, error) {
	data, err := fs.ReadFile(r.fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return parseTree(name, data)
}

// project reads the top of a file.
func (r *reader) project(root *node) {
	f := r.open(root, "project")
	if f == nil {
		return
	}
	r.file.Project = f.text("projectId")
	for _, name := range []string{"projectName", "endpoint", "$schema", "version"} {
		f.take(name)
	}
	included := r.includes(f)
	part := func(name string) []*node {
		own := f.list(name)
		if also, ok := included[name]; ok {
			if len(own) > 0 {
				r.refuse(f.by[name].at, "%s is given here and included from %s", name, also.at.File)
			}
			return also.items
		}
		return own
	}
	for _, list := range []struct{ name, family string }{{"databases", appwrite.TypeLegacy}, {"tablesDB", appwrite.TypeTablesDB}} {
		for _, n := range part(list.name) {
			r.database(n, list.family)
		}
	}
	for _, list := range []struct{ name, family string }{{"collections", appwrite.TypeLegacy}, {"tables", appwrite.TypeTablesDB}} {
		for _, n := range part(list.name) {
			r.collection(n, nil, list.family)
		}
	}
	r.unmanaged(f, included)
}

// includes reads the parts that a file has moved into files of their own
// (CLI 20 and later): a map from the name of the part to a path.
func (r *reader) includes(f *fields) map[string]*node {
	n := f.take("includes")
	if n == nil {
		return nil
	}
	if n.kind != kindObject {
		r.refuse(n.at, "includes must map names to files, not %v", n.kind)
		return nil
	}
	parts := map[string]*node{}
	for _, m := range n.members {
		if m.value.kind != kindString {
			r.refuse(m.value.at, "must be the path of a file, not %v", m.value.kind)
			continue
		}
		name := path.Join(path.Dir(r.file.Name), m.value.text)
		if path.IsAbs(m.value.text) || strings.Contains(m.value.text, `\`) || !fs.ValidPath(name) {
			r.refuse(m.value.at, "%q is not a path inside the project's folder", m.value.text)
			continue
		}
		root, err := r.load(name)
		var broken *RefusedError
		switch {
		case !slices.Contains(managedParts(), m.key):
			// Only counted, for which a file that is not there is no matter.
			if err != nil || root.kind != kindList {
				root = m.value
			}
			parts[m.key] = root
		case errors.As(err, &broken):
			r.problems = append(r.problems, broken.Problems...)
		case err != nil:
			r.refuse(m.value.at, "cannot be included: %v", err)
		case root.kind != kindList:
			r.refuse(root.at, "an included file must hold a list, not %v", root.kind)
		default:
			parts[m.key] = root
		}
	}
	return parts
}

// managedParts are the parts of a file that become steps.
func managedParts() []string { return []string{"databases", "tablesDB", "collections", "tables"} }

// unmanaged names what is neither database nor known.
func (r *reader) unmanaged(f *fields, included map[string]*node) {
	for _, name := range f.names {
		r.leave(f, name, f.by[name])
	}
	for _, name := range slices.Sorted(maps.Keys(included)) {
		r.leave(f, name, included[name])
	}
	slices.SortFunc(r.file.Unmanaged, func(a, b Unmanaged) int { return strings.Compare(a.Name, b.Name) })
}

// leave names one part, unless it has been read.
func (r *reader) leave(f *fields, name string, n *node) {
	if slices.Contains(f.known, name) || n.kind == kindNull {
		return
	}
	if near := nearest.Word(name, append(managedParts(), "includes")); near != "" && f.by[near] == nil {
		r.refuse(n.at, "a project has no %q: did you mean %q?", name, near)
		return
	}
	count := 1
	if n.kind == kindList {
		count = len(n.items)
	}
	r.file.Unmanaged = append(r.file.Unmanaged, Unmanaged{At: n.at, Name: name, Count: count})
}

// database reads one item of databases or tablesDB.
func (r *reader) database(n *node, family string) {
	f := r.open(n, "database")
	if f == nil {
		return
	}
	db := &database{listed: true, Database: Database{At: n.at, Type: family}}
	db.ID = f.text("$id", "id", "databaseId")
	db.Name = f.text("name")
	db.Enabled = f.truth(true, "enabled")
	switch word := f.text("type"); word {
	case "":
	case appwrite.TypeLegacy, appwrite.TypeTablesDB:
		db.Type = word
	default:
		r.refuse(f.by["type"].at, "a database is of type %s or %s, not %q", appwrite.TypeLegacy, appwrite.TypeTablesDB, word)
	}
	if db.ID == "" {
		r.refuse(n.at, "a database needs an $id")
		return
	}
	if db.Name == "" {
		r.notice(n.at, "database %s has no name: its id is taken", db.ID)
		db.Name = db.ID
	}
	if earlier := r.find(db.ID); earlier != nil {
		r.again(db, earlier)
		db = earlier
	} else {
		r.databases = append(r.databases, db)
	}
	for _, list := range []struct{ name, family string }{{"collections", appwrite.TypeLegacy}, {"tables", appwrite.TypeTablesDB}} {
		items := f.list(list.name)
		if len(items) > 0 {
			r.notice(f.by[list.name].at, "%s inside a database: taken as the database's own", list.name)
		}
		for _, item := range items {
			r.collection(item, db, list.family)
		}
	}
	for _, name := range []string{"policies", "archives"} { // of backups
		if len(f.list(name)) > 0 {
			r.notice(f.by[name].at, "%s of a database are not managed: left alone", name)
		}
	}
	f.done("$createdAt", "$updatedAt", "$sequence", "status")
}

// again deals with a database that is listed a second time.
func (r *reader) again(db, earlier *database) {
	if db.Name != earlier.Name || db.Enabled != earlier.Enabled {
		r.refuse(db.At, "database %s is listed twice with different settings, first on line %d", db.ID, earlier.At.Line)
		return
	}
	r.notice(db.At, "database %s is listed twice: once is enough", db.ID)
}

func (r *reader) find(id string) *database {
	for _, db := range r.databases {
		if db.ID == id {
			return db
		}
	}
	return nil
}

// leaving tells whether an attribute or index was on its way out when the file
// was exported; it is left out then, as its author wanted.
func (r *reader) leaving(f *fields, what string) bool {
	n := f.take("status")
	if n == nil {
		return false
	}
	switch n.text {
	case appwrite.StatusDeleting, appwrite.StatusStuck:
		r.notice(n.at, "%s was being deleted when the file was written (%s): left out", what, n.text)
		return true
	case appwrite.StatusFailed:
		r.notice(n.at, "%s had failed when the file was written: it is made anew", what)
	case appwrite.StatusAvailable, appwrite.StatusProcessing, "":
	default:
		r.notice(n.at, "status %q is not known: left out", n.text)
	}
	return false
}
