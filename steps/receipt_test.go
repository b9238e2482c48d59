package steps_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"testing"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// stocked makes wares, and one of them.
func (b *bench) stocked() {
	b.t.Helper()
	b.wares()
	b.document("wares", "ware", map[string]any{"title": "Ware", "count": 5, "tags": []any{"a"}})
}

// exactIncrement is an increment that needs its receipt.
func (b *bench) exactIncrement(by json.Number) steps.Increment {
	step := b.increment("ware", "count", by)
	step.AllowRace = false
	return step
}

func (b *bench) upsert(id string, data map[string]any) steps.UpsertDocument {
	return steps.UpsertDocument{Database: b.database, Collection: "wares", ID: id, Data: data}
}

// documentSteps are one step of each kind that commits with a receipt.
func (b *bench) documentSteps() map[string]engine.Step {
	permitted := []string{`read("any")`}
	update := b.update("ware", map[string]any{"title": "Other", "tags": []any{"b", "c"}})
	update.Permissions = &permitted
	made := b.create("new", map[string]any{"title": "New", "count": 7})
	made.Permissions = permitted
	return map[string]engine.Step{
		"create_document":            made,
		"create_document, no fields": b.create("bare", nil),
		"update_document":            update,
		"upsert_document, creating":  b.upsert("upserted", map[string]any{"title": "Up"}),
		"upsert_document, updating":  b.upsert("ware", map[string]any{"title": "Up"}),
		"delete_document":            b.remove("ware"),
		"increment":                  b.exactIncrement("3"),
		"increment, negative":        b.exactIncrement("-2"),
	}
}

func TestEveryDocumentStepCommitsWithItsReceiptAndItsUndoWithAnother(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		for name, step := range b.documentSteps() {
			before := b.state()
			did := b.do(step)
			b.wantCommitted(strconv.Itoa(b.operations), true)
			changed := b.state()
			if len(changed) == 0 || maps.Equal(before, changed) {
				b.t.Errorf("%s has changed nothing", name)
			}
			inverse, err := did[0].step.Inverse(did[0].before, did[0].after)
			if err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			b.do(inverse...)
			// What is put back is created with its dates, which no transaction takes.
			b.wantCommitted(strconv.Itoa(b.operations), inverse[0].Kind() != "restore_document")
			b.wantSame(name+", undone", before, b.state())
		}
		if n := b.transactions(); n > 0 {
			b.t.Errorf("%d transactions are left that nobody will commit", n)
		}
	})
}

func TestARevokedReceiptKeepsTheChangeOut(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		for name, change := range b.documentSteps() {
			before := b.state()
			step, site, memento := b.ready(change)
			if applied, err := b.receipts.Revoke(b.t.Context(), *site.Receipt); applied || err != nil {
				b.t.Fatalf("%s: revoked: %t, %v", name, applied, err)
			}
			if _, err := step.Apply(b.t.Context(), site, memento); err == nil || steps.Classify(err) != engine.ClassPermanent {
				b.t.Errorf("%s under a revoked receipt: %v, want a permanent error", name, err)
			}
			b.wantSame(name+" under a revoked receipt", before, b.state())
		}
		if n := b.transactions(); n > 0 {
			b.t.Errorf("%d transactions are left that nobody will commit", n)
		}
	})
}

func TestARevocationAfterTheCommitComesTooLate(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		step, site, memento := b.ready(b.exactIncrement("3"))
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		if applied, err := b.receipts.Revoke(b.t.Context(), *site.Receipt); !applied || err != nil {
			b.t.Errorf("revoked: %t, %v; want it applied", applied, err)
		}
		if got := b.value("wares", "ware", "count"); got != json.Number("8") {
			b.t.Errorf("count is %v", got)
		}
	})
}

