package appwrite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
)

// Limits of what is sent and read. Servers reset the connection at 12 MiB of
// body without an answer; they refuse longer queries with one, but only after
// the URL has got through.
const (
	MaxRequestBytes  = 11 << 20  // of a body
	MaxResponseBytes = 256 << 20 // of an answer
	MaxQueryChars    = 4096      // of one query
	MaxQueries       = 100       // of one request
	MaxURLBytes      = 60 << 10  // of a URL, below the 64 KiB a server reads as headers
	MaxBatch         = 100       // documents of one bulk request
)

// exchange is what a boundTransport saw. The SDK drops all of this from errors.
type exchange struct {
	status int
	header http.Header
	// sent says that a request may have reached the server.
	sent atomic.Bool
}

// boundTransport carries the requests of one SDK client under one context.
type boundTransport struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call: the SDK has no other place for it
	client *Client
	seen   *exchange
}

// RoundTrip sends one attempt: nothing that is guarded against, too large or
// already cancelled, and no longer than the client's timeout.
func (t *boundTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.admit(req); err != nil {
		closeBody(req)
		return nil, err
	}
	attempt, cancel := context.WithTimeoutCause(t.ctx, t.client.timeout, ErrTimeout)
	started := t.client.clock.Now()
	var reused atomic.Bool
	hooks := t.trace(&reused)
	if mutates(req.Method) && len(t.client.guards) > 0 {
		gate(hooks, t.guarded)
	} else {
		gate(hooks, nil)
	}
	traced := httptrace.WithClientTrace(attempt, hooks)

	resp, err := t.client.base.RoundTrip(req.WithContext(traced))
	seen := Exchange{
		Method: req.Method, Path: t.client.below(req.URL.Path), Err: err,
		Duration: t.client.clock.Now().Sub(started), Sent: req.ContentLength, Reused: reused.Load(),
	}
	if err != nil {
		if refused, ok := errors.AsType[refusal](err); ok { // by the gate
			err = refused
		} else {
			err = cause(attempt, err)
		}
		cancel()
		seen.Err = err
		t.report(seen)
		return nil, err
	}
	t.seen.status, t.seen.header = resp.StatusCode, resp.Header
	seen.Status, seen.Header = resp.StatusCode, resp.Header
	t.report(seen)
	resp.Body = &boundBody{ReadCloser: resp.Body, attempt: attempt, cancel: cancel, limit: t.client.maxResponse}
	return resp, nil
}

// refusal is why we did not send a request. It is no failure of the network.
type refusal struct{ error }

// Unwrap gives the reason.
func (r refusal) Unwrap() error { return r.error }

// admit says why a request must not be sent.
func (t *boundTransport) admit(req *http.Request) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if n := req.ContentLength; n > MaxRequestBytes {
		return refusal{fmt.Errorf("%w: the request has %d bytes, at most %d are accepted", ErrTooLarge, n, MaxRequestBytes)}
	}
	if n := len(req.URL.RequestURI()); n > MaxURLBytes {
		return refusal{fmt.Errorf("%w: the URL has %d bytes, at most %d are accepted", ErrTooLarge, n, MaxURLBytes)}
	}
	if !mutates(req.Method) {
		return nil
	}
	if t.client.readOnly {
		return refusal{ErrReadOnly}
	}
	if err := t.guarded(); err != nil {
		return refusal{err}
	}
	return nil
}

// guarded asks the guards.
func (t *boundTransport) guarded() error {
	for _, guard := range t.client.guards {
		if err := guard(t.ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrGuard, err)
		}
	}
	return nil
}

// trace notes whether the request left. A transport that does not tell is
// taken to have sent it.
func (t *boundTransport) trace(reused *atomic.Bool) *httptrace.ClientTrace {
	t.seen.sent.Store(true)
	return &httptrace.ClientTrace{
		GetConn:      func(string) { t.seen.sent.Store(false) },
		GotConn:      func(c httptrace.GotConnInfo) { reused.Store(c.Reused) },
		WroteHeaders: func() { t.seen.sent.Store(true) },
	}
}

func (t *boundTransport) report(e Exchange) {
	t.client.logger.LogAttrs(t.ctx, slog.LevelDebug, "request", e.attrs()...)
	if t.client.observe != nil {
		t.client.observe(e)
	}
}

// below gives a URL's path without the endpoint's.
func (c *Client) below(path string) string {
	_, host, _ := strings.Cut(c.endpoint, "://")
	if _, prefix, ok := strings.Cut(host, "/"); ok {
		path = strings.TrimPrefix(path, "/"+prefix)
	}
	return path
}

// boundBody is an answer's body: limited in size, and in time by its attempt.
type boundBody struct {
	io.ReadCloser
	attempt context.Context //nolint:containedctx // the body is the rest of the call that it bounds
	cancel  context.CancelFunc
	read    int64
	limit   int64
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if b.read > b.limit {
		return 0, fmt.Errorf("%w: the answer has more than %d bytes", ErrTooLarge, b.limit)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader promises io.EOF itself
		err = cause(b.attempt, err)
	}
	return n, err
}

func (b *boundBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// cause says why ctx has ended, or gives err while it has not.
func cause(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	reason := context.Cause(ctx)
	if errors.Is(reason, ErrTimeout) || errors.Is(reason, ctx.Err()) {
		return reason
	}
	return fmt.Errorf("%w: %w", ctx.Err(), reason)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
