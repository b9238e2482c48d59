package appwritetest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Fault is a rule about what goes wrong with which requests. A Server and a
// Proxy take the same faults.
type Fault struct {
	// Match chooses the requests; the zero Match is all of them.
	Match Match
	// Skip lets the first matching requests through.
	Skip int
	// Times is how many matching requests are hit after those; 0 is all.
	Times int
	// Action is what happens to a request that is hit.
	Action Action
}

// Match chooses requests. Every field that is set has to agree.
type Match struct {
	// Method is an HTTP method in upper case.
	Method string
	// Path is a pattern for the path below the endpoint, without the query
	// string: "/databases/*/collections/*/documents". "*" stands for anything
	// but a slash, "**" for anything.
	Path string
	// Where decides by the request and its body. It is called for one request
	// at a time.
	Where func(r *http.Request, body []byte) bool
}

// Injection is a Fault at work.
type Injection struct {
	fault  Fault
	path   *regexp.Regexp
	faults *faults

	released chan struct{}
	release  sync.Once

	// guarded by faults.mu
	seen, hits, busy int
}

// Hits is the number of requests hit so far.
func (i *Injection) Hits() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.hits
}

// AwaitHits waits until n requests have been hit, also those still held.
func (i *Injection) AwaitHits(ctx context.Context, n int) error {
	return i.faults.await(ctx, func() bool { return i.hits >= n })
}

// AwaitDone waits until no request that was hit is under way any more: held
// requests have acted, delayed ones were answered.
func (i *Injection) AwaitDone(ctx context.Context) error {
	return i.faults.await(ctx, func() bool { return i.busy == 0 })
}

// Release lets requests held by HoldThenAct or HoldUntilRelease act, now and
// from now on.
func (i *Injection) Release() { i.release.Do(func() { close(i.released) }) }

// Remove ends the fault. Requests that were hit before stay hit.
func (i *Injection) Remove() { i.faults.remove(i) }

// faults is the list of injections that a handler is wrapped in.
type faults struct {
	base    string // path of the endpoint, "/v1"
	version string // for error bodies; empty where it is not known

	mu       sync.Mutex
	active   []*Injection
	changed  chan struct{} // closed and replaced on every change
	closed   bool
	closing  chan struct{}
	inFlight sync.WaitGroup // every request
}

func newFaults(base, version string) *faults {
	return &faults{base: base, version: version, changed: make(chan struct{}), closing: make(chan struct{})}
}

func (f *faults) inject(fault Fault) *Injection {
	if fault.Action == nil {
		panic("appwritetest: a Fault without an Action")
	}
	i := &Injection{fault: fault, faults: f, path: pathPattern(fault.Match.Path), released: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active = append(f.active, i)
	return i
}

func (f *faults) remove(i *Injection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := make([]*Injection, 0, len(f.active))
	for _, other := range f.active {
		if other != i {
			kept = append(kept, other)
		}
	}
	f.active = kept
}

// close ends every wait, drops held requests without effect and refuses new
// ones.
func (f *faults) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.closing)
	}
}

// wait returns when the last request has been dealt with; close comes before.
func (f *faults) wait() { f.inFlight.Wait() }

// wrap returns next behind the faults.
func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.begin() {
			reset(w)
			return
		}
		defer f.inFlight.Done()
		body, err := f.bodyToMatch(r)
		if err != nil {
			reset(w)
			return
		}
		injection := f.hit(r, body)
		if injection == nil {
			next.ServeHTTP(w, r)
			return
		}
		defer f.finish(injection)
		injection.fault.Action.act(injection, w, r, next)
	})
}

// begin reports false after close.
func (f *faults) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.inFlight.Add(1)
	return true
}

// bodyToMatch reads the body when a Where has to see it, and puts it back.
func (f *faults) bodyToMatch(r *http.Request) ([]byte, error) {
	f.mu.Lock()
	wanted := false
	for _, i := range f.active {
		wanted = wanted || i.fault.Match.Where != nil
	}
	f.mu.Unlock()
	if !wanted {
		return nil, nil
	}
	return readBody(r)
}

// hit finds the first injection that takes the request.
func (f *faults) hit(r *http.Request, body []byte) *Injection {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.active {
		if !i.matches(r, body) {
			continue
		}
		i.seen++
		if i.seen <= i.fault.Skip || (i.fault.Times > 0 && i.hits >= i.fault.Times) {
			continue
		}
		i.hits++
		i.busy++
		f.notify()
		return i
	}
	return nil
}

func (f *faults) finish(i *Injection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i.busy--
	f.notify()
}

// notify wakes everyone who waits; the lock is held.
func (f *faults) notify() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *faults) await(ctx context.Context, reached func() bool) error {
	for {
		f.mu.Lock()
		done, changed := reached(), f.changed
		f.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (i *Injection) matches(r *http.Request, body []byte) bool {
	match := i.fault.Match
	return (match.Method == "" || match.Method == r.Method) &&
		(i.path == nil || i.path.MatchString(strings.TrimPrefix(r.URL.Path, i.faults.base))) &&
		(match.Where == nil || match.Where(r, body))
}

// pathPattern translates the pattern of a Match.
func pathPattern(glob string) *regexp.Regexp {
	if glob == "" {
		return nil
	}
	pattern := regexp.QuoteMeta(glob)
	pattern = strings.ReplaceAll(pattern, `\*\*`, `.*`)
	pattern = strings.ReplaceAll(pattern, `\*`, `[^/]*`)
	return regexp.MustCompile(`^` + pattern + `$`)
}

// readBody returns the whole body and leaves it to be read again.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
