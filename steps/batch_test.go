package steps_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// unrelatedAnywhere says that no collection of the server has relationships.
func unrelatedAnywhere(string, string) bool { return false }

// shapeOf tells a plan's operations: "create_documents 3", "create_attribute".
func shapeOf(plan engine.Plan) []string {
	var told []string
	for _, operation := range plan.Operations {
		name := operation.Effect.Kind()
		if batch, ok := operation.Effect.(steps.CreateDocuments); ok {
			name += " " + fmt.Sprint(len(batch.Documents))
			if len(operation.Steps) != len(batch.Documents) {
				name += " of other steps"
			}
		}
		told = append(told, name)
	}
	return told
}

func TestBatchJoinsNeighbouringCreationsOfOneCollection(t *testing.T) {
	t.Parallel()
	doc := func(collection, id string) steps.CreateDocument {
		return steps.CreateDocument{Database: "d", Collection: collection, ID: id, Data: map[string]any{"title": id}}
	}
	dated, wild, operator := doc("c", "x"), doc("c", "x"), doc("c", "x")
	dated.CreatedAt = "2020-01-01T00:00:00.000+00:00"
	wild.Permissions = []string{`write("users")`}
	operator.Data = map[string]any{"title": `{"method":"toggle","values":[]}`}
	patient, err := steps.WithRetry(doc("c", "x"), steps.Retry{Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	link := steps.CreateRelationship{Database: "d", Collection: "c", Key: "k", Related: "e", Type: steps.ManyToOne}
	single := "create_document"
	for name, c := range map[string]struct {
		plan []engine.Step
		want []string
	}{
		"neighbours":                        {[]engine.Step{doc("c", "1"), doc("c", "2"), doc("c", "3")}, []string{"create_documents 3"}},
		"drawn ids":                         {[]engine.Step{doc("c", ""), doc("c", "")}, []string{"create_documents 2"}},
		"one alone":                         {[]engine.Step{doc("c", "1")}, []string{single}},
		"two collections":                   {[]engine.Step{doc("c", "1"), doc("c", "2"), doc("e", "1"), doc("e", "2")}, []string{"create_documents 2", "create_documents 2"}},
		"in turn":                           {[]engine.Step{doc("c", "1"), doc("e", "1"), doc("c", "2"), doc("e", "2")}, []string{single, single, single, single}},
		"something in between":              {[]engine.Step{doc("c", "1"), doc("c", "2"), steps.Assert{}, doc("c", "3"), doc("c", "4")}, []string{"create_documents 2", "assert", "create_documents 2"}},
		"an id twice":                       {[]engine.Step{doc("c", "1"), doc("c", "2"), doc("c", "1")}, []string{"create_documents 2", single}},
		"an id in another case":             {[]engine.Step{doc("c", "a"), doc("c", "b"), doc("c", "A")}, []string{"create_documents 2", single}},
		"a document touched before":         {[]engine.Step{steps.DeleteDocument{Database: "d", Collection: "c", ID: "1"}, doc("c", "1"), doc("c", "2"), doc("c", "3")}, []string{"delete_document", single, "create_documents 2"}},
		"dates":                             {[]engine.Step{doc("c", "1"), dated, doc("c", "2")}, []string{single, single, single}},
		"a permission to write":             {[]engine.Step{doc("c", "1"), wild}, []string{single, single}},
		"a text like an operator":           {[]engine.Step{doc("c", "1"), operator}, []string{single, single}},
		"a retry policy":                    {[]engine.Step{doc("c", "1"), patient}, []string{single, single}},
		"a relationship of the plan":        {[]engine.Step{link, doc("c", "1"), doc("c", "2"), doc("e", "1"), doc("e", "2")}, []string{"create_relationship", single, single, single, single}},
		"a relationship of the server":      {[]engine.Step{doc("related", "1"), doc("related", "2")}, []string{single, single}},
		"a collection that the plan makes":  {[]engine.Step{steps.CreateCollection{Database: "d", ID: "related"}, doc("related", "1"), doc("related", "2")}, []string{"create_collection", "create_documents 2"}},
		"a relationship after the creation": {[]engine.Step{doc("c", "1"), doc("c", "2"), link}, []string{single, single, "create_relationship"}},
	} {
		plan, err := engine.NewPlan(c.plan, engine.PlanOptions{Passes: []engine.Pass{
			steps.Batch(func(_, collection string) bool { return collection == "related" }),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := shapeOf(plan); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	unknown, err := engine.NewPlan([]engine.Step{doc("c", "1"), doc("c", "2")}, engine.PlanOptions{Passes: []engine.Pass{steps.Batch(nil)}})
	if err != nil || len(unknown.Operations) != 2 {
		t.Errorf("in a collection that nothing is known of: %v, %v", shapeOf(unknown), err)
	}
}

func TestBatchKeepsWithinWhatOneOperationTakes(t *testing.T) {
	t.Parallel()
	var small, large []engine.Step
	for i := range 2500 {
		small = append(small, steps.CreateDocument{Database: "d", Collection: "c", ID: fmt.Sprint(i)})
	}
	for i := range 5 {
		large = append(large, steps.CreateDocument{
			Database: "d", Collection: "c", ID: fmt.Sprint(i), Data: map[string]any{"text": strings.Repeat("x", 2<<20)},
		})
	}
	for _, c := range []struct {
		plan []engine.Step
		want []string
	}{
		{small, []string{"create_documents 1000", "create_documents 1000", "create_documents 500"}},
		{large, []string{"create_document", "create_document", "create_document", "create_document", "create_document"}},
	} {
		plan, err := engine.NewPlan(c.plan, engine.PlanOptions{Passes: []engine.Pass{steps.Batch(unrelatedAnywhere)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := shapeOf(plan); !slices.Equal(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

// seedOf makes n new documents.
func seedOf(n int) []steps.NewDocument {
	documents := make([]steps.NewDocument, n)
	for i := range documents {
		documents[i] = steps.NewDocument{
			ID: fmt.Sprintf("w%d", i), Data: map[string]any{"title": fmt.Sprintf("Ware %d", i), "count": i}, Permissions: []string{`read("any")`},
		}
	}
	return documents
}

func (b *bench) createAll(documents []steps.NewDocument) steps.CreateDocuments {
	return steps.CreateDocuments{Database: b.database, Collection: "wares", Documents: documents}
}

func TestDocumentsCreatedTogetherAreUndoneOneByOne(t *testing.T) {
	t.Parallel()
	for name, signed := range map[string]bool{"with receipts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryVersion(t, func(b *bench) {
				if signed && !b.can.Transactions {
					b.t.Skip("this server has no transactions")
				}
				if signed {
					b.openReceipts()
				}
				b.wares()
				documents := append(seedOf(120), steps.NewDocument{}, steps.NewDocument{Data: map[string]any{"tags": []any{"a"}}})
				before := b.state()
				made := b.do(b.createAll(documents))
				b.wantLastCommitted(signed)
				changed := b.state()
				if len(changed) != len(before)+122 {
					b.t.Errorf("%d objects more", len(changed)-len(before))
				}
				inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
				if err != nil || len(inverse) != 2 {
					b.t.Fatalf("%d inverse steps, %v; want 99 and 23 deletions", len(inverse), err)
				}
				gone := b.do(inverse...)
				b.wantSame("after the undo", before, b.state())
				b.undo(gone)
				b.wantSame("after undoing the undo", changed, b.state())
			})
		})
	}
}

// wantLastCommitted is wantCommitted of the last operation, where there are receipts.
func (b *bench) wantLastCommitted(want bool) {
	b.t.Helper()
	if b.receipts != nil {
		b.wantCommitted(fmt.Sprint(b.operations), want)
	}
}

func TestDocumentsCreatedTogetherAreAllThereOrNone(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		b.do(steps.CreateIndex{Database: b.database, Collection: "wares", Key: "one", Type: steps.Unique, Attributes: []string{"title"}})
		before := b.state()
		documents := seedOf(5)
		documents[4].Data["title"] = "ware 0" // taken, but for its case
		b.wantErr(b.createAll(documents), steps.ErrRefused, "unique")
		documents[4].Data["title"] = strings.Repeat("x", 101)
		if _, err := b.try(b.createAll(documents), b.site()); err == nil {
			b.t.Error("a title that is too long was accepted")
		}
		b.document("wares", "W3", nil)
		b.wantErr(b.createAll(seedOf(5)), steps.ErrExists, `"W3"`)
		if err := b.client.DeleteDocument(b.t.Context(), b.database, "wares", "W3", noGuard()); err != nil {
			b.t.Fatal(err)
		}
		b.wantSame("after all refusals", before, b.state())
	})
}

func TestUndoOfDocumentsCreatedTogetherSparesWhatOthersChanged(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		for policy, left := range map[engine.ConflictPolicy]int{
			engine.ConflictHalt: 4, engine.ConflictMerge: 1, engine.ConflictSkip: 1, engine.ConflictOverwrite: 0,
		} {
			made := b.do(b.createAll(seedOf(4)))
			b.other("w1", map[string]any{"title": "theirs"})
			inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
			if err != nil {
				b.t.Fatal(err)
			}
			step, site := b.bound(inverse[0]), b.site()
			site.OnConflict = policy
			memento, err := step.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatal(err)
			}
			b.wantState(step, site, memento, engine.StateForeign)
			b.sign(done{step: step, before: memento}, &site)
			_, err = step.Apply(b.t.Context(), site, memento)
			if (err != nil) != (policy == engine.ConflictHalt) {
				b.t.Errorf("%s: %v", policy, err)
			}
			page, err := b.client.ListDocuments(b.t.Context(), b.database, "wares")
			if err != nil || len(page.Documents) != left {
				b.t.Errorf("%s: %d documents are left (%v), want %d", policy, len(page.Documents), err, left)
			}
			for _, document := range page.Documents {
				if err := b.client.DeleteDocument(b.t.Context(), b.database, "wares", document.ID, noGuard()); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	})
}

// TestEachPolicyActsOnEachDocumentThatWasCreatedTogether undoes a run of joined
// creations, one of whose documents somebody else has changed.
func TestEachPolicyActsOnEachDocumentThatWasCreatedTogether(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		for policy, left := range map[engine.ConflictPolicy][]string{
			engine.ConflictHalt: {"w0", "w1", "w2", "w3"}, engine.ConflictSkip: {"w1"}, engine.ConflictMerge: {"w1"}, engine.ConflictOverwrite: nil,
		} {
			saboteur := saboteurOf(func() { b.other("w1", map[string]any{"title": "theirs"}) })
			codec, err := steps.NewCodec(b.client, []steps.Func{saboteur})
			if err != nil {
				b.t.Fatal(err)
			}
			last, err := steps.NewFunc(saboteur)
			if err != nil {
				b.t.Fatal(err)
			}
			e, err := engine.New(b.store, codec, engine.WithClassifier(steps.Classify), engine.WithReceipts(b.receipts), engine.WithConflict(policy))
			if err != nil {
				b.t.Fatal(err)
			}
			plan, err := engine.NewPlan(steps.Bind(b.client, []engine.Step{b.createAll(seedOf(4)), last}), engine.PlanOptions{})
			if err != nil {
				b.t.Fatal(err)
			}
			report, err := e.Run(b.t.Context(), engine.Request{Direction: "up", Plan: plan})
			if halted := policy == engine.ConflictHalt; errors.Is(err, engine.ErrHalted) != halted || errors.Is(err, engine.ErrRolledBack) == halted {
				b.t.Errorf("%s: %v", policy, err)
			}
			if len(report.Conflicts) == 0 {
				b.t.Errorf("%s: the report tells of no conflict", policy)
			}
			page, err := b.client.ListDocuments(b.t.Context(), b.database, "wares")
			if err != nil {
				b.t.Fatal(err)
			}
			var ids []string
			for _, document := range page.Documents {
				ids = append(ids, document.ID)
				if err := b.client.DeleteDocument(b.t.Context(), b.database, "wares", document.ID, noGuard()); err != nil {
					b.t.Fatal(err)
				}
			}
			if slices.Sort(ids); !slices.Equal(ids, left) {
				b.t.Errorf("%s: %v are left, want %v", policy, ids, left)
			}
		}
	})
}
