package appwrite_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
)

// FuzzAnswers gives every reader of answers whatever comes. It must neither
// panic nor take what it cannot read for a success of another kind.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"total":1,"documents":[{"$id":"a","$sequence":"1","$createdAt":"x","$permissions":["read(\"any\")"],"n":1e309,"r":{"$id":"b"}}]}`,
		`{"total":1,"rows":[{"$id":"a","$sequence":1,"x":[{"$id":"b"},null,[1]]}]}`,
		`{"$id":"a","$sequence":{},"$permissions":{}}`,
		`{"$id":"c","$permissions":[],"attributes":[{"key":"a","type":"string","format":"email","default":"\/"}],"indexes":[{"key":"i","lengths":[null],"orders":[null]}]}`,
		`{"columns":[{"key":"a","type":"integer","min":-9223372036854775808,"max":1,"default":null},{"type":"relationship"}]}`,
		`{"tables":[{"bytesMax":1e400}]}`, `{"databases":[null]}`, `{"documents":[null]}`, `{"transactions":null}`,
		`null`, `5`, `"x"`, `[]`, `{}`, `{"a":`, "\xff", `{"message":5,"type":[],"version":{}}`,
	} {
		for _, status := range []int{200, 404} {
			f.Add(seed, status, "application/json")
		}
	}
	f.Add("<html>", 200, "text/html")
	f.Fuzz(func(t *testing.T, body string, status int, contentType string) {
		if status < 100 || status > 999 {
			t.Skip()
		}
		c := newClient(t, appwrite.Config{Endpoint: "http://fuzz/v1", Project: "p", Key: marker}, appwrite.WithClock(newQuickClock()),
			appwrite.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
				answer := &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
				if strings.HasSuffix(r.URL.Path, "/health/version") {
					answer.StatusCode, answer.Body = http.StatusOK, io.NopCloser(strings.NewReader(`{"version":"1.9.6"}`))
					answer.Header.Set("Content-Type", "application/json")
				}
				return answer, nil
			})))
		ctx := t.Context()
		if _, err := c.Detect(ctx); err != nil {
			t.Fatal(err)
		}
		_, databases := c.FindDatabase(ctx, "d")
		_, collections := c.FindCollection(ctx, "d", "c")
		_, attributes := c.FindAttribute(ctx, "d", "c", "a")
		_, indexes := c.FindIndex(ctx, "d", "c", "i")
		_, documents := c.FindDocument(ctx, "d", "c", "x")
		_, made := c.CreateDocument(ctx, "d", "c", appwrite.Document{ID: "x"})
		_, column := c.CreateAttribute(ctx, "d", "c", appwrite.Attribute{Key: "a", Type: appwrite.TypeBoolean})
		_, transaction := c.FindTransaction(ctx, "t")
		for _, err := range []error{databases, collections, attributes, indexes, documents, made, column, transaction} {
			_, isAnswer := errors.AsType[*appwrite.Error](err)
			_, isTwin := errors.AsType[*appwrite.TwinError](err)
			if err != nil && !isAnswer && !isTwin {
				t.Errorf("error %T %v has no status", err, err)
			}
			if status >= http.StatusBadRequest && err == nil {
				t.Errorf("status %d was taken for a success", status)
			}
		}
	})
}

// FuzzValues sends whatever text there is: it arrives as it is, or is refused.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{"", "x", `{"method":"toggle","values":[]}`, "\xff", "\u2028<>&", "\x00", "😀", "\\ud83d"} {
		f.Add(seed)
	}
	s := newStub(f, "1.9.6", always(http.StatusCreated, `{"$id":"x"}`))
	c := s.client(f)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := c.CreateDocument(t.Context(), "d", "c", appwrite.Document{ID: "x", Data: map[string]any{"s": text}})
		if err != nil {
			wantIs(t, err, appwrite.ErrInvalid)
			return
		}
		data, _ := s.last(t).data(t)["data"].(map[string]any)
		if data["s"] != text {
			t.Errorf("sent %q, arrived %q", text, data["s"])
		}
	})
}
