package steps_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// overtakenAt binds a step so that somebody else gets in just before its nth write.
func (b *bench) overtakenAt(n int, step engine.Step, other func()) engine.Step {
	b.t.Helper()
	client, err := b.client.With(appwrite.WithWrappedTransport(func(base http.RoundTripper) http.RoundTripper {
		return &overtaking{base: base, writes: n, other: other}
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return steps.Bind(client, []engine.Step{step})[0]
}

// overtaking lets somebody else in before one of the writes that it carries.
type overtaking struct {
	base   http.RoundTripper
	writes int // how many are left until then
	other  func()
}

// RoundTrip implements http.RoundTripper.
func (o *overtaking) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		if o.writes--; o.writes == 0 {
			o.other()
		}
	}
	return o.base.RoundTrip(req)
}

// library makes wares that have a maker; the lamp's is ada.
func (b *bench) library(twoWay bool, onDelete string) {
	b.t.Helper()
	b.do(
		steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"},
		steps.CreateAttribute{Database: b.database, Collection: "makers", Key: "name", Type: "string", Size: 20},
		steps.CreateCollection{Database: b.database, ID: "wares", Name: "Wares"},
		steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "title", Type: "string", Size: 20},
		steps.CreateRelationship{
			Database: b.database, Collection: "wares", Key: "maker", Related: "makers",
			Type: steps.ManyToOne, TwoWay: twoWay, TwoWayKey: "wares", OnDelete: onDelete,
		},
	)
	b.document("makers", "ada", map[string]any{"name": "Ada"})
	b.document("makers", "bob", map[string]any{"name": "Bob"})
	b.document("wares", "lamp", map[string]any{"title": "Lamp", "maker": "ada"})
	b.document("wares", "chair", map[string]any{"title": "Chair"})
}

// TestDeletionSparesWhatHasChangedSinceItWasSetAside: a run that was cut off
// after its intent may be resumed a day later, and what a deletion takes along
// has changed by then.
func TestDeletionSparesWhatHasChangedSinceItWasSetAside(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]func(b *bench){
		"a document that goes along is written to": func(b *bench) { b.other("lamp", map[string]any{"title": "theirs"}) },
		"another one has come to go along":         func(b *bench) { b.document("wares", "late", map[string]any{"maker": "ada"}) },
		"one that is there already has":            func(b *bench) { b.other("chair", map[string]any{"maker": "ada"}) },
	} {
		for _, way := range []struct {
			twoWay   bool
			onDelete string
		}{{true, steps.Cascade}, {false, steps.Cascade}, {false, steps.SetNull}} {
			if name == "a document that goes along is written to" && way.onDelete != steps.Cascade {
				continue
			}
			t.Run(name+", "+way.onDelete+map[bool]string{true: ", two ways", false: ", one way"}[way.twoWay], func(t *testing.T) {
				t.Parallel()
				onEveryVersion(t, func(b *bench) {
					b.library(way.twoWay, way.onDelete)
					step, site := b.bound(steps.DeleteDocument{Database: b.database, Collection: "makers", ID: "ada"}), b.site()
					memento, err := step.Capture(b.t.Context(), site)
					if err != nil {
						b.t.Fatal(err)
					}
					late(b)
					before := b.state()
					b.wantState(step, site, memento, engine.StateForeign)
					if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
						b.t.Errorf("the deletion ends with %v, want ErrForeign", err)
					}
					b.wantSame("after the deletion that was not made", before, b.state())
				})
			})
		}
	}
}

// TestRestorationSparesWhatSomebodyWritesMeanwhile holds where the server can
// compare and set; 1.7 cannot.
func TestRestorationSparesWhatSomebodyWritesMeanwhile(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.CAS == appwrite.CASNone {
			b.t.Skip("this server cannot compare and set")
		}
		b.wares()
		for _, id := range []string{"a", "b", "c"} {
			b.do(b.create(id, map[string]any{"title": "same", "tags": []any{"x"}}))
		}
		for _, c := range []struct {
			key    string
			theirs any
		}{{"title", "theirs"}, {"tags", []any{"theirs"}}} {
			dropped := b.do(steps.DropAttribute{Database: b.database, Collection: "wares", Key: c.key})[0]
			inverse, err := dropped.step.Inverse(dropped.before, dropped.after)
			if err != nil {
				b.t.Fatal(err)
			}
			site := b.site()
			memento, err := inverse[0].Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatal(err)
			}
			// The first write makes the attribute, the second fills the first documents.
			step := b.overtakenAt(2, inverse[0], func() { b.other("a", map[string]any{c.key: c.theirs}) })
			if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
				b.t.Fatalf("%s: %v", c.key, err)
			}
			if got := b.value("wares", "a", c.key); !equalJSON(got, c.theirs) {
				b.t.Errorf("somebody else's %s is %v", c.key, got)
			}
			if got := b.value("wares", "b", c.key); isNothing(got) {
				b.t.Errorf("%s of the other documents is not back", c.key)
			}
		}
	})
}

func isNothing(value any) bool {
	list, isList := value.([]any)
	return value == nil || isList && len(list) == 0
}

// TestLinkingAgainSparesWhatSomebodyLinksMeanwhile holds where the server can
// compare and set; 1.7 cannot.
func TestLinkingAgainSparesWhatSomebodyLinksMeanwhile(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.CAS == appwrite.CASNone {
			b.t.Skip("this server cannot compare and set")
		}
		b.library(false, steps.SetNull)
		dropped := b.do(steps.DropRelationship{Database: b.database, Collection: "wares", Key: "maker"})[0]
		inverse, err := dropped.step.Inverse(dropped.before, dropped.after)
		if err != nil {
			b.t.Fatal(err)
		}
		site := b.site()
		memento, err := inverse[0].Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		step := b.overtakenAt(2, inverse[0], func() { b.other("lamp", map[string]any{"maker": "bob"}) })
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		if got := b.value("wares", "lamp", "maker"); got != "bob" {
			b.t.Errorf("somebody else's link leads to %v", got)
		}
	})
}
