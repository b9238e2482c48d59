package steps

import (
	"github.com/backstep-dev/backstep/appwrite"
)

// childSide is the word for the side of a relationship that another collection's
// attribute has made.
const childSide = "child"

// selection asks for all fields and for the relationships, which servers since
// 1.8 leave out where they have no column of their own. Earlier ones always show
// them, and lose ids when asked.
func selection(links []string, server appwrite.Capabilities) []string {
	if len(links) == 0 || !server.Timestamps {
		return nil
	}
	names := []string{"*"}
	for _, link := range links {
		names = append(names, link+".*")
	}
	return names
}

// readable reports whether a relationship can be asked for. The parent side of a
// relationship of a collection with itself cannot.
func readable(collection string, attribute appwrite.Attribute) bool {
	r := attribute.Relationship
	return r != nil && attribute.Status == appwrite.StatusAvailable &&
		(r.Related != collection || r.Side == childSide)
}

// many reports whether a relationship leads to a list.
func many(relationship *appwrite.Relationship) bool {
	switch relationship.Type {
	case OneToMany:
		return relationship.Side != childSide
	case ManyToOne:
		return relationship.Side == childSide
	default:
		return relationship.Type == ManyToMany
	}
}

// relatedIDs gives the ids that a relationship's value names, in the server's
// order: that of linking.
func relatedIDs(value any) []string {
	var ids []string
	switch value := value.(type) {
	case string:
		if value != "" {
			ids = append(ids, value)
		}
	case []any:
		for _, element := range value {
			if id, ok := element.(string); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
