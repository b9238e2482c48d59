package schema_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/schema"
)

// How many random edits of each file a test makes: some, or with BACKSTEP_SOAK=1
// as many as the promise names.
func editsEach() int {
	switch {
	case os.Getenv("BACKSTEP_SOAK") == "1":
		return 200
	case testing.Short():
		return 1
	default:
		return 2
	}
}

// diffVersions are the releases on which differences are tried.
func diffVersions() []string {
	if testing.Short() {
		return []string{"1.9.6"}
	}
	return []string{"1.9.6", "1.8.1"}
}

// realModels reads the real projects' files that a server of the version holds.
func realModels(t *testing.T, version string) map[string]schema.Model {
	t.Helper()
	limits, err := schema.LimitsFor(version)
	if err != nil {
		t.Fatal(err)
	}
	folder := realworld(t)
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.json in %s: %v", folder, err)
	}
	models := map[string]schema.Model{}
	for _, path := range files {
		file, err := schema.Read(os.DirFS(folder), filepath.Base(path))
		if err != nil {
			file, err = schema.Read(os.DirFS(folder), filepath.Base(path), schema.WithStringSize(255), schema.WithoutBrokenIndexes())
		}
		if err != nil || len(file.Model.Databases) == 0 || schema.Check(file.Model, limits) != nil {
			t.Logf("%s is not for %s", filepath.Base(path), version)
			continue
		}
		models[filepath.Base(path)] = file.Model
	}
	return models
}

// seedOf gives the seed of random edits: BACKSTEP_SEED, or always the same.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("BACKSTEP_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	return seed
}

func TestDiffKeepsDataOverRandomEditsOfRealProjects(t *testing.T) {
	t.Parallel()
	for _, version := range diffVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			models, seed, edits := realModels(t, version), seedOf(t), editsEach()
			var mu sync.Mutex
			total := newTally()
			t.Run("files", func(t *testing.T) {
				t.Parallel()
				for name, model := range models {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						counts := editsOf(t, version, name, model, seed, edits)
						mu.Lock()
						defer mu.Unlock()
						total.add(counts)
					})
				}
			})
			t.Cleanup(func() {
				t.Logf("Appwrite %s: %d random edits of each of %d files, seed %d: %s", version, edits, len(models), seed, total)
			})
		})
	}
}

// editsOf takes a project with a file's model through random edits and back.
func editsOf(t *testing.T, version, name string, model schema.Model, seed uint64, edits int) *tally {
	t.Helper()
	counts := newTally()
	w := newTravel(t, version, model)
	for i := range edits {
		r := rand.New(rand.NewPCG(seed, uint64(draw(name, fmt.Sprint(i), math.MaxUint32))))
		d, done := randomEdit(r, model, w.limits())
		if !w.visit(t, d, i%5 == 1, counts) || t.Failed() {
			t.Fatalf("%s, Appwrite %s, seed %d, edit %d: %q, renames %v, fills %v", name, version, seed, i, done, d.renames, d.fills)
		}
	}
	return counts
}

func TestDiffKeepsDataBetweenPairsOfRealProjects(t *testing.T) {
	t.Parallel()
	for _, version := range diffVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			models := realModels(t, version)
			var names []string
			for name := range models {
				names = append(names, name)
			}
			slices.Sort(names)
			var mu sync.Mutex
			total, pairs := newTally(), 0
			t.Run("files", func(t *testing.T) {
				t.Parallel()
				for i, name := range names {
					others := names
					if os.Getenv("BACKSTEP_SOAK") != "1" {
						if i%8 != 0 {
							continue
						}
						others = []string{names[(i+1)%len(names)]}
					}
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						counts, n := pairsOf(t, version, name, others, models)
						mu.Lock()
						defer mu.Unlock()
						total.add(counts)
						pairs += n
					})
				}
			})
			t.Cleanup(func() { t.Logf("Appwrite %s: %d pairs of %d files: %s", version, pairs, len(names), total) })
		})
	}
}

// pairsOf takes a project from one file's model to those of others and back:
// once as they are, and once in one database, where collections meet.
func pairsOf(t *testing.T, version, name string, others []string, models map[string]schema.Model) (*tally, int) {
	t.Helper()
	counts, n := newTally(), 0
	w := newTravel(t, version, models[name])
	for i, other := range others {
		if other == name {
			continue
		}
		targets := []schema.Model{models[other]}
		if version == "1.9.6" {
			targets = append(targets, moved(models[other], models[name]))
		}
		for _, to := range targets {
			n++
			d := destiny{from: models[name], to: to}
			if !w.visit(t, d, i%5 == 1, counts) || t.Failed() {
				t.Fatalf("%s to %s, Appwrite %s", name, other, version)
			}
		}
	}
	return counts, n
}

// moved gives a model with the databases named as another one's are.
func moved(m, like schema.Model) schema.Model {
	out := copied(m)
	for i := range min(len(out.Databases), len(like.Databases)) {
		if !slices.ContainsFunc(out.Databases, func(db schema.Database) bool { return db.ID == like.Databases[i].ID }) {
			out.Databases[i].ID = like.Databases[i].ID
		}
	}
	return out
}