// TestWriterThatGetsInBeforeTheCommitIsSpared lets somebody else write before
// each of the requests of a transaction: its opening, the staging of the
// receipt, of the change, and the commit.
func TestWriterThatGetsInBeforeTheCommitIsSpared(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		for request := 1; request <= 4; request++ {
			for name, change := range map[string]engine.Step{
				"an update": b.update("ware", map[string]any{"title": "Ours"}), "a deletion": b.remove("ware"),
			} {
				theirs := name + " is overtaken before request " + strconv.Itoa(request)
				_, site, memento := b.ready(change)
				step := b.overtakenAt(request, change, later(func() { b.other("ware", map[string]any{"title": theirs}) }))
				if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
					b.t.Errorf("%s: %v, want ErrForeign", theirs, err)
				}
				if got := b.value("wares", "ware", "title"); got != theirs {
					b.t.Errorf("%s: title is %v", theirs, got)
				}
				b.wantCommitted(site.Operation, false)
			}
			_, site, memento := b.ready(b.update("ware", map[string]any{"title": "Ours" + strconv.Itoa(request)}))
			step := b.overtakenAt(request, b.update("ware", map[string]any{"title": "Ours" + strconv.Itoa(request)}),
				later(func() { b.other("ware", map[string]any{"count": request}) }))
			if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
				b.t.Errorf("overtaken by a write to another field before request %d: %v", request, err)
			}
			if title, count := b.value("wares", "ware", "title"), b.value("wares", "ware", "count"); title != "Ours"+strconv.Itoa(request) || !equalJSON(count, request) {
				b.t.Errorf("title is %v, count %v", title, count)
			}
		}
		_, site, memento := b.ready(b.create("race", nil))
		step := b.overtakenAt(4, b.create("race", nil), func() { b.document("wares", "race", map[string]any{"title": "theirs"}) })
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
			b.t.Errorf("a creation that was overtaken: %v, want ErrForeign", err)
		}
		_, site, memento = b.ready(b.exactIncrement("3"))
		b.other("ware", map[string]any{"count": 5})
		step = b.overtakenAt(4, b.exactIncrement("3"), later(func() { b.other("ware", map[string]any{"count": 100}) }))
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Errorf("an increment that was overtaken: %v", err)
		}
		if got := b.value("wares", "ware", "count"); got != json.Number("103") {
			b.t.Errorf("count is %v", got)
		}
	})
}

// TestWhatNoTransactionCanWriteCommitsWithoutAReceipt lists the cases that keep
// to probing and comparing.
func TestWhatNoTransactionCanWriteCommitsWithoutAReceipt(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.library(false, steps.SetNull)
		b.do(steps.CreateAttribute{Database: b.database, Collection: "makers", Key: "state", Type: "string", Size: 90, Default: raw(`"new"`)})
		b.document("makers", "cy", map[string]any{"name": "Cy"})
		dated := steps.CreateDocument{Database: b.database, Collection: "makers", ID: "dated", CreatedAt: "2020-01-01T00:00:00.000+00:00"}
		wild := []string{`write("users")`}
		for name, step := range map[string]engine.Step{
			"client-set dates":             dated,
			"a text like an operator":      steps.CreateDocument{Database: b.database, Collection: "makers", ID: "op", Data: map[string]any{"state": `{"method":"toggle","values":[]}`}},
			"a link":                       steps.CreateDocument{Database: b.database, Collection: "wares", ID: "linked", Data: map[string]any{"maker": "ada"}},
			"a link, upserted":             steps.UpsertDocument{Database: b.database, Collection: "wares", ID: "lamp", Data: map[string]any{"maker": "bob"}},
			"a link, changed":              steps.UpdateDocument{Database: b.database, Collection: "wares", ID: "lamp", Data: map[string]any{"maker": "bob"}},
			"a permission to write":        steps.UpdateDocument{Database: b.database, Collection: "wares", ID: "lamp", Permissions: &wild},
			"a document that is led to":    steps.DeleteDocument{Database: b.database, Collection: "makers", ID: "ada"},
			"a document that leads to one": steps.DeleteDocument{Database: b.database, Collection: "wares", ID: "lamp"},
		} {
			bound, site := b.bound(step), b.site()
			memento, err := bound.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			if receiptable, ok := bound.(engine.Receiptable); ok && receiptable.Receiptable(memento) {
				b.t.Errorf("%s commits through a transaction", name)
			}
		}
		b.cycle(steps.UpdateDocument{Database: b.database, Collection: "wares", ID: "lamp", Data: map[string]any{"title": "Light"}})
		restore := b.do(steps.DeleteDocument{Database: b.database, Collection: "makers", ID: "cy"})
		inverse, err := restore[0].step.Inverse(restore[0].before, restore[0].after)
		if _, receiptable := inverse[0].(engine.Receiptable); err != nil || receiptable {
			b.t.Errorf("re-creation commits through a transaction (%v)", err)
		}
	})
}

