package lease_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/backstep-dev/backstep/engine/lease"
)

// The search drives the machine of the lease itself, not a model of it, through
// every order of events that a small world allows: requests that arrive late or
// never, answers that are lost, runners that pause at any point for any time,
// clocks that jump, machines that sleep, runners that give up and come back.
//
// In every world reached, at most one runner's guard lets it act, and the fences
// of those that it lets act only grow.

const (
	maxRunners = 3
	maxFence   = 4
	maxLate    = 2
	tick       = time.Second
)

// bounds say how much of each trouble a search has.
type bounds struct {
	runners  int
	fences   int64 // claims beyond are not made
	losses   int   // requests without an answer
	jumps    int   // of wall clocks, forward or back
	sleeps   int   // ticks that a machine's monotonic clock misses
	claims   int   // that follow a claim which is over
	releases int
	// For the test of the search itself:
	forgetful bool          // records are created over others
	promise   time.Duration // what locks say of their TTL, when it is not what holders keep to
}

// request is one that a runner has sent.
type request struct {
	do     int
	lock   lease.Lock
	flying bool
	acted  bool
	newest lease.Lock
	found  bool
	err    error
}

type runner struct {
	claim    lease.Claim
	token    int
	request  request
	wakes    time.Duration // when its wait is over, by its monotonic clock; 0 when it does not wait
	passed   time.Duration // since the last world
	wall     time.Duration // what its wall clock is ahead
	slept    time.Duration // what its monotonic clock has missed
	released bool
}

type late struct {
	do   int
	lock lease.Lock
	on   bool
}

// world is one state; it is comparable.
type world struct {
	locks   [maxFence + 1]lease.Lock // by fence; none where Fence is 0
	runners [maxRunners]runner
	late    [maxLate]late
	tokens  int
	ruled   int64 // the highest fence that a guard has let act

	losses, jumps, sleeps, claims, releases int
}

const doRelease = -1 // beside the machine's phases

func (w *world) reading(i int) lease.Reading {
	r, o := &w.runners[i], lease.Origin()
	return lease.Reading{Wall: o.Wall + r.passed + r.wall, Mono: o.Mono + r.passed - r.slept}
}

// forget makes worlds equal that nothing to come can tell apart: times count
// from now, counters by their order only. So there are finitely many worlds,
// however long they last.
func (w *world) forget(b bounds) {
	for i := range b.runners {
		r := &w.runners[i]
		now := w.reading(i)
		asks := r.request.flying && r.request.do == lease.Looking
		r.claim.Forget(now, r.wakes != 0, asks, b.jumps+b.sleeps > 0)
		if r.claim.Over() {
			r.wakes = 0
			if r.request.acted {
				r.request = request{} // nobody waits for the answer
			}
		}
		if r.wakes != 0 {
			r.wakes = max(r.wakes-now.Mono, 0) + lease.Origin().Mono
		}
		r.passed, r.wall, r.slept = 0, 0, 0
	}
	var values [maxFence + 2][]*int64
	note := func(fence int64, counter *int64) { values[fence] = append(values[fence], counter) }
	for f := range w.locks {
		note(int64(f), &w.locks[f].Counter)
	}
	for i := range b.runners {
		r := &w.runners[i]
		r.claim.Counters(note)
		if r.request.flying {
			note(r.request.lock.Fence, &r.request.lock.Counter)
			note(r.request.newest.Fence, &r.request.newest.Counter)
		}
	}
	for n := range w.late {
		note(w.late[n].lock.Fence, &w.late[n].lock.Counter)
	}
	for _, counters := range values {
		slices.SortFunc(counters, func(a, b *int64) int { return cmp.Compare(*a, *b) })
		rank, last := int64(0), int64(0)
		for _, c := range counters {
			if *c != last {
				rank, last = rank+1, *c
			}
			*c = rank
		}
	}
}

func (w *world) newest() (lease.Lock, bool) {
	for f := maxFence; f > 0; f-- {
		if w.locks[f].Fence != 0 {
			return w.locks[f], true
		}
	}
	return lease.Lock{}, false
}

// arrive has a request act on the server.
func (w *world) arrive(do int, lock lease.Lock, b bounds) (newest lease.Lock, found bool, err error) {
	switch do {
	case lease.Looking, lease.Proving:
		newest, found = w.newest()
	case lease.Claiming:
		if w.locks[lock.Fence].Fence != 0 && !b.forgetful {
			return newest, false, lease.ErrTaken
		}
		w.locks[lock.Fence] = lock
		for f := int64(1); f < lock.Fence-1; f++ { // the holder prunes: at once, and all but one
			w.locks[f] = lease.Lock{}
		}
	case lease.Renewing:
		if w.locks[lock.Fence].Fence == 0 {
			return newest, false, errGone
		}
		w.locks[lock.Fence].Counter = lock.Counter
	case doRelease:
		w.locks[lock.Fence].Released = w.locks[lock.Fence].Fence != 0
	}
	return newest, found, err
}

var (
	errGone = fmt.Errorf("no such lock")
	errLost = fmt.Errorf("%w: no answer", lease.ErrUnavailable)
)

