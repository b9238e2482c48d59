package steps_test

import (
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// A document that is older than an attribute with a default holds null in it.
// Steps that write to other fields leave that alone where the server lets them,
// there and back. 1.7 fills in the default with every write, and takes no null
// back: that is what an undo cannot undo there.
func TestAWriteLeavesNullUnderADefaultAlone(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("old", map[string]any{"title": "Lamp", "count": 1}),
			steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "late", Type: "string", Size: 20, Default: raw(`"yes"`)})
		want := any(nil)
		if b.can.BulkDefaults {
			want = "yes"
		}
		written := b.do(b.update("old", map[string]any{"title": "Torch"}))
		if got := b.value("wares", "old", "late"); got != want {
			b.t.Errorf("after the update, late is %v, not %v", got, want)
		}
		b.undo(written)
		if got := b.value("wares", "old", "late"); got != want {
			b.t.Errorf("after its undo, late is %v, not %v", got, want)
		}
	})
}

// The values of a dropped attribute come back into documents that hold null
// under a default of another attribute.
func TestRestoredValuesLeaveNullUnderADefaultAlone(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("old", map[string]any{"title": "Lamp", "count": 1}),
			steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "late", Type: "string", Size: 20, Default: raw(`"yes"`)})
		want := any(nil)
		if b.can.BulkDefaults {
			want = "yes"
		}
		dropped := b.do(split(steps.DeleteAttribute{Database: b.database, Collection: "wares", Key: "count"})...)
		b.undo(dropped)
		if got := b.value("wares", "old", "count"); got == nil {
			b.t.Error("the value is not back")
		}
		if got := b.value("wares", "old", "late"); got != want {
			b.t.Errorf("late is %v, not %v", got, want)
		}
	})
}

// aged makes a document that holds null under a default, in a collection that
// has a relationship or not: where it has one, no version takes null back.
func (b *bench) aged(related bool) {
	b.t.Helper()
	b.wares()
	if related {
		b.do(
			steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"},
			steps.CreateRelationship{Database: b.database, Collection: "wares", Key: "maker", Related: "makers", Type: steps.ManyToOne},
		)
	}
	b.do(b.create("old", map[string]any{"title": "Lamp"}),
		steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "late", Type: "string", Size: 20, Default: raw(`"yes"`)})
}

// onNulls runs a test where the default stays in a document
// that is made again, and where it does not.
func onNulls(t *testing.T, test func(b *bench, restored any)) {
	t.Helper()
	for name, related := range map[string]bool{"alone": false, "related": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEveryVersion(t, func(b *bench) {
				b.aged(related)
				if related || b.can.BulkDefaults {
					test(b, "yes")
				} else {
					test(b, nil)
				}
			})
		})
	}
}

func TestADocumentThatCameBackWithADefaultForNullCanGoAgain(t *testing.T) {
	t.Parallel()
	onNulls(t, func(b *bench, restored any) {
		back := b.undo(b.do(b.remove("old")))
		if got := b.value("wares", "old", "late"); got != restored {
			b.t.Fatalf("late came back as %v, want %v", got, restored)
		}
		again := b.undo(back)
		b.undo(again)
		if got := b.value("wares", "old", "late"); got != restored {
			b.t.Errorf("late came back again as %v, want %v", got, restored)
		}
	})
}

func TestOnlyTheDefaultItselfIsTakenForWhatTheServerPutThere(t *testing.T) {
	t.Parallel()
	onNulls(t, func(b *bench, _ any) {
		gone := b.do(b.remove("old"))
		back := b.undo(gone)
		inverse, err := back[0].step.Inverse(back[0].before, back[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.other("old", map[string]any{"late": "theirs"})
		b.wantForeign(inverse[0])
		b.do(b.remove("old"), b.create("old", map[string]any{"title": "Lamp", "late": "theirs"}))
		restore, err := gone[0].step.Inverse(gone[0].before, gone[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantState(b.bound(restore[0]), b.site(), raw(`{}`), engine.StateForeign)
	})
}
