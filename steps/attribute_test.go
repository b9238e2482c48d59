package steps_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// everyType gives one attribute of each type that the server has, and more
// where a type has variants.
func everyType(b *bench) []steps.CreateAttribute {
	list := []steps.CreateAttribute{
		{Key: "string", Type: "string", Size: 50, Default: raw(`"a"`)},
		{Key: "strings", Type: "string", Size: 50, Array: true},
		{Key: "secret", Type: "string", Size: 200, Encrypt: true},
		{Key: "integer", Type: "integer", Min: "-5", Max: "10", Default: raw(`0`)},
		{Key: "big", Type: "integer", Min: "0", Max: "9007199254740993", Default: raw(`9007199254740993`)},
		{Key: "float", Type: "float", Min: "0.5", Max: "1.5", Default: raw(`1.0`)},
		{Key: "boolean", Type: "boolean", Default: raw(`false`)},
		{Key: "datetime", Type: "datetime", Default: raw(`"2026-01-02T03:04:05.000+00:00"`)},
		{Key: "email", Type: "email", Required: true},
		{Key: "enum", Type: "enum", Elements: []string{"red", "green"}, Default: raw(`"red"`)},
		{Key: "ip", Type: "ip"},
		{Key: "url", Type: "url"},
	}
	if b.can.BigInt {
		list = append(list, steps.CreateAttribute{Key: "bigint", Type: "bigint", Max: "100", Default: raw(`7`)})
	}
	if b.can.TextTypes {
		list = append(list,
			steps.CreateAttribute{Key: "varchar", Type: "varchar", Size: 30, Default: raw(`"v"`)},
			steps.CreateAttribute{Key: "text", Type: "text"},
			steps.CreateAttribute{Key: "mediumtext", Type: "mediumtext"},
			steps.CreateAttribute{Key: "longtext", Type: "longtext"},
		)
	}
	if b.can.Spatial {
		list = append(list,
			steps.CreateAttribute{Key: "point", Type: "point"},
			steps.CreateAttribute{Key: "line", Type: "line"},
			steps.CreateAttribute{Key: "polygon", Type: "polygon"},
		)
	}
	for i := range list {
		list[i].Database, list[i].Collection = b.database, "products"
	}
	return list
}

func TestAttributeOfEveryTypeIsCreatedAndDropped(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		var all []engine.Step
		for _, step := range everyType(b) {
			all = append(all, step)
		}
		b.cycle(all...)
	})
}

func TestAttributeTypeThatTheServerLacksIsRefusedWithItsVersion(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		create := steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "bigint"}
		if b.can.BigInt {
			b.t.Skip("this server has them all")
		}
		b.wantErr(create, steps.ErrRefused, "1.9.5")
	})
}

func TestAttributeThatExistsInAnyCaseIsNotCreated(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		create := steps.CreateAttribute{Database: b.database, Collection: "products", Key: "TITLE", Type: "boolean"}
		b.wantErr(create, steps.ErrExists, "title")
		create.Collection = "nowhere"
		b.wantErr(create, steps.ErrMissing)
	})
}

func TestAttributeIsUpdatedAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		for _, step := range everyType(b) {
			b.do(step)
		}
		update := func(key string) steps.UpdateAttribute {
			return steps.UpdateAttribute{Database: b.database, Collection: "products", Key: key}
		}
		size, wider, narrower, cleared := update("string"), update("integer"), update("big"), update("float")
		size.Size, size.Default = 80, raw(`"another"`)
		wider.Min, wider.Max, wider.Default = "-50", "2000000000", raw(`null`)
		narrower.Max, narrower.Default = "9007199254740990", raw(`1`)
		cleared.Default = raw(`null`)
		enum, email, boolean := update("enum"), update("email"), update("boolean")
		enum.Elements, enum.Default = []string{"green", "blue"}, raw(`"blue"`)
		email.Required, email.Default = new(false), raw(`"a@example.com"`)
		boolean.Required, boolean.Default = new(true), raw(`null`)
		b.cycle(size, wider, narrower, cleared, enum, email, boolean)
	})
}

