package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// link is what a client sent for one side of a relationship.
type link struct {
	side
	refs []ref
	null bool // null was sent
}

// ref names a related record, or holds the fields to write into it.
type ref struct {
	id     string
	fields *phpjson.Object // nil for a bare id
}

// links reads the relationships among the fields. The shape of each must suit
// its side.
func (r *Room) links(col *catalog.Collection, fields *phpjson.Object) ([]link, error) {
	if fields.Len() == 0 || !related(col) {
		return nil, nil
	}
	var links []link
	for _, s := range r.sides(col) {
		sent, given := fields.Get(s.Key)
		if !given {
			continue
		}
		l := link{side: s, null: sent == nil}
		items, isList := sent.([]any)
		switch {
		case l.null:
		case isList != s.many():
			return nil, wrongShape(s.Key)
		case !isList:
			items = []any{sent}
		}
		for _, item := range items {
			one, ok := r.ref(item)
			if !ok {
				return nil, wrongShape(s.Key)
			}
			l.refs = append(l.refs, one)
		}
		links = append(links, l)
	}
	return links, nil
}

func wrongShape(key string) error {
	return apierr.BadRequest("relationship_value_invalid", "Invalid relationship value for \"%s\".", key)
}

func (r *Room) ref(sent any) (ref, bool) {
	switch v := sent.(type) {
	case string:
		return ref{id: v}, true
	case *phpjson.Object:
		id, _ := v.Get("$id")
		text, ok := id.(string)
		if !ok || text == "" || text == "unique()" {
			text = freshID()
		}
		return ref{id: text, fields: v}, true
	}
	return ref{}, false
}

// relate brings both sides of a record's relationships to what was sent. The
// record's own columns are set in it, for the caller to write; isNew says that
// it has no relations yet. The new ones are made before the old ones are cut,
// so that a unique link that is still held is an error, as on the server.
func (r *Room) relate(w store.Writer, dialect api.Dialect, record *store.Record, links []link, isNew bool) error {
	for _, l := range links {
		var old []target
		if !isNew {
			var err error
			if old, err = l.targets(w, record); err != nil {
				return err
			}
		}
		if l.own() {
			record.Set(l.Column, nil)
		}
		if l.null && l.many() {
			continue
		}
		kept := map[string]bool{}
		for _, one := range l.refs {
			if err := r.tie(w, dialect, record, l, one, isNew); err != nil {
				return err
			}
			kept[r.Profile.Fold(one.id)] = true
		}
		for _, former := range old {
			if former.record != nil && !kept[r.Profile.Fold(former.id)] {
				if err := r.cut(w, l.side, record, former); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tie relates a record to another one, which is created or changed first if
// fields were sent for it. A bare id that is not there stays in a new record's
// column and nowhere else.
func (r *Room) tie(w store.Writer, dialect api.Dialect, record *store.Record, l link, one ref, isNew bool) error {
	other, err := r.store(w, dialect, record, l.related, one)
	if err != nil {
		return err
	}
	if other == nil {
		if l.own() && isNew {
			record.Set(l.Column, one.id)
		}
		return nil
	}
	if l.own() {
		record.Set(l.Column, one.id)
	}
	switch {
	case l.back():
		if other.Value(l.other.Column) == record.ID {
			return nil
		}
		changed := other.Clone()
		changed.Set(l.other.Column, record.ID)
		changed.UpdatedAt = r.now()
		return r.replace(w, l.related, changed)
	case l.Relation.Type == "manyToMany":
		return r.pair(w, l.side, record, other)
	}
	return nil
}

// store finds the record that a ref names, and writes its fields if there are
// any. A record that is created so inherits the permissions of its relative.
func (r *Room) store(w store.Writer, dialect api.Dialect, relative *store.Record, col *catalog.Collection, one ref) (*store.Record, error) {
	found, err := w.Get(col.Sequence, one.id)
	if err != nil || one.fields == nil {
		return found, err
	}
	in, err := r.read(dialect, one.fields)
	if err != nil {
		return nil, err
	}
	in.id = one.id
	if found != nil {
		return r.change(w, col, in, func(*store.Record) error { return nil })
	}
	if in.permissions == nil {
		in.permissions = relative.Permissions
	}
	return r.insert(w, col, in)
}

// pair adds a row to the junction, unless it is there.
func (r *Room) pair(w store.Writer, s side, record, other *store.Record) error {
	table, mine, theirs := s.junction()
	pairs, err := w.Find(table, mine, record.ID)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if id, _ := p.Value(theirs).(string); r.Profile.Fold(id) == r.Profile.Fold(other.ID) {
			return nil
		}
	}
	row := &store.Record{ID: freshID()}
	row.Set(mine, record.ID)
	row.Set(theirs, other.ID)
	return w.Insert(table, row)
}

// cut ends the relation with a former target.
func (r *Room) cut(w store.Writer, s side, record *store.Record, former target) error {
	if s.back() {
		return r.clear(w, s.related, s.other, former.record)
	}
	if s.Relation.Type == "manyToMany" {
		return r.unpair(w, s, record, former.id)
	}
	return nil
}

// clear sets the column of a relationship to null.
func (r *Room) clear(w store.Writer, col *catalog.Collection, d *catalog.Definition, record *store.Record) error {
	changed := record.Clone()
	changed.Set(d.Column, nil)
	changed.UpdatedAt = r.now()
	return r.replace(w, col, changed)
}

// unpair deletes the junction rows of a record: those with one id, or all for
// an empty one.
func (r *Room) unpair(w store.Writer, s side, record *store.Record, id string) error {
	table, mine, theirs := s.junction()
	pairs, err := w.Find(table, mine, record.ID)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		held, _ := p.Value(theirs).(string)
		if id != "" && r.Profile.Fold(held) != r.Profile.Fold(id) {
			continue
		}
		if err := w.Delete(table, p.Sequence); err != nil {
			return err
		}
	}
	return nil
}

// relinks says whether relationships that were sent differ from those there
// are. Sent fields count as a difference.
func (r *Room) relinks(reader store.Reader, old *store.Record, links []link) (bool, error) {
	for _, l := range links {
		targets, err := l.targets(reader, old)
		if err != nil {
			return false, err
		}
		held, sent := []string{}, []string{}
		for _, t := range targets {
			held = append(held, r.Profile.Fold(t.id))
		}
		for _, one := range l.refs {
			if one.fields != nil {
				return true, nil
			}
			sent = append(sent, r.Profile.Fold(one.id))
		}
		if !sameSet(held, sent) {
			return true, nil
		}
	}
	return false, nil
}
