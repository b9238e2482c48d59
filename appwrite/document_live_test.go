package appwrite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/appwrite/sdk-for-go/operator"
	"github.com/appwrite/sdk-for-go/query"
	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwrite"
)

func TestNumbersKeepEveryDigit(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		p := newPlace(t, c, server)
		p.attributes(t,
			appwrite.Attribute{Key: "i", Type: appwrite.TypeInteger},
			appwrite.Attribute{Key: "f", Type: appwrite.TypeFloat},
			appwrite.Attribute{Key: "is", Type: appwrite.TypeInteger, Array: true},
		)
		huge := "1" + strings.Repeat("0", 308) // 309 digits
		p.create(t, "n", map[string]any{
			"i": json.Number("9007199254740993"), "f": json.Number(huge),
			"is": []any{json.Number("-9223372036854775807"), json.Number("9223372036854775807")},
		})
		got := p.find(t, "n").Data
		if got["i"] != json.Number("9007199254740993") {
			t.Errorf("integer came back as %v", got["i"])
		}
		if f, err := got["f"].(json.Number).Float64(); err != nil || f != 1e308 {
			t.Errorf("float came back as %v (%v)", got["f"], err)
		}
		want := []any{json.Number("-9223372036854775807"), json.Number("9223372036854775807")}
		if diff := cmp.Diff(want, got["is"]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDocumentIsCreatedFoundAndDeleted(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
		_, err := c.FindDocument(ctx, p.database, p.collection, "d")
		wantIs(t, err, appwrite.ErrNotFound)
		if errors.Is(err, appwrite.ErrContainerNotFound) {
			t.Error("the container is there")
		}
		_, err = c.FindDocument(ctx, p.database, "nowhere", "d")
		wantIs(t, err, appwrite.ErrNotFound, appwrite.ErrContainerNotFound)

		made, err := c.CreateDocument(ctx, p.database, p.collection, appwrite.Document{
			ID: "d", Permissions: []string{`read("any")`}, Data: map[string]any{"s": "<&> é \u2028"},
			CreatedAt: "2001-02-03T04:05:06.000+00:00", UpdatedAt: "2002-02-03T04:05:06.000+00:00",
		})
		if err != nil {
			t.Fatal(err)
		}
		got := p.find(t, "d")
		if diff := cmp.Diff(made, got); diff != "" {
			t.Error("created and found differ:", diff)
		}
		if got.Data["s"] != "<&> é \u2028" || !slices.Equal(got.Permissions, []string{`read("any")`}) {
			t.Errorf("got %+v", got)
		}
		if kept := got.CreatedAt == "2001-02-03T04:05:06.000+00:00" && got.UpdatedAt == "2002-02-03T04:05:06.000+00:00"; kept != server.Capabilities.Timestamps {
			t.Errorf("times %s and %s, capability %v", got.CreatedAt, got.UpdatedAt, server.Capabilities.Timestamps)
		}
		if (got.Sequence != "") != server.Capabilities.Sequence {
			t.Errorf("sequence %q, capability %v", got.Sequence, server.Capabilities.Sequence)
		}
		_, err = c.CreateDocument(ctx, p.database, p.collection, appwrite.Document{ID: "d", Data: map[string]any{"s": "x"}})
		wantIs(t, err, appwrite.ErrExists)
		if err := c.DeleteDocument(ctx, p.database, p.collection, "d", appwrite.Guard{}); err != nil {
			t.Fatal(err)
		}
		wantIs(t, c.DeleteDocument(ctx, p.database, p.collection, "d", appwrite.Guard{}), appwrite.ErrNotFound)
	})
}

func TestDocumentWithoutFieldsCanBeCreated(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		p := newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
		p.create(t, "bare", nil)
		if got := p.find(t, "bare").Data; got["s"] != nil {
			t.Errorf("got %v", got)
		}
	})
}

