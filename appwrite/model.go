package appwrite

import (
	"encoding/json"
)

// Database is a database of the project.
type Database struct {
	ID      string
	Name    string
	Enabled bool
	// Type is the API that made the database: "legacy" or "tablesdb". It is
	// empty on 1.7. CreateDatabase makes the database through the API named
	// here, or through the client's own dialect when it is empty.
	Type      string
	CreatedAt string
	UpdatedAt string
}

// The types of a database.
const (
	TypeLegacy   = "legacy"
	TypeTablesDB = "tablesdb"
)

// Collection is a collection, which Appwrite's newer words call a table.
type Collection struct {
	ID               string
	DatabaseID       string
	Name             string
	Enabled          bool
	DocumentSecurity bool
	// Permissions are those of the collection. Nil means "as they are" in an
	// update and "none" in a creation; an empty list means none in both.
	Permissions []string
	// Attributes and Indexes are all the collection has, in any status. In a
	// creation they ask for an inline schema, see CreateCollection.
	Attributes []Attribute
	Indexes    []Index
	// BytesMax and BytesUsed are the width of a record, allowed and taken.
	// Both are 0 before 1.9; BytesMax is 0 where the backend has no limit.
	BytesMax  int64
	BytesUsed int64
	CreatedAt string
	UpdatedAt string
}

// The attribute types, which are the words of the creating routes.
const (
	TypeString       = "string"
	TypeVarchar      = "varchar"
	TypeText         = "text"
	TypeMediumText   = "mediumtext"
	TypeLongText     = "longtext"
	TypeInteger      = "integer"
	TypeBigInt       = "bigint"
	TypeFloat        = "float"
	TypeBoolean      = "boolean"
	TypeDatetime     = "datetime"
	TypeEmail        = "email"
	TypeEnum         = "enum"
	TypeIP           = "ip"
	TypeURL          = "url"
	TypePoint        = "point"
	TypeLine         = "line"
	TypePolygon      = "polygon"
	TypeRelationship = "relationship"
)

// The statuses of attributes and indexes.
const (
	StatusProcessing = "processing"
	StatusAvailable  = "available"
	StatusDeleting   = "deleting"
	StatusStuck      = "stuck"
	StatusFailed     = "failed"
)

// Attribute is a field of a collection's documents.
type Attribute struct {
	Key string
	// Type is one of the Type constants. A type that this package does not
	// know is given as the server spells it.
	Type string
	// Status and Error are what the server's worker reports; both are ignored
	// when the attribute is created.
	Status   string
	Error    string
	Required bool
	Array    bool
	// Default is the default as JSON; nil means none. What the server shows
	// here and what it applies to new documents can differ: writing null does
	// not clear a default (see UpdateAttribute).
	Default json.RawMessage
	// Size is the length in characters, of string and varchar only.
	Size    int64
	Encrypt bool
	// Min and Max bound integer, bigint and float. They are "" when unset,
	// also where the server echoes the limits of the type.
	Min json.Number
	Max json.Number
	// Elements are the values of an enum.
	Elements []string
	// Relationship is set for relationships, and only for them.
	Relationship *Relationship
	CreatedAt    string
	UpdatedAt    string
}

// Relationship is what a relationship attribute has besides its key.
type Relationship struct {
	Related   string // id of the related collection
	Type      string // oneToOne, oneToMany, manyToOne or manyToMany
	TwoWay    bool
	TwoWayKey string
	OnDelete  string // restrict, cascade or setNull
	Side      string // parent or child; ignored when created
}

// Unlimited removes a bound, as Min or Max of an AttributePatch.
const Unlimited json.Number = "unlimited"

// AttributePatch changes an attribute. Type must be the attribute's own: the
// server does not refuse another one but damages the attribute.
type AttributePatch struct {
	Type string
	// Required and Default are always sent: the server has no way to keep
	// them. A nil Default is null, for required and array attributes too.
	Required bool
	Default  json.RawMessage
	Size     *int64      // nil keeps it; string and varchar only
	Min      json.Number // "" keeps it, Unlimited removes it
	Max      json.Number // "" keeps it, Unlimited removes it
	Elements []string    // must be given in full for an enum
	NewKey   string      // "" keeps the key
}

// RelationshipPatch changes a relationship. Empty fields keep what is there.
type RelationshipPatch struct {
	OnDelete string
	NewKey   string
}

// Index is an index of a collection.
type Index struct {
	Key        string
	Type       string // key, unique, fulltext or spatial
	Status     string
	Error      string
	Attributes []string
	// Orders holds ASC, DESC or "" for each attribute, or fewer.
	Orders []string
	// Lengths holds the indexed length for each attribute; 0 is all of it.
	Lengths   []int
	CreatedAt string
	UpdatedAt string
}

// Document is one document. Data holds the user's fields and nothing else.
type Document struct {
	ID string
	// Sequence is the insertion order; empty on 1.7. Ignored on input.
	Sequence string
	// CreatedAt and UpdatedAt are set by the server when they are empty. The
	// server keeps those given here since 1.8.
	CreatedAt string
	UpdatedAt string
	// Permissions are the document's own; nil means none.
	Permissions []string
	// Data holds JSON values: nil, bool, string, json.Number, []any, and
	// map[string]any where a value is an object. A related document appears
	// as its id, related documents as a list of ids.
	Data map[string]any
}

