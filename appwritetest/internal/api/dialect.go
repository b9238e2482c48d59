package api

import (
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
)

// Dialect is one of the two skins over the same store.
type Dialect string

const (
	// Legacy is /databases with collections, attributes and documents.
	Legacy Dialect = "legacy"
	// TablesDB is /tablesdb with tables, columns and rows.
	TablesDB Dialect = "tablesdb"
)

// Word returns the dialect's word for a canonical parameter, field or path
// segment.
func (d Dialect) Word(canonical string) string {
	if d != TablesDB {
		return canonical
	}
	switch canonical {
	case "collections":
		return "tables"
	case "collectionId":
		return "tableId"
	case "$collectionId":
		return "$tableId"
	case "attributes":
		return "columns"
	case "attribute":
		return "column"
	case "documents":
		return "rows"
	case "documentId":
		return "rowId"
	case "documentSecurity":
		return "rowSecurity"
	case "relatedCollectionId":
		return "relatedTableId"
	case "relatedCollection":
		return "relatedTable"
	}
	return canonical
}

// ErrorType returns the dialect's name for the type of an error.
func (d Dialect) ErrorType(e *apierr.Error) string {
	if d != TablesDB || e.Verbatim {
		return e.Type
	}
	object, rest, _ := strings.Cut(e.Type, "_")
	switch object {
	case "collection":
		return "table_" + rest
	case "document":
		return "row_" + rest
	case "attribute":
		return "column_" + rest
	case "index":
		return "column_index_" + rest
	}
	return e.Type
}

// path returns the dialect's form of a canonical path below /databases.
func (d Dialect) path(canonical string) string {
	if d != TablesDB {
		return canonical
	}
	segments := strings.Split(canonical, "/")
	for i, segment := range segments {
		segments[i] = d.Word(segment)
	}
	segments[1] = "tablesdb"
	return strings.Join(segments, "/")
}
