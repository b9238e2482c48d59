package schema

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// Mermaid writes a model as a Mermaid entity relationship diagram
// (https://mermaid.js.org/syntax/entityRelationshipDiagram.html), which GitHub
// and GitLab draw: an entity for each collection, its attributes, and a line for
// each relationship.
func Mermaid(w io.Writer, m Model) error {
	d := newDiagram()
	for _, db := range inOrder(m).Databases {
		for _, c := range db.Collections {
			d.entity(db.ID, c.ID, "")
			for _, a := range c.Attributes {
				if a.Relationship == nil {
					d.attribute(db.ID, c.ID, a, keyOf(c, a.Key), "")
				} else {
					d.relationship(db.ID, c.ID, a, "")
				}
			}
		}
	}
	return d.write(w)
}

// Mermaid writes a delta as a Mermaid entity relationship diagram of what it
// touches: marks as in Text, before the names of collections and in the comments
// of attributes. from and to are the models that the delta was made of.
func (d *Delta) Mermaid(w io.Writer, from, to Model) error {
	before, after := attributesByRef(from), attributesByRef(to)
	was, is := newCatalog(from), newCatalog(to)
	out := newDiagram()
	marks := map[engine.Ref]string{}
	for _, c := range d.Changes {
		if c.Object.Type == "collection" {
			marks[collectionAt(c.Object.Database, c.Object.Collection)] = string(mark(c.Action)) + " "
		}
	}
	for _, c := range d.Changes {
		o := c.Object
		if o.Type == "database" {
			continue
		}
		out.entity(o.Database, o.Collection, marks[collectionAt(o.Database, o.Collection)])
		comment := string(mark(c.Action)) + " " + c.detail(was, is)
		if codes := c.lossCodes(); codes != "" {
			comment += " ! " + codes
		}
		a, known := after[key(o)]
		if c.Action == Removed || !known {
			a, known = before[key(o)]
		}
		switch {
		case o.Type == "index":
			out.index(o.Database, o.Collection, o.Key, comment)
		case !known:
		case a.Relationship != nil:
			out.entity(o.Database, a.Relationship.Related, marks[collectionAt(o.Database, a.Relationship.Related)])
			out.relationship(o.Database, o.Collection, a, comment)
		default:
			out.attribute(o.Database, o.Collection, a, "", comment)
		}
	}
	return out.write(w)
}

// lossCodes names the kinds of loss of a change.
func (c Change) lossCodes() string {
	codes := make([]string, len(c.Losses))
	for i, loss := range c.Losses {
		codes[i] = string(loss.Code)
	}
	return strings.Join(codes, ", ")
}

func attributesByRef(m Model) map[engine.Ref]Attribute {
	all := map[engine.Ref]Attribute{}
	for _, db := range m.Databases {
		for _, c := range db.Collections {
			for _, a := range c.Attributes {
				all[key(attributeAt(db.ID, c.ID, a))] = a
				if twoWay(a) {
					all[key(attributeAt(db.ID, a.Relationship.Related, a.other()))] = turned(c.ID, a)
				}
			}
		}
	}
	return all
}

// other names the far end of a two-way relationship.
func (a Attribute) other() Attribute {
	return Attribute{Key: a.Relationship.TwoWayKey, Relationship: a.Relationship}
}

// keyOf gives Mermaid's word for an attribute that identifies a document.
func keyOf(c Collection, key string) string {
	for _, x := range c.Indexes {
		if x.Type == "unique" && len(x.Attributes) == 1 && x.Attributes[0] == key {
			return " UK"
		}
	}
	return ""
}

// A diagram under way.
type diagram struct {
	names    map[end]string  // of entities
	taken    map[string]bool // names in use
	order    []end
	labels   map[end]string
	contents map[end][]string
	lines    []string
}

func newDiagram() *diagram {
	return &diagram{names: map[end]string{}, taken: map[string]bool{}, labels: map[end]string{}, contents: map[end][]string{}}
}

var notMermaidWord = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// mermaidWord makes a word that Mermaid takes for a name.
func mermaidWord(text string) string {
	word := notMermaidWord.ReplaceAllString(text, "_")
	if word == "" || word[0] >= '0' && word[0] <= '9' || word[0] == '_' {
		return "x" + word
	}
	return word
}

// mermaidText makes text that may stand between double quotes.
func mermaidText(text string) string {
	return strings.NewReplacer(`"`, "'", "\n", " ", "\r", " ").Replace(text)
}

func (d *diagram) entity(database, collection, mark string) {
	at := end{database: database, collection: collection}
	if d.names[at] != "" {
		return
	}
	word := mermaidWord(database + "_" + collection)
	for name, i := word, 2; ; i++ {
		if !d.taken[name] {
			word = name
			break
		}
		name = fmt.Sprintf("%s_%d", word, i)
	}
	d.taken[word], d.names[at] = true, word
	d.labels[at] = mark + database + "/" + collection
	d.order = append(d.order, at)
}

func (d *diagram) attribute(database, collection string, a Attribute, unique, comment string) {
	at := end{database: database, collection: collection}
	name := mermaidWord(a.Key)
	if comment == "" {
		comment = a.describe()
	}
	if name != a.Key {
		comment = a.Key + ": " + comment
	}
	list := ""
	if a.Array {
		list = "[]"
	}
	d.contents[at] = append(d.contents[at], fmt.Sprintf(`%s%s %s%s "%s"`, a.Type, list, name, unique, mermaidText(comment)))
}

func (d *diagram) index(database, collection, name, comment string) {
	at := end{database: database, collection: collection}
	d.contents[at] = append(d.contents[at], fmt.Sprintf(`index %s "%s"`, mermaidWord(name), mermaidText(comment)))
}

// relationship draws the line from a parent to what it is related to.
func (d *diagram) relationship(database, collection string, a Attribute, comment string) {
	r := a.Relationship
	line := map[string]string{"oneToOne": "|o--o|", "oneToMany": "|o--o{", "manyToOne": "}o--o|", "manyToMany": "}o--o{"}[r.Type]
	label := a.Key
	if r.TwoWay {
		label += " / " + r.TwoWayKey
	}
	if comment != "" {
		label = strings.TrimSpace(comment) + " " + label
	}
	from, to := d.names[end{database: database, collection: collection}], d.names[end{database: database, collection: r.Related}]
	if to == "" {
		d.entity(database, r.Related, "")
		to = d.names[end{database: database, collection: r.Related}]
	}
	d.lines = append(d.lines, fmt.Sprintf(`%s %s %s : "%s"`, from, line, to, mermaidText(label)))
}

func (d *diagram) write(w io.Writer) error {
	var b strings.Builder
	b.WriteString("erDiagram\n")
	for _, at := range d.order {
		fmt.Fprintf(&b, "    %s[\"%s\"]", d.names[at], mermaidText(d.labels[at]))
		if len(d.contents[at]) == 0 {
			b.WriteString("\n")
			continue
		}
		b.WriteString(" {\n")
		for _, line := range d.contents[at] {
			b.WriteString("        " + line + "\n")
		}
		b.WriteString("    }\n")
	}
	for _, line := range d.lines {
		b.WriteString("    " + line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
