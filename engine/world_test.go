package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// The errors of the world's server.
var (
	errBusy    = errors.New("the server is busy")           // transient
	errLost    = errors.New("the response was lost")        // ambiguous
	errDenied  = errors.New("the server denies the change") // permanent
	errOffline = errors.New("the server cannot be reached") // transient
)

// laterError asks to be tried again in 37 seconds.
type laterError struct{ error }

func (e laterError) Unwrap() error           { return e.error }
func (laterError) RetryAfter() time.Duration { return 37 * time.Second }

func classify(err error) engine.Class {
	switch {
	case errors.Is(err, errBusy), errors.Is(err, errOffline):
		return engine.ClassTransient
	case errors.Is(err, errLost), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return engine.ClassAmbiguous
	default:
		return engine.ClassPermanent
	}
}

// fault is what happens to one write.
type fault int

const (
	none   fault = iota
	busy         // refused before the effect; worth another try
	deny         // refused for good
	lose         // acts, and the response is lost
	drop         // never arrives, which nobody is told
	hold         // acts late: within the quarantine
	later        // refused before the effect, and told when to come back
	silent       // acts, then everything the run tries fails as offline
)

// crash is what a crashed process leaves behind, on the test's stack.
type crash struct{ point string }

// world is a small deterministic server: objects under keys, where "c/x" lies
// inside "c". It can lose, hold and refuse writes and crash its caller at any
// boundary.
type world struct {
	mu      sync.Mutex
	objects map[string]string
	late    []func()
	clock   *clock
	store   *watchedStore

	// at is called at every boundary with its name; it panics to crash.
	at func(point string)
	// fails says what happens to a write; n counts the writes of one operation from 1.
	fails    func(operation string, n int) fault
	counts   map[string]int
	effects  []string
	offline  bool
	hanging  bool
	receipts map[string]string // by id: applied or revoked
	early    []string          // writes whose intent was not durable: always empty
}

func newWorld(objects map[string]string) *world {
	w := &world{objects: maps.Clone(objects), counts: make(map[string]int), receipts: make(map[string]string)}
	if w.objects == nil {
		w.objects = make(map[string]string)
	}
	w.clock = &clock{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), world: w}
	w.store = &watchedStore{world: w}
	return w
}

// point is a boundary.
func (w *world) point(name string) {
	if w.at != nil {
		w.at(name)
	}
}

// write sends one change.
func (w *world) write(ctx context.Context, site engine.Site, what string, effect func()) error {
	w.point("request " + site.Operation)
	if w.hanging {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w.checkIntent(site)
	w.mu.Lock()
	w.counts[site.Operation]++
	n := w.counts[site.Operation]
	offline := w.offline
	w.mu.Unlock()
	if offline {
		return errOffline
	}
	do := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		effect()
		w.effects = append(w.effects, site.Operation+" "+what)
	}
	f := none
	if w.fails != nil {
		f = w.fails(site.Operation, n)
	}
	switch f {
	case busy:
		return errBusy
	case later:
		return laterError{errBusy}
	case deny:
		return errDenied
	case drop:
		return errLost
	case hold:
		w.mu.Lock()
		w.late = append(w.late, do)
		w.mu.Unlock()
		return errLost
	case lose:
		do()
		return errLost
	case silent:
		do()
		w.mu.Lock()
		w.offline = true
		w.mu.Unlock()
		return errLost
	case none:
	}
	do()
	w.point("effect " + site.Operation)
	return nil
}

// checkIntent notes a write that the journal does not announce.
func (w *world) checkIntent(site engine.Site) {
	last := w.store.records[len(w.store.records)-1]
	intended := last.Operation == site.Operation && (last.Type == journal.Intent || last.Type == journal.UndoIntent)
	if !intended && last.Type != journal.RunFinished { // a halted run goes on behind its run_finished
		w.early = append(w.early, fmt.Sprintf("%s after %s %s", site.Operation, last.Type, last.Operation))
	}
}

