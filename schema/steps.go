package schema

import (
	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// Steps gives the steps that make everything in the model, in an order that
// works: database by database, each collection with its attributes and indexes,
// and the relationships of a database when all its collections are there, so
// that cycles between them need no care. The steps are unbound.
func Steps(m Model) []engine.Step {
	var list []engine.Step
	for _, db := range m.Databases {
		list = append(list, steps.CreateDatabase{ID: db.ID, Name: db.Name, Enabled: unlessTrue(db.Enabled), Type: family(db.Type)})
		var relationships []engine.Step
		for _, c := range db.Collections {
			list = append(list, steps.CreateCollection{
				Database: db.ID, ID: c.ID, Name: c.Name, Permissions: c.Permissions,
				DocumentSecurity: c.DocumentSecurity, Enabled: unlessTrue(c.Enabled),
			})
			for _, a := range c.Attributes {
				if a.Relationship == nil {
					list = append(list, createAttribute(db.ID, c.ID, a))
				} else {
					relationships = append(relationships, createRelationship(db.ID, c.ID, a))
				}
			}
			for _, x := range c.Indexes {
				list = append(list, steps.CreateIndex{
					Database: db.ID, Collection: c.ID, Key: x.Key, Type: x.Type,
					Attributes: x.Attributes, Orders: x.Orders, Lengths: x.Lengths,
				})
			}
		}
		list = append(list, relationships...)
	}
	return list
}

// unlessTrue leaves a flag out that is true anyway.
func unlessTrue(flag bool) *bool {
	if flag {
		return nil
	}
	return &flag
}

func createAttribute(database, collection string, a Attribute) engine.Step {
	return steps.CreateAttribute{
		Database: database, Collection: collection, Key: a.Key, Type: a.Type, Size: a.Size, Required: a.Required,
		Default: a.Default, Array: a.Array, Min: a.Min, Max: a.Max, Elements: a.Elements, Encrypt: a.Encrypt,
	}
}

func createRelationship(database, collection string, a Attribute) engine.Step {
	r := a.Relationship
	return steps.CreateRelationship{
		Database: database, Collection: collection, Key: a.Key, Related: r.Related, Type: r.Type,
		TwoWay: r.TwoWay, TwoWayKey: r.TwoWayKey, OnDelete: r.OnDelete,
	}
}

// family names the API to make a database through only where the choice is not
// the usual one: a legacy database made through TablesDB would be hidden from
// apps that list their databases with the older API (1.9).
func family(word string) string {
	if word == appwrite.TypeLegacy {
		return word
	}
	return ""
}
