package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
)

// Words are those that a CLI file is written in.
type Words string

// The words of CLI files.
const (
	Collections Words = "collections" // databases, collections, attributes
	Tables      Words = "tables"      // tablesDB, tables, columns
)

// WriteOptions say how Write writes what the file does not settle itself.
type WriteOptions struct {
	// Project is the projectId of a new file.
	Project string
	// Words are those for databases that are not in the file yet; "" takes the
	// words of the file, or else those that fit the database's Type.
	Words Words
}

// Write gives the files that say what the model says, by path inside fsys: the
// Appwrite CLI file of that name and those it includes, as far as they change.
// Nothing is written to fsys.
//
// What the file holds besides databases stays, as do the words it is written
// in, the order of things, what Backstep does not know about an object, and the
// very text of everything that has not changed. A file that already says the
// same is left alone, and one that is not there is made. The error wraps
// ErrRefused when the file that is there cannot be understood, since it could
// not be kept.
func Write(fsys fs.FS, name string, m Model, options WriteOptions) (map[string][]byte, error) {
	w := &fileWriter{
		fsys: fsys, name: name, options: options, model: m, files: map[string]*cliFile{},
		file: &File{Name: name}, old: map[end]Attribute{}, new: map[end]Attribute{}, sides: map[end]string{},
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	if w.found && len(Compare(w.file.Model, m)) == 0 {
		return map[string][]byte{}, nil
	}
	w.survey()
	w.rewrite()
	out := map[string][]byte{}
	for name, f := range w.files {
		if data := f.layout.render(f.root); !bytes.Equal(data, f.data) {
			out[name] = data
		}
	}
	return out, nil
}

// A cliFile is one file that may be written.
type cliFile struct {
	data   []byte
	root   *node
	layout layout
}

// A fileWriter takes a CLI file to a model.
type fileWriter struct {
	fsys     fs.FS
	name     string
	options  WriteOptions
	model    Model // what the file shall say
	file     *File // what it says
	found    bool
	files    map[string]*cliFile
	included map[string]string // parts that are in files of their own
	// Attributes by their place, two-way relationships at both ends.
	old, new map[end]Attribute
	sides    map[end]string // parent or child, of the new two-way relationships
}

// load reads what there is.
func (w *fileWriter) load() error {
	data, err := fs.ReadFile(w.fsys, w.name)
	if errors.Is(err, fs.ErrNotExist) {
		root := &node{kind: kindObject}
		if w.options.Project != "" {
			root = root.set("projectId", textNode(w.options.Project))
		}
		w.files[w.name] = &cliFile{root: root, layout: newLayout()}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", w.name, err)
	}
	w.found = true
	if w.file, err = Read(w.fsys, w.name); err != nil {
		return err
	}
	root, err := parseTree(w.name, data)
	if err != nil {
		return err
	}
	w.files[w.name] = &cliFile{data: data, root: root, layout: layoutOf(data)}
	return w.loadIncluded(root.member("includes"))
}

// loadIncluded reads the parts that have files of their own.
func (w *fileWriter) loadIncluded(includes *node) error {
	w.included = map[string]string{}
	if includes == nil {
		return nil
	}
	for _, m := range includes.members {
		if !slices.Contains(managedParts(), m.key) {
			continue
		}
		name := path.Join(path.Dir(w.name), m.value.text)
		data, err := fs.ReadFile(w.fsys, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		root, err := parseTree(name, data)
		if err != nil {
			return err
		}
		w.included[m.key] = name
		w.files[name] = &cliFile{data: data, root: root, layout: layoutOf(data)}
	}
	return nil
}

// part gives the list of a part, nil when it has none yet.
func (w *fileWriter) part(name string) *node {
	if file, ok := w.included[name]; ok {
		return w.files[file].root
	}
	return w.files[w.name].root.member(name)
}

// setPart puts a part's items in place.
func (w *fileWriter) setPart(name string, items []*node) {
	old := w.part(name)
	if old == nil && len(items) == 0 || old != nil && slices.Equal(old.items, items) {
		return
	}
	if file, ok := w.included[name]; ok {
		w.files[file].root = listNode(items...)
		return
	}
	f := w.files[w.name]
	f.root = f.root.set(name, listNode(items...))
}

// survey notes where every attribute is, before and after.
func (w *fileWriter) survey() {
	note := func(m Model, all map[end]Attribute, sides map[end]string) {
		for _, db := range m.Databases {
			for _, c := range db.Collections {
				for _, a := range c.Attributes {
					all[end{db.ID, c.ID, a.Key}] = a
					if twoWay(a) {
						here, there := ends(db.ID, c.ID, a)
						all[there] = turned(c.ID, a)
						sides[here], sides[there] = "parent", "child"
					}
				}
			}
		}
	}
	note(w.file.Model, w.old, map[end]string{})
	note(w.model, w.new, w.sides)
}

// rewrite takes every part to the model.
func (w *fileWriter) rewrite() {
	placed := map[string]bool{} // databases, and collections as "database/collection"
	for _, list := range []struct{ databases, collections string }{{"databases", "collections"}, {"tablesDB", "tables"}} {
		words := Words(list.collections)
		w.setPart(list.databases, w.databases(list.databases, placed))
		var items []*node
		if part := w.part(list.collections); part != nil {
			for _, item := range part.items {
				if n := w.kept(item, words, placed); n != nil {
					items = append(items, n)
				}
			}
		}
		w.setPart(list.collections, items)
	}
	for _, db := range w.model.Databases {
		words := w.words(db)
		listed := map[Words]string{Collections: "databases", Tables: "tablesDB"}[words]
		if !placed[db.ID] && !w.impliedAlready(db) {
			w.append(listed, databaseNode(db))
		}
		for _, c := range db.Collections {
			if !placed[db.ID+"/"+c.ID] {
				w.append(string(words), w.collectionNode(db, c, words))
			}
		}
	}
}

func (w *fileWriter) append(part string, item *node) {
	var items []*node
	if n := w.part(part); n != nil {
		items = slices.Clone(n.items)
	}
	w.setPart(part, append(items, item))
}

// impliedAlready tells whether the file has a database only by naming it in its
// collections, which says enough about it.
func (w *fileWriter) impliedAlready(db Database) bool {
	for _, old := range w.file.Model.Databases {
		if old.ID == db.ID {
			return len(db.Collections) > 0 && len(fieldsOf("", databaseFields(old, db)...)) == 0
		}
	}
	return false
}

func databaseFields(a, b Database) []field {
	return []field{{"name", a.Name, b.Name}, {"enabled", a.Enabled, b.Enabled}}
}

// databases gives the items of databases or tablesDB as they shall be.
func (w *fileWriter) databases(part string, placed map[string]bool) []*node {
	list := w.part(part)
	if list == nil {
		return nil
	}
	var items []*node
	for _, item := range list.items {
		id := memberText(item, "$id", "id", "databaseId")
		i := slices.IndexFunc(w.model.Databases, func(d Database) bool { return d.ID == id })
		if i < 0 || placed[id] {
			continue
		}
		placed[id] = true
		db := w.model.Databases[i]
		// Collections inside a database are not the CLI's way: they get a place of their own.
		item = item.without("collections", "tables")
		if item.kind == kindObject {
			if memberText(item, "name") != db.Name {
				item = item.set("name", textNode(db.Name))
			}
			item = setFlag(item, true, db.Enabled, "enabled")
		}
		items = append(items, item)
	}
	return items
}

// words chooses the words for what a database gets new.
func (w *fileWriter) words(db Database) Words {
	for _, words := range []Words{Tables, Collections} {
		listed := map[Words]string{Collections: "databases", Tables: "tablesDB"}[words]
		for _, part := range []string{string(words), listed} {
			list := w.part(part)
			if list == nil {
				continue
			}
			for _, item := range list.items {
				if part == listed && memberText(item, "$id", "id", "databaseId") == db.ID || part != listed && w.home(item) == db.ID {
					return words
				}
			}
		}
	}
	switch {
	case w.options.Words != "":
		return w.options.Words
	case w.part("tables") != nil || w.part("tablesDB") != nil:
		return Tables
	case w.part("collections") != nil || w.part("databases") != nil || db.Type != appwrite.TypeTablesDB:
		return Collections
	default:
		return Tables
	}
}

// memberText gives the first of the named members that is text.
func memberText(n *node, names ...string) string {
	for _, name := range names {
		if m := n.member(name); m != nil && (m.kind == kindString || m.kind == kindNumber) {
			return m.text
		}
	}
	return ""
}

// setFlag sets a flag where the object says something else; fallback is what it
// says without the member.
func setFlag(n *node, fallback, want bool, names ...string) *node {
	says := fallback
	for _, name := range names {
		if m := n.member(name); m != nil && m.kind != kindNull {
			says, _ = (&collector{}).asTruth(m)
		}
	}
	if says == want {
		return n
	}
	return n.setAny(truthNode(want), names...)
}