// read gives an object.
func (w *world) read(ctx context.Context, key string) (string, bool, error) {
	if err := ctx.Err(); err != nil {
		return "", false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.offline {
		return "", false, errOffline
	}
	value, ok := w.objects[key]
	return value, ok, nil
}

// set changes an object behind the run's back; "" removes it.
func (w *world) set(key, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if value == "" {
		delete(w.objects, key)
		return
	}
	w.objects[key] = value
}

// inhabited reports whether anything lies inside an object.
func (w *world) inhabited(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.objects {
		if strings.HasPrefix(other, key+"/") {
			return true
		}
	}
	return false
}

func (w *world) online() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offline = false
}

// arrive lets what was held act.
func (w *world) arrive() {
	w.mu.Lock()
	late := w.late
	w.late = nil
	w.mu.Unlock()
	for _, do := range late {
		do()
	}
}

func (w *world) snapshot() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.objects)
}

// clock stands still but for waits, which pass at once. A wait of the
// quarantine's length lets arrive what was held.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	world *world
	waits []time.Duration
	// during, when set, is called in every wait.
	during func(d time.Duration)
}

const quarantine = 45 * time.Second

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	during := c.during
	c.mu.Unlock()
	if d >= quarantine {
		c.world.arrive()
	}
	if during != nil {
		during(d)
	}
	return ctx.Err()
}

// watchedStore keeps the records of one run as they are, puts boundaries around
// every append and can fail there.
type watchedStore struct {
	world   *world
	records []journal.Record
	// fails gives the error of an append, and whether the records are stored all the same.
	fails func(r journal.Record) (err error, stored bool)
}

func (s *watchedStore) Append(_ context.Context, records ...journal.Record) error {
	name := string(records[0].Type) + " " + records[0].Operation
	s.world.point("before " + name)
	if s.fails != nil {
		if err, stored := s.fails(records[0]); err != nil {
			if stored {
				s.records = append(s.records, records...)
			}
			return err
		}
	}
	tail := journal.Tail{}
	if n := len(s.records); n > 0 {
		tail = s.records[n-1].Next()
	}
	if err := journal.CheckAppend(tail, records[0]); err != nil {
		return err
	}
	s.records = append(s.records, records...)
	s.world.point("after " + name)
	return nil
}

func (s *watchedStore) Records(context.Context, string) ([]journal.Record, error) {
	if len(s.records) == 0 {
		return nil, journal.ErrNoRun
	}
	return slices.Clone(s.records), nil
}

func (s *watchedStore) Runs(context.Context) ([]journal.Summary, error) { return nil, nil }
func (s *watchedStore) Archives() journal.Archives                      { return nil }
func (s *watchedStore) Close() error                                    { return nil }

// clone gives the world and its journal as they are now, without faults.
func (w *world) clone() *world {
	c := newWorld(w.snapshot())
	c.receipts = maps.Clone(w.receipts)
	c.clock.now, c.store.records, c.effects, c.early = w.clock.now, slices.Clone(w.store.records), slices.Clone(w.effects), slices.Clone(w.early)
	return c
}

// newEngine makes an engine over the world.
func newEngine(tb testing.TB, w *world, opts ...engine.Option) *engine.Engine {
	tb.Helper()
	e, err := engine.New(w.store, codec{w}, append([]engine.Option{
		engine.WithClock(w.clock), engine.WithClassifier(classify), engine.WithQuarantine(quarantine),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// crashing calls do and reports whether it crashed on the way.
func crashing(do func()) (crashed *crash) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case crash:
			crashed = &r
		default:
			panic(r)
		}
	}()
	do()
	return nil
}

// crashAt crashes at the first boundary of that name.
func (w *world) crashAt(point string) {
	w.at = func(name string) {
		if name == point {
			w.at = nil
			panic(crash{name})
		}
	}
}

// crashAtNumber crashes at boundary n, counted from 1.
func (w *world) crashAtNumber(n int) {
	seen := 0
	w.at = func(name string) {
		if seen++; seen == n {
			w.at = nil
			panic(crash{name})
		}
	}
}
