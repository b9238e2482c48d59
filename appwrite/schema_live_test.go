package appwrite_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

func ignoreTimes() cmp.Option {
	return cmp.Options{
		cmpopts.IgnoreFields(appwrite.Database{}, "CreatedAt", "UpdatedAt", "Type"),
		cmpopts.IgnoreFields(appwrite.Collection{}, "CreatedAt", "UpdatedAt", "BytesMax", "BytesUsed"),
		cmpopts.IgnoreFields(appwrite.Attribute{}, "CreatedAt", "UpdatedAt"),
		cmpopts.IgnoreFields(appwrite.Index{}, "CreatedAt", "UpdatedAt"),
		cmpopts.EquateEmpty(),
	}
}

func TestDatabaseIsCreatedFoundChangedAndDeleted(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, _ := s.client(t)
			ctx, id := t.Context(), livetest.DatabaseID(t)
			_, err := c.FindDatabase(ctx, id)
			wantIs(t, err, appwrite.ErrNotFound)
			if errors.Is(err, appwrite.ErrContainerNotFound) {
				t.Error("a database has no container")
			}
			made, err := c.CreateDatabase(ctx, appwrite.Database{ID: id, Name: "Shop", Enabled: false})
			if err != nil {
				t.Fatal(err)
			}
			if made.Enabled {
				t.Error("a database created disabled is enabled")
			}
			_, err = c.CreateDatabase(ctx, appwrite.Database{ID: id, Name: "Shop"})
			wantIs(t, err, appwrite.ErrExists)
			made.Name = "Store"
			if _, err := c.UpdateDatabase(ctx, made); err != nil {
				t.Fatal(err)
			}
			found, err := c.FindDatabase(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(appwrite.Database{ID: id, Name: "Store"}, found, ignoreTimes()); diff != "" {
				t.Error("renaming must keep the database disabled:", diff)
			}
			all, err := c.ListDatabases(ctx)
			if err != nil || !slices.ContainsFunc(all, func(d appwrite.Database) bool { return d.ID == id }) {
				t.Errorf("the database is not listed among %v (%v)", all, err)
			}
			if err := c.DeleteDatabase(ctx, id); err != nil {
				t.Fatal(err)
			}
			wantIs(t, c.DeleteDatabase(ctx, id), appwrite.ErrNotFound)
		})
	}
}

func TestDatabaseIsMadeThroughTheAPIOfItsType(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			for _, kind := range []string{appwrite.TypeLegacy, appwrite.TypeTablesDB} {
				made, err := c.CreateDatabase(t.Context(), appwrite.Database{ID: livetest.DatabaseID(t), Name: "Typed", Enabled: true, Type: kind})
				switch {
				case !server.Capabilities.Transactions && kind == appwrite.TypeTablesDB:
					wantIs(t, err, appwrite.ErrUnsupported)
				case err != nil:
					t.Fatal(err)
				case server.Capabilities.Transactions && made.Type != kind:
					t.Errorf("type %q, want %q", made.Type, kind)
				}
			}
		})
	}
}

func TestCollectionKeepsItsFlagsAndPermissionsThroughUpdates(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			want := appwrite.Collection{
				ID: "notes", DatabaseID: p.database, Name: "Notes", DocumentSecurity: true, Permissions: []string{`read("any")`},
			}
			if _, err := c.CreateCollection(ctx, p.database, want); err != nil {
				t.Fatal(err)
			}
			want.Name = "Notebook"
			change := want
			change.Permissions = nil // keeps them
			if _, err := c.UpdateCollection(ctx, p.database, change); err != nil {
				t.Fatal(err)
			}
			found, err := c.FindCollection(ctx, p.database, "notes")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, found, ignoreTimes()); diff != "" {
				t.Error(diff)
			}
			if err := c.DeleteCollection(ctx, p.database, "notes"); err != nil {
				t.Fatal(err)
			}
			_, err = c.FindCollection(ctx, p.database, "notes")
			wantIs(t, err, appwrite.ErrNotFound)
			_, err = c.ListAttributes(ctx, p.database, "notes")
			wantIs(t, err, appwrite.ErrNotFound, appwrite.ErrContainerNotFound)
			_, err = c.FindCollection(ctx, "no-such-database", "notes")
			wantIs(t, err, appwrite.ErrNotFound, appwrite.ErrContainerNotFound)
		})
	}
}

