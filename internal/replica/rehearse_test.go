package replica_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// rehearse rehearses migrations on a project that refuses every write, and wants
// it to be as before.
func rehearse(t *testing.T, version string, each int, list ...*migrations.Migration) replica.Rehearsal {
	t.Helper()
	l := newLive(t, version)
	l.up(t, parse(t, "20260101000001", "shop", shop))
	before := l.state(t)
	l.watch()
	result, err := replica.Rehearse(t.Context(), l.client, list, replica.Setting{Receipts: version != "1.7.4", Each: each})
	if err != nil {
		t.Fatal(err)
	}
	if n := l.writes.Load(); n > 0 {
		t.Errorf("%d writes were sent to the project", n)
	}
	if after := l.state(t); after != before {
		t.Errorf("the project has changed, from\n%s\nto\n%s", before, after)
	}
	return result
}

// told gives what did not go well.
func told(r replica.Rehearsal) string {
	var b strings.Builder
	for _, trial := range r.Trials {
		for direction, p := range map[string]*replica.Pass{"up": trial.Up, "down": trial.Down, "again": trial.Again} {
			if p != nil {
				fmt.Fprintf(&b, "\n%s %s: %s, %v", direction, trial.Migration.Name, p.Outcome, p.Err)
			}
		}
		fmt.Fprintf(&b, "\nleft %v, unlike %v", trial.Left, trial.Unlike)
	}
	return b.String()
}

const change = `
database: shop
steps:
  - create_attribute: { collection: products, key: stock, type: integer, min: 0 }
  - rename_attribute: { collection: products, key: price, new_key: cost }
  - delete_attribute: { collection: products, key: tags }
  - update_document: { collection: products, id: lamp, data: { stock: 3 } }
  - delete_collection: { id: makers }
`

func TestARehearsalGoesUpDownAndUpAndCountsRequests(t *testing.T) {
	t.Parallel()
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			first, second := parse(t, "20260102000001", "change", change), parse(t, "20260102000002", "more", `
database: shop
steps:
  - create_index: { collection: products, key: by_cost, type: key, attributes: [cost] }
`)
			r := rehearse(t, version, 100, first, second)
			if !r.Good() || len(r.Trials) != 2 {
				t.Fatalf("it did not go well: %s", told(r))
			}
			up := r.Trials[0].Up
			steps, requests := 0, int64(0)
			for _, cost := range up.Operations {
				requests += cost.Requests
				if len(cost.Steps) == 0 {
					continue
				}
				steps += len(cost.Steps)
				if cost.Requests < 2 || cost.At.Line == 0 {
					t.Errorf("%s took %d requests, is on line %d", cost.Steps, cost.Requests, cost.At.Line)
				}
			}
			if steps != 5 || requests == 0 || requests > up.Requests {
				t.Errorf("%d steps with %d requests of %d: %+v", steps, requests, up.Requests, up.Operations)
			}
			if r.Trials[0].Down.Requests == 0 || r.Trials[1].Again.Requests == 0 {
				t.Errorf("down or again took nothing: %+v", r.Trials)
			}
		})
	}
}

// Documents that follow each other go in one operation, as they will for real.
func TestARehearsalJoinsStepsAsTheRunWill(t *testing.T) {
	t.Parallel()
	versions(t)
	m := parse(t, "20260102000001", "documents", `
database: other
steps:
  - create_database: { id: other, name: Other }
  - create_collection: { id: notes, name: Notes }
  - create_attribute: { collection: notes, key: text, type: string, size: 9 }
  - create_document: { collection: notes, id: a, data: { text: A } }
  - create_document: { collection: notes, id: b, data: { text: B } }
  - create_document: { collection: notes, id: c, data: { text: C } }
  - create_attribute: { collection: notes, key: more, type: boolean }
`)
	r := rehearse(t, "1.9.6", 0, m)
	if !r.Good() {
		t.Fatalf("it did not go well: %s", told(r))
	}
	var together, last []string
	for _, cost := range r.Trials[0].Up.Operations {
		if len(cost.Steps) > 1 {
			together = cost.Steps
		}
		if len(cost.Steps) > 0 {
			last = cost.Steps
		}
	}
	if fmt.Sprint(together, last) != "[create_document-4 create_document-5 create_document-6] [create_attribute-7]" {
		t.Errorf("together %v, last %v", together, last)
	}
}

