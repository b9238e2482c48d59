package history_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstep-dev/backstep/engine/lease"
)

// ttl is how long leases hold. No waiting takes real time.
const ttl = time.Minute

// short is longer than any wait for the lease, and shorter than any for the next
// renewal of it.
const short = ttl / 6

// machine has the clocks of one process. Whoever waits for the lease makes time
// pass; a renewal waits for a time that never comes.
type machine struct {
	mu  sync.Mutex
	now lease.Reading
}

func newMachine() *machine {
	return &machine{now: lease.Reading{Wall: time.Duration(time.Now().UnixNano())}}
}

// Now implements lease.Clock.
func (m *machine) Now() lease.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Wait implements lease.Clock.
func (m *machine) Wait(ctx context.Context, d time.Duration) error {
	if d > short {
		<-ctx.Done()
		return ctx.Err()
	}
	m.sleep(d, false)
	return ctx.Err()
}

// sleep is a pause of the process, or of the whole machine, on which the
// monotonic clock stands still then.
func (m *machine) sleep(d time.Duration, whole bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Wall += d
	if !whole {
		m.now.Mono += d
	}
}

// pause stops a process at one of the places where it is about to change
// something, or has just done so and awaits the answer.
type pause struct {
	at     int64 // which of them, from 1
	answer bool  // at an answer, else before a request
	met    atomic.Int64
	begun  chan struct{} // closed when the process has stopped
	ended  chan struct{} // closed to let it go on
}

func newPause(at int64, answer bool) *pause {
	return &pause{at: at, answer: answer, begun: make(chan struct{}), ended: make(chan struct{})}
}

// pass is called at each place of one of the two sorts. Nil is no pause.
func (p *pause) pass(answer bool) {
	if p == nil || p.answer != answer || p.met.Add(1) != p.at {
		return
	}
	close(p.begun)
	<-p.ended
}

// slow passes requests on and may stop the process before it gets an answer.
type slow struct {
	http.RoundTripper
	pause *pause
}

// RoundTrip implements http.RoundTripper.
func (s slow) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(req)
	if req.Method != http.MethodGet {
		s.pause.pass(true)
	}
	return resp, err
}
