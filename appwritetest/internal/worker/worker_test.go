package worker_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// recorder runs jobs by writing down their keys.
type recorder struct {
	mu  sync.Mutex
	ran []string
}

func (r *recorder) run(job worker.Job, verdict worker.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if verdict == worker.Succeed {
		r.ran = append(r.ran, job.Key)
	}
}

func (r *recorder) keys() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ran)
}

func started(t *testing.T, config worker.Config) *worker.Worker {
	t.Helper()
	w := worker.New(config)
	w.Start(t.Context())
	t.Cleanup(w.Stop)
	return w
}

func TestJobsRunInOrder(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	w := started(t, worker.Config{Run: r.run})
	want := []string{"a", "b", "c"}
	for _, key := range want {
		w.Add(worker.Job{Key: key})
	}
	if err := w.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.keys(); !slices.Equal(got, want) {
		t.Errorf("ran %v, want %v", got, want)
	}
}

func TestPausedWorkerRunsOnlyItsSteps(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	w := started(t, worker.Config{Run: r.run})
	w.Pause()
	for _, key := range []string{"a", "b", "c"} {
		w.Add(worker.Job{Key: key})
	}
	if err := w.Step(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := r.keys(); !slices.Equal(got, []string{"a", "b"}) || w.Size() != 1 {
		t.Errorf("ran %v with %d left, want a and b with 1 left", got, w.Size())
	}
	if err := w.Step(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if got := r.keys(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("ran %v, want all", got)
	}
	w.Add(worker.Job{Key: "d"})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := w.Idle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a step that found no job was kept for later: %v", err)
	}
	w.Resume()
	if err := w.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStoppedWorkerKeepsItsQueue(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	w := worker.New(worker.Config{Run: r.run, Delay: func(worker.Job) time.Duration { return time.Hour }})
	w.Start(t.Context())
	w.Add(worker.Job{Key: "a"})
	w.Stop()
	if len(r.keys()) != 0 || w.Size() != 1 {
		t.Errorf("ran %v, %d left: want none run and one left", r.keys(), w.Size())
	}
}

func TestVerdictReachesTheJob(t *testing.T) {
	t.Parallel()
	verdicts := make(chan worker.Verdict, 2)
	w := started(t, worker.Config{
		Run: func(_ worker.Job, verdict worker.Verdict) { verdicts <- verdict },
		Judge: func(job worker.Job) worker.Verdict {
			if job.Key == "bad" {
				return worker.Fail
			}
			return worker.Succeed
		},
	})
	w.Add(worker.Job{Key: "bad"})
	w.Add(worker.Job{Key: "good"})
	if first, second := <-verdicts, <-verdicts; first != worker.Fail || second != worker.Succeed {
		t.Errorf("got %v and %v, want Fail and Succeed", first, second)
	}
}

func TestStoppedWorkerLeavesWhatIsQueued(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	ctx, stop := context.WithCancel(t.Context())
	w := worker.New(worker.Config{Run: func(job worker.Job, verdict worker.Verdict) {
		stop()
		r.run(job, verdict)
	}})
	w.Add(worker.Job{Key: "a"})
	w.Add(worker.Job{Key: "b"})
	w.Start(ctx)
	<-ctx.Done()
	w.Stop()
	if got := r.keys(); !slices.Equal(got, []string{"a"}) || w.Size() != 1 {
		t.Errorf("ran %v, %d queued", got, w.Size())
	}
}
