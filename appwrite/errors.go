package appwrite

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What can be asked of an error with errors.Is. A server's error matches by its
// type, never by its text.
var (
	// ErrNotFound: the object, or a container of it, does not exist.
	ErrNotFound = errors.New("not found")
	// ErrContainerNotFound: the database or collection that should hold the
	// object does not exist. Such an error is ErrNotFound too.
	ErrContainerNotFound = errors.New("container not found")
	// ErrExists: the id or key, or a unique value, is taken.
	ErrExists = errors.New("already exists")
	// ErrConflict: the object has been changed since it was read, or a
	// transaction collided with another write. Nothing was written.
	ErrConflict = errors.New("changed meanwhile")
	// ErrOverlapped: the guarded write happened, and somebody else wrote to
	// the same document at the same time. Only where CAS is CASNone.
	ErrOverlapped = errors.New("somebody else wrote at the same time")
	// ErrUnauthorized: the key is wrong, expired, of another project, or lacks
	// a scope.
	ErrUnauthorized = errors.New("not authorized")
	// ErrProjectNotFound: the server has no project of this id.
	ErrProjectNotFound = errors.New("no such project")
	// ErrRouteNotFound: the endpoint has no such route; it is wrong, or no
	// Appwrite of a supported version.
	ErrRouteNotFound = errors.New("no such route")
	// ErrInvalid: the server, or this package before it sent anything, refused
	// what the request says.
	ErrInvalid = errors.New("invalid request")
	// ErrUnsupported: the server's version cannot do this.
	ErrUnsupported = errors.New("not supported by this server")
	// ErrUnsafe: the server would do more than was asked, so nothing was sent.
	ErrUnsafe = errors.New("not safe on this server")
	// ErrTooLarge: the request or the response exceeds a size limit.
	ErrTooLarge = errors.New("too large")
	// ErrReadOnly: the client is read-only and the request would write.
	ErrReadOnly = errors.New("client is read-only")
	// ErrGuard: a guard forbade the request, so nothing was sent. The guard's
	// own error is beside it.
	ErrGuard = errors.New("forbidden by the guard")
	// ErrTransactionNotReady: the transaction is finished, failed or expired.
	ErrTransactionNotReady = errors.New("transaction not ready")
	// ErrTimeout: the attempt took longer than the client allows.
	ErrTimeout = errors.New("timed out")
)

// Error is an answer of the server that is not a success, or an answer that
// makes no sense. It never holds the API key.
type Error struct {
	Status int // HTTP status; 404 for an object that a list does not hold
	// Type is the server's error type in classic words: a table_not_found is
	// given as collection_not_found. It is "" when the answer has none.
	Type   string
	Method string
	Path   string // below the endpoint, without its query
	// Message is the server's text. It is for people: it differs from version
	// to version.
	Message string
	// After is how long the server asked to wait; 0 when it did not.
	After time.Duration

	version string // the server's, which every error of Appwrite's shows
}

// RetryAfter is After, as code that retries asks for it.
func (e *Error) RetryAfter() time.Duration { return e.After }

// Error names the request, the status and the type.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", e.Method, e.Path, e.Status)
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// TransportError is a request without an answer.
type TransportError struct {
	Method string
	Path   string // below the endpoint, without its query
	// Sent says that the request may have reached the server, so that it may
	// act on it, now or later.
	Sent bool
	Err  error
}

// Error names the request and what went wrong.
func (e *TransportError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Method, e.Path, e.Err)
}

// Unwrap gives the cause, such as context.Canceled, ErrTimeout or a network error.
func (e *TransportError) Unwrap() error { return e.Err }

// StatusError is an attribute or index that will not reach the status waited for.
type StatusError struct {
	Database string
	Ref      Awaited
	Status   string // the last one seen; "" when the object is gone
	Detail   string // the server's words, or how long was waited
	Err      error  // ErrNotFound when it is gone, or why waiting ended before the status was final
}

// Error names the object, its status and the server's words.
func (e *StatusError) Error() string {
	what, key := "attribute", e.Ref.Attribute
	if e.Ref.Index != "" {
		what, key = "index", e.Ref.Index
	}
	status := e.Status
	if status == "" {
		status = "gone"
	}
	s := fmt.Sprintf("%s %s/%s/%s is %s", what, e.Database, e.Ref.Collection, key, status)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives why waiting ended.
func (e *StatusError) Unwrap() error { return e.Err }

// TwinError is an id or key that exists only in another letter case. Servers on
// MariaDB take the two for the same, so the name is neither there nor free. It
// is ErrNotFound.
type TwinError struct {
	Asked  string
	Stored string
}

// Error names both spellings.
func (e *TwinError) Error() string {
	return fmt.Sprintf("%q not found, but %q is there and the server may take them for the same", e.Asked, e.Stored)
}

// Unwrap gives ErrNotFound.
func (e *TwinError) Unwrap() error { return ErrNotFound }
