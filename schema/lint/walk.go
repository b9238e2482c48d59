package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// walker goes through the migrations step by step: it looks at what a step
// would meet in the world as it is then, and makes the world what it is after.
type walker struct {
	in      Input
	sources map[string]*source
	world   *world
	found   []Finding
	places  map[string][]place // where each object comes into being, and goes
	at      int                // how many steps have been walked

	m     *migrations.Migration
	step  migrations.Step
	facts facts
	// changed and backfilled are the steps, by collection, that were the first
	// to change the schema and the data that were there before this migration.
	changed    map[string]migrations.Step
	backfilled map[string]migrations.Step
	filled     map[string]migrations.Step // attributes that were given values, unless to make them required
	batch      batch
}

func newWalker(in Input, sources map[string]*source) (*walker, error) {
	places, err := placesOf(in)
	if err != nil {
		return nil, err
	}
	w := &walker{in: in, sources: sources, world: &world{open: true}, places: places}
	if in.Live != nil {
		w.world = worldOf(in.Live.Schema)
	}
	return w, nil
}

// migration walks through one migration.
func (w *walker) migration(m *migrations.Migration) error {
	w.m, w.facts, w.batch = m, facts{}, batch{}
	w.changed, w.backfilled, w.filled = map[string]migrations.Step{}, map[string]migrations.Step{}, map[string]migrations.Step{}
	for _, step := range m.Up {
		w.at++
		w.step = step
		change, err := plain(step.Change)
		if err != nil {
			return stepError(m, step, err)
		}
		w.irreversible(change)
		w.transaction(change)
		w.features(change)
		w.take(change)
	}
	w.mixed()
	w.world.turn()
	return nil
}

// take looks at a step and makes its effect. Kinds that change neither schema
// nor data that rules are about have none.
func (w *walker) take(change engine.Step) {
	switch s := change.(type) {
	case steps.CreateDatabase:
		w.createDatabase(s)
	case steps.UpdateDatabase:
		w.updateDatabase(s)
	case steps.DeleteDatabase:
		w.deleteDatabase(s)
	case steps.CreateCollection:
		w.createCollection(s)
	case steps.UpdateCollection:
		w.updateCollection(s)
	case steps.DeleteCollection:
		w.deleteCollection(s)
	case steps.CreateAttribute:
		w.createAttribute(s)
	case steps.UpdateAttribute:
		w.updateAttribute(s)
	case steps.RenameAttribute:
		w.renameAttribute(s)
	case steps.DeleteAttribute:
		w.deleteAttribute(s)
	case steps.CreateRelationship:
		w.createRelationship(s)
	case steps.UpdateRelationship:
		if c, a := w.attribute(s.Database, s.Collection, s.Key); c != nil {
			w.suits(c, a, s.Key, true)
		}
	case steps.DeleteRelationship:
		w.deleteRelationship(s)
	case steps.CreateIndex:
		w.createIndex(schema.Index{Key: s.Key, Type: s.Type, Attributes: s.Attributes, Orders: s.Orders, Lengths: s.Lengths}, s.Database, s.Collection)
	case steps.UpdateIndex:
		w.updateIndex(s)
	case steps.DeleteIndex:
		w.deleteIndex(s)
	default:
		w.takeData(change)
	}
}

// finding adds what a rule found at the step, or at one of its fields.
func (w *walker) finding(code string, fields []string, fix string, format string, args ...any) *Finding {
	rule, known := FindRule(code)
	if !known {
		panic("lint: no rule " + code) // a constant of this package
	}
	w.found = append(w.found, Finding{
		Rule: rule, Severity: w.in.Severities.of(rule, false), Migration: w.m.ID(), Step: w.step.ID,
		At: w.sources[w.m.At.File].locate(w.step.At, fields...), Message: fmt.Sprintf(format, args...), Fix: fix,
		step: w.step.At.Line,
	})
	return &w.found[len(w.found)-1]
}

// missing tells that a step uses what is not there. Where things may be there
// that nothing told of, only what is made later is known to be missing.
func (w *walker) missing(what, path string, open bool, fields ...string) {
	made, comes := w.later(path)
	switch {
	case comes && made.at.Line > 0:
		w.finding(CodeBeforeAvailable, fields, "move that step before this one", "there is no %s %s yet: %s makes it", what, path, made.at)
	case comes:
		w.finding(CodeBeforeAvailable, fields, "move that step before this one", "there is no %s %s yet: %s makes it", what, path, made.id)
	case !open || w.went(path):
		w.finding(CodeBeforeAvailable, fields, "create it first, or mend its name", "there is no %s %s here", what, path)
	}
}

