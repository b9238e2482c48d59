package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// A stage is a part of the way through which a whole database goes at once, so
// that collections which are related in whatever circles need no order.
type stage int

const (
	stageSave       stage = iota // links into spare attributes
	stageUnrelate                // relationships that go
	stageClear                   // collections that go and whose ids are in the way
	stageCreate                  // the database, new collections with their attributes and indexes
	stageAttributes              // attributes and indexes, collection by collection
	stageRelate                  // relationships that come
	stageLink                    // links out of spare attributes
	stageDefaults                // defaults that writing the links would put where null is
	stageFlags                   // names, permissions, flags
	stageDelete                  // collections that go
	stages
)

// differ makes a Delta.
type differ struct {
	limits  Limits
	renames []Rename
	fills   []Fill

	from, to Model // in canonical order; two-way relationships at the same ends
	// tight says for which collections, by database and id, the plain way takes
	// more room than there is.
	tight   map[string]tightness
	changes []*Change
}

// queued is a step and the change that it is for.
type queued struct {
	change *Change
	step   engine.Step
}

// databaseDiff is the way of one database, stage by stage.
type databaseDiff struct {
	*differ
	from, to Database
	queue    [stages][]queued
}

func (d *differ) diff(from, to Model) (*Delta, error) {
	d.from, d.to = inOrder(pairsAs(to, from)), inOrder(to)
	if err := Check(d.to, d.limits); err != nil {
		return nil, err
	}
	if err := d.told(); err != nil {
		return nil, err
	}
	d.tight = map[string]tightness{}
	for {
		list := d.plan()
		crowded := d.crowded(list)
		if crowded == nil {
			return d.delta(list), nil
		}
		if !d.tighten(crowded.collection) {
			return nil, refused("diff", []Problem{{At: crowded.at, Reason: crowded.reason}})
		}
	}
}

// plan queues the steps of every database, one after the other.
func (d *differ) plan() []queued {
	d.changes = nil
	var first, list, last []queued
	matched(d.from.Databases, d.to.Databases, func(db Database) string { return db.ID }, func(id string, x, y *Database) {
		if y == nil {
			c := d.change(Removed, ByDeletion, databaseAt(id), x.At)
			lose(c, LossDatabase, "the database goes with everything in it")
			q := queued{c, steps.DeleteDatabase{ID: id}}
			if twin(id, d.to.Databases, func(db Database) string { return db.ID }) {
				first = append(first, q)
			} else {
				last = append(last, q)
			}
			return
		}
		db := &databaseDiff{differ: d, to: *y}
		if x == nil {
			c := d.change(Added, ByCreation, databaseAt(id), y.At)
			db.queue[stageCreate] = append(db.queue[stageCreate], queued{c, steps.CreateDatabase{
				ID: id, Name: y.Name, Enabled: unlessTrue(y.Enabled), Type: family(y.Type),
			}})
		} else {
			db.from = *x
			db.itself()
		}
		db.collections()
		for _, part := range db.queue {
			list = append(list, part...)
		}
	})
	return slices.Concat(first, list, last)
}

// itself changes the database's own fields.
func (db *databaseDiff) itself() {
	fields := changedFields(databaseFields(db.from, db.to))
	if len(fields) == 0 {
		return
	}
	c := db.change(Changed, InPlace, databaseAt(db.to.ID), db.to.At)
	c.Fields = fields
	step := steps.UpdateDatabase{ID: db.to.ID}
	if db.from.Name != db.to.Name {
		step.Name = db.to.Name
	}
	if db.from.Enabled != db.to.Enabled {
		step.Enabled = &db.to.Enabled
	}
	db.add(stageFlags, c, step)
}

func (db *databaseDiff) add(at stage, c *Change, list ...engine.Step) {
	for _, step := range list {
		db.queue[at] = append(db.queue[at], queued{c, step})
	}
}

// collections goes through the collections of a database.
func (db *databaseDiff) collections() {
	var both []*collectionDiff
	matched(db.from.Collections, db.to.Collections, func(c Collection) string { return c.ID }, func(id string, x, y *Collection) {
		switch {
		case x == nil:
			db.newCollection(*y)
		case y == nil:
			c := db.change(Removed, ByDeletion, collectionAt(db.to.ID, id), x.At)
			lose(c, LossCollection, "the collection goes with its documents")
			at := stageDelete
			if twin(id, db.to.Collections, func(c Collection) string { return c.ID }) {
				at = stageClear
			}
			db.add(at, c, steps.DeleteCollection{Database: db.to.ID, ID: id})
			db.unrelate(*x)
		default:
			both = append(both, newCollectionDiff(db, *x, *y))
		}
	})
	for _, c := range both {
		c.plan()
	}
}

