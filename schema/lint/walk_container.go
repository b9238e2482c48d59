package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

func (w *walker) createDatabase(s steps.CreateDatabase) {
	var names []string
	for _, d := range w.world.databases {
		names = append(names, d.id)
	}
	w.taken("database", s.ID, "the project", names)
	if slices.Contains(names, s.ID) {
		return
	}
	w.world.databases = append(w.world.databases, &database{id: s.ID, name: s.Name, enabled: s.Enabled == nil || *s.Enabled, made: w.m.Version})
}

func (w *walker) updateDatabase(s steps.UpdateDatabase) {
	d := w.database(s.ID)
	if d == nil {
		return
	}
	if s.Name != "" {
		d.name = s.Name
	}
	if s.Enabled != nil {
		d.enabled = *s.Enabled
	}
}

func (w *walker) deleteDatabase(s steps.DeleteDatabase) {
	d := w.database(s.ID)
	if d == nil {
		return
	}
	ask := &question{database: s.ID}
	held := d.made != w.m.Version
	for _, c := range d.collections {
		if c.live != "" {
			ask.collections = append(ask.collections, c.live)
			ask.touched = ask.touched || c.touched
		}
		held = held || c.written > 0
	}
	if held {
		f := w.finding(CodeDropDatabase, nil, "delete its collections in migrations of their own, each once nothing uses it; or say with a nolint why all of it may go",
			"this deletes database %s with everything in it", s.ID)
		w.asks(f, ask, d.made == "" && !d.open)
	}
	w.world.databases = slices.DeleteFunc(w.world.databases, func(o *database) bool { return o == d })
}

func (w *walker) createCollection(s steps.CreateCollection) {
	w.anyWrites("collection "+s.ID, nil, s.Permissions)
	d := w.database(s.Database)
	if d == nil {
		return
	}
	var names []string
	for _, c := range d.collections {
		names = append(names, c.shape.ID)
	}
	w.taken("collection", s.ID, "database "+s.Database, names)
	if slices.Contains(names, s.ID) {
		return
	}
	d.add(schema.Collection{
		ID: s.ID, Name: s.Name, Permissions: s.Permissions, DocumentSecurity: s.DocumentSecurity, Enabled: s.Enabled == nil || *s.Enabled,
	}, w.m.Version)
}

func (w *walker) updateCollection(s steps.UpdateCollection) {
	c := w.collection(s.Database, s.ID)
	if c == nil {
		return
	}
	if s.Permissions != nil {
		w.anyWrites("collection "+s.ID, c.shape.Permissions, *s.Permissions)
		c.shape.Permissions = *s.Permissions
	}
	if s.DocumentSecurity != nil {
		c.shape.DocumentSecurity = *s.DocumentSecurity
	}
	if s.Enabled != nil {
		c.shape.Enabled = *s.Enabled
	}
	if s.Name != "" {
		c.shape.Name = s.Name
	}
}

func (w *walker) deleteCollection(s steps.DeleteCollection) {
	c := w.collection(s.Database, s.ID)
	if c == nil {
		return
	}
	w.schemaStep(c)
	if w.mayHold(c) {
		f := w.finding(CodeDropCollection, nil, "make sure first that it is empty, or say with a nolint why its documents may go",
			"this deletes collection %s with its documents", c.path())
		f.Insert = []string{fmt.Sprintf("  - assert: { database: %s, collection: %s, empty: true }", word(s.Database), word(s.ID))}
		w.asks(f, c.question(), c.live != "")
	}
	c.database.collections = slices.DeleteFunc(c.database.collections, func(o *collection) bool { return o == c })
	for _, o := range c.database.collections { // relationships go with either end
		o.attributes = slices.DeleteFunc(o.attributes, func(a *attribute) bool { return a.Relationship != nil && a.Relationship.Related == s.ID })
	}
}

var anyWriter = regexp.MustCompile(`^\s*(create|update|delete|write)\(\s*"(any|guests)"\s*\)\s*$`)

