package steps_test

import (
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// noRequests are the kinds that send nothing which could change anything.
func noRequests() []string { return []string{"assert"} }

// splits are the kinds of which a run carries out two other ones: the parts
// stand for them.
func splits() []string { return []string{"delete_attribute", "delete_collection", "delete_database"} }

func lifecycleCases() []steptest.Case {
	return slices.Concat(
		databaseCases(), collectionCases(), attributeCases(), indexCases(), relationshipCases(),
		documentCases(), linkedDocumentCases(), fillCases(), otherCases(),
	)
}

// plan is which cases run on which version with which journal, and how far.
type plan struct {
	version string
	journal steptest.Journal
	extent  func(n int) (extent steptest.Extent, run bool) // of the nth case
}

// planned is a case and how much of it is tried.
type planned struct {
	steptest.Case
	steptest.Extent
}

func (p plan) cases() []planned {
	var list []planned
	for n, c := range lifecycleCases() {
		if extent, due := p.extent(n); due {
			list = append(list, planned{c, extent})
		}
	}
	return list
}

// worker makes the embedded server's worker slow, so that a process that takes
// over meets what is still being made or removed; a prompt one is done before
// anybody looks. Which of the two a plan has goes by its journal.
func (p plan) worker() []appwritetest.Option {
	if p.journal == steptest.SQLite {
		return nil
	}
	return []appwritetest.Option{appwritetest.WorkerDelay(appwritetest.Uniform(0, 5*time.Millisecond, 1))}
}

// every tries all cases alike.
func every(extent steptest.Extent) func(int) (steptest.Extent, bool) {
	return func(int) (steptest.Extent, bool) { return extent, true }
}

// all says whether every point is tried.
func all() bool { return os.Getenv("BACKSTEP_CRASH") != "" }

// plans are all points with BACKSTEP_CRASH, and an even share of them without:
// every case meets every boundary on one of the versions, and now and then one
// on the others and with a durable journal; where time is short, only the former.
func plans() []plan {
	var list []plan
	for i, version := range livetest.Versions() {
		if all() {
			list = append(list,
				plan{version, steptest.SQLite, every(steptest.Extent{Every: 1, Twice: 2})},
				plan{version, steptest.Remote, every(steptest.Extent{Kinds: true, Every: 1, Mails: 4, Twice: 4})})
			continue
		}
		versions := len(livetest.Versions())
		if livetest.Live() {
			versions = 1
		}
		list = append(list,
			plan{version, steptest.Memory, func(n int) (steptest.Extent, bool) {
				kinds := n%versions == i%versions
				if testing.Short() {
					return steptest.Extent{Kinds: kinds, Twice: 5}, kinds
				}
				return steptest.Extent{Kinds: kinds, Every: 17, Twice: 5}, true
			}},
			plan{version, steptest.SQLite, func(n int) (steptest.Extent, bool) {
				return steptest.Extent{Every: 29, Twice: 2}, n%(3*versions) == 3*i
			}},
			plan{version, steptest.Remote, func(n int) (steptest.Extent, bool) {
				return steptest.Extent{Every: 37, Twice: 2}, n%(2*versions) == 2*i+1
			}})
	}
	return list
}

// TestEveryKindSurvivesEveryBoundary runs the cases of every kind through what
// can happen to them and fails when a kind has met less than all of it. With
// BACKSTEP_CRASH that is every point on every version with both durable
// journals, of the journal's own requests one in four.
func TestEveryKindSurvivesEveryBoundary(t *testing.T) {
	t.Parallel()
	tally := steptest.NewTally()
	planned, ran := 0, new(atomic.Int64)
	for _, p := range plans() {
		planned += len(p.cases())
	}
	t.Run("on", func(t *testing.T) { // returns when the cases in it have ended, which are parallel
		for _, p := range plans() {
			t.Run(p.version+"/"+string(p.journal), func(t *testing.T) {
				t.Parallel()
				endpoint, project, key := livetest.Target(t, p.version, p.worker()...)
				stage := steptest.Stage{Endpoint: endpoint, Project: project, Key: key}
				for _, one := range p.cases() {
					t.Run(one.Name, func(t *testing.T) {
						t.Parallel()
						ran.Add(1)
						steptest.Run(t, stage, one.Case, p.journal, one.Extent, tally, func() string { return livetest.DatabaseID(t) })
					})
				}
			})
		}
	})
	violations := map[bool]string{true: "with violations", false: "0 violations"}[t.Failed()]
	t.Logf("%s%s", tally, violations)
	if ran.Load() < int64(planned) {
		return // only some were asked for
	}
	for _, kind := range append(steps.Kinds(), "func") {
		if slices.Contains(splits(), kind) {
			continue
		}
		if missing := tally.Missing(kind, !slices.Contains(noRequests(), kind), all()); len(missing) > 0 {
			t.Errorf("%s has never met: %q", kind, missing)
		}
	}
}