// newCollection makes a collection with all it has. Relationships follow when
// every collection is there.
func (db *databaseDiff) newCollection(col Collection) {
	c := db.change(Added, ByCreation, collectionAt(db.to.ID, col.ID), col.At)
	db.add(stageCreate, c, steps.CreateCollection{
		Database: db.to.ID, ID: col.ID, Name: col.Name, Permissions: canonicalPermissions(col.Permissions),
		DocumentSecurity: col.DocumentSecurity, Enabled: unlessTrue(col.Enabled),
	})
	for _, a := range col.Attributes {
		c := db.change(Added, ByCreation, attributeAt(db.to.ID, col.ID, a), a.At)
		if a.Relationship == nil {
			db.add(stageCreate, c, createAttribute(db.to.ID, col.ID, a))
		} else {
			db.add(stageRelate, c, createRelationship(db.to.ID, col.ID, a))
		}
	}
	for _, x := range col.Indexes {
		c := db.change(Added, ByCreation, indexAt(db.to.ID, col.ID, x.Key), x.At)
		db.add(stageCreate, c, createIndex(db.to.ID, col.ID, x))
	}
}

// unrelate removes the relationships of a collection that goes to those that
// stay, which would keep their keys occupied until the end of the run.
func (db *databaseDiff) unrelate(gone Collection) {
	for _, a := range gone.Attributes {
		if a.Relationship == nil || db.to.collection(a.Relationship.Related) == nil {
			continue
		}
		c := db.change(Removed, ByDeletion, attributeAt(db.to.ID, gone.ID, a), a.At)
		lose(c, LossRelationship, "the links of the documents are not carried over")
		db.add(stageUnrelate, c, steps.DeleteRelationship{Database: db.to.ID, Collection: gone.ID, Key: a.Key})
	}
}

// change notes a change.
func (d *differ) change(action Action, way Way, object engine.Ref, at Position) *Change {
	c := &Change{Action: action, Way: way, Object: object, At: at}
	d.changes = append(d.changes, c)
	return c
}

func lose(c *Change, code LossCode, reason string) {
	c.Losses = append(c.Losses, Loss{Code: code, Reason: reason})
}

func condition(c *Change, format string, args ...any) {
	c.Conditions = append(c.Conditions, fmt.Sprintf(format, args...))
}

// twin reports whether one of the ids that stay or come differs from one that
// goes by letter case only. The server takes the two for the same, so the old
// one has to go first.
func twin[T any](id string, others []T, key func(T) string) bool {
	return slices.ContainsFunc(others, func(other T) bool { return strings.EqualFold(id, key(other)) })
}

// delta gives the result: changes in order, and steps that they refer to.
func (d *differ) delta(list []queued) *Delta {
	out := &Delta{Candidates: d.candidates()}
	for i, q := range list {
		out.Steps = append(out.Steps, q.step)
		if !slices.Contains(q.change.Steps, i) {
			q.change.Steps = append(q.change.Steps, i)
		}
	}
	for _, c := range d.changes {
		out.Changes = append(out.Changes, *c)
	}
	slices.SortStableFunc(out.Changes, func(a, b Change) int { return strings.Compare(sortKey(a.Object), sortKey(b.Object)) })
	return out
}

// sortKey orders objects as trees are printed: each after what contains it,
// attributes before indexes.
func sortKey(r engine.Ref) string {
	kind := map[string]string{"attribute": "1", "relationship": "1", "index": "2"}[r.Type]
	return strings.Join([]string{r.Database, r.Collection, kind, r.Key}, "\x00")
}

// inOrder gives a model with everything in the order of ids and keys, so that
// the order in a file means nothing.
func inOrder(m Model) Model {
	out := Model{Databases: sorted(m.Databases, func(db Database) string { return db.ID })}
	for i := range out.Databases {
		db := &out.Databases[i]
		db.Collections = sorted(db.Collections, func(c Collection) string { return c.ID })
		for j := range db.Collections {
			c := &db.Collections[j]
			c.Attributes = sorted(c.Attributes, func(a Attribute) string { return a.Key })
			c.Indexes = sorted(c.Indexes, func(x Index) string { return x.Key })
			for k := range c.Indexes {
				c.Indexes[k] = c.Indexes[k].onLists(*c)
			}
		}
	}
	return out
}

// told checks what the caller has told against the models.
func (d *differ) told() error {
	var problems []error
	for _, r := range d.renames {
		problems = append(problems, d.checkRename(r))
	}
	for _, f := range d.fills {
		problems = append(problems, d.checkFill(f))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	return nil
}

// changedFields gives the fields that differ, as Compare has them.
func changedFields(pairs []field) []FieldChange {
	var out []FieldChange
	for _, d := range fieldsOf("", pairs...) {
		out = append(out, FieldChange{Name: d.Field, From: d.A, To: d.B})
	}
	return out
}

func databaseAt(id string) engine.Ref { return engine.Ref{Type: "database", Database: id} }

func collectionAt(database, id string) engine.Ref {
	return engine.Ref{Type: "collection", Database: database, Collection: id}
}

func attributeAt(database, collection string, a Attribute) engine.Ref {
	ref := engine.Ref{Type: "attribute", Database: database, Collection: collection, Key: a.Key}
	if a.Relationship != nil {
		ref.Type = "relationship"
	}
	return ref
}

func indexAt(database, collection, key string) engine.Ref {
	return engine.Ref{Type: "index", Database: database, Collection: collection, Key: key}
}
