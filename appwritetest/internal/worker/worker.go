// Package worker runs the asynchronous part of the server: one goroutine takes
// jobs from a queue, one at a time and in order, and can be paused, stepped,
// slowed down and made to fail.
package worker

import (
	"context"
	"sync"
	"time"
)

// Kind is what a job does.
type Kind string

// The kinds of jobs.
const (
	CreateAttribute  Kind = "create_attribute"
	DeleteAttribute  Kind = "delete_attribute"
	CreateIndex      Kind = "create_index"
	DeleteIndex      Kind = "delete_index"
	DeleteCollection Kind = "delete_collection"
	DeleteDatabase   Kind = "delete_database"
)

// Job is one queued message. Database, Collection and Key are the ids a client
// knows; the sequences tell apart objects that had the same id in turn.
type Job struct {
	Kind               Kind
	Database           string
	Collection         string
	Key                string
	DatabaseSequence   int64
	CollectionSequence int64
}

// Verdict is how a job is to end.
type Verdict int

const (
	// Succeed runs the job as it is.
	Succeed Verdict = iota
	// Fail ends the job as a storage error would: failed or stuck.
	Fail
	// DieBefore loses the job before it has any effect.
	DieBefore
	// DieAfter lets storage change and loses the rest: the status stays.
	DieAfter
)

// Config is what a Worker needs. Judge may be nil: every job succeeds. Delay
// may be nil: no wait.
type Config struct {
	// Run performs a job as the verdict says. It takes the project lock itself.
	Run   func(Job, Verdict)
	Judge func(Job) Verdict
	Delay func(Job) time.Duration
}

// Worker owns the queue and, between Start and Stop, one goroutine.
type Worker struct {
	run func(Job, Verdict)

	mu      sync.Mutex
	judge   func(Job) Verdict
	delay   func(Job) time.Duration
	queue   []Job
	busy    bool
	paused  bool
	steps   int           // jobs that may run although paused
	changed chan struct{} // closed and replaced on every change

	cancel context.CancelFunc
	done   chan struct{}
}

// New returns a worker that is not started.
func New(config Config) *Worker {
	return &Worker{run: config.Run, judge: config.Judge, delay: config.Delay, changed: make(chan struct{})}
}

// Start runs the goroutine until Stop, or until the context ends.
func (w *Worker) Start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	w.cancel, w.done = cancel, make(chan struct{})
	go w.loop(ctx)
}

// Stop ends the goroutine and waits for the job it is at. Queued jobs stay.
func (w *Worker) Stop() {
	w.cancel()
	<-w.done
}

// Add appends a job to the queue.
func (w *Worker) Add(job Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, job)
	w.notify()
}

// Pause lets the current job finish and starts no other.
func (w *Worker) Pause() { w.update(func() { w.paused, w.steps = true, 0 }) }

// Resume ends a pause.
func (w *Worker) Resume() { w.update(func() { w.paused = false }) }

// SetDelay replaces the time every job takes; nil means none.
func (w *Worker) SetDelay(delay func(Job) time.Duration) { w.update(func() { w.delay = delay }) }

// SetJudge replaces the verdicts; nil means every job succeeds.
func (w *Worker) SetJudge(judge func(Job) Verdict) { w.update(func() { w.judge = judge }) }

// Size is the number of jobs waiting, without the one that runs.
func (w *Worker) Size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// Jobs returns the waiting jobs in order.
func (w *Worker) Jobs() []Job {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Job(nil), w.queue...)
}

// Idle waits until no job is queued or running.
func (w *Worker) Idle(ctx context.Context) error {
	return w.await(ctx, func() bool { return len(w.queue) == 0 && !w.busy })
}

// Step pauses the worker, lets n more jobs run and waits for them, or until
// the queue is empty.
func (w *Worker) Step(ctx context.Context, n int) error {
	w.update(func() { w.paused, w.steps = true, n })
	err := w.await(ctx, func() bool { return !w.busy && (w.steps == 0 || len(w.queue) == 0) })
	w.update(func() { w.steps = 0 })
	return err
}

func (w *Worker) update(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.notify()
}

// notify wakes everyone who waits; the lock is held.
func (w *Worker) notify() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Worker) await(ctx context.Context, done func() bool) error {
	for {
		w.mu.Lock()
		reached, changed := done(), w.changed
		w.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (w *Worker) loop(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		err := w.await(ctx, func() bool { return len(w.queue) > 0 && (!w.paused || w.steps > 0) })
		if err != nil || !w.next(ctx) {
			return
		}
	}
}

// next runs the first job; false means the worker was stopped before it did.
func (w *Worker) next(ctx context.Context) bool {
	w.mu.Lock()
	if len(w.queue) == 0 || (w.paused && w.steps == 0) {
		w.mu.Unlock()
		return true
	}
	job := w.queue[0]
	judge, delay := w.judge, w.delay
	w.busy = true
	w.mu.Unlock()

	stopped := delay != nil && !wait(ctx, delay(job))
	verdict := Succeed
	if judge != nil && !stopped {
		verdict = judge(job)
	}
	if !stopped {
		w.run(job, verdict)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if !stopped {
		w.queue = w.queue[1:]
		w.steps = max(w.steps-1, 0)
	}
	w.busy = false
	w.notify()
	return !stopped
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