func TestARehearsalNamesWhatWouldFailWithTheServersAnswer(t *testing.T) {
	t.Parallel()
	versions(t)
	broken := parse(t, "20260102000001", "broken", `
database: shop
steps:
  - create_attribute: { collection: products, key: stock, type: integer }
  - create_attribute: { collection: products, key: title, type: integer }
`)
	after := parse(t, "20260102000002", "after", "steps:\n  - create_database: { id: other, name: Other }\n")
	r := rehearse(t, "1.9.6", 0, broken, after)
	trial := r.Trials[0]
	var failed *engine.OperationError
	if r.Good() || trial.Up == nil || !errors.As(trial.Up.Err, &failed) || failed.Target.Key != "title" {
		t.Fatalf("the failure is not told: %+v", trial)
	}
	if trial.Up.Outcome != engine.OutcomeRolledBack || len(trial.Left) > 0 {
		t.Errorf("the undo left %v, outcome %s", trial.Left, trial.Up.Outcome)
	}
	if trial.Down != nil || r.Trials[1].Up != nil {
		t.Errorf("it went on after the failure: %+v", r.Trials)
	}
}

func TestDuplicatesInTheSampleStopAUniqueIndexInRehearsal(t *testing.T) {
	t.Parallel()
	versions(t)
	m := parse(t, "20260102000001", "unique", `
database: shop
steps:
  - create_document: { collection: products, id: lamp2, data: { title: Lamp } }
  - create_index: { collection: products, key: titles, type: unique, attributes: [title] }
`)
	if r := rehearse(t, "1.9.6", 10, m); r.Good() {
		t.Errorf("a unique index over duplicates passes: %+v", r.Trials)
	}
}

func TestDocumentsThatAMigrationNamesAreInTheSample(t *testing.T) {
	t.Parallel()
	versions(t)
	m := parse(t, "20260102000001", "named", `
database: shop
steps:
  - update_document: { collection: products, id: ghost, data: { price: 2 } }
  - delete_document: { collection: products, id: chair }
`)
	if r := rehearse(t, "1.9.6", 0, m); !r.Good() {
		t.Errorf("without a sample it fails: %+v", r.Trials[0].Up)
	}
}

func TestWhatCannotBeTriedOnACopyIsSaid(t *testing.T) {
	t.Parallel()
	versions(t)
	m := migrations.New("20260102000001", "go", func(b *steps.Builder) {
		products := b.Database("shop").Collection("products")
		three := int64(3)
		products.Assert(steps.Assert{Count: &three})
		b.Func(steps.Func{Name: "fix", Version: "1", Do: func(context.Context, sdk.Client) error {
			panic("Go code ran in a rehearsal")
		}})
		products.Boolean("sold")
	})
	r := rehearse(t, "1.9.6", 1, m)
	if !r.Good() {
		t.Errorf("it did not go well: %+v", r.Trials[0].Up)
	}
	if got := strings.Join(r.Notices, "\n"); !strings.Contains(got, "is Go and was not tried") || !strings.Contains(got, "only a part") {
		t.Errorf("notices: %s", got)
	}
	whole := rehearse(t, "1.9.6", 3, m)
	if got := strings.Join(whole.Notices, "\n"); strings.Contains(got, "only a part") {
		t.Errorf("the assertion was not tried though all documents are there: %s", got)
	}
}

func TestAnIncrementIsRehearsedForthAndBack(t *testing.T) {
	t.Parallel()
	versions(t)
	m := parse(t, "20260102000001", "increment", `
database: shop
steps:
  - increment: { collection: products, id: lamp, attribute: price, by: 1 }
`)
	if r := rehearse(t, "1.9.6", 5, m); !r.Good() {
		t.Errorf("it did not go well: %+v", r.Trials[0])
	}
	if r := rehearse(t, "1.7.4", 5, m); r.Good() || !strings.Contains(told(r), "allow_race") {
		t.Errorf("without receipts it is not refused: %+v", r.Trials[0])
	}
}

func TestAWayBackThatIsMissingIsTold(t *testing.T) {
	t.Parallel()
	versions(t)
	m := parse(t, "20260102000001", "one_way", `
database: shop
steps:
  - create_attribute: { collection: products, key: stock, type: integer, default: 0 }
  - update_document: { collection: products, id: lamp, data: { stock: 3 } }
  - delete_collection: { id: makers }
`)
	trial := rehearse(t, "1.9.6", 0, m).Trials[0]
	if trial.Down == nil || !errors.Is(trial.Down.Err, migrations.ErrNoDown) || trial.Again != nil {
		t.Errorf("down: %+v, again: %+v", trial.Down, trial.Again)
	}
}
