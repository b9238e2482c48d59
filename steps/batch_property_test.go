package steps_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/steps"
)

// withoutTimes leaves out of a state what two runs of the same cannot share.
func withoutTimes(s oracle.Snapshot, database string) map[string]string {
	plain := map[string]string{}
	for path, object := range s {
		plain[strings.ReplaceAll(path, database, "D")] = strings.ReplaceAll(object, database, "D")
	}
	return plain
}

// run carries out steps in an engine, joined or not.
func (b *bench) run(t rapid.TB, list []engine.Step, passes ...engine.Pass) error {
	codec, err := steps.NewCodec(b.client, nil)
	if err != nil {
		t.Fatal(err)
	}
	var store journal.Store = journaltest.NewMemory()
	e, err := engine.New(store, codec, engine.WithClassifier(steps.Classify), engine.WithWatch(appwrite.Watch), engine.WithReceipts(b.receipts))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := engine.NewPlan(steps.Bind(b.client, list), engine.PlanOptions{Passes: passes})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Run(context.Background(), engine.Request{Direction: "up", Plan: plan})
	return err
}

// drawDocuments draws a migration of documents, with other steps in between.
func (b *bench) drawDocuments(t *rapid.T) []engine.Step {
	var list []engine.Step
	ids := 0
	for range rapid.IntRange(1, 6).Draw(t, "groups") {
		switch rapid.IntRange(0, 5).Draw(t, "group") {
		case 0, 1, 2:
			for range rapid.IntRange(1, 5).Draw(t, "creations") {
				step := b.create("n"+strconv.Itoa(ids), map[string]any{"title": rapid.SampledFrom([]string{"A", "B", "Ünï"}).Draw(t, "title"), "count": ids})
				if rapid.Bool().Draw(t, "bare") {
					step.Data = nil
				}
				if rapid.Bool().Draw(t, "permitted") {
					step.Permissions = []string{`read("any")`}
				}
				list, ids = append(list, step), ids+1
			}
		case 3:
			if ids > 0 {
				list = append(list, b.update("n"+strconv.Itoa(rapid.IntRange(0, ids-1).Draw(t, "updated")), map[string]any{"title": "changed"}))
			}
		case 4:
			if ids > 0 {
				at := rapid.IntRange(0, ids-1).Draw(t, "recreated")
				list = append(list, b.remove("n"+strconv.Itoa(at)), b.create("n"+strconv.Itoa(at), map[string]any{"title": "again"}))
			}
		default:
			list = append(list, steps.CreateAttribute{Database: b.database, Collection: "wares", Key: fmt.Sprintf("a%d", len(list)), Type: "boolean"})
		}
	}
	return list
}

// TestJoinedStepsEndAsSingleOnesDo runs random migrations of documents with the
// pass and without it, to their end and back: the states are the same.
func TestJoinedStepsEndAsSingleOnesDo(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		rapid.Check(b.t, func(t *rapid.T) {
			list := b.drawDocuments(t)
			empty := withoutTimes(b.state(), b.database)
			failing := append(append([]engine.Step{}, list...), b.create("n0", map[string]any{"tile": "no such attribute"}))
			for name, passes := range map[string][]engine.Pass{"single": nil, "joined": {steps.Batch(unrelatedAnywhere)}} {
				if err := b.run(t, failing, passes...); !errors.Is(err, engine.ErrRolledBack) {
					t.Fatalf("%s: %v, want it rolled back", name, err)
				}
				if diff := cmp.Diff(empty, withoutTimes(b.state(), b.database)); diff != "" {
					t.Fatalf("%s, rolled back (-before +now):\n%s", name, diff)
				}
			}
			single, joined := b.applied(t, list), b.applied(t, list, steps.Batch(unrelatedAnywhere))
			if diff := cmp.Diff(single, joined); diff != "" {
				t.Fatalf("joined steps end otherwise (-single +joined):\n%s", diff)
			}
		})
	})
}

// applied gives the state that steps lead to, and clears it away.
func (b *bench) applied(t *rapid.T, list []engine.Step, passes ...engine.Pass) map[string]string {
	if err := b.run(t, list, passes...); err != nil {
		t.Fatal(err)
	}
	state := withoutTimes(b.state(), b.database)
	if err := b.client.DeleteCollection(context.Background(), b.database, "wares"); err != nil {
		t.Fatal(err)
	}
	b.wares()
	return state
}

// TestJoinedCreationsTakeAFractionOfTheRequests counts the requests of creating
// 100 documents, one by one and together, with receipts where there are any.
func TestJoinedCreationsTakeAFractionOfTheRequests(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		var list []engine.Step
		for i := range 100 {
			list = append(list, b.create("w"+strconv.Itoa(i), map[string]any{"title": "Ware"}))
		}
		var sent atomic.Int64
		counting, err := b.client.With(appwrite.WithObserver(func(appwrite.Exchange) { sent.Add(1) }))
		if err != nil {
			b.t.Fatal(err)
		}
		b.client = counting
		count := func(passes ...engine.Pass) int64 {
			sent.Store(0)
			if err := b.run(b.t, list, passes...); err != nil {
				b.t.Fatal(err)
			}
			n := sent.Load()
			if err := b.client.DeleteCollection(b.t.Context(), b.database, "wares"); err != nil {
				b.t.Fatal(err)
			}
			b.wares()
			return n
		}
		single, joined := count(), count(steps.Batch(unrelatedAnywhere))
		b.t.Logf("%s: 100 documents take %d requests in steps of their own, %d together", b.can.CAS, single, joined)
		if joined > 12 || single < 300 {
			b.t.Errorf("100 documents take %d requests in steps of their own, %d together", single, joined)
		}
	})
}
