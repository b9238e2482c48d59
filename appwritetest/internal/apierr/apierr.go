// Package apierr is the error that every room answers a client with.
package apierr

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is one refusal in Appwrite's words. Type is the legacy name; the
// dialect renames it on the way out.
type Error struct {
	Status  int
	Type    string // empty only for errors that really carry no type
	Message string

	// Verbatim keeps Type as it is in both dialects: some routes forget to
	// rename theirs.
	Verbatim bool
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Message) }

// Is makes errors.Is compare by type, so that callers need no message.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Type == e.Type
}

// New returns an error with a status, a type and a formatted message.
func New(status int, kind, format string, args ...any) *Error {
	return &Error{Status: status, Type: kind, Message: fmt.Sprintf(format, args...)}
}

// BadRequest is New with status 400.
func BadRequest(kind, format string, args ...any) *Error {
	return New(http.StatusBadRequest, kind, format, args...)
}

// NotFound is New with status 404.
func NotFound(kind, format string, args ...any) *Error {
	return New(http.StatusNotFound, kind, format, args...)
}

// Conflict is New with status 409.
func Conflict(kind, format string, args ...any) *Error {
	return New(http.StatusConflict, kind, format, args...)
}

// Argument is a parameter that a validator refused.
func Argument(format string, args ...any) *Error {
	return BadRequest("general_argument_invalid", format, args...)
}

// Unknown is what the server says when its own code broke.
func Unknown(format string, args ...any) *Error {
	return New(http.StatusInternalServerError, "general_unknown", format, args...)
}

// AsWritten returns a copy whose type no dialect renames.
func (e *Error) AsWritten() *Error {
	c := *e
	c.Verbatim = true
	return &c
}
