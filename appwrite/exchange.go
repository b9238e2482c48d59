package appwrite

import (
	"log/slog"
	"net/http"
	"time"
)

// Exchange is one attempt of one request, for reports and traces.
type Exchange struct {
	Method   string
	Path     string // below the endpoint, without its query
	Status   int    // 0 when there was no answer
	Header   http.Header
	Duration time.Duration
	Sent     int64 // bytes of the request's body
	Reused   bool  // the connection had carried a request before
	Err      error // when there was no answer
}

// Mutates says whether the request could change anything.
func (e Exchange) Mutates() bool { return mutates(e.Method) }

func mutates(method string) bool { return method != http.MethodGet && method != http.MethodHead }

func (e Exchange) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("method", e.Method), slog.String("path", e.Path), slog.Int("status", e.Status),
		slog.Duration("duration", e.Duration), slog.Int64("sent", e.Sent),
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	return attrs
}