// successors gives every world that one event leads to.
func (w *world) successors(terms lease.Terms, b bounds, yield func(world, string)) {
	for i := range b.runners {
		w.moves(i, terms, b, yield)
	}
	for n, l := range w.late {
		if l.on {
			next := *w
			next.late[n] = late{}
			_, _, _ = next.arrive(l.do, l.lock, b)
			yield(next, fmt.Sprintf("late %d arrives", l.do))
		}
	}
	next := *w
	for i := range b.runners {
		next.runners[i].passed = tick
	}
	yield(next, "tick")
	if w.sleeps < b.sleeps {
		for i := range b.runners {
			asleep := next
			asleep.sleeps++
			asleep.runners[i].slept = tick
			yield(asleep, fmt.Sprintf("tick while %d sleeps", i))
		}
	}
}

// moves gives what one runner, its requests and its clock can do.
func (w *world) moves(i int, terms lease.Terms, b bounds, yield func(world, string)) {
	r := &w.runners[i]
	name := func(what string) string { return fmt.Sprintf("%d %s", i, what) }
	switch {
	case r.request.flying:
		w.exchange(i, b, yield)
	case r.wakes != 0:
		if w.reading(i).Mono >= r.wakes {
			next := *w
			next.runners[i].wakes = 0
			next.runners[i].claim.Done(lease.Lock{}, false, nil, next.reading(i))
			yield(next, name("wakes"))
		}
	case !r.claim.Over():
		next := *w
		next.begin(i, b)
		yield(next, name("goes on"))
	case w.claims < b.claims && !r.released:
		next := *w
		next.claims++
		next.again(i, terms)
		yield(next, name("claims again"))
	}
	if w.releases < b.releases && !r.request.flying && guards(*w, i) {
		next := *w
		next.releases++
		n := &next.runners[i]
		n.request = request{do: doRelease, lock: lease.Lock{Fence: n.claim.Fence()}, flying: true}
		n.claim.Stop()
		n.wakes, n.released = 0, true
		yield(next, name("releases"))
	}
	if w.jumps < b.jumps {
		for _, by := range []time.Duration{-3 * tick, 3 * tick} {
			next := *w
			next.jumps++
			next.runners[i].wall += by
			yield(next, name(fmt.Sprintf("jumps by %s", by)))
		}
	}
}

// begin has a runner do what its claim wants.
func (w *world) begin(i int, b bounds) {
	r := &w.runners[i]
	do, wait, lock := r.claim.Next(w.reading(i))
	switch do {
	case lease.Idling, lease.Holding:
		r.wakes = max(w.reading(i).Mono+wait, 1)
	case lease.Over:
	default:
		if lock.Fence <= b.fences { // else the world is too small: it waits for ever
			r.request = request{do: do, lock: lock, flying: true}
		}
	}
}

// exchange gives what can become of a request under way.
func (w *world) exchange(i int, b bounds, yield func(world, string)) {
	r := &w.runners[i]
	q := r.request
	if !q.acted {
		next := *w
		n := &next.runners[i].request
		n.newest, n.found, n.err = next.arrive(q.do, q.lock, b)
		n.acted = true
		yield(next, fmt.Sprintf("%d's %d acts", i, q.do))
	} else {
		next := *w
		next.runners[i].answered(q.newest, q.found, q.err, next.reading(i))
		yield(next, fmt.Sprintf("%d's %d is answered", i, q.do))
	}
	if w.losses == b.losses {
		return
	}
	lost := *w
	lost.losses++
	if !q.acted && q.do != lease.Looking && q.do != lease.Proving {
		for n := range lost.late {
			if !lost.late[n].on {
				lost.late[n] = late{do: q.do, lock: q.lock, on: true}
				break
			}
		}
	}
	lost.runners[i].answered(lease.Lock{}, false, errLost, lost.reading(i))
	yield(lost, fmt.Sprintf("%d's %d is lost", i, q.do))
}

func (r *runner) answered(newest lease.Lock, found bool, err error, now lease.Reading) {
	do := r.request.do
	r.request = request{}
	if do != doRelease {
		r.claim.Done(newest, found, err, now)
	}
}

// again gives a runner a new claim; a claim that lapsed is not waited for.
func (w *world) again(i int, terms lease.Terms) {
	w.tokens++
	r := &w.runners[i]
	former := ""
	if r.token != 0 {
		former = fmt.Sprint(r.token)
	}
	r.token = w.tokens
	r.claim = lease.NewClaim(terms, fmt.Sprint(r.token), former)
}

// guards says whether a runner's guard lets it act. It is asked of a copy: a
// runner asks when it likes.
func guards(w world, i int) bool { return w.runners[i].claim.Guard(w.reading(i)) }

// broken says what is wrong with a world.
func (w *world) broken(b bounds) string {
	holders := 0
	for i := range b.runners {
		if !guards(*w, i) {
			continue
		}
		holders++
		fence := w.runners[i].claim.Fence()
		if fence < w.ruled {
			return fmt.Sprintf("runner %d acts with fence %d after fence %d has ruled", i, fence, w.ruled)
		}
		w.ruled = fence
	}
	if holders > 1 {
		return fmt.Sprintf("%d runners are past their guards", holders)
	}
	return ""
}

func start(terms lease.Terms, b bounds) world {
	var w world
	for i := range b.runners {
		w.again(i, terms)
		if b.promise != 0 {
			w.runners[i].claim.Promise(b.promise)
		}
	}
	return w
}
