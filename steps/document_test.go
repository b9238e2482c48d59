package steps_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// wares makes a collection with an attribute of most types.
func (b *bench) wares() {
	b.t.Helper()
	b.do(steps.CreateCollection{Database: b.database, ID: "wares", Name: "Wares"})
	for _, a := range []steps.CreateAttribute{
		{Key: "title", Type: "string", Size: 100},
		{Key: "state", Type: "string", Size: 20, Default: raw(`"new"`)},
		{Key: "count", Type: "integer"},
		{Key: "price", Type: "float"},
		{Key: "sold", Type: "datetime"},
		{Key: "live", Type: "boolean"},
		{Key: "tags", Type: "string", Size: 20, Array: true},
		{Key: "sizes", Type: "integer", Array: true},
	} {
		a.Database, a.Collection = b.database, "wares"
		b.do(a)
	}
}

func (b *bench) create(id string, data map[string]any) steps.CreateDocument {
	return steps.CreateDocument{Database: b.database, Collection: "wares", ID: id, Data: data}
}

func (b *bench) update(id string, data map[string]any) steps.UpdateDocument {
	return steps.UpdateDocument{Database: b.database, Collection: "wares", ID: id, Data: data}
}

func (b *bench) remove(id string) steps.DeleteDocument {
	return steps.DeleteDocument{Database: b.database, Collection: "wares", ID: id}
}

// other is somebody else's change.
func (b *bench) other(id string, data map[string]any) {
	b.t.Helper()
	_, err := b.client.UpdateDocument(b.t.Context(), b.database, "wares", id, appwrite.DocumentPatch{Data: data}, appwrite.Guard{})
	if err != nil {
		b.t.Fatalf("somebody else's update: %v", err)
	}
}

func TestValuesKeepEveryDigitThereAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		data := map[string]any{
			"title": "Ünïcode \u0000 \"quoted\" <b> 😀",
			"count": json.Number("9223372036854775807"),
			"price": json.Number("1.7976931348623157e+308"),
			"sold":  "2026-01-02T03:04:05.678+02:00",
			"live":  false,
			"tags":  []any{"b", "a", ""},
			"sizes": []any{json.Number("3"), json.Number("1")},
		}
		b.cycle(steps.CreateDocument{
			Database: b.database, Collection: "wares", ID: "exact", Data: data,
			Permissions: []string{`update("users")`, `read("any")`},
		})
		b.do(b.create("exact", data))
		if got := b.value("wares", "exact", "count"); got != json.Number("9223372036854775807") {
			b.t.Errorf("count is %v", got)
		}
		b.cycle(b.update("exact", map[string]any{
			"count": json.Number("-9223372036854775807"), "price": json.Number("0.1"), "title": nil,
			"sold": "2026-02-01", "live": true, "tags": []any{}, "sizes": nil,
		}))
		b.cycle(b.remove("exact"))
	})
}

func TestDrawnIDsAreKeptForTheUndo(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.cycle(b.create("", map[string]any{"title": "No name"}))
	})
}

func TestRestoredDocumentsKeepTheirTimes(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if !b.can.Timestamps {
			b.wares()
			step := b.create("old", nil)
			step.CreatedAt = "2020-01-01T00:00:00.000+00:00"
			b.wantErr(step, steps.ErrRefused, "sets created_at")
			return
		}
		b.wares()
		step := b.create("old", map[string]any{"title": "Old"})
		step.CreatedAt, step.UpdatedAt = "2020-01-01T00:00:00.000+00:00", "2021-01-01T00:00:00.000+00:00"
		b.do(step)
		b.undo(b.do(b.remove("old")))
		d, err := b.client.FindDocument(b.t.Context(), b.database, "wares", "old")
		if err != nil {
			b.t.Fatal(err)
		}
		if d.CreatedAt != step.CreatedAt || d.UpdatedAt != step.UpdatedAt {
			b.t.Errorf("the times are %s and %s", d.CreatedAt, d.UpdatedAt)
		}
	})
}

