// Package catalog holds databases, collections, attributes and indexes, and
// every rule about changing them. It is twofold, as in the real server: the
// API schema is what clients read, and includes attributes that are still
// processing or have failed; the effective schema is what records are
// validated against. Requests change the first, the worker carries changes
// over to the second.
//
// Nothing here locks: the caller holds the project lock.
package catalog

import (
	"slices"
	"time"
)

// Status is the state of an attribute or index.
type Status string

// The states of APPWRITE §10.2.
const (
	Processing Status = "processing"
	Available  Status = "available"
	Deleting   Status = "deleting"
	Stuck      Status = "stuck"
	Failed     Status = "failed"
)

// Storage types of attributes.
const (
	TypeString       = "string"
	TypeVarchar      = "varchar"
	TypeText         = "text"
	TypeMediumText   = "mediumtext"
	TypeLongText     = "longtext"
	TypeInteger      = "integer"
	TypeBigInt       = "bigint"
	TypeDouble       = "double"
	TypeBoolean      = "boolean"
	TypeDatetime     = "datetime"
	TypeRelationship = "relationship"
	TypePoint        = "point"
	TypeLine         = "linestring"
	TypePolygon      = "polygon"
)

// Formats of attributes, narrowing their type.
const (
	FormatEmail  = "email"
	FormatEnum   = "enum"
	FormatIP     = "ip"
	FormatURL    = "url"
	FormatInt    = "intRange"
	FormatBigInt = "bigintRange"
	FormatFloat  = "floatRange"
)

// Database is a container of collections.
type Database struct {
	ID        string
	Sequence  int64 // tells apart databases that had the same id in turn
	Name      string
	Enabled   bool
	Type      string // "legacy" or "tablesdb", by the dialect that created it
	CreatedAt time.Time
	UpdatedAt time.Time

	collections roll[*Collection]
}

// Collections returns the collections in order of creation.
func (d *Database) Collections() []*Collection { return slices.Clone(d.collections.all) }

// Collection is a container of records. Its sequence is its table's number in
// the store.
type Collection struct {
	ID               string
	Sequence         int64 // tells apart collections that had the same id in turn
	Database         *Database
	Name             string
	Enabled          bool
	DocumentSecurity bool
	Permissions      []string
	CreatedAt        time.Time
	UpdatedAt        time.Time

	// Attributes and Indexes are the API schema, in order of creation.
	Attributes []*Attribute
	Indexes    []*Index

	// Schema is what records are validated against.
	Schema Schema
}

// Definition is what an attribute stores, apart from its state.
type Definition struct {
	Key      string
	Column   int64  // its number in the store; 0 until storage has it
	Type     string // one of the Type constants
	Format   string // one of the Format constants, or ""
	Size     int    // characters of strings; 4 or 8 bytes of integers
	Required bool
	Array    bool
	Default  any // nil, or a value of package phpjson
	Encrypt  bool
	Unsigned bool     // of a number that came inline: nothing below 0
	Min, Max any      // int64 or float64 by type; nil where the type has no range
	Elements []string // of an enum
	Relation *Relation
	// Lost marks the parent side of a relationship of a collection with itself:
	// storage forgets it while it adds the child side.
	Lost bool
}

// Relation is one side of a relationship.
type Relation struct {
	Collection string // id of the related collection, in the same database
	Sequence   int64  // of the related collection
	Type       string // oneToOne, oneToMany, manyToOne, manyToMany, as the parent sees it
	TwoWay     bool
	TwoWayKey  string // key on the other side, hidden there unless TwoWay
	OnDelete   string // cascade, restrict, setNull
	Side       string // parent or child
}

// Attribute is an attribute as clients see it.
type Attribute struct {
	Definition
	Status    Status
	Error     string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// IndexDefinition is what an index covers.
type IndexDefinition struct {
	Key        string
	Type       string // key, fulltext, unique, spatial
	Attributes []string
	Lengths    []int    // one for each attribute; 0 (in a request also WholeValue) is the whole value
	Orders     []string // as sent; "" where an array has none
}

// Index is an index as clients see it.
type Index struct {
	IndexDefinition
	ID        string
	Status    Status
	Error     string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Schema is the effective schema of a collection.
type Schema struct {
	Attributes []Definition
	Indexes    []PhysicalIndex
}

// PhysicalIndex is an index in storage. A unique index built over duplicate
// values on 1.9 is there but not Enforced.
type PhysicalIndex struct {
	IndexDefinition
	Number   int64 // its number in the store
	Enforced bool
}

// Attribute returns the definition with exactly this key, or nil.
func (s *Schema) Attribute(key string) *Definition {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			return &s.Attributes[i]
		}
	}
	return nil
}

// index returns the index with a key, or nil.
func (s *Schema) index(key string) *PhysicalIndex {
	for i := range s.Indexes {
		if s.Indexes[i].Key == key {
			return &s.Indexes[i]
		}
	}
	return nil
}

// Unique returns the unique indexes that writes must respect.
func (s *Schema) Unique() []PhysicalIndex {
	var unique []PhysicalIndex
	for _, index := range s.Indexes {
		if index.Type == "unique" && index.Enforced {
			unique = append(unique, index)
		}
	}
	return unique
}
