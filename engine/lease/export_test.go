package lease

import "time"

// Claim is the machine of one claim, for the search through every order of
// events.
type Claim struct{ m machine }

// The phases that the search tells apart.
const (
	Looking  = looking
	Claiming = claiming
	Idling   = idling
	Holding  = holding
	Renewing = renewing
	Proving  = proving
	Over     = over
)

// NewClaim makes the machine of a claim.
func NewClaim(terms Terms, token, former string) Claim {
	return Claim{machine{terms: terms, former: former, self: Lock{Token: token, TTL: terms.TTL}}}
}

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
