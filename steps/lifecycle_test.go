package steps_test

import (
	"slices"
	"sync/atomic"
	"testing"

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
		documentCases(), linkedDocumentCases(), otherCases(), fillCases(),
	)
}

// TestEveryKindSurvivesEveryBoundary runs the cases of every kind through all
// that can happen to them and fails when a kind has met less than all of it.
func TestEveryKindSurvivesEveryBoundary(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			endpoint, project, key := livetest.Target(t, version)
			stage := steptest.Stage{Endpoint: endpoint, Project: project, Key: key}
			tally := steptest.NewTally()
			var ran atomic.Int64
			// It returns when the cases in it have ended, which are parallel.
			t.Run("cases", func(t *testing.T) {
				for _, c := range lifecycleCases() {
					t.Run(c.Name, func(t *testing.T) {
						t.Parallel()
						ran.Add(1)
						steptest.Run(t, stage, c, tally, func() string { return livetest.DatabaseID(t) })
					})
				}
			})
			t.Logf("Appwrite %s\n%s", version, tally)
			if ran.Load() < int64(len(lifecycleCases())) {
				return // only some were asked for
			}
			for _, kind := range append(steps.Kinds(), "func") {
				if slices.Contains(splits(), kind) {
					continue
				}
				if missing := tally.Missing(kind, !slices.Contains(noRequests(), kind)); len(missing) > 0 {
					t.Errorf("%s has never met: %q", kind, missing)
				}
			}
		})
	}
}
