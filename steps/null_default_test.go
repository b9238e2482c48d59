package steps_test

import (
	"testing"

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
