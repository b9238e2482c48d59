package appwrite

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/appwrite/sdk-for-go/client"
)

// Class says what may be done after an error.
type Class int

// The classes of errors.
const (
	// Permanent: the same request will fail again.
	Permanent Class = iota + 1
	// Transient: nothing was done, and the same request may succeed later.
	Transient
	// Ambiguous: the request may have been carried out, or may still be.
	Ambiguous
)

// String gives the class's name.
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Ambiguous:
		return "ambiguous"
	default:
		return "unknown"
	}
}

// Classify says what may be done after err: by the server's error type first,
// by status second. It also knows errors of SDK clients that Client.SDK gave
// out. Whatever it does not know is Permanent, nil too.
func Classify(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return classOf(e.Type, e.Status, mutates(e.Method))
	}
	if e, ok := errors.AsType[*TransportError](err); ok {
		return classOfBroken(e.Err, e.Sent, mutates(e.Method))
	}
	if e, ok := errors.AsType[*client.AppwriteError](err); ok {
		var body struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal([]byte(e.GetResponse()), &body)
		return classOf(classicType(body.Type), e.GetStatusCode(), true)
	}
	if _, ok := errors.AsType[refusal](err); ok {
		return Permanent
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return classOfBroken(e.Err, true, mutates(strings.ToUpper(e.Op)))
	}
	return Permanent
}

// classOf classifies an answer.
func classOf(kind string, status int, mutating bool) Class {
	switch kind {
	case "attribute_not_available", "database_timeout", "general_rate_limit_exceeded", "health_queue_size_exceeded":
		return Transient
	case "transaction_expired":
		return Permanent // a 500 on most versions, but it says what happened
	}
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return Transient
	case status == http.StatusNotImplemented:
		return Permanent
	case status >= http.StatusInternalServerError && mutating:
		return Ambiguous
	case status >= http.StatusInternalServerError:
		return Transient
	case status < http.StatusMultipleChoices && mutating:
		return Ambiguous // a success that could not be read
	default:
		return Permanent
	}
}

// classOfBroken classifies a request without an answer.
func classOfBroken(reason error, sent, mutating bool) Class {
	switch {
	case sent && mutating:
		return Ambiguous
	case errors.Is(reason, ErrTimeout):
		return Transient
	case errors.Is(reason, context.Canceled), errors.Is(reason, context.DeadlineExceeded), errors.Is(reason, ErrTooLarge):
		return Permanent
	default:
		return Transient
	}
}

// unknownAttribute is the one message that has to be read: the type says only
// that the document's structure is wrong. All versions from 1.7 to 1.9 agree on
// these words.
var unknownAttribute = regexp.MustCompile(`Unknown attribute: "([^"]+)"`)

// UnknownAttribute gives the attribute that the server did not know in a
// document. Where the caller has just created that attribute, the server's
// view of the schema is behind and the write may be tried again.
func UnknownAttribute(err error) (key string, ok bool) {
	e, isError := errors.AsType[*Error](err)
	if !isError || e.Type != "document_invalid_structure" {
		return "", false
	}
	match := unknownAttribute.FindStringSubmatch(e.Message)
	if match == nil {
		return "", false
	}
	return match[1], true
}