func TestTextLikeAnOperatorIsWrittenByCreationOnly(t *testing.T) {
	t.Parallel()
	const text = `{"method":"stringConcat","values":["!"]}`
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("trap", map[string]any{"title": text}))
		b.cycle(b.remove("trap"))
		if got := b.value("wares", "trap", "title"); got != text {
			b.t.Errorf("title is %v", got)
		}
		if !b.can.Operators {
			b.cycle(b.update("trap", map[string]any{"title": "plain"}))
			return
		}
		b.do(b.create("plain", map[string]any{"title": "plain"}))
		wantField(b.t, b, b.update("plain", map[string]any{"title": text}), "data.title", "operator")
		b.cycle(b.update("plain", map[string]any{"title": `{"method":"GET","path":"/"}`})) // no operator's method
		changed := b.do(b.update("trap", map[string]any{"title": "plain"}))
		_, err := changed[0].step.Inverse(changed[0].before, changed[0].after)
		if !errors.Is(err, engine.ErrIrreversible) {
			b.t.Errorf("the inverse of an update over such text: %v", err)
		}
	})
}

// wantField holds that a step is refused before anything happens, because of a field.
func wantField(t *testing.T, b *bench, step engine.Step, field, word string) {
	t.Helper()
	before := b.state()
	_, err := b.try(step, b.site())
	wrong, ok := errors.AsType[*steps.FieldError](err)
	if !ok || wrong.Field != field || !strings.Contains(wrong.Reason, word) {
		t.Errorf("%s: error %v, want one about %s with %q", step.Kind(), err, field, word)
	}
	b.wantSame("after the refusal", before, b.state())
}

func TestNullUnderADefault(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("ware", map[string]any{"title": "Ware"}))
		wantField(b.t, b, b.create("null", map[string]any{"state": nil}), "data.state", "default")
		if b.can.BulkDefaults {
			wantField(b.t, b, b.update("ware", map[string]any{"state": nil}), "data.state", "default")
			return
		}
		b.cycle(b.update("ware", map[string]any{"state": nil}))
		b.do(b.update("ware", map[string]any{"state": nil}))
		b.cycle(b.remove("ware"))
		b.cycle(b.update("ware", map[string]any{"title": "Other"}))
		if got := b.value("wares", "ware", "state"); got != nil {
			b.t.Errorf("an update of another field has filled in the default: %v", got)
		}
	})
}

func TestValuesThatTheServerWouldMisreadAreRefused(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(
			steps.CreateCollection{Database: b.database, ID: "others", Name: "Others"},
			steps.CreateRelationship{Database: b.database, Collection: "wares", Key: "next", Related: "others", Type: steps.ManyToOne},
			steps.CreateRelationship{Database: b.database, Collection: "wares", Key: "parts", Related: "others", Type: steps.OneToMany, TwoWayKey: "whole"},
		)
		for _, c := range []struct {
			value any
			key   string
			word  string
		}{
			{"x", "tile", "no attribute"},
			{"x", "$id", "document's own"},
			{map[string]any{"a": "b"}, "title", "object"},
			{[]any{map[string]any{"a": "b"}}, "tags", "object"},
			{[]any{nil}, "sizes", "null element"},
			{"tomorrow", "sold", "date"},
			{map[string]any{"$id": "x"}, "next", "must be the id"},
			{[]any{"x"}, "next", "must be the id"},
			{"x", "parts", "list of ids"},
			{[]any{map[string]any{"$id": "x"}}, "parts", "list of ids"},
		} {
			wantField(b.t, b, b.create("ware", map[string]any{c.key: c.value}), "data."+c.key, c.word)
		}
	})
}

