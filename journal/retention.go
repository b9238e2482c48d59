package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pruner is implemented by stores that can remove runs.
type Pruner interface {
	// Prune removes a run for good: its records, its archives, also those that
	// nothing refers to, and its receipts. The run is gone as a whole before
	// any of it is: where removing is cut off, Prune of the same run goes on.
	// The error wraps ErrNoRun when there is nothing of the run.
	Prune(ctx context.Context, run string) error
	// Pruning lists the runs whose removal has begun and was cut off.
	Pruning(ctx context.Context) ([]string, error)
}

// PrunePolicy says what may be removed.
type PrunePolicy struct {
	// Keep keeps runs that changed within this time, such as 30 days.
	Keep time.Duration
	// Runs are the only ones that may go; none means all.
	Runs []string
	// Force lets Runs go whatever speaks against it. It takes them by name.
	Force bool
	// InEffect are runs that are known to be needed, such as those that the
	// project's history names, besides those that the journal itself tells of.
	InEffect []string
}

// PruneRun is what deciding about one run takes.
type PruneRun struct {
	Summary
	// Needs are other runs whose archives this run's records point at.
	Needs []string
	// Unread says that this run's records could not be read, so that nobody
	// knows what it needs.
	Unread bool
}

// PruneReason is why a run goes or stays.
type PruneReason string

// The reasons. The first two let a run go, the others keep it.
const (
	PruneEnded     PruneReason = "ended"      // it ended long enough ago and nothing can need it
	PruneForced    PruneReason = "forced"     // it goes because it was told by name
	KeepUnasked    PruneReason = "not asked"  // it is not among those that may go
	KeepUnfinished PruneReason = "unfinished" // open or halted: resume or rollback needs it
	KeepReversible PruneReason = "reversible" // its migration is in effect: a down needs its mementos
	KeepNeeded     PruneReason = "needed"     // a run that stays needs its archives
	KeepDamaged    PruneReason = "damaged"    // it cannot be trusted, so nobody knows
	KeepRecent     PruneReason = "recent"     // within the time to keep
)

// PruneDecision is what becomes of one run.
type PruneDecision struct {
	Run    Summary
	Prune  bool
	Reason PruneReason
	Detail string // for people; what was overruled, when it is forced
}

// PlanPrune decides which runs may go. It changes nothing and asks nobody: what
// it is given is all it knows. A run that is not finished, whose migration is
// in effect, or whose archives a run that stays points at is kept, unless it is
// forced. The error wraps ErrInvalid when the policy makes no sense.
func PlanPrune(runs []PruneRun, now time.Time, policy PrunePolicy) ([]PruneDecision, error) {
	if err := policy.check(runs); err != nil {
		return nil, err
	}
	decisions := make([]PruneDecision, 0, len(runs))
	for i, r := range runs {
		d := PruneDecision{Run: r.Summary}
		d.Reason, d.Detail = policy.judge(runs, i, now)
		d.Prune = d.Reason == PruneEnded
		if policy.Force && slices.Contains(policy.Runs, r.Run) {
			if !d.Prune {
				d.Detail = string(d.Reason) + ": " + d.Detail
			}
			d.Prune, d.Reason = true, PruneForced
		}
		decisions = append(decisions, d)
	}
	keepNeeded(runs, decisions)
	return decisions, nil
}

func (p PrunePolicy) check(runs []PruneRun) error {
	switch {
	case p.Keep < 0:
		return fmt.Errorf("%w: a time to keep of %s", ErrInvalid, p.Keep)
	case p.Force && len(p.Runs) == 0:
		return fmt.Errorf("%w: to force takes the runs by name", ErrInvalid)
	}
	for _, name := range p.Runs {
		if !slices.ContainsFunc(runs, func(r PruneRun) bool { return r.Run == name }) {
			return fmt.Errorf("%w: %s", ErrNoRun, name)
		}
	}
	return nil
}

