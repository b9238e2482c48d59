package schema

import "slices"

// A two-way relationship can be declared at either of its ends: a parent with
// many children at one is a child with one parent at the other. A model holds
// it once, and which end that is means nothing: both have their key, the server
// keeps the link at the same place, and deleting acts alike.

// end is one side of a two-way relationship.
type end struct{ database, collection, key string }

// ends gives both sides of a two-way relationship, the one that declares it first.
func ends(database, collection string, a Attribute) (here, there end) {
	return end{database, collection, a.Key}, end{database, a.Relationship.Related, a.Relationship.TwoWayKey}
}

func twoWay(a Attribute) bool { return a.Relationship != nil && a.Relationship.TwoWay }

// turned gives a two-way relationship as its other end declares it.
func turned(collection string, a Attribute) Attribute {
	r := *a.Relationship
	a.Key, r.TwoWayKey = r.TwoWayKey, a.Key
	r.Related, r.Type = collection, inverse(r.Type)
	a.Relationship = &r
	return a
}

// turnPairs gives the model with those two-way relationships declared at their
// other end for which turn says so. m is left as it is; what is not turned keeps
// its place.
func turnPairs(m Model, turn func(here, there end, a Attribute) bool) Model {
	out := Model{Databases: slices.Clone(m.Databases)}
	for i := range out.Databases {
		db := &out.Databases[i]
		db.Collections = slices.Clone(db.Collections)
		moved := map[string][]Attribute{}
		for j := range db.Collections {
			col := &db.Collections[j]
			var kept []Attribute
			for _, a := range col.Attributes {
				if twoWay(a) && db.collection(a.Relationship.Related) != nil {
					if here, there := ends(db.ID, col.ID, a); turn(here, there, a) {
						moved[a.Relationship.Related] = append(moved[a.Relationship.Related], turned(col.ID, a))
						continue
					}
				}
				kept = append(kept, a)
			}
			col.Attributes = kept
		}
		for id, attributes := range moved {
			col := db.collection(id)
			col.Attributes = append(col.Attributes, attributes...)
		}
	}
	return out
}

// pairsAtHome puts every two-way relationship at the end where a canonical form
// has it: where there are many, else where the name comes first.
func pairsAtHome(m Model) Model {
	return turnPairs(m, func(here, there end, a Attribute) bool {
		switch a.Relationship.Type {
		case "oneToMany":
			return false
		case "manyToOne":
			return true
		default:
			return there.collection < here.collection || there.collection == here.collection && there.key < here.key
		}
	})
}

// pairsAs gives m with its two-way relationships at the ends at which like has them.
func pairsAs(like, m Model) Model {
	declared := map[end]end{}
	for _, db := range like.Databases {
		for _, col := range db.Collections {
			for _, a := range col.Attributes {
				if twoWay(a) {
					here, there := ends(db.ID, col.ID, a)
					declared[here] = there
				}
			}
		}
	}
	return turnPairs(m, func(here, there end, _ Attribute) bool {
		if _, same := declared[here]; same {
			return false
		}
		back, other := declared[there]
		return other && back == here
	})
}