func TestDocumentThatIsThereIsNotCreated(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("lamp", nil))
		b.wantErr(b.create("lamp", nil), steps.ErrExists)
		b.wantErr(b.create("LAMP", nil), steps.ErrExists, `"lamp"`)
		b.wantErr(b.update("none", map[string]any{"title": "x"}), steps.ErrMissing)
		b.wantErr(b.remove("none"), steps.ErrMissing)
		b.do(steps.CreateIndex{Database: b.database, Collection: "wares", Key: "one", Type: steps.Unique, Attributes: []string{"title"}})
		b.do(b.create("first", map[string]any{"title": "One"}))
		b.wantErr(b.create("second", map[string]any{"title": "one"}), steps.ErrRefused, "unique")
	})
}

func TestEqualDocumentIsTakenOverOnlyInDoubt(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		for _, doubtful := range []bool{false, true} {
			id := map[bool]string{false: "sure", true: "doubtful"}[doubtful]
			step := b.bound(b.create(id, map[string]any{"title": "Same"}))
			site := b.site()
			memento, err := step.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatal(err)
			}
			if _, err := b.client.CreateDocument(b.t.Context(), b.database, "wares",
				appwrite.Document{ID: id, Data: map[string]any{"title": "Same"}}); err != nil {
				b.t.Fatal(err)
			}
			site.Doubtful = doubtful
			_, err = step.Apply(b.t.Context(), site, memento)
			if doubtful && err != nil {
				b.t.Errorf("in doubt: %v", err)
			}
			if !doubtful && !errors.Is(err, engine.ErrForeign) {
				b.t.Errorf("without doubt: %v, want ErrForeign", err)
			}
		}
	})
}

func TestUpdateSparesWhatOthersWrite(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("ware", map[string]any{"title": "A", "count": 1}))
		step := b.bound(b.update("ware", map[string]any{"title": "B"}))
		site := b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.other("ware", map[string]any{"count": 2}) // another field: no conflict
		after, err := step.Apply(b.t.Context(), site, memento)
		if err != nil {
			b.t.Fatalf("apply over somebody else's other field: %v", err)
		}
		b.other("ware", map[string]any{"count": 3})
		b.undo([]done{{step: step, before: memento, after: after}})
		if title, count := b.value("wares", "ware", "title"), b.value("wares", "ware", "count"); title != "A" || count != json.Number("3") {
			b.t.Errorf("after the undo: title %v, count %v", title, count)
		}
		if memento, err = step.Capture(b.t.Context(), site); err != nil {
			b.t.Fatal(err)
		}
		b.other("ware", map[string]any{"title": "C"}) // the same field
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
			b.t.Errorf("apply over somebody else's change: %v, want ErrForeign", err)
		}
		if title := b.value("wares", "ware", "title"); title != "C" {
			b.t.Errorf("title is %v", title)
		}
	})
}

func TestDeleteSparesWhatOthersWrite(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(b.create("ware", map[string]any{"title": "A"}))
		step := b.bound(b.remove("ware"))
		site := b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.other("ware", map[string]any{"title": "B"})
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
			b.t.Errorf("delete over somebody else's change: %v, want ErrForeign", err)
		}
		b.wantState(step, site, memento, engine.StateForeign)
		if title := b.value("wares", "ware", "title"); title != "B" {
			b.t.Errorf("title is %v", title)
		}
	})
}

func TestUndoOfACreationSparesDocumentsThatLeadToIt(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.wares()
		b.do(
			steps.CreateCollection{Database: b.database, ID: "others", Name: "Others"},
			steps.CreateRelationship{
				Database: b.database, Collection: "others", Key: "next", Related: "wares", Type: steps.ManyToOne, OnDelete: "cascade",
			},
		)
		made := b.do(b.create("new", nil))
		b.do(steps.CreateDocument{
			Database: b.database, Collection: "others", ID: "follower", Data: map[string]any{"next": "new"},
		})
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		step, site := b.bound(inverse[0]), b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantState(step, site, memento, engine.StateForeign)
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, engine.ErrForeign) {
			b.t.Errorf("the undo would have deleted somebody else's document: %v", err)
		}
	})
}