// judge gives why a run goes or stays, taken alone.
func (p PrunePolicy) judge(runs []PruneRun, i int, now time.Time) (PruneReason, string) {
	r := runs[i]
	switch {
	case len(p.Runs) > 0 && !slices.Contains(p.Runs, r.Run):
		return KeepUnasked, "it is not among the runs that may go"
	case r.Err != nil:
		return KeepDamaged, r.Err.Error()
	case r.Unread:
		return KeepDamaged, "its records cannot be read"
	case !r.Status.Final():
		return KeepUnfinished, "it is " + string(r.Status) + ": resume or rollback needs it"
	case slices.Contains(p.InEffect, r.Run):
		return KeepReversible, "the project's history names it: a down of " + r.Version + " needs what it remembers"
	case inEffect(runs, i):
		return KeepReversible, "a down of " + r.Version + " needs what it remembers"
	case now.Sub(r.UpdatedAt) < p.Keep:
		return KeepRecent, "it changed within " + inDays(p.Keep)
	}
	return PruneEnded, "it is " + string(r.Status) + " and nothing needs it"
}

// inDays writes whole days as people say them: 30d, not 720h0m0s.
func inDays(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day != 0 {
		return d.String()
	}
	return fmt.Sprintf("%dd", d/day)
}

// inEffect says whether what a run applied has not been taken back since, as
// far as this journal knows. Runs are in the order in which they began.
func inEffect(runs []PruneRun, i int) bool {
	r := runs[i]
	if r.Status != StatusApplied || r.Direction == "down" {
		return false
	}
	return !slices.ContainsFunc(runs[i+1:], func(later PruneRun) bool {
		return later.Err == nil && later.Status == StatusApplied && later.Direction == "down" &&
			later.Version == r.Version && later.Environment == r.Environment
	})
}

// keepNeeded keeps what runs that stay point at, and what those point at. While
// one that stays cannot be read, nothing goes that was not forced.
func keepNeeded(runs []PruneRun, decisions []PruneDecision) {
	for changed := true; changed; {
		changed = false
		for i, d := range decisions {
			if d.Prune {
				continue
			}
			for j, other := range decisions {
				if other.Reason != PruneEnded || i == j {
					continue
				}
				switch {
				case slices.Contains(runs[i].Needs, other.Run.Run):
					decisions[j].Detail = "run " + d.Run.Run + " points at its archives"
				case runs[i].Unread || runs[i].Err != nil:
					decisions[j].Detail = "run " + d.Run.Run + " cannot be read, and may point at its archives"
				default:
					continue
				}
				decisions[j].Prune, decisions[j].Reason, changed = false, KeepNeeded, true
			}
		}
	}
}

// PruneRuns reads from a journal, as it is stored, what PlanPrune has to know.
func PruneRuns(ctx context.Context, store Store) ([]PruneRun, error) {
	summaries, err := store.Runs(ctx)
	if err != nil {
		return nil, err
	}
	runs := make([]PruneRun, 0, len(summaries))
	for _, summary := range summaries {
		r := PruneRun{Summary: summary}
		records, err := store.Records(ctx, summary.Run)
		switch {
		case errors.Is(err, ErrDamaged), errors.Is(err, ErrVersion), errors.Is(err, ErrNoRun):
			r.Unread = true
		case err != nil:
			return nil, err
		}
		for _, record := range records {
			r.Needs = append(r.Needs, owners(summaries, summary.Run, record)...)
		}
		slices.Sort(r.Needs)
		r.Needs = slices.Compact(r.Needs)
		runs = append(runs, r)
	}
	return runs, nil
}

// owners gives the other runs whose archives a record points at.
func owners(summaries []Summary, run string, record Record) []string {
	var out []string
	for _, ref := range ArchiveRefs(record.Body) {
		for _, other := range summaries {
			if other.Run != run && strings.HasPrefix(ref.Name, other.Run+"/") {
				out = append(out, other.Run)
			}
		}
	}
	return out
}

// Prune removes the runs that were decided to go, and those whose removal was
// cut off before. It goes from the newest to the oldest, since a run can point
// at the archives of an earlier one and never the other way round. It gives the
// runs that it has removed, also next to an error. A store that cannot remove
// is ErrReadOnly.
func Prune(ctx context.Context, store Store, decisions []PruneDecision) (removed []string, err error) {
	pruner, ok := store.(Pruner)
	if !ok {
		return nil, fmt.Errorf("%w: this journal cannot remove runs", ErrReadOnly)
	}
	begun, err := pruner.Pruning(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range slices.Backward(decisions) {
		if d.Prune && !slices.Contains(begun, d.Run.Run) {
			begun = append(begun, d.Run.Run)
		}
	}
	for _, run := range begun {
		if err := pruner.Prune(ctx, run); err != nil {
			return removed, fmt.Errorf("remove run %s: %w", run, err)
		}
		removed = append(removed, run)
	}
	return removed, nil
}
