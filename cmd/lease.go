package cmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/journal/remote"
)

// leaseConfig is what the project file says of the lease.
type leaseConfig struct {
	TTL  time.Duration `yaml:"ttl"`  // without a sign of life for so long a runner is taken over; default 60s
	Wait time.Duration `yaml:"wait"` // how long to wait for a runner that lives; default: not at all
}

// shortestTTL is what a lease holds at least: a busy machine pauses a process
// for tenths of seconds.
const shortestTTL = time.Second

func (c *leaseConfig) fill() {
	if c.TTL == 0 {
		c.TTL = lease.DefaultTTL
	}
}

func (c *leaseConfig) validate() error {
	if c.TTL < shortestTTL || c.Wait < 0 {
		return fmt.Errorf("%s: lease.ttl is %s and lease.wait %s; they are at least %s and 0s", configFile, c.TTL, c.Wait, shortestTTL)
	}
	return nil
}

// right is a session's right to change the project: the lease, and what it
// takes to get it again where only the network was away.
type right struct {
	locks   *remote.Locks
	holder  lease.Holder
	options []lease.Option
	release func() // of the mark by which this machine knows that the process lives

	mu    sync.Mutex
	lease *lease.Lease
}

// acquire gets the lease for a command that changes the project. It asks the
// server for nothing that needs a lease itself.
func (s *session) acquire(ctx context.Context, wait time.Duration) error {
	terms, err := lease.TermsOf(s.cfg.Lease.TTL)
	if err != nil {
		return usageError(err, "")
	}
	client, err := s.client.With(appwrite.WithTimeout(min(terms.Attempt, s.cfg.Timeouts.Attempt)))
	if err != nil {
		return err
	}
	origin := s.origin()
	process, release := markAlive(s.app.logger)
	var dead lease.Lock // whose holder was found to have ended
	r := &right{
		locks: remote.NewLocks(client, s.cfg.History.Database), release: release,
		holder: lease.Holder{
			Host: origin.Host, Actor: origin.Actor, Environment: origin.Environment, Command: s.command, Process: process,
		},
		options: []lease.Option{
			lease.WithTTL(s.cfg.Lease.TTL), lease.WithLogger(s.app.logger),
			lease.WithDead(func(lock lease.Lock) bool {
				if !ended(lock) {
					return false
				}
				dead = lock
				return true
			}),
			lease.WithBlocked(s.tellBlocked()), lease.WithPatience(wait),
		},
	}
	if err := r.locks.Prepare(ctx); err != nil {
		release()
		return s.explain(err)
	}
	if r.lease, err = lease.Acquire(ctx, r.locks, r.holder, r.options...); err != nil {
		release()
		return s.notAcquired(err)
	}
	if dead.Fence != 0 {
		clearMark(dead)
	}
	s.right = r
	return nil
}

// notAcquired explains why there is no lease.
func (s *session) notAcquired(err error) error {
	var held *lease.HeldError
	if !errors.As(err, &held) {
		return s.explain(err)
	}
	return &ExitError{
		Code: ExitLeaseHeld, Err: fmt.Errorf("%w, since %s; nothing was changed", held, shortTime(held.Lock.CreatedAt)),
		Next: fmt.Sprintf("wait for it: %s %s --wait 10m, or look at it: %s lock status", s.app.name, s.command, s.app.name),
	}
}

// tellBlocked says once of each lock in the way what is being waited for.
func (s *session) tellBlocked() func(lease.Lock, bool) {
	var told int64
	return func(lock lease.Lock, alive bool) {
		if told == lock.Fence {
			return
		}
		told = lock.Fence
		words := fmt.Sprintf("taken over without a sign of life for %s", lock.TTL)
		if alive {
			words = "waiting for it"
		}
		fmt.Fprintf(s.app.streams.Err, "the lease is held by %s: %s\n", lock.Holder, words)
	}
}

// guard lets a request that changes something pass while the lease is held.
func (r *right) guard(ctx context.Context) error { return r.held().Guard(ctx) }

func (r *right) held() *lease.Lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease
}

