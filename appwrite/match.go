package appwrite

import (
	"net/http"
	"strings"
)

// Is makes errors.Is match the package's sentinels by the server's error type,
// and by the status where there is no type.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return missing(e.Type)
	case ErrContainerNotFound:
		return e.containerMissing()
	case ErrExists:
		return strings.HasSuffix(e.Type, "_already_exists") || e.Type == "document_unique_constraint_violation"
	case ErrConflict:
		return e.Type == "document_update_conflict" || e.Type == "transaction_conflict"
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Type == "project_id_missing" ||
			e.Status == http.StatusForbidden && e.Type == ""
	case ErrProjectNotFound:
		return e.Type == "project_not_found"
	case ErrRouteNotFound:
		return e.Status == http.StatusNotFound && (e.Type == "" || e.Type == "general_route_not_found")
	case ErrInvalid:
		return e.Status == http.StatusBadRequest
	case ErrUnsupported:
		return e.Type == "general_feature_unsupported"
	case ErrTransactionNotReady:
		return e.Type == "transaction_not_ready" || e.Type == "transaction_expired"
	default:
		return false
	}
}

// missing: the types of absent objects. Absent projects and routes are none.
func missing(kind string) bool {
	switch kind {
	case "database_not_found", "collection_not_found", "attribute_not_found", "index_not_found",
		"document_not_found", "transaction_not_found":
		return true
	default:
		return false
	}
}

// containerMissing compares what is missing with what the path names last.
func (e *Error) containerMissing() bool {
	depth := strings.Count(strings.Trim(e.Path, "/"), "/")
	switch e.Type {
	case "database_not_found":
		return depth > 1 // deeper than /databases/{id}
	case "collection_not_found":
		return depth > 3 // deeper than /databases/{id}/collections/{id}
	default:
		return false
	}
}

// absent is the error for an object that a list does not hold.
func absent(kind, at string) error {
	return &Error{Status: http.StatusNotFound, Type: kind + "_not_found", Method: http.MethodGet, Path: at, Message: "the list has no such " + kind}
}

// unlessTwin refuses an object whose name differs from the one asked for.
func unlessTwin(asked, stored string) error {
	if asked == stored {
		return nil
	}
	return &TwinError{Asked: asked, Stored: stored}
}
