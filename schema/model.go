// Package schema holds what databases look like: one model for what a file
// declares and for what a live project has, the readers that fill it, the checks
// that say which servers can hold it, the comparison of two, and the steps that
// make it.
package schema

import (
	"encoding/json"
	"fmt"
)

// Model is the shape of a project's databases, without documents. It is in
// canonical form when it comes from Read or Live: what Appwrite assumes is left
// out (limits of a type as bounds, "ASC" at the end of orders), so that equal
// meaning is equal fields.
type Model struct {
	Databases []Database
}

// Database is one database and its collections, in the order they were declared.
type Database struct {
	ID      string
	Name    string
	Enabled bool
	// Type is the API family that the database was made with, "legacy" or
	// "tablesdb"; "" when it is not known. It is not compared: both families
	// read and write either.
	Type        string
	Collections []Collection
	At          Position
}

// Collection is one collection (a table in TablesDB words).
type Collection struct {
	ID               string
	Name             string
	Enabled          bool
	DocumentSecurity bool
	Permissions      []string // as Appwrite stores them, such as `read("any")`; "write" expanded, sorted, without duplicates
	Attributes       []Attribute
	Indexes          []Index
	At               Position
}

// Attribute is one attribute (a column in TablesDB words).
type Attribute struct {
	Key string
	// Type is the word of the endpoint that makes the attribute: string,
	// varchar, text, mediumtext, longtext, integer, bigint, float, boolean,
	// datetime, email, enum, ip, url, relationship, point, line or polygon.
	Type     string
	Required bool
	Array    bool
	Default  json.RawMessage // nil: none
	Size     int64           // characters; only string and varchar have one
	Encrypt  bool
	Min, Max json.Number // "" : the limit of the type
	Elements []string    // of an enum
	// Relationship is set on relationships only. A model holds a two-way pair
	// once, at its parent.
	Relationship *Relationship
	At           Position
}

// Relationship is what an attribute of type relationship adds.
type Relationship struct {
	Related   string // id of the related collection, in the same database
	Type      string // oneToOne, oneToMany, manyToOne or manyToMany, seen from the parent
	TwoWay    bool
	TwoWayKey string // key on the other side; one-way relationships have one too, hidden
	OnDelete  string // cascade, restrict or setNull
}

// Index is one index.
type Index struct {
	Key        string
	Type       string // key, unique, fulltext or spatial
	Attributes []string
	Orders     []string // ASC or DESC for each attribute; may be shorter, the rest is ASC
	Lengths    []int    // characters of each attribute, 0 for all of it; may be shorter
	At         Position
}

// Position is a place in a file. The zero value means that the object does not
// come from a file.
type Position struct {
	File   string
	Path   string // JSON path: $.collections[3].attributes[0].max
	Line   int    // from 1
	Column int    // from 1, in bytes
}

// before tells whether p comes first in a file that both are in.
func (p Position) before(q Position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// String gives the position as "file:line:column: path".
func (p Position) String() string {
	switch {
	case p.File == "":
		return p.Path
	case p.Line == 0:
		return p.File
	case p.Path == "":
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Path)
	}
}
