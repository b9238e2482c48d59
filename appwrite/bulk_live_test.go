package appwrite_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
)

func TestUpsertCreatesThenUpdatesEvenBetweenEmptyValues(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestBulkWritesReachExactlyWhatTheyName(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestBulkWritesWithoutQueriesAreNotSent(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
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
}

func TestBulkUpdateSparesStoredValuesOfAttributesWithDefaults(t *testing.T) {
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
}