// database gives the database of a step, nil and a finding when there is none.
func (w *walker) database(id string) *database {
	if _, comes := w.later(id); !w.known(id) && (comes || w.went(id)) {
		w.missing("database", id, true, "database", "id")
		return nil
	}
	d := w.world.database(id)
	if d == nil {
		w.missing("database", id, false, "database", "id")
	}
	return d
}

// known says that a database has been told of.
func (w *walker) known(id string) bool {
	return slices.ContainsFunc(w.world.databases, func(d *database) bool { return d.id == id })
}

// collection is like database.
func (w *walker) collection(database, id string) *collection {
	d := w.database(database)
	if d == nil {
		return nil
	}
	path := database + "/" + id
	told := slices.ContainsFunc(d.collections, func(c *collection) bool { return c.shape.ID == id })
	if _, comes := w.later(path); !told && (comes || w.went(path)) {
		w.missing("collection", path, true, "collection", "table", "related", "id")
		return nil
	}
	c := w.world.collection(database, id)
	if c == nil {
		w.missing("collection", path, false, "collection", "table", "related", "id")
	}
	return c
}

// attribute gives the collection and the attribute of a step. The attribute is
// nil when nothing is known of it, which is a finding where it cannot be there.
func (w *walker) attribute(database, collection, key string) (*collection, *attribute) {
	c := w.collection(database, collection)
	if c == nil {
		return nil, nil
	}
	return c, w.has(c, key, "key", "attribute", "column")
}

// suits says whether a step that is for relationships, or for other attributes,
// is about one; else there is a finding.
func (w *walker) suits(c *collection, a *attribute, key string, link bool) bool {
	_, other := c.other(key)
	if a == nil && other == nil { // nothing is known of it
		return true
	}
	is := a == nil || a.Relationship != nil
	switch {
	case is == link:
		return true
	case is:
		w.finding(CodeBeforeAvailable, []string{"key"}, "use update_relationship or delete_relationship", "%s/%s is a relationship, and %s is for other attributes", c.path(), key, w.step.Change.Kind())
	default:
		w.finding(CodeBeforeAvailable, []string{"key"}, "use update_attribute or delete_attribute", "%s/%s is %s, and %s is for relationships", c.path(), key, described(a.Attribute), w.step.Change.Kind())
	}
	return false
}

// has gives an attribute of a collection, nil and perhaps a finding where it is
// not known.
func (w *walker) has(c *collection, key string, fields ...string) *attribute {
	if a := c.attribute(key); a != nil {
		return a
	}
	if _, other := c.other(key); other != nil {
		return nil
	}
	w.missing("attribute", c.path()+"/"+key, c.open, fields...)
	return nil
}

// mayHold says whether documents may be in a collection at this point.
func (w *walker) mayHold(c *collection) bool {
	return c.made != w.m.Version && len(w.facts[c.path()]) == 0 || c.written > 0
}

// schemaStep notes that this migration changes a collection that was there before.
func (w *walker) schemaStep(c *collection) {
	if _, noted := w.changed[c.path()]; !noted {
		w.changed[c.path()] = w.step
	}
}

// taken finds that a name is taken, letter case aside. The fields may have it,
// by default id or key.
func (w *walker) taken(what, name, where string, names []string, fields ...string) {
	if len(fields) == 0 {
		fields = []string{"id", "key"}
	}
	for _, other := range names {
		if other == name {
			w.finding(CodeLetterCase, fields, "leave the step out, or delete the other first", "%s has %s %s already", where, what, name)
			return
		}
		if strings.EqualFold(other, name) {
			w.finding(CodeLetterCase, fields, "choose a name that differs in more than letter case", "%s %s: %s has %s, and servers on MariaDB do not tell letter case apart", what, name, where, other)
			return
		}
	}
}

// stepError says at which step something went wrong.
func stepError(m *migrations.Migration, step migrations.Step, err error) error {
	return fmt.Errorf("%s, step %s: %w", m.ID(), step.ID, err)
}

// plain gives a step without the retry policy that may be around it.
func plain(step engine.Step) (engine.Step, error) {
	if step.Kind() == "func" {
		return step, nil
	}
	data, err := new(steps.Codec).Encode(step)
	if err != nil || !bytes.Contains(data, []byte(`"retry":`)) {
		return step, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	delete(object, "retry")
	if data, err = json.Marshal(object); err != nil {
		return nil, err
	}
	return new(steps.Codec).Decode(data)
}
