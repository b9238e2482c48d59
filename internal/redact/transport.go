package redact

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Transport remembers the values of the fields in the requests and answers that
// pass through base.
func (r *Redactor) Transport(base http.RoundTripper) http.RoundTripper { return transport{r, base} }

type transport struct {
	r    *Redactor
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.r.Active() {
		return t.base.RoundTrip(req)
	}
	about := aboutPath(req.URL.Path)
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			data, _ := io.ReadAll(body)
			_ = body.Close()
			t.r.Learn(data, about)
		}
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	resp.Body = &learning{ReadCloser: resp.Body, r: t.r, about: about}
	return resp, nil
}

// CloseIdleConnections passes on what http.Client asks for.
func (t transport) CloseIdleConnections() {
	if closer, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// learning is a body that is learned from once it has been read to its end.
type learning struct {
	io.ReadCloser
	r     *Redactor
	about About
	seen  bytes.Buffer
}

// Read implements io.Reader.
func (l *learning) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.seen.Write(p[:n])
	if err == io.EOF {
		l.r.Learn(l.seen.Bytes(), l.about)
		l.seen.Reset()
	}
	return n, err
}

// aboutPath reads the collection out of a request's path:
// …/collections/users/documents/1, or in the words of TablesDB. An increment
// names its attribute, too.
func aboutPath(path string) About {
	var about About
	parts := strings.Split(path, "/")
	for i := 0; i+1 < len(parts); i++ {
		switch parts[i] {
		case "collections", "tables":
			about.Collection = parts[i+1]
		}
	}
	if last := len(parts) - 1; last > 0 && (parts[last] == "increment" || parts[last] == "decrement") {
		about.Attribute = parts[last-1]
	}
	return about
}
