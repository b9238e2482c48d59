package appwrite

import "strings"

// Dialect is one of the two sets of words in which the server's routes are
// written. Both are skins over one store.
type Dialect string

// The dialects.
const (
	DialectDatabases Dialect = "databases" // collections, attributes, documents
	DialectTablesDB  Dialect = "tablesdb"  // tables, columns, rows; since 1.8
)

// words are a dialect's names in paths and requests. Answers are read by field
// names of both (wire.go), since no two of them mean different things.
type words struct {
	base       string // of every path
	collection string // singular; plural in paths and lists
	attribute  string
	document   string
	security   string // the flag of a collection
	related    string // the target in a new relationship
}

func (d Dialect) words() words {
	if d == DialectTablesDB {
		return words{
			base: "tablesdb", collection: "table", attribute: "column", document: "row",
			security: "rowSecurity", related: "relatedTableId",
		}
	}
	return words{
		base: "databases", collection: "collection", attribute: "attribute", document: "document",
		security: "documentSecurity", related: "relatedCollectionId",
	}
}

// The prefixes of error types that TablesDB renames; longer ones first.
var renamedTypes = [...]struct{ theirs, classic string }{ //nolint:gochecknoglobals // a table
	{"column_index_", "index_"},
	{"column_", "attribute_"},
	{"table_", "collection_"},
	{"row_", "document_"},
}

// classicType gives an error type in classic words. The server itself slips
// between the two sets, so both are understood everywhere.
func classicType(kind string) string {
	for _, r := range renamedTypes {
		if rest, ok := strings.CutPrefix(kind, r.theirs); ok {
			return r.classic + rest
		}
	}
	return kind
}
