package schema_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/schema"
)

// tally counts what has become of differences, for people.
type tally struct {
	applied, undone, turnedBack, refused, steps, documents int
	losses                                                 map[schema.LossCode]int
	ways                                                   map[schema.Way]int
}

func newTally() *tally {
	return &tally{losses: map[schema.LossCode]int{}, ways: map[schema.Way]int{}}
}

func (c *tally) add(o *tally) {
	c.applied, c.undone, c.turnedBack, c.refused = c.applied+o.applied, c.undone+o.undone, c.turnedBack+o.turnedBack, c.refused+o.refused
	c.steps, c.documents = c.steps+o.steps, c.documents+o.documents
	for code, n := range o.losses {
		c.losses[code] += n
	}
	for way, n := range o.ways {
		c.ways[way] += n
	}
}

func (c *tally) String() string {
	return fmt.Sprintf("%d applied and taken back, %d turned back at the end, %d refused for what documents hold; %d steps, %d documents compared; ways %v; losses %v",
		c.undone, c.turnedBack, c.refused, c.steps, c.documents, c.ways, c.losses)
}

// visit takes the project to another model and back, and holds everything
// against what must be. It is false when the project is not at home any more.
func (w *travel) visit(t *testing.T, d destiny, turn bool, counts *tally) bool {
	t.Helper()
	delta, err := schema.Diff(d.from, d.to, schema.WithLimits(w.limits()), schema.WithRenames(d.renames...), schema.WithFills(d.fills...))
	if err != nil {
		t.Errorf("diff: %v", err)
		return true
	}
	d.checkLosses(t, delta)
	if len(delta.Steps) == 0 {
		if differing := schema.Compare(d.from, d.to); len(differing) > 0 {
			t.Errorf("no steps for %v", differing)
		}
		return true
	}
	list := written(t, delta.Steps)
	why := d.unfit(w.before)
	var trip trip
	if turn {
		last, f := turnBack(t)
		trip, _, err = w.carryOut(append(list, last), f)
	} else {
		trip, _, err = w.carryOut(list)
	}
	counts.steps += len(list)
	switch {
	case turn && errors.Is(err, errTurnBack) && errors.Is(err, engine.ErrRolledBack):
		counts.turnedBack++
	case errors.Is(err, engine.ErrRolledBack) && why != "":
		counts.refused++
	case err != nil:
		t.Errorf("%v\nexpected to be refused for %q\nchanges %v", err, why, delta.Changes)
		return wantSame(t, "after what should have gone through", w.before, w.snapshot())
	default:
		if why != "" {
			t.Errorf("went through although %s", why)
		}
		counts.applied++
		w.arrived(t, d, counts)
		if err := w.down(trip); err != nil {
			t.Errorf("down: %v\nchanges %v", err, delta.Changes)
		}
		counts.undone++
	}
	for _, c := range delta.Changes {
		counts.ways[c.Way]++
		for _, loss := range c.Losses {
			counts.losses[loss.Code]++
		}
	}
	return wantSame(t, "after the undo", w.before, w.snapshot())
}

// arrived holds the project against the second model and what documents must hold.
func (w *travel) arrived(t *testing.T, d destiny, counts *tally) {
	t.Helper()
	live := w.live()
	for _, difference := range schema.Compare(d.to, live) {
		t.Errorf("meant / live: %s", difference)
	}
	if again, err := schema.Diff(live, d.to, schema.WithLimits(w.limits())); err != nil || !again.Empty() || len(again.Steps) > 0 {
		t.Errorf("diff after apply: %v, %v", again, err)
	}
	counts.documents += d.checkDocuments(t, w.before, w.snapshot())
}

// checkLosses wants every loss declared, and no other.
func (d destiny) checkLosses(t *testing.T, delta *schema.Delta) {
	t.Helper()
	declared := map[string]schema.LossCode{}
	for _, c := range delta.Changes {
		for _, loss := range c.Losses {
			key := c.Object.Key
			if c.Was != "" {
				key = c.Was
			}
			declared[strings.Join([]string{c.Object.Database, c.Object.Collection, key}, "/")] = loss.Code
		}
	}
	expected := map[string]schema.LossCode{}
	for _, db := range d.from.Databases {
		if !slices.ContainsFunc(d.to.Databases, func(x schema.Database) bool { return x.ID == db.ID }) {
			expected[db.ID+"//"] = schema.LossDatabase
			continue
		}
		for _, c := range db.Collections {
			to := findCollection(d.to, db.ID, c.ID)
			if to == nil {
				expected[db.ID+"/"+c.ID+"/"] = schema.LossCollection
			}
			for _, a := range c.Attributes {
				path := db.ID + "/" + c.ID + "/" + a.Key
				switch {
				case to != nil:
					if f := d.fateOf(db.ID, to, a); f.loss != "" {
						expected[path] = f.loss
					}
				case a.Relationship != nil && findCollection(d.to, db.ID, a.Relationship.Related) != nil:
					expected[path] = schema.LossRelationship
				}
			}
		}
	}
	for path, code := range expected {
		if declared[path] != code {
			t.Errorf("%s is lost by %q and declared as %q", path, code, declared[path])
		}
	}
	for path, code := range declared {
		if expected[path] == "" {
			t.Errorf("%s is declared as lost by %q and keeps its data", path, code)
		}
	}
}

