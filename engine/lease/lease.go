// Package lease keeps runners apart: at most one holds the right to change a
// project. It rests on records that are created once (Locks), on counting time
// in the way that is safe for each side, and on no clock that two machines
// share. docs/adr/0008 has the argument.
package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Lease is the right to change a project, as long as [Lease.Guard] says so. Its
// renewal is a goroutine that [Lease.Release] ends and waits for.
type Lease struct {
	options
	locks Locks

	mu   sync.Mutex
	m    machine
	stop context.CancelFunc
	done chan struct{} // closed when the renewal has ended
	lost chan struct{} // closed when the lease is lost
}

// Acquire gets the lease, or takes it over from a holder that shows no sign of
// life for the whole TTL of its lock. A holder that lives is waited for as
// [WithPatience] says; then the error is a *HeldError. Nothing is held after an
// error.
func Acquire(ctx context.Context, locks Locks, holder Holder, opts ...Option) (*Lease, error) {
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	token, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("draw a token: %w", err)
	}
	l := &Lease{options: o, locks: locks, done: make(chan struct{}), lost: make(chan struct{})}
	l.m = machine{terms: o.terms, former: o.former, self: Lock{Token: token.String(), TTL: o.terms.TTL, Holder: holder}}
	if err := l.seek(ctx); err != nil {
		l.withdraw(ctx)
		return nil, err
	}
	fence := l.Lock().Fence
	l.logger.Debug("lease acquired", "fence", fence)
	l.try(ctx, "prune older locks", func(ctx context.Context) error { return locks.Prune(ctx, fence) })
	// The holder stops it by Release, not by cancelling what it acquired under.
	renewal, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.renew(renewal)
	return l, nil
}

// seek goes on until the claim holds.
func (l *Lease) seek(ctx context.Context) error {
	began := l.clock.Now()
	reached := began // when all was last well
	for {
		act := l.next()
		switch act.do {
		case holding:
			return nil
		case over:
			return fmt.Errorf("acquire the lease again: %w", l.Err())
		default:
		}
		a := l.perform(ctx, act)
		now := l.clock.Now()
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the lease: %w", context.Cause(ctx))
		}
		if a.err != nil && !errors.Is(a.err, ErrTaken) &&
			(!errors.Is(a.err, ErrUnavailable) || now.atMost(reached) >= l.budget) {
			return fmt.Errorf("acquire the lease: %w", a.err)
		}
		l.mu.Lock()
		l.m.done(a, now)
		blocked, lock, alive := act.do == looking && a.err == nil && l.m.at == idling, l.m.watched, l.m.stirred
		l.mu.Unlock()
		if !blocked {
			continue
		}
		reached = now
		if alive && now.atMost(began) >= l.patience {
			return &HeldError{Lock: lock}
		}
		l.blocked(lock, alive)
	}
}

// renew keeps the lease until it is lost or ctx ends.
func (l *Lease) renew(ctx context.Context) {
	defer close(l.done)
	for ctx.Err() == nil {
		act := l.next()
		if act.do == over {
			return
		}
		a := l.perform(ctx, act)
		if ctx.Err() != nil {
			return
		}
		if a.err != nil {
			l.logger.Warn("the lease could not be renewed; trying again", "error", a.err)
		}
		l.settle(func(m *machine) { m.done(a, l.clock.Now()) })
	}
}

func (l *Lease) next() act {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.next(l.clock.Now())
}

// settle changes the claim and tells when that lost it.
func (l *Lease) settle(change func(*machine)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.m.at
	change(&l.m)
	if before != over && l.m.at == over {
		close(l.lost)
		l.logger.Warn("lease lost", "reason", l.m.reason, "fence", l.m.self.Fence)
	}
}