func TestClearedDefaultNoLongerReachesNewDocuments(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		for key, value := range map[string]string{"whole": "1", "fraction": "1.5"} {
			b.do(
				steps.CreateAttribute{Database: b.database, Collection: "products", Key: key, Type: "float", Default: raw(value)},
				steps.UpdateAttribute{Database: b.database, Collection: "products", Key: key, Default: raw(`null`)},
			)
			b.document("products", key, map[string]any{"title": "x"})
			if got := b.value("products", key, key); got != nil {
				b.t.Errorf("a new document has %s = %v, want null", key, got)
			}
		}
	})
}

func TestWhatCannotChangeIsRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "small", Type: "integer", Max: "100"})
		update := steps.UpdateAttribute{Database: b.database, Collection: "products", Key: "title", Size: 100}
		kind, array, encrypt := update, update, update
		kind.Type, array.Array, encrypt.Encrypt = "boolean", new(true), new(true)
		if b.can.TextTypes {
			kind.Type = "text"
		}
		b.wantErr(kind, steps.ErrRefused, "create another attribute")
		b.wantErr(array, steps.ErrRefused, "array")
		b.wantErr(encrypt, steps.ErrRefused, "encrypt")
		wide := steps.UpdateAttribute{Database: b.database, Collection: "products", Key: "small", Max: "3000000000"}
		b.wantErr(wide, steps.ErrRefused, "32 bits")
	})
}

func TestNarrowingNamesTheDocumentsThatDoNotFit(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("short", "much longer than ten")
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer", Max: "100"},
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "tags", Type: "string", Size: 20, Array: true},
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "colour", Type: "enum", Elements: []string{"red", "blue"}},
		)
		b.document("products", "bad", map[string]any{
			"title": "x", "n": json.Number("50"), "tags": []any{"a", "0123456789abc"}, "colour": "blue",
		})
		update := func(key string) steps.UpdateAttribute {
			return steps.UpdateAttribute{Database: b.database, Collection: "products", Key: key}
		}
		size, bound, array, enum, required := update("title"), update("n"), update("tags"), update("colour"), update("colour")
		size.Size, bound.Max, array.Size, enum.Elements, required.Required = 10, "40", 10, []string{"red"}, new(true)
		b.wantErr(size, steps.ErrUnfit, "p1", "longer than 10")
		b.wantErr(bound, steps.ErrUnfit, "bad", "greater than 40")
		b.wantErr(array, steps.ErrUnfit, "bad")
		b.wantErr(enum, steps.ErrUnfit, "bad")
		b.wantErr(required, steps.ErrUnfit, "p0, p1", "missing")
	})
}

func TestWideningComesBackAlthoughOldDocumentsNeverFitted(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("a", "b") // before the required attribute, so they hold null in it
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "must", Type: "boolean", Required: true})
		b.cycle(steps.UpdateAttribute{Database: b.database, Collection: "products", Key: "must", Required: new(false)})
	})
}

func TestUndoOfAnUpdateRespectsWhatOthersChanged(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		made := b.do(steps.UpdateAttribute{
			Database: b.database, Collection: "products", Key: "title", Size: 200, Default: raw(`"ours"`),
		})
		ours := b.attribute("products", "title")
		_, err := b.client.UpdateAttribute(b.t.Context(), b.database, "products", "title", appwrite.AttributePatch{
			Type: ours.Type, Default: raw(`"theirs"`), Size: &ours.Size,
		})
		if err != nil {
			b.t.Fatal(err)
		}
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
			b.t.Fatalf("apply: %v, want ErrForeign", err)
		}
		site.OnConflict = engine.ConflictMerge
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		merged := b.attribute("products", "title")
		if merged.Size != 100 || string(merged.Default) != `"theirs"` {
			b.t.Errorf("merge gave size %d and default %s, want 100 and theirs", merged.Size, merged.Default)
		}
		site.OnConflict = engine.ConflictOverwrite
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		if over := b.attribute("products", "title"); over.Size != 100 || over.Default != nil {
			b.t.Errorf("overwrite gave size %d and default %s, want 100 and none", over.Size, over.Default)
		}
	})
}

func TestAttributeIsRenamedAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "other", Type: "boolean"},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "by_title", Type: steps.Unique, Attributes: []string{"title"}},
		)
		b.cycle(
			steps.RenameAttribute{Database: b.database, Collection: "products", Key: "title", NewKey: "Title"},
			steps.RenameAttribute{Database: b.database, Collection: "products", Key: "Title", NewKey: "name"},
		)
		b.wantErr(steps.RenameAttribute{Database: b.database, Collection: "products", Key: "title", NewKey: "OTHER"}, steps.ErrExists, "other")
		b.wantErr(steps.RenameAttribute{Database: b.database, Collection: "products", Key: "nothing", NewKey: "x"}, steps.ErrMissing)
	})
}

func TestDeletedAttributeComesBackWithItsValuesAndIndexes(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		attributes := everyType(b)
		for _, step := range attributes {
			b.do(step)
		}
		full := map[string]any{
			"title": "full", "string": "b", "strings": []any{"x", "y"}, "secret": "s", "integer": json.Number("3"),
			"big": json.Number("9007199254740993"), "float": json.Number("0.75"), "boolean": true,
			"datetime": "2026-02-03T04:05:06.000+00:00", "email": "a@example.com", "enum": "green",
			"ip": "10.0.0.1", "url": "https://example.com/x",
		}
		b.document("products", "full", full)
		for i := range 3 {
			b.document("products", fmt.Sprintf("sparse%d", i), map[string]any{"title": fmt.Sprint(i), "email": "b@example.com"})
		}
		b.do(
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "by_string", Type: steps.Key, Attributes: []string{"string", "title"}},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "by_title", Type: steps.Unique, Attributes: []string{"title"}, Orders: []string{"DESC"}},
		)
		for _, step := range append(attributes, steps.CreateAttribute{Key: "title"}) {
			b.cycle(split(steps.DeleteAttribute{Database: b.database, Collection: "products", Key: step.Key})...)
			b.cycle(steps.DropAttribute{Database: b.database, Collection: "products", Key: step.Key})
		}
	})
}

func TestUndoDoesNotDropAnAttributeThatOthersFilled(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		made := b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer", Default: raw(`5`)})
		b.document("products", "defaulted", map[string]any{"title": "x"})
		b.undo(made) // a default that documents got by themselves is nobody's work
		made = b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"})
		b.document("products", "filled", map[string]any{"title": "y", "n": json.Number("7")})
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantForeign(inverse[0])
	})
}

func TestValuesWrittenAfterTheArchiveStopTheDrop(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		step, site := b.bound(steps.DropAttribute{Database: b.database, Collection: "products", Key: "title"}), b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.document("products", "late", map[string]any{"title": "late"})
		before := b.state()
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, steps.ErrLateWrite) {
			b.t.Fatalf("apply: %v, want ErrLateWrite", err)
		}
		b.wantSame("after the refusal", before, b.state())
	})
}

func TestValueThatReadsLikeAnOperatorMakesTheDropIrreversible(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products(`{"method":"increment","values":[1]}`)
		made := b.do(steps.DropAttribute{Database: b.database, Collection: "products", Key: "title"})
		_, err := made[0].step.Inverse(made[0].before, made[0].after)
		if b.can.Operators != errors.Is(err, engine.ErrIrreversible) {
			b.t.Errorf("inverse: %v; the server has operators: %v", err, b.can.Operators)
		}
	})
}
