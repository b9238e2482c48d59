package appwritetest

import (
	"slices"

	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// JobKind is what a job of the worker does.
type JobKind string

// The kinds of jobs.
const (
	CreateAttribute  = JobKind(worker.CreateAttribute)
	DeleteAttribute  = JobKind(worker.DeleteAttribute)
	CreateIndex      = JobKind(worker.CreateIndex)
	DeleteIndex      = JobKind(worker.DeleteIndex)
	DeleteCollection = JobKind(worker.DeleteCollection)
	DeleteDatabase   = JobKind(worker.DeleteDatabase)
)

// Outcome is how a job ends that a JobFault hits.
type Outcome int

const (
	// Fail is a storage error: what was to be created ends "failed", what was to
	// be deleted ends "stuck".
	Fail Outcome = iota
	// DieBefore loses the job before it changes anything: the status stays
	// "processing" or "deleting" for good.
	DieBefore
	// DieAfter changes storage and loses the rest: the status stays as it was.
	DieAfter
)

// JobMatch chooses jobs by the ids a client knows. Every field that is set has
// to agree.
type JobMatch struct {
	Kind       JobKind
	Database   string
	Collection string
	Key        string // of the attribute or index
}

// JobFault is a rule about what goes wrong with which jobs of the worker.
type JobFault struct {
	// Match chooses the jobs; the zero JobMatch is all of them.
	Match JobMatch
	// Skip lets the first matching jobs succeed.
	Skip int
	// Times is how many matching jobs are hit after those; 0 is all.
	Times int
	// Outcome is how a job ends that is hit.
	Outcome Outcome
}

// JobInjection is a JobFault at work.
type JobInjection struct {
	fault  JobFault
	worker *Worker

	// guarded by worker.mu
	seen, hits int
}

// Inject makes jobs fail from now on, also those already queued.
func (w *Worker) Inject(fault JobFault) *JobInjection {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := &JobInjection{fault: fault, worker: w}
	w.faults = append(w.faults, i)
	return i
}

// Hits is the number of jobs hit so far.
func (i *JobInjection) Hits() int {
	i.worker.mu.Lock()
	defer i.worker.mu.Unlock()
	return i.hits
}

// Remove ends the fault.
func (i *JobInjection) Remove() {
	i.worker.mu.Lock()
	defer i.worker.mu.Unlock()
	i.worker.faults = slices.DeleteFunc(i.worker.faults, func(other *JobInjection) bool { return other == i })
}

// judge finds the first fault that takes the job.
func (w *Worker) judge(job worker.Job) worker.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.faults {
		if !i.fault.Match.matches(job) {
			continue
		}
		i.seen++
		if i.seen <= i.fault.Skip || (i.fault.Times > 0 && i.hits >= i.fault.Times) {
			continue
		}
		i.hits++
		return i.fault.Outcome.verdict()
	}
	return worker.Succeed
}

func (m JobMatch) matches(job worker.Job) bool {
	return (m.Kind == "" || m.Kind == JobKind(job.Kind)) &&
		(m.Database == "" || m.Database == job.Database) &&
		(m.Collection == "" || m.Collection == job.Collection) &&
		(m.Key == "" || m.Key == job.Key)
}

func (o Outcome) verdict() worker.Verdict {
	switch o {
	case DieBefore:
		return worker.DieBefore
	case DieAfter:
		return worker.DieAfter
	default:
		return worker.Fail
	}
}
