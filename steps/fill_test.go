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

// TestFillConvertsOnlyWhatMeansTheSame copies a value of one type into an
// attribute of another. An empty want is a value that must stop the step.
func TestFillConvertsOnlyWhatMeansTheSame(t *testing.T) {
	t.Parallel()
	text := func(size int64) steps.CreateAttribute { return steps.CreateAttribute{Type: "string", Size: size} }
	of := func(kind string) steps.CreateAttribute { return steps.CreateAttribute{Type: kind} }
	list := func(a steps.CreateAttribute) steps.CreateAttribute { a.Array = true; return a }
	enum := steps.CreateAttribute{Type: "enum", Elements: []string{"red", "green"}}
	small := steps.CreateAttribute{Type: "integer", Min: "0", Max: "10"}
	onEveryVersion(t, func(b *bench) {
		b.products()
		for n, c := range []struct {
			from  steps.CreateAttribute
			value any
			to    steps.CreateAttribute
			want  string // as JSON
		}{
			{text(20), "12", of("integer"), `12`},
			{text(20), "007", of("integer"), ``},
			{text(20), " 7", of("integer"), ``},
			{text(20), "1.0", of("integer"), `1`},
			{text(20), "1.5", of("integer"), ``},
			{text(30), "99999999999999999999", of("integer"), ``},
			{text(20), "11", small, ``},
			{text(20), "1.50", of("float"), `1.5`},
			{text(20), "1e2", of("float"), `100`},
			{text(30), "0.12345678901234567", of("float"), ``},
			{text(20), "true", of("boolean"), `true`},
			{text(20), "yes", of("boolean"), ``},
			{text(40), "2024-01-02", of("datetime"), `"2024-01-02T00:00:00.000+00:00"`},
			{text(40), "2024-01-02T03:04:05.1234Z", of("datetime"), ``},
			{text(40), "tomorrow", of("datetime"), ``},
			{text(20), "red", enum, `"red"`},
			{text(20), "blue", enum, ``},
			{text(20), "abcdef", text(6), `"abcdef"`},
			{text(20), "abcdefg", text(6), ``},
			{text(20), "nobody", of("email"), ``},
			{of("integer"), 12, text(2), `"12"`},
			{of("integer"), 123, text(2), ``},
			{of("integer"), 1, of("boolean"), `true`},
			{of("integer"), 2, of("boolean"), ``},
			{of("integer"), json.Number("123456789012345"), of("float"), ``},
			{of("integer"), 12, of("float"), `12`},
			{of("float"), 1.5, of("integer"), ``},
			{of("float"), 3, of("integer"), `3`},
			{of("float"), 1.5, text(10), `"1.5"`},
			{of("boolean"), true, of("integer"), `1`},
			{of("boolean"), false, text(10), `"false"`},
			{of("datetime"), "2024-01-02T03:04:05.000+00:00", text(40), `"2024-01-02T03:04:05.000+00:00"`},
			{of("url"), "https://example.com/", text(40), `"https://example.com/"`},
			{text(20), "1", list(of("integer")), `[1]`},
			{list(text(20)), []any{"1"}, of("integer"), `1`},
			{list(text(20)), []any{"1", "2"}, of("integer"), ``},
			{list(text(20)), []any{"1", "2"}, list(of("integer")), `[1,2]`},
			{list(text(20)), []any{}, of("integer"), `null`},
		} {
			from, to := c.from, c.to
			from.Database, from.Collection, from.Key = b.database, "products", fmt.Sprint("from", n)
			to.Database, to.Collection, to.Key = b.database, "products", fmt.Sprint("to", n)
			b.do(from, to)
			b.document("products", fmt.Sprint("doc", n), map[string]any{from.Key: c.value})
			fill := steps.FillAttribute{Database: b.database, Collection: "products", Key: to.Key, From: from.Key, Overwrite: true}
			_, err := b.try(fill, b.site())
			name := fmt.Sprintf("%v of %s to %s", c.value, from.Type, to.Type)
			if c.want == "" {
				if !errors.Is(err, steps.ErrUnfit) {
					b.t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err != nil {
				b.t.Errorf("%s: %v", name, err)
				continue
			}
			stored, _ := json.Marshal(b.value("products", fmt.Sprint("doc", n), to.Key))
			if string(stored) != c.want {
				b.t.Errorf("%s is stored as %s, not %s", name, stored, c.want)
			}
		}
	})
}

func TestFillLeavesAloneWhatOthersWriteMeanwhile(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.CAS == appwrite.CASNone {
			b.t.Skip("this server cannot compare and set")
		}
		b.wares()
		b.do(b.create("one", map[string]any{"title": "A"}), b.create("two", map[string]any{"title": "B"}))
		fill := steps.FillAttribute{Database: b.database, Collection: "wares", Key: "count", Value: raw(`5`)}
		step := b.overtaken(fill, func() { b.other("two", map[string]any{"count": 9}) })
		site := b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		after, err := step.Apply(b.t.Context(), site, memento)
		if err != nil {
			b.t.Fatal(err)
		}
		if one, two := b.value("wares", "one", "count"), b.value("wares", "two", "count"); fmt.Sprintf("%v %v", one, two) != "5 9" {
			b.t.Errorf("count is %v and %v", one, two)
		}
		// The undo knows that the second one is not its own.
		inverse, err := step.Inverse(memento, after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(inverse...)
		if one, two := b.value("wares", "one", "count"), b.value("wares", "two", "count"); fmt.Sprintf("%v %v", one, two) != "<nil> 9" {
			b.t.Errorf("after the undo count is %v and %v", one, two)
		}
	})
}

func TestFillWritesPageByPageAndTakesAllOfItBack(t *testing.T) {
	t.Parallel()
	const many = 210
	onEveryVersion(t, func(b *bench) {
		b.wares()
		for first := 0; first < many; first += appwrite.MaxBatch {
			var page []appwrite.Document
			for i := first; i < min(first+appwrite.MaxBatch, many); i++ {
				page = append(page, appwrite.Document{ID: fmt.Sprint("ware", i), Data: map[string]any{"title": fmt.Sprint(i % 3)}})
			}
			if _, err := b.client.CreateDocuments(b.t.Context(), b.database, "wares", page); err != nil {
				b.t.Fatal(err)
			}
		}
		before := b.state()
		done := b.do(steps.FillAttribute{Database: b.database, Collection: "wares", Key: "count", From: "title"})
		for i := range many {
			if got := b.value("wares", fmt.Sprint("ware", i), "count"); fmt.Sprint(got) != fmt.Sprint(i%3) {
				b.t.Fatalf("ware %d counts %v", i, got)
			}
		}
		b.undo(done)
		b.wantSame("after the undo", before, b.state())
	})
}

func TestFillSaysWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for field, step := range map[string]steps.FillAttribute{
		"from":      {Key: "a"},
		"overwrite": {Key: "a", Value: raw(`1`), Overwrite: true},
		"key":       {Key: "_a", Value: raw(`1`)},
	} {
		step.Database, step.Collection = "d", "c"
		var wrong *steps.FieldError
		if err := steps.Validate(step); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	onEveryVersion(t, func(b *bench) {
		b.products()
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "when", Type: "datetime"},
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "count", Type: "integer"},
		)
		fill := func(key, from, value string) engine.Step {
			return steps.FillAttribute{Database: b.database, Collection: "products", Key: key, From: from, Value: raw(value)}
		}
		b.wantErr(fill("count", "when", ""), steps.ErrRefused, "datetime", "integer")
		b.wantErr(fill("count", "gone", ""), steps.ErrMissing)
		b.wantErr(fill("gone", "count", ""), steps.ErrMissing)
		var wrong *steps.FieldError
		if _, err := b.try(fill("count", "", `"x"`), b.site()); !errors.As(err, &wrong) {
			b.t.Errorf("a text for a number: %v", err)
		}
		for _, when := range []string{`"yesterday"`, `""`, `"2026-02-30"`} {
			if _, err := b.try(fill("when", "", when), b.site()); !errors.As(err, &wrong) {
				b.t.Errorf("%s, which the server stores as another date: %v", when, err)
			}
		}
	})
}
