package api

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// payload reads the parameters outside the path: of the query string for GET,
// of the body otherwise. What is no JSON object counts as nothing sent.
func payload(r *http.Request) (*phpjson.Object, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return form(r.URL.RawQuery), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client left in the middle
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/json":
		return jsonPayload(body)
	case "application/x-www-form-urlencoded":
		return form(string(body)), nil
	}
	return &phpjson.Object{}, nil
}

func jsonPayload(body []byte) (*phpjson.Object, error) {
	value, err := phpjson.Decode(body)
	if err != nil {
		return &phpjson.Object{}, nil //nolint:nilerr // the server goes on with no parameters
	}
	switch value := value.(type) {
	case *phpjson.Object:
		return value, nil
	case nil, []any:
		return &phpjson.Object{}, nil
	}
	// A bare scalar crashes the server's own parsing: its answer has no type.
	return nil, apierr.New(http.StatusInternalServerError, "", "Server Error")
}

// form reads a query string as PHP does: name[] and name[3] make lists,
// name[key] makes objects.
func form(query string) *phpjson.Object {
	out := &phpjson.Object{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || name == "" {
			continue
		}
		base, key, indexed := strings.Cut(name, "[")
		if !indexed || !strings.HasSuffix(key, "]") {
			out.Set(name, value)
			continue
		}
		held, _ := out.Get(base)
		elements, ok := held.(*phpjson.Object)
		if !ok {
			elements = &phpjson.Object{}
		}
		key = strings.TrimSuffix(key, "]")
		if key == "" {
			key = strconv.Itoa(elements.Len())
		}
		elements.Set(key, value)
		out.Set(base, elements)
	}
	for name, value := range out.Clone().All() {
		if elements, ok := value.(*phpjson.Object); ok {
			out.Set(name, phpjson.Listed(elements))
		}
	}
	return out
}
