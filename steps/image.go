package steps

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
)

// DatabaseImage is a database as the journal records it.
type DatabaseImage struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	// Type is the API that made the database, "legacy" or "tablesdb"; empty on 1.7.
	Type string `json:"type,omitempty"`
}

// CollectionImage is a collection's own fields as the journal records them.
type CollectionImage struct {
	Name             string   `json:"name"`
	Enabled          bool     `json:"enabled"`
	DocumentSecurity bool     `json:"document_security"`
	Permissions      []string `json:"permissions"`
}

// AttributeImage is an attribute's definition as the journal records it: numbers
// and defaults in their canonical form, bounds only where they are set.
type AttributeImage struct {
	Key      string          `json:"key"`
	Type     string          `json:"type"`
	Required bool            `json:"required,omitempty"`
	Array    bool            `json:"array,omitempty"`
	Default  json.RawMessage `json:"default,omitempty"`
	Size     int64           `json:"size,omitempty"`
	Encrypt  bool            `json:"encrypt,omitempty"`
	Min      json.Number     `json:"min,omitempty"`
	Max      json.Number     `json:"max,omitempty"`
	Elements []string        `json:"elements,omitempty"`
}

// RelationshipImage is a relationship as the journal records it, always seen
// from its parent's side.
type RelationshipImage struct {
	Collection string `json:"collection"`
	Key        string `json:"key"`
	Related    string `json:"related"`
	Type       string `json:"type"`
	TwoWay     bool   `json:"two_way,omitempty"`
	TwoWayKey  string `json:"two_way_key"`
	OnDelete   string `json:"on_delete"`
}

// IndexImage is an index's definition as the journal records it.
type IndexImage struct {
	Key        string   `json:"key"`
	Type       string   `json:"type"`
	Attributes []string `json:"attributes"`
	Orders     []string `json:"orders,omitempty"`
	Lengths    []int    `json:"lengths,omitempty"`
}

// imageOfDatabase drops what the server keeps for itself.
func imageOfDatabase(d appwrite.Database) DatabaseImage {
	return DatabaseImage{Name: d.Name, Enabled: d.Enabled, Type: d.Type}
}

// imageOfCollection drops what the server keeps for itself.
func imageOfCollection(c appwrite.Collection) CollectionImage {
	return CollectionImage{
		Name:             c.Name,
		Enabled:          c.Enabled,
		DocumentSecurity: c.DocumentSecurity,
		Permissions:      append([]string{}, c.Permissions...),
	}
}

// equal compares two images; the order of permissions means nothing, and
// write(…) means create, update and delete.
func (i CollectionImage) equal(other CollectionImage) bool {
	i.Permissions, other.Permissions = permissionSet(i.Permissions), permissionSet(other.Permissions)
	return same(i, other)
}