// again gets the lease once more for a process that could not reach the server to
// renew it, unless somebody else has held it since. The one that was lost stays
// lost.
func (r *right) again(ctx context.Context, budget time.Duration) error {
	former := r.held()
	if err := former.Guard(ctx); err == nil {
		return nil
	}
	next, err := lease.Acquire(ctx, r.locks, r.holder, append(r.options, lease.WithFormer(former), lease.WithBudget(budget))...)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = next
	return nil
}

// end gives the lease back.
func (r *right) end(ctx context.Context) error {
	defer r.release()
	return r.held().Release(ctx)
}

// leaving is a reason to stop that leaves the run as it is, resumable, whatever
// on_interrupt says: there is no time, or no right, to undo anything.
type leaving struct{ error }

// Is says that it is as final as a deadline.
func (leaving) Is(target error) bool { return target == context.DeadlineExceeded }

// Unwrap gives the reason.
func (l leaving) Unwrap() error { return l.error }

// under gives a context that ends when the lease is lost. The caller calls stop,
// which waits.
func (r *right) under(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	held, done := r.held(), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-held.Lost():
			cancel(leaving{held.Err()})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// carry makes one run under the lease. Where the run was cut off because the
// server could not be reached for longer than the lease holds, and nobody else
// has begun anything meanwhile, it gets the lease again and goes on, for as long
// as a step may take with its retries.
func (s *session) carry(ctx context.Context, run func(context.Context) (engine.Report, error), goOn work) (engine.Report, error) {
	began := time.Now()
	report, err := s.once(ctx, run)
	for s.passing(ctx, report, err) {
		left := s.cfg.Timeouts.Budget - time.Since(began)
		if left <= 0 {
			break
		}
		fmt.Fprintf(s.app.streams.Err, "run %s was cut off: %s; going on once the server can be reached, for at most %s\n",
			report.Run, failure(err), left.Round(time.Second))
		if lost := s.right.again(ctx, left); lost != nil {
			fmt.Fprintf(s.app.streams.Err, "the lease could not be had again: %v\n", lost)
			return report, err
		}
		id := report.Run
		next, nextErr := s.once(ctx, func(ctx context.Context) (engine.Report, error) { return goOn(ctx, id) })
		if next.Run == "" { // it could not even be taken up
			fmt.Fprintf(s.app.streams.Err, "the run could not be taken up again: %v\n", nextErr)
			return report, err
		}
		report, err = next, nextErr
	}
	return report, err
}

// work goes on with a run.
type work func(ctx context.Context, run string) (engine.Report, error)

func (s *session) once(ctx context.Context, run func(context.Context) (engine.Report, error)) (engine.Report, error) {
	ctx, stop := s.right.under(ctx)
	defer stop()
	report, err := run(ctx)
	if lost := s.right.held().Err(); lost != nil && err != nil && report.Run == "" && !errors.Is(err, lease.ErrLost) {
		err = fmt.Errorf("%w; %w", lost, err) // why, before what it made of it
	}
	return report, err
}

// passing tells that a run was cut off by something that passes by itself.
func (s *session) passing(ctx context.Context, report engine.Report, err error) bool {
	if report.Run == "" || report.Outcome != engine.OutcomeInterrupted || ctx.Err() != nil || s.stopped() {
		return false
	}
	var lost *lease.LostError
	if errors.As(err, &lost) {
		return lost.Reason == lease.CutOff
	}
	return errors.Is(err, engine.ErrJournal) && s.place.remote() && appwrite.Classify(err) != appwrite.Permanent
}

// stopped tells that a person has asked to stop at once.
func (s *session) stopped() bool {
	select {
	case <-s.abort:
		return true
	default:
		return false
	}
}

// limits are the flags of commands that make runs.
type limits struct {
	wait     time.Duration
	deadline time.Duration
}

func addWait(f *pflag.FlagSet, wait *time.Duration) {
	f.DurationVar(wait, "wait", 0, "how long to wait for another runner that holds the lease, such as 2m (default: lease.wait of backstep.yaml)")
}

func addLimits(f *pflag.FlagSet, l *limits) {
	addWait(f, &l.wait)
	f.DurationVar(&l.deadline, "deadline", 0, "stop at a safe point before so much time has passed, such as 14m, and exit with 9; the next run goes on")
}

func addSerial(f *pflag.FlagSet, serial *bool) {
	f.BoolVar(serial, "serial", false, "make every step an operation of its own: join no document steps into one request")
}