// perform does what the claim wants. Each request has its own time limit, so
// that one that hangs does not cost the lease.
func (l *Lease) perform(ctx context.Context, act act) answer {
	if act.do == idling || act.do == holding {
		return answer{err: l.clock.Wait(ctx, act.wait)}
	}
	attempt, cancel := context.WithTimeout(ctx, l.terms.Attempt)
	defer cancel()
	var a answer
	switch act.do {
	case looking, proving:
		a.newest, a.found, a.err = l.locks.Newest(attempt)
		a.dead = act.do == looking && a.err == nil && a.found && !a.newest.Released && l.dead(a.newest)
	case claiming:
		a.err = l.locks.Create(attempt, act.lock)
	case renewing:
		a.err = l.locks.Renew(attempt, act.lock)
	case idling, holding, over:
	}
	if a.err != nil && attempt.Err() != nil && !errors.Is(a.err, ErrTaken) {
		a.err = fmt.Errorf("%w: no answer within %s: %w", ErrUnavailable, l.terms.Attempt, a.err)
	}
	return a
}

// Guard answers nil while the lease is certainly held, with its margin to
// spare, and a *LostError from then on for ever. It sends nothing, so it can be
// asked before every request that changes anything.
func (l *Lease) Guard(context.Context) error {
	now := l.clock.Now()
	l.settle(func(m *machine) { m.guard(now) })
	return l.Err()
}

// Err is what Guard last came to: nil, or how the lease was lost.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m.at != over {
		return nil
	}
	return &LostError{Reason: l.m.reason, Lock: l.m.self, By: l.m.by}
}

// Lost is closed when the lease is found lost.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Lock is the holder's lock as it stands.
func (l *Lease) Lock() Lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.self
}

// Working notes the run that is under way; the next renewal tells it to others.
func (l *Lease) Working(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.m.self.Holder.Run = run
}

// Release ends the renewal and marks the lock as released. It is to be called
// once nothing more will be changed; afterwards the guard refuses. An error
// means that the next runner has to wait for the lock to be dead. One that is
// another's by now is left alone.
func (l *Lease) Release(ctx context.Context) error {
	l.stop()
	<-l.done
	l.settle(func(m *machine) { m.expire(l.clock.Now()) })
	var lost *LostError
	if errors.As(l.Err(), &lost) {
		if lost.Reason == Lapsed || lost.Reason == CutOff || lost.Reason == SetBack { // it may still stand in the way of others
			l.try(ctx, "release what was lost", func(ctx context.Context) error { return l.release(ctx, lost.Lock) })
		}
		return nil
	}
	l.settle(func(m *machine) { m.lose(Given, Lock{}) })
	return l.giveBack(context.WithoutCancel(ctx))
}

// releaseTries is how often a release is tried: what fails costs others a TTL.
const releaseTries = 3

func (l *Lease) giveBack(ctx context.Context) error {
	fence := l.Lock().Fence
	var err error
	for range releaseTries {
		attempt, cancel := context.WithTimeout(ctx, l.terms.Attempt)
		err = l.locks.Release(attempt, fence)
		cancel()
		if err == nil || !errors.Is(err, ErrUnavailable) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("release lock %d: %w", fence, err)
	}
	return nil
}

// withdraw releases a claim that was given up, in case its record was made.
func (l *Lease) withdraw(ctx context.Context) {
	l.mu.Lock()
	m := l.m
	l.m.at = over
	l.mu.Unlock()
	if m.claimed {
		l.try(ctx, "withdraw the claim", func(ctx context.Context) error { return l.release(ctx, m.self) })
	}
}

// release marks the newest lock as released if it is the given one.
func (l *Lease) release(ctx context.Context, lock Lock) error {
	newest, found, err := l.locks.Newest(ctx)
	if err != nil || !found || newest.Token != lock.Token {
		return err
	}
	return l.locks.Release(ctx, newest.Fence)
}

// try does what may fail without harm.
func (l *Lease) try(ctx context.Context, what string, work func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.terms.Attempt)
	defer cancel()
	if err := work(ctx); err != nil {
		l.logger.Debug(what, "error", err)
	}
}

// Age is how long ago a lock was renewed, going by this machine's wall clock;
// it is for people only.
func Age(lock Lock, now time.Time) time.Duration {
	return max(now.Sub(lock.RenewedAt), 0)
}
