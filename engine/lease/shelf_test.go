package lease_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
)

// shelf keeps locks in memory. before and after, when set, are asked around
// each request.
type shelf struct {
	mu     sync.Mutex
	locks  []lease.Lock
	asked  []string
	before func(what string) error
	after  func(what string) error
}

func (s *shelf) do(what string, work func() error) error {
	s.mu.Lock()
	s.asked = append(s.asked, what)
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(what); err != nil {
			return err
		}
	}
	s.mu.Lock()
	err := work()
	s.mu.Unlock()
	if after != nil && err == nil {
		err = after(what)
	}
	return err
}

func (s *shelf) find(fence int64) *lease.Lock {
	i := slices.IndexFunc(s.locks, func(l lease.Lock) bool { return l.Fence == fence })
	if i < 0 {
		return nil
	}
	return &s.locks[i]
}

func (s *shelf) Newest(context.Context) (newest lease.Lock, found bool, err error) {
	err = s.do("newest", func() error {
		for _, l := range s.locks {
			if l.Fence > newest.Fence {
				newest, found = l, true
			}
		}
		return nil
	})
	return newest, found, err
}

func (s *shelf) Create(_ context.Context, lock lease.Lock) error {
	return s.do("create", func() error {
		if s.find(lock.Fence) != nil {
			return lease.ErrTaken
		}
		s.locks = append(s.locks, lock)
		return nil
	})
}

func (s *shelf) change(what string, fence int64, change func(*lease.Lock)) error {
	return s.do(what, func() error {
		l := s.find(fence)
		if l == nil {
			return fmt.Errorf("no lock %d", fence)
		}
		change(l)
		return nil
	})
}

func (s *shelf) Renew(_ context.Context, lock lease.Lock) error {
	return s.change("renew", lock.Fence, func(l *lease.Lock) { l.Counter, l.Holder.Run = lock.Counter, lock.Holder.Run })
}

func (s *shelf) Release(_ context.Context, fence int64) error {
	return s.change("release", fence, func(l *lease.Lock) { l.Released = true })
}

func (s *shelf) Prune(_ context.Context, below int64) error {
	return s.do("prune", func() error {
		s.locks = slices.DeleteFunc(s.locks, func(l lease.Lock) bool { return l.Fence < below })
		return nil
	})
}

// away puts the locks out of reach.
func (s *shelf) away(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = nil
	if away {
		s.before = func(string) error { return lease.ErrUnavailable }
	}
}

func (s *shelf) fences() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []int64
	for _, l := range s.locks {
		all = append(all, l.Fence)
	}
	return all
}

// skew is the system clock, with a wall clock that can be set and a monotonic
// one that can stand still.
type skew struct {
	lease.Clock
	mu         sync.Mutex
	wall, mono time.Duration
}

func (c *skew) Now() lease.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	return lease.Reading{Wall: now.Wall + c.wall, Mono: now.Mono + c.mono}
}

func (c *skew) set(wall, mono time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = wall, mono
}

// pass lets time pass, which costs none in the bubbles that these tests run in.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
}

func acquire(t *testing.T, locks lease.Locks, name string, opts ...lease.Option) *lease.Lease {
	t.Helper()
	l, err := lease.Acquire(t.Context(), locks, lease.Holder{Host: name}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release(context.WithoutCancel(t.Context())) })
	return l
}

func allowed(t *testing.T, l *lease.Lease) {
	t.Helper()
	if err := l.Guard(t.Context()); err != nil {
		t.Error(err)
	}
}

func refused(t *testing.T, l *lease.Lease, why lease.Reason) {
	t.Helper()
	err := l.Guard(t.Context())
	var lost *lease.LostError
	if !errors.As(err, &lost) || lost.Reason != why {
		t.Errorf("the guard says %v, want %s", err, why)
	}
	if !errors.Is(err, lease.ErrLost) || !errors.Is(err, engine.ErrGuard) {
		t.Errorf("%v is not ErrLost and ErrGuard", err)
	}
}
