package steps_test

import (
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// race is one step that somebody else gets in the way of.
type race struct {
	name string
	// ready makes the document and gives the step, forward or back.
	ready func(b *bench, id string) engine.Step
	other map[string]any // what somebody else writes
	// gives says that the step has to give way where the server compares.
	gives bool
}

func races() []race {
	forward := func(b *bench, id string) engine.Step {
		b.document("wares", id, map[string]any{"title": "A", "count": 1})
		return b.update(id, map[string]any{"title": "B"})
	}
	back := func(b *bench, id string) engine.Step {
		b.document("wares", id, map[string]any{"title": "A", "count": 1})
		return b.inverseOf(b.update(id, map[string]any{"title": "B"}))
	}
	created := func(b *bench, id string) engine.Step {
		return b.inverseOf(b.create(id, map[string]any{"title": "A", "count": 1}))
	}
	return []race{
		{"forward, the same field", forward, map[string]any{"title": "theirs"}, true},
		{"forward, another field", forward, map[string]any{"count": 7}, false},
		{"back, the same field", back, map[string]any{"title": "theirs"}, true},
		{"back, another field", back, map[string]any{"count": 7}, false},
		{"back, a document that was created", created, map[string]any{"count": 7}, true},
	}
}

// inverseOf carries out a step and gives the one that undoes it.
func (b *bench) inverseOf(step engine.Step) engine.Step {
	b.t.Helper()
	did := b.do(step)
	inverse, err := did[0].step.Inverse(did[0].before, did[0].after)
	if err != nil || len(inverse) != 1 {
		b.t.Fatalf("%d inverse steps, %v", len(inverse), err)
	}
	return inverse[0]
}

// run lets somebody else write before the nth request that changes something,
// 0 for before the step's last look, and wants it to give way or not.
func (r race) run(b *bench, id string, before int, gives bool) {
	b.t.Helper()
	change := r.ready(b, id)
	d, site := done{step: b.bound(change)}, b.site()
	var err error
	if d.before, err = d.step.Capture(b.t.Context(), site); err != nil {
		b.t.Fatalf("%s: %v", r.name, err)
	}
	b.sign(d, &site)
	write := func() { later(func() { b.other(id, r.other) })() }
	if before == 0 {
		write()
	} else {
		d.step = b.overtakenAt(before, change, write)
	}
	_, err = d.step.Apply(b.t.Context(), site, d.before)
	if gives != errors.Is(err, engine.ErrForeign) || !gives && err != nil {
		b.t.Errorf("%s, overtaken before request %d: %v, want it to give way: %t", r.name, before, err, gives)
	}
	if !gives && r.gives {
		return // the other write is lost, as docs/guarantees.md says of 1.7
	}
	for key, want := range r.other {
		if got := b.value("wares", id, key); !equalJSON(got, want) {
			b.t.Errorf("%s, overtaken before request %d: somebody else's %s is %v, not %v", r.name, before, key, got, want)
		}
	}
}

// TestTwoWritersRaceAtEachLevelOfComparing holds what each level promises,
// forward and back: locked (1.9.6) and narrow (1.8.1) spare a writer that gets
// in between the last look and the write; none (1.7.4) spares one that comes
// before the look, and fields that the step does not write.
func TestTwoWritersRaceAtEachLevelOfComparing(t *testing.T) {
	t.Parallel()
	levels := map[string]appwrite.CAS{"1.7.4": appwrite.CASNone, "1.8.1": appwrite.CASNarrow, "1.9.6": appwrite.CASLocked}
	onEveryVersion(t, func(b *bench) {
		b.wares()
		found := false
		for _, level := range levels {
			found = found || level == b.can.CAS
		}
		if !found {
			b.t.Fatalf("the level %q has no test", b.can.CAS)
		}
		for i, r := range races() {
			id := string(rune('a' + i))
			r.run(b, id+"0", 0, r.gives)
			r.run(b, id+"1", 1, r.gives && b.can.CAS != appwrite.CASNone)
		}
	})
}

// TestTwoWritersRaceThroughATransaction is the same with receipts: a writer is
// spared before each of the requests, the commit among them.
func TestTwoWritersRaceThroughATransaction(t *testing.T) {
	t.Parallel()
	withReceipts(t, func(b *bench) {
		b.wares()
		for i, r := range races() {
			for request := range 5 {
				r.run(b, string(rune('a'+i))+string(rune('0'+request)), request, r.gives)
			}
		}
	})
}

// TestAMergingUndoRestoresJustTheFieldsThatNobodyTouched holds the four policies
// against an update of two fields of which somebody else has changed one.
func TestAMergingUndoRestoresJustTheFieldsThatNobodyTouched(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.Transactions {
			b.openReceipts()
		}
		b.wares()
		for policy, want := range map[engine.ConflictPolicy][2]string{
			engine.ConflictHalt:      {"theirs", `2`},
			engine.ConflictSkip:      {"theirs", `2`},
			engine.ConflictMerge:     {"theirs", `1`},
			engine.ConflictOverwrite: {"A", `1`},
		} {
			id := "p-" + string(policy)
			b.document("wares", id, map[string]any{"title": "A", "count": 1})
			inverse := b.inverseOf(b.update(id, map[string]any{"title": "B", "count": 2}))
			b.other(id, map[string]any{"title": "theirs"})
			d, site := done{step: b.bound(inverse)}, b.site()
			site.OnConflict = policy
			var err error
			if d.before, err = d.step.Capture(b.t.Context(), site); err != nil {
				b.t.Fatal(err)
			}
			b.wantState(d.step, site, d.before, engine.StateForeign)
			b.sign(d, &site)
			if policy != engine.ConflictSkip { // the engine does not let the step loose then
				_, err = d.step.Apply(b.t.Context(), site, d.before)
			}
			if (policy == engine.ConflictHalt) != errors.Is(err, engine.ErrForeign) {
				b.t.Errorf("%s: %v", policy, err)
			}
			if title, count := b.value("wares", id, "title"), b.value("wares", id, "count"); title != want[0] || string(jsonText(count)) != want[1] {
				b.t.Errorf("%s: title %v and count %v, want %v", policy, title, count, want)
			}
		}
	})
}
