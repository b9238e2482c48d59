package schema

import (
	"fmt"
	"io"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// Text writes a model for people: databases, collections, and a line for each
// attribute and index, in the order of ids and keys.
func Text(w io.Writer, m Model) error {
	t := &textWriter{w: w}
	for _, db := range inOrder(m).Databases {
		t.line(0, ' ', "database "+db.ID, db.describe())
		for _, c := range db.Collections {
			t.line(1, ' ', "collection "+c.ID, c.describe())
			for _, a := range c.Attributes {
				t.line(2, ' ', a.Key, a.describe())
			}
			for _, x := range c.Indexes {
				t.line(2, ' ', x.Key, x.describe())
			}
		}
	}
	return t.flush()
}

// Text writes a delta for people, as a tree of what differs. The first sign of a
// line tells what happens to the object: '+' comes, '-' goes, '~' changes, '>' has
// another key; '!' is data that would be lost, '?' what stored documents must be
// like, and ' ' only names what others are in. from and to are the models that
// the delta was made of.
func (d *Delta) Text(w io.Writer, from, to Model) error {
	t := &textWriter{w: w}
	before, after := newCatalog(from), newCatalog(to)
	var here engine.Ref
	for _, c := range d.Changes {
		o := c.Object
		if o.Database != here.Database && o.Type != "database" {
			t.line(0, ' ', "database "+o.Database, "")
		}
		if (o.Database != here.Database || o.Collection != here.Collection) && o.Type != "database" && o.Type != "collection" {
			t.line(1, ' ', "collection "+o.Collection, "")
		}
		here = o
		depth, name := 2, o.Key
		switch o.Type {
		case "database":
			depth, name = 0, "database "+o.Database
		case "collection":
			depth, name = 1, "collection "+o.Collection
		}
		t.line(depth, mark(c.Action), name, c.detail(before, after))
		for _, loss := range c.Losses {
			t.line(depth+1, '!', "loses data", loss.String())
		}
		for _, condition := range c.Conditions {
			t.line(depth+1, '?', "wants", condition)
		}
	}
	return t.flush()
}

func mark(a Action) rune {
	switch a {
	case Added:
		return '+'
	case Removed:
		return '-'
	case Renamed:
		return '>'
	default:
		return '~'
	}
}

// detail says what a change is about.
func (c Change) detail(before, after catalog) string {
	var parts []string
	switch c.Action {
	case Added:
		return after[key(c.Object)]
	case Removed:
		return before[key(c.Object)]
	case Renamed:
		parts = append(parts, "was "+c.Was)
	case Changed:
	}
	for _, f := range c.Fields {
		parts = append(parts, f.String())
	}
	text := strings.Join(parts, "; ")
	if c.Way != InPlace {
		text += fmt.Sprintf(" (by %s)", c.Way)
	}
	return text
}

// catalog describes every object of a model, by what names it.
type catalog map[engine.Ref]string

// key names an object whatever kind of attribute it is.
func key(r engine.Ref) engine.Ref {
	if r.Type == "relationship" {
		r.Type = "attribute"
	}
	return r
}

func newCatalog(m Model) catalog {
	all := catalog{}
	for _, db := range m.Databases {
		all[databaseAt(db.ID)] = db.describe()
		for _, c := range db.Collections {
			all[collectionAt(db.ID, c.ID)] = c.describe()
			for _, a := range c.Attributes {
				all[key(attributeAt(db.ID, c.ID, a))] = a.describe()
				if twoWay(a) {
					other := turned(c.ID, a)
					all[key(attributeAt(db.ID, a.Relationship.Related, other))] = other.describe()
				}
			}
			for _, x := range c.Indexes {
				all[indexAt(db.ID, c.ID, x.Key)] = x.describe()
			}
		}
	}
	return all
}

// textWriter lays lines out as a tree, the details of each level in a column.
type textWriter struct {
	w     io.Writer
	lines []textLine
}

type textLine struct {
	depth        int
	mark         rune
	name, detail string
}

func (t *textWriter) line(depth int, mark rune, name, detail string) {
	t.lines = append(t.lines, textLine{depth, mark, name, detail})
}

// flush writes the lines: each level's names as wide as its widest within reason.
func (t *textWriter) flush() error {
	const widest = 32
	widths := map[int]int{}
	for _, l := range t.lines {
		widths[l.depth] = max(widths[l.depth], min(len([]rune(l.name)), widest))
	}
	var b strings.Builder
	for _, l := range t.lines {
		text := fmt.Sprintf("%c %s%-*s  %s", l.mark, strings.Repeat("  ", l.depth), widths[l.depth], l.name, l.detail)
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}
