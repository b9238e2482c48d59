package appwrite

// Dialect is one of the two sets of words in which the server's routes are written.
type Dialect string

// The dialects.
const (
	DialectDatabases Dialect = "databases" // collections, attributes, documents
	DialectTablesDB  Dialect = "tablesdb"  // tables, columns, rows; since 1.8
)
