package steps_test

import (
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// noRequests are the kinds that change nothing on the server by themselves.
func noRequests() []string { return []string{"assert"} }

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
			whole := t.Run("cases", func(t *testing.T) {
				t.Parallel()
				for _, c := range slices.Concat(
					databaseCases(), collectionCases(), attributeCases(), indexCases(), relationshipCases(),
					documentCases(), otherCases(),
				) {
					t.Run(c.Name, func(t *testing.T) {
						t.Parallel()
						steptest.Run(t, stage, c, tally, func() string { return livetest.DatabaseID(t) })
					})
				}
			})
			_ = whole
			t.Cleanup(func() {
				t.Logf("Appwrite %s\n%s", version, tally)
			})
		})
	}
}

var _ = steps.Kinds
