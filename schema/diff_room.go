package schema

import (
	"fmt"
	"maps"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// shortage is a place on the way where a collection has no room.
type shortage struct {
	collection string // database and id
	at         Position
	reason     string
}

// crowded follows the steps and gives the first place where a collection would
// hold more than a server does, with old and new side by side; nil when there
// is none.
func (d *differ) crowded(list []queued) *shortage {
	rooms := rooms{}
	for _, db := range d.from.Databases {
		for _, col := range db.Collections {
			rooms.at(db.ID, col.ID).indexes = len(col.Indexes)
			for _, a := range col.Attributes {
				rooms.at(db.ID, col.ID).attributes[strings.ToLower(a.Key)] = a
				if a.Relationship != nil {
					rooms.relate(db.ID, col.ID, a, 1)
				}
			}
		}
	}
	for _, q := range list {
		ref := q.step.Target()
		rooms.follow(q.step)
		touched := []string{ref.Collection}
		if s, related := q.step.(steps.CreateRelationship); related {
			touched = append(touched, s.Related)
		}
		for _, collection := range touched {
			reason := rooms.at(ref.Database, collection).shortage(d.limits)
			if reason == "" {
				continue
			}
			return &shortage{
				collection: ref.Database + "/" + collection, at: q.change.At,
				reason: fmt.Sprintf("collection %s has no room to change %s with its data: %s", collection, q.change.Object, reason),
			}
		}
	}
	return nil
}

// tighten has a collection planned with more care; false when there is no more.
func (d *differ) tighten(collection string) bool {
	if d.tight[collection] == tightest {
		return false
	}
	d.tight[collection]++
	return true
}

// rooms are collections by database and id, as they are on the way.
type rooms map[string]*room

// room is what a collection holds at one moment.
type room struct {
	attributes map[string]Attribute // by key in lower case
	related    int                  // visible other sides of other relationships
	indexes    int
}

func (r rooms) at(database, collection string) *room {
	key := database + "/" + collection
	if r[key] == nil {
		r[key] = &room{attributes: map[string]Attribute{}}
	}
	return r[key]
}

// relate counts what a relationship adds besides its attribute: an index at
// either side, and the other side itself where it can be seen.
func (r rooms) relate(database, collection string, a Attribute, n int) {
	r.at(database, collection).indexes += n
	if a.Relationship.TwoWay {
		other := r.at(database, a.Relationship.Related)
		other.indexes += n
		other.related += n
	}
}

// follow does what a step does.
func (r rooms) follow(step engine.Step) {
	ref := step.Target()
	here := r.at(ref.Database, ref.Collection)
	key := strings.ToLower(ref.Key)
	switch s := step.(type) {
	case steps.CreateAttribute:
		here.attributes[key] = Attribute{
			Key: s.Key, Type: s.Type, Array: s.Array, Size: s.Size, Max: s.Max,
		}
	case steps.UpdateAttribute:
		a := here.attributes[key]
		if s.Size != 0 {
			a.Size = s.Size
		}
		here.attributes[key] = a
	case steps.RenameAttribute:
		a, own := here.attributes[key]
		if own { // else it is the other side of a relationship
			delete(here.attributes, key)
			here.attributes[strings.ToLower(s.NewKey)] = a
		}
	case steps.DeleteAttribute:
		if !s.AtOnce { // a tombstone stays until the end of the run
			here.attributes["gone "+key] = here.attributes[key]
		}
		delete(here.attributes, key)
	case steps.CreateRelationship:
		a := Attribute{Key: s.Key, Type: appwrite.TypeRelationship, Relationship: &Relationship{Related: s.Related, TwoWay: s.TwoWay}}
		here.attributes[key] = a
		r.relate(ref.Database, ref.Collection, a, 1)
	case steps.DeleteRelationship:
		a := here.attributes[key]
		delete(here.attributes, key)
		if a.Relationship != nil {
			r.relate(ref.Database, ref.Collection, a, -1)
		}
	case steps.CreateIndex:
		here.indexes++
	case steps.DeleteIndex:
		here.indexes--
	}
}

// shortage says of what there is too much; "" when all fits.
func (r *room) shortage(limits Limits) string {
	attributes, width := len(r.attributes)+r.related, 1067+r.related*RowBytes(Attribute{Type: appwrite.TypeRelationship})
	for a := range maps.Values(r.attributes) {
		width += RowBytes(a)
	}
	switch {
	case limits.Attributes > 0 && attributes > limits.Attributes:
		return fmt.Sprintf("%d attributes for a time, %d at most", attributes, limits.Attributes)
	case limits.RowWidth > 0 && width >= limits.RowWidth:
		return fmt.Sprintf("%d bytes a row for a time, less than %d are allowed", width, limits.RowWidth)
	case limits.Indexes > 0 && r.indexes > limits.Indexes:
		return fmt.Sprintf("%d indexes for a time, those of relationships included, %d at most", r.indexes, limits.Indexes)
	default:
		return ""
	}
}
