package lint_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
)

// projects reads the files of real projects: from the folder BACKSTEP_REALWORLD,
// or the one beside the repository. They are no part of it.
func projects(t *testing.T) map[string]schema.Model {
	t.Helper()
	folder, named := os.LookupEnv("BACKSTEP_REALWORLD")
	if !named {
		folder = "../shared/realworld"
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", "..", folder)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		if named || os.Getenv("CI") == "true" {
			t.Fatalf("no *.json in %s", folder)
		}
		t.Skip("no folder of real projects' files: set BACKSTEP_REALWORLD to one")
	}
	models := map[string]schema.Model{}
	for _, file := range files {
		read, err := schema.Read(os.DirFS(filepath.Dir(file)), filepath.Base(file), schema.WithStringSize(255), schema.WithoutBrokenIndexes())
		if err != nil || schema.Check(read.Model, schema.DefaultLimits()) != nil {
			continue // refused, as package schema's own tests say
		}
		models[filepath.Base(file)] = read.Model
	}
	return models
}

// setOf makes a set of migrations of lists of steps.
func setOf(t *testing.T, lists ...[]engine.Step) migrations.Set {
	t.Helper()
	var all []*migrations.Migration
	for i, list := range lists {
		m := (&migrations.Migration{Version: fmt.Sprintf("2026010100000%d", i+1), Name: "step"}).WithSteps(list)
		if len(m.Up) > 0 {
			all = append(all, m)
		}
	}
	set, err := migrations.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// unlikely are rules that nothing may break that was made from a schema that a
// server takes: a finding would be a mistake of the simulation.
func unlikely() []string {
	return []string{
		lint.CodeReason, lint.CodeUnused, lint.CodeEdited, lint.CodeOutOfOrder, lint.CodeTypeChange,
		lint.CodeRowWidth, lint.CodeAttributeCount, lint.CodeIndexCount, lint.CodeIndexLength, lint.CodeServer,
		lint.CodeBeforeAvailable, lint.CodeIrreversible, lint.CodeMixed, lint.CodeLetterCase,
	}
}

func TestRealSchemasAreFoundNoFaultWithButOpenDoors(t *testing.T) {
	t.Parallel()
	clean := 0
	for name, model := range projects(t) {
		set := setOf(t, schema.Steps(model))
		report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Rule.Code != lint.CodeAnyWrites {
				t.Errorf("%s: %s", name, f)
			}
		}
		if len(report.Findings) == 0 {
			clean++
		}
		state, err := lint.State(set)
		if err != nil {
			t.Fatal(err)
		}
		if d := schema.Compare(model, state); len(d) > 0 {
			t.Errorf("%s: the simulation differs: %v", name, d[0])
		}
	}
	t.Logf("%d of the projects have nothing found at all", clean)
}

// What a difference of two schemas is made of is simulated to the second of
// them, and is found no fault with that would be one of the simulation.
func TestDifferencesOfRealSchemasAreSimulatedExactly(t *testing.T) {
	t.Parallel()
	models := projects(t)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range models {
			if !yield(name) {
				return
			}
		}
	})
	const seed = 20261122
	random := rand.New(rand.NewPCG(seed, seed))
	pairs, planned := 30, 0
	if os.Getenv("BACKSTEP_SOAK") != "" {
		pairs = 800
	}
	for range pairs {
		a, b := names[random.IntN(len(names))], names[random.IntN(len(names))]
		one, two := models[a], models[b]
		delta, err := schema.Diff(one, two)
		if err != nil {
			continue // refused, as package schema's own tests say
		}
		planned++
		set := setOf(t, schema.Steps(one), delta.Steps)
		state, err := lint.State(set)
		if err != nil {
			t.Fatal(err)
		}
		if d := schema.Compare(two, state); len(d) > 0 {
			t.Errorf("seed %d, %s to %s: the simulation differs: %v", seed, a, b, d[0])
		}
		report, err := lint.Run(t.Context(), lint.Input{Set: set, Limits: schema.DefaultLimits()})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if slices.Contains(unlikely(), f.Rule.Code) {
				t.Errorf("seed %d, %s to %s: %s", seed, a, b, f)
			}
		}
	}
	if planned < pairs/2 {
		t.Errorf("only %d of %d pairs could be planned", planned, pairs)
	}
}