// everyAttribute gives an attribute of every type, with every setting that the
// type has, as the server should show it.
func everyAttribute(can appwrite.Capabilities) []appwrite.Attribute {
	text := func(s string) json.RawMessage { return json.RawMessage(s) }
	all := []appwrite.Attribute{
		{Key: "string", Type: appwrite.TypeString, Size: 40, Default: text(`"a/b <c> é"`)},
		{Key: "secret", Type: appwrite.TypeString, Size: 200, Encrypt: true},
		{Key: "words", Type: appwrite.TypeString, Size: 20, Array: true},
		{Key: "integer", Type: appwrite.TypeInteger, Min: "-9007199254740993", Max: "9007199254740993", Default: text(`9007199254740993`)},
		{Key: "unbounded", Type: appwrite.TypeInteger, Required: true},
		{Key: "float", Type: appwrite.TypeFloat, Min: "-1.5", Max: "2.5", Default: text(`0.1`)},
		{Key: "boolean", Type: appwrite.TypeBoolean, Default: text(`false`)},
		{Key: "datetime", Type: appwrite.TypeDatetime, Default: text(`"2020-01-02T03:04:05.000+00:00"`)},
		{Key: "email", Type: appwrite.TypeEmail, Default: text(`"a@b.cd"`)},
		{Key: "enum", Type: appwrite.TypeEnum, Elements: []string{"red", "blue"}, Default: text(`"red"`)},
		{Key: "ip", Type: appwrite.TypeIP, Default: text(`"127.0.0.1"`)},
		{Key: "url", Type: appwrite.TypeURL, Default: text(`"https://example.com/x"`)},
	}
	if can.TextTypes {
		all = append(all,
			appwrite.Attribute{Key: "varchar", Type: appwrite.TypeVarchar, Size: 30, Default: text(`"v"`)},
			appwrite.Attribute{Key: "text", Type: appwrite.TypeText},
			appwrite.Attribute{Key: "mediumtext", Type: appwrite.TypeMediumText},
			appwrite.Attribute{Key: "longtext", Type: appwrite.TypeLongText, Array: true},
		)
	}
	if can.BigInt {
		all = append(all, appwrite.Attribute{Key: "bigint", Type: appwrite.TypeBigInt, Min: "1", Default: text(`9223372036854775807`)})
	}
	if can.Spatial {
		all = append(all,
			appwrite.Attribute{Key: "point", Type: appwrite.TypePoint},
			appwrite.Attribute{Key: "line", Type: appwrite.TypeLine},
			appwrite.Attribute{Key: "polygon", Type: appwrite.TypePolygon},
		)
	}
	for i := range all {
		all[i].Status = appwrite.StatusAvailable
	}
	return all
}

func TestAttributesOfEveryTypeReadBackAsTheyWereMade(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			want := everyAttribute(server.Capabilities)
			p.attributes(t, want...)
			got, err := c.ListAttributes(t.Context(), p.database, p.collection)
			if err != nil {
				t.Fatal(err)
			}
			byKey := cmpopts.SortSlices(func(a, b appwrite.Attribute) bool { return a.Key < b.Key })
			if diff := cmp.Diff(want, got, ignoreTimes(), byKey); diff != "" {
				t.Error(diff)
			}
			holder, err := c.FindCollection(t.Context(), p.database, p.collection)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, holder.Attributes, ignoreTimes(), byKey); diff != "" {
				t.Error("embedded in the collection:", diff)
			}
		})
	}
}

func TestAttributesThatAVersionLacksAreRefusedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			for kind, able := range map[string]bool{
				appwrite.TypeVarchar: server.Capabilities.TextTypes,
				appwrite.TypeBigInt:  server.Capabilities.BigInt,
				appwrite.TypePoint:   server.Capabilities.Spatial,
			} {
				_, err := c.CreateAttribute(t.Context(), p.database, p.collection, appwrite.Attribute{Key: "x" + kind, Type: kind, Size: 20})
				if able && err != nil {
					t.Errorf("%s: %v", kind, err)
				}
				if !able {
					wantIs(t, err, appwrite.ErrUnsupported)
				}
			}
		})
	}
}

