package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

var errNetwork = errors.New("connection reset")

// wire is a transport on which requests are lost. It decides by the number of
// the request among those that match, counted from 1.
type wire struct {
	base  http.RoundTripper
	match func(*http.Request) bool // nil matches all
	act   func(n int, send func() (*http.Response, error)) (*http.Response, error)

	mu sync.Mutex
	n  int
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	send := func() (*http.Response, error) { return w.base.RoundTrip(req) }
	if w.match != nil && !w.match(req) {
		return send()
	}
	w.mu.Lock()
	w.n++
	n := w.n
	w.mu.Unlock()
	return w.act(n, send)
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// posts matches the creation of documents in a collection.
func posts(collection string) func(*http.Request) bool {
	return func(req *http.Request) bool {
		path := req.URL.Path
		return req.Method == http.MethodPost && strings.Contains(path, "/"+collection+"/") &&
			(strings.HasSuffix(path, "/documents") || strings.HasSuffix(path, "/rows"))
	}
}

// lost is a request whose answer does not arrive.
func lost(send func() (*http.Response, error)) (*http.Response, error) {
	if resp, err := send(); err == nil {
		_ = resp.Body.Close()
	}
	return nil, errNetwork
}

// held keeps requests back that their sender has given up.
type held struct {
	mu   sync.Mutex
	late []*http.Request
}

// hold takes a request over, to be sent whenever release is called.
func (h *held) hold(tb testing.TB, req *http.Request) (*http.Response, error) {
	tb.Helper()
	body, err := io.ReadAll(req.Body)
	must(tb, err)
	late := req.Clone(context.WithoutCancel(req.Context()))
	late.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.late = append(h.late, late)
	return nil, errNetwork
}

// release lets the requests take effect and gives their answers.
func (h *held) release(tb testing.TB) []int {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var answers []int
	for _, req := range h.late {
		resp, err := http.DefaultTransport.RoundTrip(req)
		must(tb, err)
		must(tb, resp.Body.Close())
		answers = append(answers, resp.StatusCode)
	}
	h.late = nil
	return answers
}

// holding is a transport that holds the first n requests that match.
func holding(tb testing.TB, h *held, n int, match func(*http.Request) bool) http.RoundTripper {
	tb.Helper()
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		h.mu.Lock()
		full := len(h.late) >= n
		h.mu.Unlock()
		if full || !match(req) {
			return http.DefaultTransport.RoundTrip(req)
		}
		return h.hold(tb, req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// clock is a clock that moves on by every wait at once.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired, func() {}
}

// client is a client of the server that waits no longer than it has to.
func client(tb testing.TB, srv *livetest.Server, opts ...appwrite.Option) *appwrite.Client {
	tb.Helper()
	opts = append([]appwrite.Option{appwrite.WithClock(fast{})}, opts...)
	c, err := appwrite.New(appwrite.Config{Endpoint: srv.Endpoint, Project: srv.Project, Key: srv.Key}, opts...)
	must(tb, err)
	tb.Cleanup(c.Close)
	return c
}

// fast is a clock on which every wait is a millisecond at most.
type fast struct{}

func (fast) Now() time.Time { return time.Now() }

func (fast) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(min(d, time.Millisecond))
	return t.C, func() { t.Stop() }
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