// openings gives what permissions let everybody do, and those that do.
func openings(permissions []string) (verbs, by []string) {
	for _, verb := range []string{"create", "update", "delete"} {
		for _, p := range permissions {
			match := anyWriter.FindStringSubmatch(p)
			if match == nil || match[1] != verb && match[1] != "write" {
				continue
			}
			if !slices.Contains(verbs, verb) {
				verbs = append(verbs, verb)
			}
			if !slices.Contains(by, p) {
				by = append(by, p)
			}
		}
	}
	return verbs, by
}

// anyWrites finds permissions that open something for writing to everybody,
// where those that were there before did not.
func (w *walker) anyWrites(what string, was, permissions []string) {
	before, _ := openings(was)
	verbs, by := openings(permissions)
	if verbs = without(verbs, before); len(verbs) == 0 {
		return
	}
	w.finding(CodeAnyWrites, []string{"permissions"}, `name who may: users, a team, a label; or say with a nolint why everybody may`,
		"%s lets everybody %s: %s", what, listed(verbs), strings.Join(without(by, was), ", "))
}

// listed joins a few words with and.
func listed(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

func (w *walker) createRelationship(s steps.CreateRelationship) {
	c, related := w.collection(s.Database, s.Collection), w.collection(s.Database, s.Related)
	if c == nil || related == nil {
		return
	}
	key, back := relationshipKey(s), s.TwoWayKey
	if back == "" {
		back = s.Collection
	}
	w.taken("attribute", key, "collection "+c.path(), c.keys())
	if s.TwoWay {
		w.taken("attribute", back, "collection "+related.path(), related.keys(), "two_way_key")
	} else { // a hidden key, which other hidden ones may have too
		w.taken("attribute", back, "collection "+related.path(), related.own(), "two_way_key")
	}
	onDelete := s.OnDelete
	if onDelete == "" {
		onDelete = steps.Restrict
	}
	c.attributes = append(c.attributes, &attribute{made: w.m.Version, Attribute: schema.Attribute{
		Key: key, Type: "relationship",
		Relationship: &schema.Relationship{Related: s.Related, Type: s.Type, TwoWay: s.TwoWay, TwoWayKey: back, OnDelete: onDelete},
	}})
	w.schemaStep(c)
	w.limits(c)
	w.limits(related)
}

func relationshipKey(s steps.CreateRelationship) string {
	if s.Key != "" {
		return s.Key
	}
	return s.Related
}

func (w *walker) deleteRelationship(s steps.DeleteRelationship) {
	c, a := w.attribute(s.Database, s.Collection, s.Key)
	if c == nil || !w.suits(c, a, s.Key, true) {
		return
	}
	owner := c
	if a == nil {
		owner, a = c.other(s.Key)
	}
	if a == nil && !c.open {
		return
	}
	w.schemaStep(c)
	if w.mayHold(c) && !w.none(c, s.Key, holding) && (a == nil || a.made != w.m.Version && !a.copied) {
		w.finding(CodeDropRelationship, nil, "make sure first that no document is linked, or say with a nolint why the links may go",
			"this deletes relationship %s/%s with the links of its documents", c.path(), s.Key)
	}
	if a != nil {
		owner.attributes = slices.DeleteFunc(owner.attributes, func(o *attribute) bool { return o == a })
	}
}

// own are the keys of a collection's own attributes.
func (c *collection) own() []string {
	var keys []string
	for _, a := range c.attributes {
		if !a.dying {
			keys = append(keys, a.Key)
		}
	}
	return keys
}

// keys are the keys that are taken in a collection.
func (c *collection) keys() []string {
	keys := c.own()
	for _, o := range c.database.collections {
		for _, a := range o.attributes {
			if r := a.Relationship; r != nil && r.TwoWay && r.Related == c.shape.ID {
				keys = append(keys, r.TwoWayKey)
			}
		}
	}
	return keys
}
