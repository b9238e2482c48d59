package randomtest

import (
	"context"
	"net/http"
	"sync"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal"
)

// Plight is what goes wrong in processes, one after the other. Nil is nothing.
type Plight struct {
	mu      sync.Mutex
	faults  []*fault
	appends int // until the process stops at a journal write; 0: it does not
	stored  bool
}

// fault happens to some of the requests of a method.
type fault struct {
	method      string // "" is any
	skip, times int
	what        outage.Fault
}

// Troubles draws some. A process that is to stop does so at a request or at one
// of about as many journal writes as the steps need.
func Troubles(rt *rapid.T, steps int) *Plight {
	p := &Plight{}
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		p.faults = append(p.faults, &fault{
			method: rapid.SampledFrom([]string{"", "POST", "PATCH", "PUT", "DELETE"}).Draw(rt, "method"),
			skip:   rapid.IntRange(0, 30).Draw(rt, "skip"),
			times:  rapid.IntRange(1, 2).Draw(rt, "times"),
			what:   rapid.SampledFrom(append(outage.Survivable(), outage.Limited)).Draw(rt, "fault"),
		})
	}
	p.Crash(rt, steps)
	return p
}

// Crash draws whether and where a process stops.
func (p *Plight) Crash(rt *rapid.T, steps int) {
	switch rapid.IntRange(0, 3).Draw(rt, "crash") {
	case 1:
		p.faults = append(p.faults, &fault{
			skip: rapid.IntRange(0, 12*steps).Draw(rt, "request"), times: 1,
			what: rapid.SampledFrom(outage.Crashes()).Draw(rt, "where"),
		})
	case 2:
		p.appends = rapid.IntRange(1, 3*steps+4).Draw(rt, "append")
		p.stored = rapid.Bool().Draw(rt, "stored")
	}
}

// Request decides what happens to a request.
func (p *Plight) Request(_ int, req *http.Request) outage.Fault {
	if p == nil {
		return outage.None
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		switch {
		case f.times == 0 || f.method != "" && f.method != req.Method:
		case f.skip > 0:
			f.skip--
		default:
			f.times--
			return f.what
		}
	}
	return outage.None
}

// Over ends all trouble.
func (p *Plight) Over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.appends = nil, 0
}

// append says whether the process stops at this journal write, and whether
// after it.
func (p *Plight) append() (stops, after bool) {
	if p == nil {
		return false, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.appends == 0 {
		return false, false
	}
	p.appends--
	return p.appends == 0, p.stored
}

// Journal is a store as a process sees it that may stop at one of its writes.
func (p *Plight) Journal(store journal.Store, fuse *outage.Fuse) journal.Store {
	return &crashing{Store: store, fuse: fuse, plight: p}
}

// crashing is the journal of a process that may stop at one of its writes.
type crashing struct {
	journal.Store
	fuse   *outage.Fuse
	plight *Plight
}

// Append implements journal.Store.
func (c *crashing) Append(ctx context.Context, records ...journal.Record) error {
	if c.fuse.Blown() {
		return outage.ErrCrash
	}
	stops, after := c.plight.append()
	if !stops {
		return c.Store.Append(ctx, records...)
	}
	defer c.fuse.Blow()
	if after {
		if err := c.Store.Append(ctx, records...); err != nil {
			return err
		}
	}
	return outage.ErrCrash
}