func TestGuardedUpdateRefusesWhatSomebodyElseHasWritten(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t,
			appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20},
			appwrite.Attribute{Key: "d", Type: appwrite.TypeString, Size: 20, Default: json.RawMessage(`"dv"`)},
		)
		read := p.create(t, "x", map[string]any{"s": "one"})
		untilNextMillisecond()
		guard := appwrite.Guard{UpdatedAt: read.UpdatedAt}
		ours, err := c.UpdateDocument(ctx, p.database, p.collection, "x", appwrite.DocumentPatch{Data: map[string]any{"s": "two"}}, guard)
		if err != nil {
			t.Fatal(err)
		}
		if ours.Data["s"] != "two" || ours.Data["d"] != "dv" || ours.UpdatedAt == read.UpdatedAt {
			t.Errorf("got %+v", ours)
		}
		_, err = c.UpdateDocument(ctx, p.database, p.collection, "x", appwrite.DocumentPatch{Data: map[string]any{"s": "three"}}, guard)
		wantIs(t, err, appwrite.ErrConflict)
		_, err = c.UpdateDocument(ctx, p.database, p.collection, "x", appwrite.DocumentPatch{}, guard)
		wantIs(t, err, appwrite.ErrConflict)
		wantIs(t, c.DeleteDocument(ctx, p.database, p.collection, "x", guard), appwrite.ErrConflict)
		if got := p.find(t, "x"); got.Data["s"] != "two" {
			t.Errorf("a refused write has changed the document: %v", got.Data)
		}
		permissions := []string{`read("users")`}
		ours, err = c.UpdateDocument(ctx, p.database, p.collection, "x", appwrite.DocumentPatch{Permissions: &permissions}, appwrite.Guard{UpdatedAt: ours.UpdatedAt})
		if err != nil || !slices.Equal(ours.Permissions, permissions) {
			t.Fatalf("got %+v, %v", ours, err)
		}
		if err := c.DeleteDocument(ctx, p.database, p.collection, "x", appwrite.Guard{UpdatedAt: ours.UpdatedAt}); err != nil {
			t.Fatal(err)
		}
		_, err = c.UpdateDocument(ctx, p.database, p.collection, "x", appwrite.DocumentPatch{Data: map[string]any{"s": "x"}}, guard)
		wantIs(t, err, appwrite.ErrNotFound)
		wantIs(t, c.DeleteDocument(ctx, p.database, p.collection, "x", guard), appwrite.ErrNotFound)
	})
}

func TestGuardHoldsWhereBulkWritesAreRefused(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
		_, err := c.CreateRelationship(ctx, p.database, p.collection, appwrite.Attribute{Key: "next", Relationship: &appwrite.Relationship{
			Related: p.collection, Type: "manyToOne", OnDelete: "setNull",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WaitAvailable(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Attribute: "next"}}); err != nil {
			t.Fatal(err)
		}
		p.create(t, "a", map[string]any{"s": "a"})
		read := p.create(t, "b", map[string]any{"s": "b", "next": "a"})
		for i := range 2 { // the second time from memory
			untilNextMillisecond()
			guard := appwrite.Guard{UpdatedAt: read.UpdatedAt}
			read, err = c.UpdateDocument(ctx, p.database, p.collection, "b", appwrite.DocumentPatch{Data: map[string]any{"s": fmt.Sprint("b", i)}}, guard)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.UpdateDocument(ctx, p.database, p.collection, "b", appwrite.DocumentPatch{Data: map[string]any{"s": "lost"}}, guard)
			wantIs(t, err, appwrite.ErrConflict)
		}
		if got := p.find(t, "b").Data; got["next"] != "a" || got["s"] != "b1" {
			t.Errorf("got %v", got)
		}
		wantIs(t, c.DeleteDocument(ctx, p.database, p.collection, "b", appwrite.Guard{UpdatedAt: "2001-01-01T00:00:00.000+00:00"}), appwrite.ErrConflict)
	})
}

func TestUpsertCreatesThenUpdatesEvenBetweenEmptyValues(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t,
			appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger},
			appwrite.Attribute{Key: "u", Type: appwrite.TypeString, Size: 20},
		)
		upsert := func(id string, data map[string]any) error {
			_, err := c.UpsertDocument(ctx, p.database, p.collection, appwrite.Document{ID: id, Data: data})
			return err
		}
		for _, n := range []any{nil, json.Number("0")} {
			if err := upsert("e", map[string]any{"n": n, "u": nil}); err != nil {
				t.Fatal(err)
			}
			if got := p.find(t, "e").Data["n"]; got != n {
				t.Errorf("wrote %v, stored %v", n, got)
			}
		}
		if _, err := c.CreateIndex(ctx, p.database, p.collection, appwrite.Index{Key: "one_u", Type: "unique", Attributes: []string{"u"}}); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitAvailable(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Index: "one_u"}}); err != nil {
			t.Fatal(err)
		}
		if err := upsert("holder", map[string]any{"u": "taken"}); err != nil {
			t.Fatal(err)
		}
		wantIs(t, upsert("thief", map[string]any{"u": "taken", "n": 1}), appwrite.ErrExists)
		if got := p.find(t, "holder").Data["n"]; got != nil {
			t.Errorf("the holder of the unique value was overwritten: n is %v", got)
		}
		_, err := c.UpsertDocuments(ctx, p.database, p.collection, []appwrite.Document{{ID: "thief", Data: map[string]any{"u": "taken"}}})
		wantIs(t, err, appwrite.ErrUnsafe)
	})
}

