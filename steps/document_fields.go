package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
)

// shape is what a document step has to know about a collection.
type shape struct {
	attributes map[string]appwrite.Attribute
	links      []string // keys of the relationships, sorted
	server     appwrite.Capabilities
}

// readShape reads a collection's attributes by a list query.
func readShape(ctx context.Context, p place) (shape, error) {
	server, err := p.client.Detect(ctx)
	if err != nil {
		return shape{}, err
	}
	collection, err := p.client.FindCollection(ctx, p.database, p.collection)
	if err != nil {
		return shape{}, err
	}
	return newShape(collection, server.Capabilities), nil
}

func newShape(collection appwrite.Collection, server appwrite.Capabilities) shape {
	f := shape{attributes: make(map[string]appwrite.Attribute, len(collection.Attributes)), server: server}
	for _, attribute := range collection.Attributes {
		f.attributes[attribute.Key] = attribute
		if readable(collection.ID, attribute) {
			f.links = append(f.links, attribute.Key)
		}
	}
	slices.Sort(f.links)
	return f
}

// hasDefault reports whether the server puts a default where null is written.
func (f shape) hasDefault(key string) bool {
	value := f.attributes[key].Default
	return len(value) > 0 && string(value) != "null"
}

// nullable reports whether null can be stored under a default: only by a bulk
// write, which collections with relationships refuse and which 1.7 fills with
// defaults.
func (f shape) nullable() bool {
	return f.server.Bulk && !f.server.BulkDefaults && len(f.links) == 0
}

// route is how a value will be sent.
type route int

const (
	byPost  route = iota + 1 // create: never read as an operator
	byPatch                  // update
)

// check refuses values that the server would refuse, or would take for
// something else than they are.
func (f shape) check(kind string, data map[string]any, how route) error {
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if reason := f.fault(key, data[key], how); reason != "" {
			return &FieldError{Kind: kind, Field: "data." + key, Reason: reason}
		}
	}
	return nil
}

// fault says what is wrong with one value, or "".
func (f shape) fault(key string, value any, how route) string {
	attribute, known := f.attributes[key]
	switch {
	case !known:
		return "names no attribute of the collection"
	case attribute.Relationship != nil:
		return linkFault(attribute.Relationship, value)
	case isEmpty(value) && f.hasDefault(key) && how == byPost:
		return "would become the attribute's default: leave the field out, or update it to null afterwards"
	case isEmpty(value) && f.hasDefault(key) && !f.nullable():
		return "cannot be null: the server puts the attribute's default in its place"
	case how == byPatch && f.server.Operators && appwrite.LooksLikeOperator(value):
		return "would be taken for an operator: such text can only be written when the document is created"
	}
	list, isList := value.([]any)
	if !isList || !attribute.Array {
		list = []any{value}
	}
	for _, element := range list {
		if reason := elementFault(attribute, element, isList); reason != "" {
			return reason
		}
	}
	return ""
}

// elementFault says what is wrong with one element of a value, or "".
func elementFault(attribute appwrite.Attribute, element any, inList bool) string {
	switch element := element.(type) {
	case map[string]any:
		return "is an object, and attributes hold none"
	case nil:
		if inList && attribute.Array && !isText(attribute) {
			return "has a null element, which the server would turn into another value"
		}
	case string:
		if _, ok := parseTime(element); attribute.Type == appwrite.TypeDatetime && !ok {
			return fmt.Sprintf("is no date that always means the same (%q): write it as 2006-01-02T15:04:05.000+00:00", element)
		}
	}
	return ""
}

// isText reports whether null elements survive in an array of the attribute.
func isText(attribute appwrite.Attribute) bool {
	switch attribute.Type {
	case appwrite.TypeInteger, appwrite.TypeBigInt, appwrite.TypeFloat, appwrite.TypeBoolean:
		return false
	default:
		return true
	}
}

// linkFault says why a value is not the id, or the list of ids, that a
// relationship takes. Objects, which would create or change the related
// document on the way, are refused.
func linkFault(relationship *appwrite.Relationship, value any) string {
	if isEmpty(value) {
		return ""
	}
	if !many(relationship) {
		if _, ok := value.(string); !ok {
			return "must be the id of a " + relationship.Related + " document, or null"
		}
		return ""
	}
	list, ok := value.([]any)
	if !ok {
		return "must be a list of ids of " + relationship.Related + " documents"
	}
	for _, element := range list {
		if _, ok := element.(string); !ok {
			return "must be a list of ids of " + relationship.Related + " documents"
		}
	}
	return ""
}

// filled gives the value that the server stores for wanted in a new document.
func (f shape) filled(key string, wanted map[string]any) (any, error) {
	if value := wanted[key]; !isEmpty(value) || !f.hasDefault(key) {
		return value, nil
	}
	var value any
	err := decodeStrict(f.attributes[key].Default, &value)
	return value, err
}

// holdsDefault reports whether a document holds the attribute's default.
func (f shape) holdsDefault(key string, live documentImage) bool {
	value, err := f.filled(key, nil)
	return err == nil && !isEmpty(value) && holds(f.attributes[key], value, live.Data[key])
}

// document checks the names, field names and permissions of a document step.
func (c *check) document(database, collection, id string, data map[string]any, permissions []string) {
	c.id("database", database)
	c.id("collection", collection)
	c.id("id", id)
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if strings.HasPrefix(key, "$") {
			c.fail("data."+key, "is not a field of the document's own")
		}
	}
	c.permissions("permissions", permissions)
	for _, permission := range permissions {
		if strings.HasPrefix(permission, "create(") {
			c.fail("permissions", "%s: a document has no permission to create", permission)
		}
	}
}
