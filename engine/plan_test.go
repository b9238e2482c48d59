package engine_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
)

// outline gives a plan as "kind key" lines.
func outline(plan engine.Plan) []string {
	lines := make([]string, 0, len(plan.Operations))
	for _, operation := range plan.Operations {
		late := ""
		if operation.Late {
			late = " late"
		}
		lines = append(lines, operation.ID+" "+operation.Effect.Kind()+" "+operation.Effect.Target().String()+late)
	}
	return lines
}

func TestPlanPutsDestructionLast(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		steps []engine.Step
		last  []engine.Step
		want  []string
	}{
		"a plain sequence stays as it is": {
			steps: []engine.Step{create("a", "1"), check("a"), remove("a")},
			want:  []string{"1 create collection a", "2 check collection a", "3 remove collection a"},
		},
		"last parts wait, in the order of the steps, before what must be last": {
			steps: []engine.Step{discard("a"), discard("b"), create("c", "1")},
			last:  []engine.Step{set("history", "1")},
			want: []string{
				"1 move collection a", "2 move collection b", "3 create collection c",
				"4 remove collection gone:a late", "5 remove collection gone:b late", "6 set collection history",
			},
		},
		"a step on what is to be gone comes after it is gone": {
			steps: []engine.Step{discard("b"), discard("a"), create("gone:a", "1"), create("c", "1")},
			want: []string{
				"1 move collection b", "2 move collection a", "3 remove collection gone:a late",
				"4 create collection gone:a", "5 create collection c", "6 remove collection gone:b late",
			},
		},
		"a step inside what is to be gone comes after it is gone": {
			steps: []engine.Step{discard("a"), create("gone:a/x", "1")},
			want:  []string{"1 move collection a", "2 remove collection gone:a late", "3 create document gone:a/x"},
		},
		"letter case does not tell what is to be gone from what comes": {
			steps: []engine.Step{discard("a"), create("GONE:A", "1")},
			want:  []string{"1 move collection a", "2 remove collection gone:a late", "3 create collection GONE:A"},
		},
		"no steps are a plan, too": {want: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := engine.NewPlan(tc.steps, engine.PlanOptions{Last: tc.last})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, outline(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanRunsItsPassesInOrderAndNumbersTheResult(t *testing.T) {
	t.Parallel()
	var seen []int
	drop := func(operations []engine.Operation) ([]engine.Operation, error) {
		seen = append(seen, len(operations))
		return operations[1:], nil
	}
	plan, err := engine.NewPlan([]engine.Step{create("a", "1"), create("b", "2"), create("c", "3")},
		engine.PlanOptions{Passes: []engine.Pass{drop, drop}})
	if err != nil || !cmp.Equal(seen, []int{3, 2}) {
		t.Fatalf("passes saw %v, error %v", seen, err)
	}
	if diff := cmp.Diff([]string{"1 create collection c"}, outline(plan)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	fails := errors.New("no")
	_, err = engine.NewPlan(nil, engine.PlanOptions{Passes: []engine.Pass{func([]engine.Operation) ([]engine.Operation, error) { return nil, fails }}})
	if !errors.Is(err, fails) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []engine.PlanOptions{{Last: []engine.Step{nil}}} {
		if _, err := engine.NewPlan(nil, bad); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("error %v, want ErrInvalid", err)
		}
	}
	if _, err := engine.NewPlan([]engine.Step{nil}, engine.PlanOptions{}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}
