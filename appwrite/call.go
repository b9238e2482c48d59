package appwrite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/appwrite/sdk-for-go/client"
)

// request is one call of the API. Its parameters become the query of a GET and
// the JSON body of everything else.
type request struct {
	method  string
	path    string // below the endpoint, segments escaped
	params  map[string]any
	stamp   string // X-Appwrite-Timestamp
	keyless bool
}

// do sends req once and decodes a success into out, unless out is nil.
func (c *Client) do(ctx context.Context, req request, out any) error {
	body, err := c.send(ctx, req)
	if err != nil || out == nil {
		return err
	}
	if err := decode(body, out); err != nil {
		return &Error{Status: http.StatusOK, Method: req.method, Path: req.path, Message: "cannot read the answer: " + err.Error()}
	}
	return nil
}

// send sends req once and gives the body of a success.
func (c *Client) send(ctx context.Context, req request) (string, error) {
	if err := checkParams(req.params); err != nil {
		return "", fmt.Errorf("%s %s: %w", req.method, req.path, err)
	}
	inner := c.SDK(ctx)
	dropHeader(inner.Headers, "X-Appwrite-Response-Format")
	if format := c.responseFormat(); format != "" {
		inner.Headers["X-Appwrite-Response-Format"] = format
	}
	if req.keyless {
		dropHeader(inner.Headers, "X-Appwrite-Key")
	}
	headers := map[string]any{}
	params := req.params
	if mutates(req.method) {
		headers["content-type"] = "application/json"
		if params == nil {
			params = map[string]any{} // nil would be sent as null
		}
	}
	if req.stamp != "" {
		headers["X-Appwrite-Timestamp"] = req.stamp
	}
	seen := inner.Client.Transport.(*boundTransport).seen //nolint:forcetypeassert // SDK made it so
	resp, err := inner.Call(req.method, req.path, headers, params)
	if err != nil {
		return "", c.failure(req, seen, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return "", &Error{Status: resp.StatusCode, Method: req.method, Path: req.path, Message: redirected(resp.Header)}
	}
	noteChange(ctx, req.method)
	switch body := resp.Result.(type) {
	case string:
		return body, nil
	case []byte:
		if len(body) == 0 {
			return "", nil
		}
	}
	return "", &Error{Status: resp.StatusCode, Method: req.method, Path: req.path, Message: "the answer is not JSON, so it is hardly Appwrite's"}
}

// failure makes the error for a call that the SDK says has failed.
func (c *Client) failure(req request, seen *exchange, err error) error {
	if answer, ok := errors.AsType[*client.AppwriteError](err); ok {
		return c.answered(req, seen, answer)
	}
	// The URL that net/http puts before its errors says no more than method and
	// path do, and its query holds the user's values.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return fmt.Errorf("%s %s: %w", req.method, req.path, refused.error)
	}
	if redacted := c.redact(err.Error()); redacted != err.Error() {
		err = errors.New(redacted)
	}
	return &TransportError{Method: req.method, Path: req.path, Sent: seen.sent.Load(), Err: err}
}

// answered makes the error for an answer that is not a success.
func (c *Client) answered(req request, seen *exchange, answer *client.AppwriteError) *Error {
	e := &Error{
		Status: answer.GetStatusCode(), Method: req.method, Path: req.path,
		After: retryAfter(seen.header, c.clock.Now()),
	}
	var body struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Version string `json:"version"`
	}
	if json.Unmarshal([]byte(answer.GetResponse()), &body) != nil {
		e.Message = "the answer is not JSON, so it is hardly Appwrite's: check the endpoint"
		return e
	}
	e.Type, e.Message, e.version = classicType(body.Type), c.redact(body.Message), body.Version
	return e
}

func redirected(h http.Header) string {
	to, err := url.Parse(h.Get("Location"))
	if err != nil || to.Host == "" {
		return "redirected: check the endpoint"
	}
	return "redirected to " + to.Scheme + "://" + to.Host + ": check the endpoint"
}

// retryAfter reads a Retry-After header: seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the server's clock, which need not be ours
	}
	return max(0, at.Sub(now))
}

// checkParams refuses what a server would cut, misread or not answer.
func checkParams(params map[string]any) error {
	for name, value := range params {
		if err := checkText(value); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
		}
	}
	queries, _ := params["queries"].([]string)
	if len(queries) > MaxQueries {
		return fmt.Errorf("%w: %d queries, at most %d are accepted", ErrTooLarge, len(queries), MaxQueries)
	}
	for _, q := range queries {
		if n := utf8.RuneCountInString(q); n > MaxQueryChars {
			return fmt.Errorf("%w: a query has %d characters, at most %d are accepted", ErrTooLarge, n, MaxQueryChars)
		}
	}
	return nil
}

var errNotUTF8 = errors.New("a text is not UTF-8")

// checkText refuses texts that encoding/json would change without a word.
func checkText(value any) error {
	switch v := value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return errNotUTF8
		}
	case []string:
		for _, item := range v {
			if !utf8.ValidString(item) {
				return errNotUTF8
			}
		}
	case []any:
		for _, item := range v {
			if err := checkText(item); err != nil {
				return err
			}
		}
	case []map[string]any:
		for _, item := range v {
			if err := checkText(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range v {
			if !utf8.ValidString(key) {
				return errNotUTF8
			}
			if err := checkText(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// decode reads JSON with every digit of its numbers.
func decode(body string, out any) error {
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}

// path joins segments, each escaped. An empty one would name another route, as
// would one of dots.
func path(segments ...string) (string, error) {
	var b strings.Builder
	for _, s := range segments {
		if strings.Trim(s, ".") == "" {
			return "", fmt.Errorf("%w: %q is not an id", ErrInvalid, s)
		}
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String(), nil
}

// scope is where in the API's tree a call belongs, in the server's dialect.
type scope struct {
	words
	server Server
	path   string
}

// scope gives the place of a collection, of a database when collection is "",
// or of everything when both are.
func (c *Client) scope(ctx context.Context, database, collection string) (scope, error) {
	server, err := c.server(ctx)
	if err != nil {
		return scope{}, err
	}
	s := scope{words: server.Dialect.words(), server: server}
	segments := []string{s.base}
	if database != "" {
		segments = append(segments, database)
	}
	if collection != "" {
		segments = append(segments, s.collection+"s", collection)
	}
	s.path, err = path(segments...)
	return s, err
}

// at gives the path of something below the scope.
func (s scope) at(segments ...string) (string, error) {
	below, err := path(segments...)
	return s.path + below, err
}

// list gets one page of a list.
func (c *Client) list(ctx context.Context, at string, out any, queries ...string) error {
	params := map[string]any{}
	if len(queries) > 0 {
		params["queries"] = queries
	}
	return c.do(ctx, request{method: http.MethodGet, path: at, params: params}, out)
}
