package outage

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
)

// Wire carries the requests of one process and lets some of them go wrong.
type Wire struct {
	base   http.RoundTripper
	fuse   *Fuse
	decide func(n int, req *http.Request) Fault

	mu     sync.Mutex
	writes int
	held   []*http.Request
}

// NewWire makes a wire. It asks decide what happens to each request: n counts
// those that would change something, from 1, and is 0 for the others. Without
// decide all of them pass.
func NewWire(base http.RoundTripper, fuse *Fuse, decide func(n int, req *http.Request) Fault) *Wire {
	if decide == nil {
		decide = func(int, *http.Request) Fault { return None }
	}
	return &Wire{base: base, fuse: fuse, decide: decide}
}

// Sent is how many requests would have changed something so far.
func (w *Wire) Sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.fuse.Blown() {
		return nil, unsent(req, ErrCrash)
	}
	switch what := w.decide(w.count(req), req); what {
	case None:
		return w.base.RoundTrip(req)
	case Lost, Failed, CrashAfterSend, CrashAfterAnswer:
		return w.after(req, what)
	default:
		return w.instead(req, what)
	}
}

func (w *Wire) count(req *http.Request) int {
	if req.Method == http.MethodGet {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	return w.writes
}

// instead lets something happen in the place of the effect.
func (w *Wire) instead(req *http.Request, what Fault) (*http.Response, error) {
	switch what {
	case Refused:
		return nil, unsent(req, ErrRefused)
	case CrashBeforeSend:
		w.fuse.Blow()
		return nil, unsent(req, ErrCrash)
	case Limited:
		return answer(req, http.StatusTooManyRequests, "general_rate_limit_exceeded"), nil
	case Late:
		return nil, w.hold(req)
	case CrashMeanwhile:
		err := w.hold(req)
		w.fuse.Blow()
		return nil, err
	default:
		return answer(req, http.StatusServiceUnavailable, "general_unknown"), nil
	}
}

// after lets the request act and something happen to its answer.
func (w *Wire) after(req *http.Request, what Fault) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	if what == Failed {
		return answer(req, http.StatusInternalServerError, "general_unknown"), nil
	}
	if what == CrashAfterSend || what == CrashAfterAnswer {
		w.fuse.Blow()
	}
	if what == CrashAfterAnswer {
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	}
	return nil, ErrLost
}

// unsent fails a request that has not left the process.
func unsent(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GetConn != nil {
		trace.GetConn(req.URL.Host)
	}
	return err
}

// hold keeps a request back that its client believes to be on its way.
func (w *Wire) hold(req *http.Request) error {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return err
		}
		_ = req.Body.Close()
	}
	copied := req.Clone(context.WithoutCancel(req.Context()))
	copied.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, copied)
	return ErrTimeout
}

// Release lets the requests act that are late, in the order they were sent.
func (w *Wire) Release() {
	w.mu.Lock()
	held := slices.Clone(w.held)
	w.held = nil
	w.mu.Unlock()
	for _, req := range held {
		if resp, err := w.base.RoundTrip(req.WithContext(context.Background())); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}

// answer makes up a server's error.
func answer(req *http.Request, status int, kind string) *http.Response {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(strings.NewReader(`{"message":"outage","type":"` + kind + `","code":500}`)),
		Request: req,
	}
}