func TestAttributeIsChangedRenamedAndRemoved(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			p.attributes(t,
				appwrite.Attribute{Key: "title", Type: appwrite.TypeString, Size: 20},
				appwrite.Attribute{Key: "stock", Type: appwrite.TypeInteger, Min: "0", Max: "10"},
			)
			size := int64(50)
			_, err := c.UpdateAttribute(ctx, p.database, p.collection, "title", appwrite.AttributePatch{
				Type: appwrite.TypeString, Default: json.RawMessage(`"none"`), Size: &size, NewKey: "name",
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.UpdateAttribute(ctx, p.database, p.collection, "stock", appwrite.AttributePatch{
				Type: appwrite.TypeInteger, Required: true, Min: appwrite.Unlimited, Max: "20",
			})
			if err != nil {
				t.Fatal(err)
			}
			want := []appwrite.Attribute{
				{Key: "name", Type: appwrite.TypeString, Status: "available", Size: 50, Default: json.RawMessage(`"none"`)},
				{Key: "stock", Type: appwrite.TypeInteger, Status: "available", Required: true, Max: "20"},
			}
			got, err := c.ListAttributes(ctx, p.database, p.collection)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, ignoreTimes()); diff != "" {
				t.Error(diff)
			}
			if err := c.DeleteAttribute(ctx, p.database, p.collection, "name"); err != nil {
				t.Fatal(err)
			}
			if err := c.WaitGone(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Attribute: "name"}}); err != nil {
				t.Fatal(err)
			}
			_, err = c.FindAttribute(ctx, p.database, p.collection, "name")
			wantIs(t, err, appwrite.ErrNotFound)
		})
	}
}

// A whole number as a float's default cannot be removed by the server's PATCH.
func TestWholeDefaultOfAFloatCanBeRemoved(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			p.attributes(t, appwrite.Attribute{Key: "price", Type: appwrite.TypeFloat, Min: "0", Max: "1", Default: json.RawMessage("1")})
			got, err := c.UpdateAttribute(t.Context(), p.database, p.collection, "price", appwrite.AttributePatch{Type: appwrite.TypeFloat})
			if err != nil {
				t.Fatal(err)
			}
			if got.Default != nil || got.Min != "0" || got.Max != "1" {
				t.Errorf("got %+v, want no default and the same bounds", got)
			}
		})
	}
}

func TestRelationshipsOfEveryKindAreMadeChangedAndRemoved(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			ctx, p := t.Context(), newPlace(t, c, server)
			if _, err := c.CreateCollection(ctx, p.database, appwrite.Collection{ID: "people", Name: "People", Enabled: true}); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []string{"oneToOne", "oneToMany", "manyToOne", "manyToMany"} {
				want := appwrite.Attribute{Key: "r" + kind, Type: appwrite.TypeRelationship, Relationship: &appwrite.Relationship{
					Related: "people", Type: kind, TwoWay: true, TwoWayKey: "back" + kind, OnDelete: "setNull",
				}}
				if _, err := c.CreateRelationship(ctx, p.database, p.collection, want); err != nil {
					t.Fatal(err)
				}
				both := []appwrite.Awaited{{Collection: p.collection, Attribute: want.Key}, {Collection: "people", Attribute: "back" + kind}}
				if err := c.WaitAvailable(ctx, p.database, both); err != nil {
					t.Fatal(err)
				}
				if _, err := c.UpdateRelationship(ctx, p.database, p.collection, want.Key, appwrite.RelationshipPatch{OnDelete: "cascade"}); err != nil {
					t.Fatal(err)
				}
				got, err := c.FindAttribute(ctx, p.database, p.collection, want.Key)
				if err != nil {
					t.Fatal(err)
				}
				want.Status, want.Relationship.OnDelete, want.Relationship.Side = "available", "cascade", "parent"
				if diff := cmp.Diff(want, got, ignoreTimes()); diff != "" {
					t.Error(diff)
				}
				if err := c.DeleteAttribute(ctx, p.database, p.collection, want.Key); err != nil {
					t.Fatal(err)
				}
				if err := c.WaitGone(ctx, p.database, both); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestNameInAnotherLetterCaseIsNeitherFoundNorFree(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			_, err := c.FindCollection(t.Context(), p.database, "THINGS")
			wantIs(t, err, appwrite.ErrNotFound)
			var twin *appwrite.TwinError
			if errors.As(err, &twin) && twin.Stored != "things" {
				t.Errorf("the twin is %q", twin.Stored)
			}
		})
	}
}
