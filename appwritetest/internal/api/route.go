package api

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Route is one entry of the API in the legacy words.
type Route struct {
	Method string
	// Path is canonical, such as
	// "/databases/{databaseId}/collections/{collectionId}/documents".
	Path string
	// Only restricts the route to one dialect; empty means both.
	Only Dialect
	// When says whether a version has the route; nil means every version.
	When   func(profile.Profile) bool
	Scope  Scope
	Params []Param
	Access Access
	Handle func(*Request) (Response, error)
}

// Access is the lock a handler runs under.
type Access int

const (
	// Read runs beside other readers.
	Read Access = iota
	// Write runs alone.
	Write
	// Unlocked runs without the project lock.
	Unlocked
)

// Response is what a handler answers.
type Response struct {
	Status int
	Body   any    // for package phpjson; ignored when Status is 204
	Text   string // sent as it is in the place of Body
	Header http.Header
}

// OK answers 200 with a body.
func OK(body any) Response { return Response{Status: http.StatusOK, Body: body} }

// Created answers 201 with a body.
func Created(body any) Response { return Response{Status: http.StatusCreated, Body: body} }

// Accepted answers 202 with a body.
func Accepted(body any) Response { return Response{Status: http.StatusAccepted, Body: body} }

// NoContent answers 204.
func NoContent() Response { return Response{Status: http.StatusNoContent} }

// Request is a request whose key and parameters were checked.
type Request struct {
	HTTP    *http.Request
	Dialect Dialect
	Profile profile.Profile
	Caller  Caller

	values  map[string]argument // by canonical name
	payload *phpjson.Object     // everything the client sent, by wire name
}

// argument is a parameter as its check left it, or its default.
type argument struct {
	value any
	given bool // the client sent it
}

// Given says whether the client sent the parameter, be it null.
func (r *Request) Given(name string) bool { return r.values[name].given }

// Value returns a parameter as its check left it.
func (r *Request) Value(name string) any { return r.values[name].value }

// String returns a text parameter, "" when it is null or absent.
func (r *Request) String(name string) string {
	s, _ := r.values[name].value.(string)
	return s
}

// Bool returns a boolean parameter, false when it is null or absent.
func (r *Request) Bool(name string) bool {
	b, _ := r.values[name].value.(bool)
	return b
}

// Int returns an integer parameter, 0 when it is null or absent.
func (r *Request) Int(name string) int64 {
	n, _ := r.values[name].value.(int64)
	return n
}

// List returns an array parameter, nil when it is null or absent.
func (r *Request) List(name string) []any {
	l, _ := r.values[name].value.([]any)
	return l
}

// Strings returns an array of strings, nil when it is null or absent.
func (r *Request) Strings(name string) []string {
	var out []string
	for _, v := range r.List(name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Payload returns everything the client sent, by wire name, unchecked.
func (r *Request) Payload() *phpjson.Object { return r.payload }
