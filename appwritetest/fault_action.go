package appwritetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
)

// Action is what a Fault does to a request: RefuseBefore, DropAfter,
// HoldThenAct, HoldUntilRelease, DelayBefore, DelayAfter, DieInCommit,
// StaleReads or a Status.
type Action interface {
	act(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler)
}

// actionFunc is an Action without state.
type actionFunc func(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler)

func (f actionFunc) act(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
	f(i, w, r, next)
}

// RefuseBefore resets the connection; the request has no effect.
func RefuseBefore() Action {
	return actionFunc(func(_ *Injection, w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) })
}

// DropAfter lets the request take effect, then resets the connection instead of
// answering.
func DropAfter() Action {
	return actionFunc(func(_ *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		record(next, r)
		reset(w)
	})
}

// HoldThenAct holds the request until its client has given up or the injection
// is released, and only then lets it take effect.
func HoldThenAct() Action {
	return actionFunc(func(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		i.hold(w, r, next, r.Context().Done())
	})
}

// HoldUntilRelease is HoldThenAct for a request that takes effect long after its
// client has given up: only when the injection is released.
func HoldUntilRelease() Action {
	return actionFunc(func(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		i.hold(w, r, next, nil)
	})
}

func (i *Injection) hold(w http.ResponseWriter, r *http.Request, next http.Handler, gaveUp <-chan struct{}) {
	// Only once the body is read does net/http notice that a client leaves.
	if _, err := readBody(r); err != nil {
		reset(w)
		return
	}
	select {
	case <-i.released:
	case <-gaveUp:
	case <-i.faults.closing:
	}
	// A server that closes makes clients give up, too.
	if over(i.faults.closing) && !over(i.released) {
		reset(w)
		return
	}
	record(next, r).writeTo(w)
}

// over says whether a channel is closed.
func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// DelayBefore waits, then handles the request. A client that leaves meanwhile
// does not prevent the effect.
func DelayBefore(d time.Duration) Action {
	return actionFunc(func(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if _, err := readBody(r); err != nil || !i.sleep(d) {
			reset(w)
			return
		}
		record(next, r).writeTo(w)
	})
}

// DelayAfter handles the request, then waits before it answers.
func DelayAfter(d time.Duration) Action {
	return actionFunc(func(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := record(next, r)
		if !i.sleep(d) {
			reset(w)
			return
		}
		answer.writeTo(w)
	})
}

// DieInCommit stops the commit of a transaction after its data and before its
// status: the records are there, the transaction stays "committing" for good, and
// the connection is reset. Other requests are handled and then cut off. A Proxy
// can only do the latter.
func DieInCommit() Action {
	return actionFunc(func(_ *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
		record(next, r.WithContext(tx.DieAfterData(r.Context())))
		reset(w)
	})
}

// sleep reports false when the server closes before d has passed.
func (i *Injection) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-i.faults.closing:
		return false
	}
}

// Status answers with an error. It is an Action.
type Status struct {
	// Code is the HTTP status, such as 408, 429, 500 or 503.
	Code int
	// Type is Appwrite's error type. Without one the answer is an HTML page, as
	// from a load balancer in front of Appwrite.
	Type string
	// RetryAfter is sent as a header in whole seconds, unless it is zero.
	RetryAfter time.Duration
	// AfterEffect lets the request take effect before.
	AfterEffect bool
}

func (s Status) act(i *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if s.AfterEffect {
		record(next, r)
	}
	if s.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(s.RetryAfter.Seconds())))
	}
	text := http.StatusText(s.Code)
	if s.Type == "" {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(s.Code)
		_, _ = io.WriteString(w, "<html><body><h1>"+text+"</h1></body></html>\n")
		return
	}
	body := map[string]any{"message": text, "code": s.Code, "type": s.Type}
	if i.faults.version != "" {
		body["version"] = i.faults.version
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(s.Code)
	_ = json.NewEncoder(w).Encode(body) // a client that left needs no answer
}

// answer is a response that was kept from its client.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// record handles the request whatever its client does, and keeps the answer.
func record(next http.Handler, r *http.Request) *answer {
	a := &answer{status: http.StatusOK, header: make(http.Header)}
	next.ServeHTTP(a, r.WithContext(context.WithoutCancel(r.Context())))
	return a
}

func (a *answer) Header() http.Header                 { return a.header }
func (a *answer) WriteHeader(status int)              { a.status = status }
func (a *answer) Write(chunk []byte) (n int, e error) { return a.body.Write(chunk) }

func (a *answer) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that left needs no answer
}

// reset ends the connection as a crashed process would, without an answer.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or no network at all
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // RST, not FIN
	}
	_ = connection.Close()
}