// permissionSet sorts permissions and writes out the aggregate write(…) as the
// server does.
func permissionSet(permissions []string) []string {
	set := []string{}
	for _, p := range permissions {
		role, aggregate := strings.CutPrefix(p, "write(")
		if !aggregate {
			set = append(set, p)
			continue
		}
		for _, action := range []string{"create(", "update(", "delete("} {
			set = append(set, action+role)
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// imageOfAttribute brings an attribute to its canonical form.
func imageOfAttribute(a appwrite.Attribute) AttributeImage {
	image := AttributeImage{
		Key:      a.Key,
		Type:     a.Type,
		Required: a.Required,
		Array:    a.Array,
		Default:  canonicalValue(a.Default),
		Encrypt:  a.Encrypt,
		Elements: slices.Clone(a.Elements),
	}
	if sized(a.Type) {
		image.Size = a.Size
	}
	if ranged(a.Type) {
		image.Min, image.Max = canonicalBound(a.Type, a.Min), canonicalBound(a.Type, a.Max)
	}
	return image
}

// canonicalBound gives a bound one form, and none where it is the limit of the
// type anyway.
func canonicalBound(kind string, n json.Number) json.Number {
	if n == "" {
		return ""
	}
	n = canonicalNumber(n)
	if kind != appwrite.TypeFloat && (n == "-9223372036854775808" || n == "9223372036854775807") {
		return ""
	}
	if f, err := n.Float64(); err != nil || math.Abs(f) == math.MaxFloat64 {
		return ""
	}
	return n
}

// attribute gives the definition to create.
func (i AttributeImage) attribute() appwrite.Attribute {
	return appwrite.Attribute{
		Key:      i.Key,
		Type:     i.Type,
		Required: i.Required,
		Array:    i.Array,
		Default:  i.Default,
		Size:     i.Size,
		Encrypt:  i.Encrypt,
		Min:      i.Min,
		Max:      i.Max,
		Elements: i.Elements,
	}
}

// bare gives the definition in which an attribute comes back before its values
// do: optional and without default, so that nothing is refused or invented.
func (i AttributeImage) bare() AttributeImage {
	i.Required, i.Default = false, nil
	return i
}

// imageOfRelationship turns a relationship attribute, read from either side of
// it, into the image seen from the parent.
func imageOfRelationship(collection string, a appwrite.Attribute) RelationshipImage {
	r := a.Relationship
	image := RelationshipImage{
		Collection: collection,
		Key:        a.Key,
		Related:    r.Related,
		Type:       r.Type,
		TwoWay:     r.TwoWay,
		TwoWayKey:  r.TwoWayKey,
		OnDelete:   r.OnDelete,
	}
	if r.Side == childSide {
		image.Collection, image.Key = r.Related, r.TwoWayKey
		image.Related, image.TwoWayKey = collection, a.Key
	}
	return image
}

// attribute gives the definition to create in the parent collection.
func (i RelationshipImage) attribute() appwrite.Attribute {
	return appwrite.Attribute{
		Key:  i.Key,
		Type: appwrite.TypeRelationship,
		Relationship: &appwrite.Relationship{
			Related:   i.Related,
			Type:      i.Type,
			TwoWay:    i.TwoWay,
			TwoWayKey: i.TwoWayKey,
			OnDelete:  i.OnDelete,
		},
	}
}

// imageOfIndex brings an index to its canonical form.
func imageOfIndex(x appwrite.Index) IndexImage {
	image := IndexImage{Key: x.Key, Type: x.Type, Attributes: slices.Clone(x.Attributes)}
	for _, order := range x.Orders {
		image.Orders = append(image.Orders, strings.ToUpper(order))
	}
	if slices.ContainsFunc(x.Lengths, func(n int) bool { return n != 0 }) {
		image.Lengths = slices.Clone(x.Lengths)
	}
	return image
}

// index gives the definition to create. Empty orders at the end are what the
// server shows of lists and behind the last order given: it adds them itself.
func (i IndexImage) index() appwrite.Index {
	orders := i.Orders
	for len(orders) > 0 && orders[len(orders)-1] == "" {
		orders = orders[:len(orders)-1]
	}
	return appwrite.Index{Key: i.Key, Type: i.Type, Attributes: i.Attributes, Orders: orders, Lengths: i.Lengths}
}

// listLength is the length that servers which index lists give to every one of
// them, with null for an order, whatever they are asked for (APPWRITE 1.7, 1.8).
const listLength = 255

// equal reports whether a live index is what was asked for. What the server
// decides about lists is let pass; without an order it is ASC.
func (i IndexImage) equal(live IndexImage) bool {
	if i.Key != live.Key || i.Type != live.Type || !slices.Equal(i.Attributes, live.Attributes) {
		return false
	}
	for n := range i.Attributes {
		onList := n < len(live.Orders) && live.Orders[n] == "" && at(live.Lengths, n) == listLength
		if onList {
			continue
		}
		if at(i.Lengths, n) != at(live.Lengths, n) || orderAt(i.Orders, n) != orderAt(live.Orders, n) {
			return false
		}
	}
	return true
}

// orderAt gives the order of the n-th attribute of an index.
func orderAt(orders []string, n int) string { return cmp.Or(at(orders, n), "ASC") }

// at gives the n-th element, or the zero value behind the end.
func at[T any](list []T, n int) T {
	var zero T
	if n >= len(list) {
		return zero
	}
	return list[n]
}

// sized reports whether attributes of the type have a size to choose.
func sized(kind string) bool { return kind == appwrite.TypeString || kind == appwrite.TypeVarchar }

// ranged reports whether attributes of the type have bounds.
func ranged(kind string) bool {
	return kind == appwrite.TypeInteger || kind == appwrite.TypeBigInt || kind == appwrite.TypeFloat
}

// matches reports whether a live database is what was asked for; a type that
// was not asked for does not count. Servers before 1.8 tell no type: all they
// have is legacy.
func (i DatabaseImage) matches(live DatabaseImage) bool {
	if i.Type == "" || live.Type == "" && i.Type == appwrite.TypeLegacy {
		i.Type, live.Type = "", ""
	}
	return same(i, live)
}

// collection gives the collection to create or to write.
func (i CollectionImage) collection(database, id string) appwrite.Collection {
	return appwrite.Collection{
		ID:               id,
		DatabaseID:       database,
		Name:             i.Name,
		Enabled:          i.Enabled,
		DocumentSecurity: i.DocumentSecurity,
		Permissions:      append([]string{}, i.Permissions...),
	}
}
