package appwritetest

import (
	"context"
	"sync"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Worker is the asynchronous half of a Server: it makes attributes and indexes
// available, and it drops and purges. It takes one job at a time, in order.
type Worker struct {
	queue *worker.Worker

	mu     sync.Mutex
	faults []*JobInjection
}

func newWorker(queue *worker.Worker, delay Delay) *Worker {
	w := &Worker{queue: queue}
	queue.SetJudge(w.judge)
	w.SetDelay(delay)
	return w
}

// Pause lets the job that runs finish and starts no other.
func (w *Worker) Pause() { w.queue.Pause() }

// Resume ends a pause.
func (w *Worker) Resume() { w.queue.Resume() }

// Step pauses the worker, then runs n queued jobs, or fewer if the queue is
// shorter, and waits for them.
func (w *Worker) Step(ctx context.Context, n int) error { return w.queue.Step(ctx, n) }

// Idle waits until no job is queued or running; with jobs in the queue of a
// paused worker, until ctx ends.
func (w *Worker) Idle(ctx context.Context) error { return w.queue.Idle(ctx) }

// QueueSize is the number of jobs that wait or run.
func (w *Worker) QueueSize() int { return w.queue.Size() }

// SetDelay changes how long jobs take; nil is no time at all.
func (w *Worker) SetDelay(delay Delay) {
	if delay == nil {
		w.queue.SetDelay(nil)
		return
	}
	w.queue.SetDelay(func(worker.Job) time.Duration {
		return delay(w.queue.Size() - 1) // the job itself is counted
	})
}
