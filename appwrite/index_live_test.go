package appwrite_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwrite"
)

func TestIndexesAreMadeListedAndRemoved(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			p.attributes(t,
				appwrite.Attribute{Key: "a", Type: appwrite.TypeString, Size: 100},
				appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger},
			)
			want := []appwrite.Index{
				{Key: "by_a", Type: "key", Attributes: []string{"a", "n"}, Orders: []string{"DESC", "ASC"}, Lengths: []int{10, 0}},
				{Key: "one_n", Type: "unique", Attributes: []string{"n"}, Lengths: []int{0}},
				{Key: "words", Type: "fulltext", Attributes: []string{"a"}, Lengths: []int{0}},
			}
			var awaited []appwrite.Awaited
			for i := range want {
				if _, err := c.CreateIndex(ctx, p.database, p.collection, want[i]); err != nil {
					t.Fatal(err)
				}
				want[i].Status = appwrite.StatusAvailable
				awaited = append(awaited, appwrite.Awaited{Collection: p.collection, Index: want[i].Key})
			}
			if err := c.WaitAvailable(ctx, p.database, awaited); err != nil {
				t.Fatal(err)
			}
			got, err := c.ListIndexes(ctx, p.database, p.collection)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, ignoreTimes()); diff != "" {
				t.Error(diff)
			}
			if err := c.DeleteIndex(ctx, p.database, p.collection, "by_a"); err != nil {
				t.Fatal(err)
			}
			if err := c.WaitGone(ctx, p.database, awaited[:1]); err != nil {
				t.Fatal(err)
			}
			_, err = c.FindIndex(ctx, p.database, p.collection, "by_a")
			wantIs(t, err, appwrite.ErrNotFound)
		})
	}
}

// Before 1.9, which refuses such an index, the server stores no order for the
// list and leaves a gap before it, which PHP writes as an object.
func TestAnIndexOverAnAttributeAndAListIsRead(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			p.attributes(t,
				appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger},
				appwrite.Attribute{Key: "flags", Type: appwrite.TypeBoolean, Array: true},
			)
			both := appwrite.Index{Key: "both", Type: "key", Attributes: []string{"n", "flags"}}
			_, err := c.CreateIndex(ctx, p.database, p.collection, both)
			if errors.Is(err, appwrite.ErrInvalid) && s.version == "1.9.6" {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := c.WaitAvailable(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Index: "both"}}); err != nil {
				t.Fatal(err)
			}
			got, err := c.ListIndexes(ctx, p.database, p.collection)
			if err != nil {
				t.Fatal(err)
			}
			both.Orders, both.Lengths, both.Status = []string{"", ""}, []int{0, 255}, appwrite.StatusAvailable
			if diff := cmp.Diff([]appwrite.Index{both}, got, ignoreTimes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCollectionIsMadeWithItsSchemaWhereTheServerCan(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			want := appwrite.Collection{ID: "whole", DatabaseID: p.database, Name: "Whole", Enabled: true}
			for _, a := range everyAttribute(server.Capabilities) {
				switch {
				case a.Encrypt, a.Type == appwrite.TypeVarchar, a.Key == "text", a.Key == "mediumtext", a.Key == "longtext":
				default:
					want.Attributes = append(want.Attributes, a)
				}
			}
			want.Indexes = []appwrite.Index{
				{Key: "k", Type: "key", Status: "available", Attributes: []string{"integer"}, Orders: []string{"ASC"}, Lengths: []int{0}},
			}
			got, err := c.CreateCollection(t.Context(), p.database, want)
			if !server.Capabilities.InlineSchema {
				wantIs(t, err, appwrite.ErrUnsupported)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, ignoreTimes()); diff != "" {
				t.Error(diff)
			}
			// 64 bits, as the separate route would have made it:
			_, err = c.CreateDocument(t.Context(), p.database, "whole", appwrite.Document{ID: "d", Data: map[string]any{
				"unbounded": json.Number("9223372036854775807"),
			}})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
