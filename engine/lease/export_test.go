package lease

import "time"

// Claim is the machine of one claim, for the search through every order of
// events.
type Claim struct{ m machine }

// The phases that the search tells apart.
const (
	Looking  = int(looking)
	Claiming = int(claiming)
	Idling   = int(idling)
	Holding  = int(holding)
	Renewing = int(renewing)
	Proving  = int(proving)
	Over     = int(over)
)

// NewClaim makes the machine of a claim.
func NewClaim(terms Terms, token, former string) Claim {
	return Claim{machine{terms: terms, former: former, self: Lock{Token: token, TTL: terms.TTL}}}
}

// Promise changes what the claim's lock says of its TTL.
func (c *Claim) Promise(ttl time.Duration) { c.m.self.TTL = ttl }

// Next is machine.next.
func (c *Claim) Next(now Reading) (do int, wait time.Duration, lock Lock) {
	a := c.m.next(now)
	return int(a.do), a.wait, a.lock
}

// Done is machine.done.
func (c *Claim) Done(newest Lock, found bool, err error, now Reading) {
	c.m.done(answer{newest: newest, found: found, err: err}, now)
}

// Guard is machine.guard.
func (c *Claim) Guard(now Reading) bool { return c.m.guard(now) }

// Stop ends the claim as Release does.
func (c *Claim) Stop() { c.m.lose(Given, Lock{}) }

// Fence is the fence that the claim is for.
func (c *Claim) Fence() int64 { return c.m.self.Fence }

// Over reports whether the claim is lost or given up.
func (c *Claim) Over() bool { return c.m.at == over }

// Counters calls visit for each counter of a fence that the claim knows.
func (c *Claim) Counters(visit func(fence int64, counter *int64)) {
	visit(c.m.self.Fence, &c.m.self.Counter)
	if c.m.watching {
		visit(c.m.watched.Fence, &c.m.watched.Counter)
	}
}

// Forget turns the claim's readings into what they are beside now, and drops
// what nothing depends on any more, so that worlds that cannot be told apart by
// anything to come are one. exact keeps the two clocks apart, which matters only
// where they are not the same.
func (c *Claim) Forget(now Reading, waits, asks, exact bool) {
	m := &c.m
	m.expire(now)
	if m.at == over {
		c.m = machine{terms: m.terms, self: Lock{Token: m.self.Token}, at: over}
		return
	}
	m.failed = false // it only names the reason
	if m.holds() {
		m.watching, m.watched, m.still, m.seen, m.stirred = false, Lock{}, 0, Reading{}, false
		m.claim, m.claimed, m.former = Reading{}, false, ""
		if m.at == holding {
			m.sent, m.renewed = Reading{}, false
		}
	} else {
		m.proven, m.stirred = Reading{}, false
		if !asks {
			m.sent = Reading{}
		}
		if !m.claimed {
			m.claim = Reading{}
		}
		if m.watching && !exact { // only the sum of what was and will be counted matters
			until := now
			if asks {
				until = m.sent
			}
			m.still = min(m.still+until.atLeast(m.seen), m.terms.TTL)
			m.seen = now
			if asks {
				m.sent = now
			}
		}
	}
	if waits || (m.at != idling && m.at != holding) {
		m.pause = 0
	}
	for _, r := range []*Reading{&m.sent, &m.claim, &m.seen, &m.proven} {
		if *r == (Reading{}) {
			continue
		}
		age, ahead := now.Mono-r.Mono, (now.Wall-r.Wall)-(now.Mono-r.Mono)
		age = min(age, m.terms.TTL)
		if exact && (r == &m.sent || r == &m.seen) {
			age = min(now.Mono-r.Mono, 2*m.terms.TTL)
		}
		*r = Reading{Mono: origin - age, Wall: origin - age - ahead}
	}
}

const origin = time.Hour

// Origin is the reading that Forget moves to.
func Origin() Reading { return Reading{Wall: origin, Mono: origin} }