// DocumentPatch changes a document: fields that Data does not name stay as they
// are, nil Permissions too.
type DocumentPatch struct {
	Data        map[string]any
	Permissions *[]string
	// UpdatedAt sets the document's $updatedAt instead of the server's clock,
	// where Data names a field and since 1.8; it is ignored elsewhere. A time
	// before the stored one hides the change from every guard, so it is only
	// for putting a document back as it was.
	UpdatedAt string
}

// Guard is what a caller believes about a document it is about to change. The
// zero value believes nothing.
type Guard struct {
	// UpdatedAt is the document's $updatedAt as it was read. When the document
	// has been changed since, nothing is written and the error is ErrConflict.
	// How tight that holds depends on Capabilities.CAS.
	UpdatedAt string
}

// Page is one page of documents.
type Page struct {
	// Total is how many documents match, at most 5000 (the server stops
	// counting there); see CountDocuments.
	Total     int64
	Documents []Document
}

// WalkOptions say how a collection is walked.
type WalkOptions struct {
	// Queries filter; they must neither order, limit nor hold a cursor.
	Queries []string
	// Select names the attributes to read; empty means all but relationships
	// without a column of their own.
	Select []string
	// PageSize is how many documents a page holds at most; 0 means 100.
	PageSize int
	// After continues a walk behind this document. On 1.8 and later its
	// Sequence is used, on 1.7 its ID. Nil starts at the beginning.
	After *Document
}

// Transaction is a server-side transaction (1.8 and later).
type Transaction struct {
	ID         string
	Status     string
	Operations int64
	ExpiresAt  string
}

// The statuses of a transaction. "committed" means applied and "failed" means
// not applied; both others leave it open, after a commit that failed too.
const (
	TransactionPending    = "pending"
	TransactionCommitting = "committing"
	TransactionCommitted  = "committed"
	TransactionFailed     = "failed"
)

// Action is what a staged operation does.
type Action string

// The actions of staged operations.
const (
	ActionCreate     Action = "create"
	ActionUpdate     Action = "update"
	ActionUpsert     Action = "upsert"
	ActionDelete     Action = "delete"
	ActionIncrement  Action = "increment"
	ActionDecrement  Action = "decrement"
	ActionBulkCreate Action = "bulkCreate"
	ActionBulkUpdate Action = "bulkUpdate"
	ActionBulkUpsert Action = "bulkUpsert"
	ActionBulkDelete Action = "bulkDelete"
)

// Operation is one operation of a transaction. Which fields count depends on
// Action: Document and Data for the single ones, Attribute and By (Min, Max)
// for increment and decrement, Documents for bulkCreate and bulkUpsert,
// Queries (and Data) for bulkUpdate and bulkDelete.
type Operation struct {
	Action      Action
	Database    string
	Collection  string
	Document    string
	Data        map[string]any
	Permissions *[]string
	Documents   []Document
	Queries     []string
	Attribute   string
	By          json.Number
	Min         json.Number
	Max         json.Number
}

// Awaited names an attribute or an index that is being waited for.
type Awaited struct {
	Collection string
	Attribute  string // either this
	Index      string // or this
}

// Server is what is known about the server that a client talks to.
type Server struct {
	// Version is the release, such as "1.9.6"; "" when it hides it, the
	// capabilities are then those of the oldest release it can be.
	Version      string
	Dialect      Dialect
	Capabilities Capabilities
}

// CAS says how tightly a guarded write holds (compare and set).
type CAS string

// The levels of compare and set.
const (
	// CASLocked: the server compares while it holds the record.
	CASLocked CAS = "locked"
	// CASNarrow: the comparison is part of the write's filter where the
	// collection has no relationships, and just before the write elsewhere.
	CASNarrow CAS = "narrow"
	// CASNone: read, compare, write, read again. Another writer can come
	// between, and is noticed only when it wrote other fields.
	CASNone CAS = "none"
)

// Capabilities are what a server can do. They follow from its version.
type Capabilities struct {
	Transactions bool // since 1.8.0
	InlineSchema bool // attributes and indexes in CreateCollection, since 1.9.0
	Bulk         bool // since 1.7.0
	Operators    bool // JSON operators as values, since 1.8.1
	Timestamps   bool // $createdAt and $updatedAt set by the client, since 1.8.0
	Increment    bool // since 1.8.0
	CAS          CAS
	Sequence     bool // $sequence on documents, since 1.8.0
	BigInt       bool // attribute type, since 1.9.5
	TextTypes    bool // varchar, text, mediumtext, longtext, since 1.9.0
	Spatial      bool // point, line, polygon, since 1.8.0
	// ArrayIndexes: arrays can be indexed, before 1.9.0.
	ArrayIndexes bool
	// FalseUnique: a unique index over duplicates is said to be available and
	// does not exist, since 1.9.0.
	FalseUnique bool
	// BulkDefaults: bulk writes overwrite every attribute that has a default
	// and is not named, before 1.8.0.
	BulkDefaults bool
	// Backend is "mariadb" before 1.9; "" is not known, see Client.Backend.
	Backend string
}