func TestBulkWritesReachExactlyWhatTheyName(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t,
			appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger},
			appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20},
		)
		var documents []appwrite.Document
		for i := range 5 {
			documents = append(documents, appwrite.Document{ID: fmt.Sprint("b", i), Data: map[string]any{"n": i}, Permissions: []string{`read("any")`}})
		}
		made, err := c.CreateDocuments(ctx, p.database, p.collection, documents)
		if err != nil || len(made) != 5 || made[4].Data["n"] != json.Number("4") {
			t.Fatalf("made %v, %v", made, err)
		}
		_, err = c.CreateDocuments(ctx, p.database, p.collection, []appwrite.Document{{ID: "b9", Data: map[string]any{"n": 9}}, {ID: "b0", Data: map[string]any{"n": 0}}})
		wantIs(t, err, appwrite.ErrExists)
		changed, err := c.UpdateDocuments(ctx, p.database, p.collection, appwrite.DocumentPatch{Data: map[string]any{"s": "big"}}, query.GreaterThan("n", 2))
		if err != nil || changed != 2 {
			t.Fatalf("changed %d, %v", changed, err)
		}
		got, err := c.UpsertDocuments(ctx, p.database, p.collection, []appwrite.Document{
			{ID: "b0", Data: map[string]any{"n": 100, "s": "up"}}, {ID: "b7", Data: map[string]any{"n": 7, "s": "up"}},
		})
		if err != nil || len(got) != 2 {
			t.Fatalf("upserted %v, %v", got, err)
		}
		gone, err := c.DeleteDocuments(ctx, p.database, p.collection, query.LessThan("n", 3))
		if err != nil || gone != 2 {
			t.Fatalf("deleted %d, %v", gone, err)
		}
		left, err := c.FindDocuments(ctx, p.database, p.collection, []string{"b0", "b1", "b2", "b3", "b4", "b7", "b9"}, "n")
		if err != nil || len(left) != 4 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

func TestBulkWritesWithoutQueriesAreNotSent(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
		p.create(t, "d", map[string]any{"s": "x"})
		_, err := c.DeleteDocuments(ctx, p.database, p.collection)
		wantIs(t, err, appwrite.ErrUnsafe)
		_, err = c.UpdateDocuments(ctx, p.database, p.collection, appwrite.DocumentPatch{Data: map[string]any{"s": "y"}})
		wantIs(t, err, appwrite.ErrUnsafe)
		if got := p.find(t, "d").Data["s"]; got != "x" {
			t.Errorf("stored %v", got)
		}
		n, err := c.DeleteDocuments(ctx, p.database, p.collection, query.IsNotNull("$id"))
		if err != nil || n != 1 {
			t.Errorf("deleted %d, %v", n, err)
		}
	})
}

func TestBulkUpdateSparesStoredValuesOfAttributesWithDefaults(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t,
			appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20},
			appwrite.Attribute{Key: "d", Type: appwrite.TypeString, Size: 20, Default: json.RawMessage(`"dv"`)},
		)
		p.create(t, "x", map[string]any{"s": "a", "d": "custom"})
		_, err := c.UpdateDocuments(ctx, p.database, p.collection, appwrite.DocumentPatch{Data: map[string]any{"s": "b"}}, query.Equal("$id", "x"))
		if server.Capabilities.BulkDefaults {
			wantIs(t, err, appwrite.ErrUnsafe)
		} else if err != nil {
			t.Fatal(err)
		}
		if got := p.find(t, "x").Data["d"]; got != "custom" {
			t.Errorf("the bulk update has put %v in place of the stored value", got)
		}
	})
}

