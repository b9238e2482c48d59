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
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestDocumentIsCreatedFoundAndDeleted(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestDocumentWithoutFieldsCanBeCreated(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
			p.create(t, "bare", nil)
			if got := p.find(t, "bare").Data; got["s"] != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestGuardedUpdateRefusesWhatSomebodyElseHasWritten(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestGuardHoldsWhereBulkWritesAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			p.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
			if _, err := c.CreateCollection(ctx, p.database, appwrite.Collection{ID: "people", Name: "People", Enabled: true}); err != nil {
				t.Fatal(err)
			}
			_, err := c.CreateRelationship(ctx, p.database, p.collection, appwrite.Attribute{Key: "owner", Relationship: &appwrite.Relationship{
				Related: "people", Type: "manyToOne", OnDelete: "setNull",
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.WaitAvailable(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Attribute: "owner"}}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.CreateDocument(ctx, p.database, "people", appwrite.Document{ID: "a"}); err != nil {
				t.Fatal(err)
			}
			read := p.create(t, "b", map[string]any{"s": "b", "owner": "a"})
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
			if got := p.find(t, "b").Data; got["owner"] != "a" || got["s"] != "b1" {
				t.Errorf("got %v", got)
			}
			wantIs(t, c.DeleteDocument(ctx, p.database, p.collection, "b", appwrite.Guard{UpdatedAt: "2001-01-01T00:00:00.000+00:00"}), appwrite.ErrConflict)
		})
	}
}

func TestIncrementGoesBothWays(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestTextsThatLookLikeOperatorsAreNotComputed(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestWalkMeetsEveryDocumentOnceWhileOthersWrite(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestCountIsExactBeyondTheServersOwn(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}
