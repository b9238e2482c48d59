package lease

import (
	"errors"
	"time"
)

// phase is where a claim stands, and what it wants done.
type phase int

const (
	looking  phase = iota // list the newest lock
	claiming              // create the record of the next fence
	idling                // wait before looking again
	holding               // wait before renewing
	renewing              // write the next counter
	proving               // list the newest lock after the renewal
	over                  // lost, or given up: nothing more is done
)

// act is what a claim wants done next.
type act struct {
	do   phase
	wait time.Duration // for idling and holding
	lock Lock          // for claiming and renewing
}

// answer is what became of an act.
type answer struct {
	newest Lock // for looking and proving
	found  bool
	dead   bool // the holder of newest is known to be dead
	err    error
}

// machine is one claim from its first look to its loss: which request comes
// next, and what follows from the answer. It does nothing itself and reads no
// clock, so that every order of events can be tried (see the search in the
// tests). Its value is comparable; all there is to know is in it.
//
// Why no two hold at once: a holder counts its time from the moment it sent what
// others see, and stops for good when that time is up. A rival counts from the
// answer that first showed it a counter to the sending of the question whose
// answer still shows it. What the rival counts has really passed, and what the
// holder counts covers what has really passed. A renewal is either proven before
// the holder's time is up, and so before the rival's last look, which sees it;
// or it is not, and the holder is out.
type machine struct {
	terms  Terms
	self   Lock   // Fence, Counter and Holder.Run change, the rest is fixed
	former string // token of an earlier claim of this process, lost for good: this one follows it or none

	at    phase
	pause time.Duration
	sent  Reading // when the request under way was sent; a proof's is its renewal's

	claimed bool    // the record of self.Fence has been asked for
	claim   Reading // when it was first

	watching bool
	watched  Lock          // a rival's lock as first seen with its counter
	still    time.Duration // how long it has stood still at the least
	seen     Reading       // up to when
	stirred  bool          // something changed while it was watched

	renewed bool    // the last renewal was answered
	failed  bool    // one has failed since the last proof
	proven  Reading // from when the right to act counts
	reason  Reason  // why it was lost
	by      Lock    // what superseded it
}

// next gives what to do now.
func (m *machine) next(now Reading) act {
	m.expire(now) // one that is out renews no more
	switch m.at {
	case claiming:
		if !m.claimed {
			m.claim, m.claimed = now, true
		}
	case renewing:
		m.self.Counter++
		m.sent = now
	case looking:
		m.sent = now
	case idling, holding, proving, over:
	}
	return act{do: m.at, wait: m.pause, lock: m.self}
}

// done takes the answer to the act that next gave.
func (m *machine) done(a answer, now Reading) {
	m.expire(now)
	switch m.at {
	case looking:
		m.looked(a, now)
	case claiming:
		m.at = looking // whatever was answered, the list decides
		if a.err != nil && !errors.Is(a.err, ErrTaken) {
			m.at, m.pause = idling, m.terms.Poll
		}
	case idling:
		m.at = looking
	case holding:
		m.at = renewing
	case renewing:
		m.at, m.renewed = proving, a.err == nil
		m.failed = m.failed || a.err != nil
	case proving:
		m.prove(a, now)
	case over:
	}
}

// looked decides by the newest lock: it is ours, free, or another's.
func (m *machine) looked(a answer, now Reading) {
	newest := a.newest
	ours := newest.Token == m.self.Token
	switch {
	case a.err != nil:
		m.at, m.pause = idling, m.terms.Poll
	case m.former != "" && !ours && newest.Token != m.former: // somebody has ruled since
		m.lose(Superseded, newest)
	case !a.found:
		m.want(1)
	case ours && !newest.Released && newest.Fence == m.self.Fence && !m.lapsed(now, m.claim):
		m.at, m.proven = holding, m.claim
		m.pause = max(m.terms.Renew-now.atMost(m.proven), 0)
	case ours, newest.Released, newest.Token == m.former, a.dead:
		m.want(newest.Fence + 1) // ours by now is one that never ruled
	default:
		m.watch(newest, now)
	}
}

// want goes for a fence. The time of the first request for it counts, since any
// of them may be the one that made the record.
func (m *machine) want(fence int64) {
	m.at = claiming
	if m.self.Fence != fence {
		m.self.Fence, m.claimed = fence, false
	}
}

// watch waits for the lock of another to stand still for its whole TTL.
func (m *machine) watch(newest Lock, now Reading) {
	m.at = idling
	if !m.watching || m.watched.Token != newest.Token || m.watched.Fence != newest.Fence || m.watched.Counter != newest.Counter {
		m.stirred = m.stirred || m.watching
		m.watching, m.watched, m.still, m.seen = true, newest, 0, now
	} else {
		m.still += m.sent.atLeast(m.seen)
		m.seen = m.sent
	}
	ttl := newest.TTL
	if ttl <= 0 {
		ttl = m.terms.TTL
	}
	if m.still >= ttl {
		m.want(newest.Fence + 1)
		return
	}
	m.pause = min(m.terms.Poll, ttl-m.still)
}

// prove takes what the list showed after a renewal.
func (m *machine) prove(a answer, now Reading) {
	m.at, m.pause = holding, m.terms.Poll
	switch {
	case a.err != nil:
		m.failed = true
	case !a.found:
		m.lose(Gone, Lock{})
	case a.newest.Token != m.self.Token:
		m.lose(Superseded, a.newest)
	case a.newest.Released:
		m.lose(Revoked, a.newest)
	case m.renewed && !m.lapsed(now, m.proven): // a proof that comes too late is none
		m.proven, m.failed = m.sent, false
		m.pause = max(m.terms.Renew-now.atMost(m.proven), 0)
	}
}

// guard says whether the holder may change anything now.
func (m *machine) guard(now Reading) bool {
	m.expire(now)
	return m.holds()
}

func (m *machine) holds() bool { return m.at == holding || m.at == renewing || m.at == proving }

// expire ends a claim whose time is up, for good: another may rule since.
func (m *machine) expire(now Reading) {
	switch {
	case !m.holds():
	case now.setBack(m.proven) > m.terms.Margin:
		m.lose(SetBack, Lock{})
	case m.lapsed(now, m.proven) && m.failed:
		m.lose(CutOff, Lock{})
	case m.lapsed(now, m.proven):
		m.lose(Lapsed, Lock{})
	}
}

func (m *machine) lapsed(now, since Reading) bool {
	return now.atMost(since) >= m.terms.TTL-m.terms.Margin
}

func (m *machine) lose(reason Reason, by Lock) {
	m.at, m.reason, m.by = over, reason, by
}