func TestIncrementGoesBothWays(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger})
		p.create(t, "d", map[string]any{"n": 10})
		err := c.Increment(ctx, p.database, p.collection, "d", "n", "5")
		if !server.Capabilities.Increment {
			wantIs(t, err, appwrite.ErrUnsupported)
			return
		}
		for _, err := range []error{
			err,
			c.Increment(ctx, p.database, p.collection, "d", "n", "-2"),
			c.Decrement(ctx, p.database, p.collection, "d", "n", "1"),
			c.Decrement(ctx, p.database, p.collection, "d", "n", "-100"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := p.find(t, "d").Data["n"]; got != json.Number("112") {
			t.Errorf("got %v, want 112", got)
		}
		wantIs(t, c.Increment(ctx, p.database, p.collection, "d", "n", "0"), appwrite.ErrInvalid)
		wantIs(t, c.Increment(ctx, p.database, p.collection, "d", "n", "x"), appwrite.ErrInvalid)
	})
}

func TestTextsThatLookLikeOperatorsAreNotComputed(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 100}, appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger})
		text := ` {"method":"stringConcat","values":["!"]}`
		p.create(t, "d", map[string]any{"s": text, "n": 1})
		if got := p.find(t, "d").Data["s"]; got != text {
			t.Errorf("a creation stored %v", got)
		}
		if !server.Capabilities.Operators {
			return
		}
		patch := appwrite.DocumentPatch{Data: map[string]any{"s": text}}
		_, err := c.UpdateDocument(ctx, p.database, p.collection, "d", patch, appwrite.Guard{})
		wantIs(t, err, appwrite.ErrUnsafe)
		_, err = c.UpdateDocuments(ctx, p.database, p.collection, patch, query.Equal("$id", "d"))
		wantIs(t, err, appwrite.ErrUnsafe)
		patch.Data = map[string]any{"n": appwrite.Operator(operator.Increment(4))}
		if _, err := c.UpdateDocument(ctx, p.database, p.collection, "d", patch, appwrite.Guard{}); err != nil {
			t.Fatal(err)
		}
		if got := p.find(t, "d").Data["n"]; got != json.Number("5") {
			t.Errorf("the operator made it %v", got)
		}
	})
}

func TestWalkMeetsEveryDocumentOnceWhileOthersWrite(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger})
		for i := range 23 {
			p.create(t, fmt.Sprintf("d%02d", i), map[string]any{"n": i})
		}
		met := map[string]int{}
		var last appwrite.Document
		for page, err := range c.Walk(ctx, p.database, p.collection, appwrite.WalkOptions{PageSize: 5, Queries: []string{query.GreaterThan("n", 2)}}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				met[d.ID]++
			}
			last = page[len(page)-1]
			if last.ID == "d12" { // others delete the documents where the walk stands
				for _, id := range []string{"d12", "d11"} {
					if err := c.DeleteDocument(ctx, p.database, p.collection, id, appwrite.Guard{}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for i := 3; i < 23; i++ {
			if id := fmt.Sprintf("d%02d", i); met[id] != 1 {
				t.Errorf("%s was met %d times", id, met[id])
			}
		}
		if len(met) != 20 {
			t.Errorf("met %d documents, want 20", len(met))
		}
		p.create(t, "later", map[string]any{"n": 99})
		var rest []string
		for page, err := range c.Walk(ctx, p.database, p.collection, appwrite.WalkOptions{After: &last, Select: []string{"n"}}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				rest = append(rest, d.ID)
			}
		}
		if !slices.Equal(rest, []string{"later"}) {
			t.Errorf("a walk that was continued met %v", rest)
		}
	})
}

func TestCountIsExactBeyondTheServersOwn(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, c *appwrite.Client, server appwrite.Server) {
		if testing.Short() {
			t.Skip("writes 10,020 documents")
		}
		ctx, p := t.Context(), newPlace(t, c, server)
		p.attributes(t, appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger})
		const total = 10020
		for first := 0; first < total; first += appwrite.MaxBatch {
			var batch []appwrite.Document
			for i := first; i < min(total, first+appwrite.MaxBatch); i++ {
				batch = append(batch, appwrite.Document{ID: fmt.Sprint("d", i), Data: map[string]any{"n": i}})
			}
			if _, err := c.CreateDocuments(ctx, p.database, p.collection, batch); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []int{total, 10000, 5001, 5000, 4999, 0} {
			got, err := c.CountDocuments(ctx, p.database, p.collection, query.LessThan("n", want))
			if err != nil || got != int64(want) {
				t.Errorf("counted %d, want %d (%v)", got, want, err)
			}
		}
	})
}