// checkDocuments compares every value of every document that stays, and gives
// how many documents that were.
func (d destiny) checkDocuments(t *testing.T, before, after oracle.Snapshot) int {
	t.Helper()
	compared := 0
	for _, db := range d.to.Databases {
		for _, to := range db.Collections {
			from := findCollection(d.from, db.ID, to.ID)
			if from == nil {
				continue
			}
			now := documentsOf(after, db.ID, to.ID)
			was := documentsOf(before, db.ID, to.ID)
			for id, document := range was {
				compared++
				d.checkDocument(t, db.ID, *from, to, id, document, now[id])
			}
			if len(was) != len(now) {
				t.Errorf("%s/%s has %d documents, not %d", db.ID, to.ID, len(now), len(was))
			}
		}
	}
	return compared
}

func (d destiny) checkDocument(t *testing.T, database string, from schema.Collection, to schema.Collection, id string, was, now map[string]any) {
	t.Helper()
	if fmt.Sprint(was["$permissions"]) != fmt.Sprint(now["$permissions"]) {
		t.Errorf("%s/%s/%s has the permissions %v, not %v", database, to.ID, id, now["$permissions"], was["$permissions"])
	}
	origin := map[string]*schema.Attribute{}
	for i, a := range from.Attributes {
		if f := d.fateOf(database, &to, a); f.loss == "" {
			origin[f.now.Key] = &from.Attributes[i]
		}
	}
	for _, a := range to.Attributes {
		var want []any
		source := origin[a.Key]
		old := a
		if source != nil {
			old = *source
			want = elements(old, was[holderOf(old, from.ID)])
		}
		if stand := d.standIn(database, to.ID, source, a); len(want) == 0 && stand != nil {
			want, old = elements(a, stand), a
		}
		have := elements(a, now[holderOf(a, to.ID)])
		if a.Relationship != nil && a.Relationship.Related == to.ID && !a.Relationship.TwoWay {
			continue // nobody can link through it
		}
		if !slices.EqualFunc(want, have, func(x, y any) bool { return sameMeaning(old, a, x, y) }) {
			t.Errorf("%s/%s/%s: %s is %v, not %v", database, to.ID, id, a.Key, have, want)
		}
	}
}

// unfit says which stored value makes a change impossible; "" when none does.
func (d destiny) unfit(before oracle.Snapshot) string {
	for _, db := range d.to.Databases {
		for _, to := range db.Collections {
			from := findCollection(d.from, db.ID, to.ID)
			if from == nil {
				continue
			}
			documents := documentsOf(before, db.ID, to.ID)
			if why := d.unfitIn(db.ID, *from, to, documents); why != "" {
				return db.ID + "/" + to.ID + ": " + why
			}
		}
	}
	return ""
}

func (d destiny) unfitIn(database string, from, to schema.Collection, documents map[string]map[string]any) string {
	origin := map[string]schema.Attribute{}
	for _, a := range from.Attributes {
		if f := d.fateOf(database, &to, a); f.loss == "" {
			origin[f.now.Key] = a
		}
	}
	for _, a := range to.Attributes {
		was, kept := origin[a.Key]
		seen := map[string]bool{}
		for id, document := range documents {
			var values []any
			var source *schema.Attribute
			if kept {
				values, source = elements(was, document[holderOf(was, from.ID)]), &was
			}
			switch {
			case len(values) == 0 && a.Required && !a.Array && // a list is empty, not missing
				(!kept || !was.Required) && d.standIn(database, to.ID, source, a) == nil:
				return fmt.Sprintf("%s has no %s", id, a.Key)
			case len(values) > 1 && !takesMany(a, to.ID):
				return fmt.Sprintf("%s has several %s", id, a.Key)
			}
			for _, value := range values {
				if !representable(was, a, value) {
					return fmt.Sprintf("%s has %v as %s", id, value, a.Key)
				}
				once := a.Relationship != nil && (a.Relationship.Type == "oneToOne" || a.Relationship.Type == holdersOnce(a, to.ID))
				if once && seen[fmt.Sprint(value)] {
					return fmt.Sprintf("%s shares %v by %s", id, value, a.Key)
				}
				seen[fmt.Sprint(value)] = true
			}
		}
	}
	return d.twins(database, to, documents, origin)
}

// holdersOnce is the type under which a document can be linked by one other only,
// from the side at which links are read.
func holdersOnce(a schema.Attribute, collection string) string {
	if a.Relationship.Related == collection {
		return "manyToOne"
	}
	return "oneToMany"
}

// twins says which unique index would find two documents alike.
func (d destiny) twins(database string, to schema.Collection, documents map[string]map[string]any, origin map[string]schema.Attribute) string {
	for _, x := range to.Indexes {
		if x.Type != "unique" {
			continue
		}
		seen := map[string]bool{}
		for id, document := range documents {
			var tuple []string
			for _, key := range x.Attributes {
				var values []any
				a := findAttribute(&to, key)
				if a == nil {
					a = &schema.Attribute{Key: key}
					values = []any{id} // $id
				}
				was, kept := origin[key]
				if kept {
					values = elements(was, document[was.Key])
				}
				if stand := d.standIn(database, to.ID, &was, *a); len(values) == 0 && stand != nil {
					values = []any{stand}
				}
				if len(values) > 0 {
					tuple = append(tuple, strings.ToLower(fmt.Sprint(values[0])))
				}
			}
			text := strings.Join(tuple, "\x00")
			if len(tuple) == len(x.Attributes) && seen[text] {
				return fmt.Sprintf("two documents have %q, which index %s does not take twice", tuple, x.Key)
			}
			seen[text] = true
		}
	}
	return ""
}
