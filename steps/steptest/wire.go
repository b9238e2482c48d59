package steptest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
)

// What goes wrong, as tests see it in errors.
var (
	errCrash    = errors.New("steptest: the process has stopped")
	errRefused  = errors.New("steptest: connection refused")
	errLost     = errors.New("steptest: connection lost")
	errSabotage = errors.New("steptest: this step always fails")
)

// fault is what happens at one boundary.
type fault string

// The faults. Those of requests happen once, to one request that would change
// something; those that crash stop everything from there on.
const (
	none            fault = "nothing goes wrong"
	refused         fault = "request refused"
	lost            fault = "answer lost"
	late            fault = "request acts late"
	unavailable     fault = "503 without effect"
	failed          fault = "500 after the effect"
	crashBeforeSend fault = "crash before the request"
	crashAfterSend  fault = "crash after the effect"
	crashMeanwhile  fault = "crash, then the effect"
	crashBeforeNote fault = "crash before the journal write"
	crashAfterNote  fault = "crash after the journal write"
)

// requestFaults are the faults that a run must survive by itself.
func requestFaults() []fault { return []fault{refused, lost, late, unavailable, failed} }

// requestCrashes are the places around a request where a process can stop.
func requestCrashes() []fault { return []fault{crashBeforeSend, crashAfterSend, crashMeanwhile} }

// noteCrashes are the places around a journal write where a process can stop.
func noteCrashes() []fault { return []fault{crashBeforeNote, crashAfterNote} }

// fuse is shared by everything that stops when the process does.
type fuse struct {
	mu    sync.Mutex
	blown bool
	abort chan struct{}
}

func newFuse() *fuse { return &fuse{abort: make(chan struct{})} }

func (f *fuse) blow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.blown {
		f.blown = true
		close(f.abort)
	}
}

func (f *fuse) isBlown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blown
}

// wire carries the requests of one process and lets one of them go wrong.
type wire struct {
	base http.RoundTripper
	fuse *fuse
	what fault
	at   int // which request that changes something, from 1
	told func()

	mu     sync.Mutex
	writes int
	held   *http.Request
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.fuse.isBlown() {
		return nil, unsent(req, errCrash)
	}
	if req.Method == http.MethodGet {
		return w.base.RoundTrip(req)
	}
	w.mu.Lock()
	w.writes++
	hit := w.writes == w.at
	w.mu.Unlock()
	if !hit {
		return w.base.RoundTrip(req)
	}
	return w.hit(req)
}

func (w *wire) hit(req *http.Request) (*http.Response, error) {
	w.told()
	switch w.what {
	case refused:
		return nil, unsent(req, errRefused)
	case crashBeforeSend:
		w.fuse.blow()
		return nil, unsent(req, errCrash)
	case unavailable:
		return answer(req, http.StatusServiceUnavailable), nil
	case late:
		return nil, w.hold(req)
	case crashMeanwhile:
		err := w.hold(req)
		w.fuse.blow()
		return nil, err
	case lost, crashAfterSend, failed:
		resp, err := w.base.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if w.what == failed {
			return answer(req, http.StatusInternalServerError), nil
		}
		if w.what == crashAfterSend {
			w.fuse.blow()
		}
		return nil, errLost
	default:
		return w.base.RoundTrip(req)
	}
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
func (w *wire) hold(req *http.Request) error {
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
	w.held = copied
	return context.DeadlineExceeded
}

// release lets a held request act.
func (w *wire) release() {
	w.mu.Lock()
	req := w.held
	w.held = nil
	w.mu.Unlock()
	if req == nil {
		return
	}
	if resp, err := w.base.RoundTrip(req.WithContext(context.Background())); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func (w *wire) sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

// answer makes up a server's error.
func answer(req *http.Request, status int) *http.Response {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(strings.NewReader(`{"message":"steptest","type":"general_unknown","code":500}`)),
		Request: req,
	}
}