func TestNullUnderADefaultCommitsWithoutAReceipt(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		b.cycle(b.update("ware", map[string]any{"state": nil}))
		step, site, memento := b.ready(b.update("ware", map[string]any{"title": "Other"}))
		_, err := b.client.UpdateDocuments(b.t.Context(), b.database, "wares", appwrite.DocumentPatch{Data: map[string]any{"state": nil}}, query.Equal("$id", "ware"))
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
			b.t.Errorf("over a null that the transaction would fill: %v, want ErrForeign", err)
		}
		if got := b.value("wares", "ware", "state"); got != nil {
			b.t.Errorf("state is %v", got)
		}
	})
}

// TestWhatIsKnownOfACommittedChangeIsEnoughToUndoIt takes over operations that
// only their receipts tell of.
func TestWhatIsKnownOfACommittedChangeIsEnoughToUndoIt(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		for name, change := range b.documentSteps() {
			before := b.state()
			step, site, memento := b.ready(change)
			if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			site.Receipt = nil
			after, err := step.(engine.Receiptable).Committed(b.t.Context(), site, memento)
			if err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			b.undo([]done{{step: step, before: memento, after: after}})
			b.wantSame(name+", taken over and undone", before, b.state())
		}
	})
}

func TestACommittedChangeThatOthersHaveChangedSinceIsNotUndoneOverThem(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.stocked()
		for name, c := range map[string]struct {
			change engine.Step
			others func()
		}{
			"created, then changed": {b.create("one", map[string]any{"title": "Ours"}), func() { b.other("one", map[string]any{"title": "theirs"}) }},
			"updated, then changed": {b.update("ware", map[string]any{"title": "Ours"}), func() { b.other("ware", map[string]any{"title": "theirs"}) }},
		} {
			step, site, memento := b.ready(c.change)
			if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			c.others()
			after, err := step.(engine.Receiptable).Committed(b.t.Context(), site, memento)
			if err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			inverse, err := step.Inverse(memento, after)
			if err != nil {
				b.t.Fatal(err)
			}
			undo, undoSite := b.bound(inverse[0]), b.site()
			undoMemento, err := undo.Capture(b.t.Context(), undoSite)
			if err != nil {
				b.t.Fatal(err)
			}
			b.wantState(undo, undoSite, undoMemento, engine.StateForeign)
		}
		created, site, bare := b.ready(b.create("gone", nil))
		updated, _, values := b.ready(b.update("ware", map[string]any{"title": "x"}))
		if err := b.client.DeleteCollection(b.t.Context(), b.database, "wares"); err != nil {
			b.t.Fatal(err)
		}
		for _, gone := range []done{{step: created, before: bare}, {step: updated, before: values}} {
			if _, err := gone.step.(engine.Receiptable).Committed(b.t.Context(), site, gone.before); err != nil {
				b.t.Errorf("%s: what is known of it when its collection is gone: %v", gone.step.Kind(), err)
			}
		}
	})
}
