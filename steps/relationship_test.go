package steps_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// related makes two collections with documents and no relationship.
func (b *bench) related() {
	b.t.Helper()
	b.products("a", "b", "c")
	b.do(steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"})
	for i := range 3 {
		b.document("makers", fmt.Sprintf("m%d", i), map[string]any{})
	}
}

// relationships gives one of each kind, one-way and two-way.
func (b *bench) relationships() (list []steps.CreateRelationship) {
	for _, kind := range []string{steps.OneToOne, steps.OneToMany, steps.ManyToOne, steps.ManyToMany} {
		for _, twoWay := range []bool{false, true} {
			list = append(list, steps.CreateRelationship{
				Database: b.database, Collection: "products", Key: "maker", Related: "makers",
				Type: kind, TwoWay: twoWay, TwoWayKey: "made", OnDelete: steps.SetNull,
			})
		}
	}
	return list
}

func TestRelationshipOfEveryKindIsCreatedAndDropped(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		for _, create := range b.relationships() {
			b.cycle(create, steps.UpdateRelationship{
				Database: b.database, Collection: "products", Key: "maker", OnDelete: steps.Cascade,
			})
		}
	})
}

func TestDeletedRelationshipComesBackWithItsLinks(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		for _, create := range b.relationships() {
			made := b.do(create)
			links := map[string]any{"p0": "m1", "p1": "m0"}
			if create.Type == steps.OneToMany {
				links = map[string]any{"p0": []any{"m1", "m2"}, "p1": []any{"m0"}}
			}
			if create.Type == steps.ManyToMany {
				links = map[string]any{"p0": []any{"m1", "m2"}, "p1": []any{"m1"}}
			}
			b.link("products", "maker", links)
			b.cycle(steps.DeleteRelationship{Database: b.database, Collection: "products", Key: "maker"})
			if create.TwoWay {
				b.cycle(steps.DeleteRelationship{Database: b.database, Collection: "makers", Key: "made"})
			}
			inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
			if err != nil {
				b.t.Fatal(err)
			}
			b.wantForeign(inverse[0])
			b.do(steps.DropRelationship{Database: b.database, Collection: "products", Key: "maker"})
		}
	})
}

// link writes links, by the order of the documents' ids.
func (b *bench) link(collection, key string, links map[string]any) {
	b.t.Helper()
	for _, id := range slices.Sorted(maps.Keys(links)) {
		patch := appwrite.DocumentPatch{Data: map[string]any{key: links[id]}}
		if _, err := b.client.UpdateDocument(b.t.Context(), b.database, collection, id, patch, appwrite.Guard{}); err != nil {
			b.t.Fatalf("link %s: %v", id, err)
		}
	}
}

func TestCollectionRelatedToItselfKeepsItsLinks(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "parts", Related: "products",
			Type: steps.OneToMany, TwoWay: true, TwoWayKey: "part_of",
		})
		b.link("products", "part_of", map[string]any{"p1": "p0", "p2": "p0"})
		b.cycle(steps.DeleteRelationship{Database: b.database, Collection: "products", Key: "parts"})
		b.cycle(split(steps.DeleteCollection{Database: b.database, ID: "products"})...)
	})
}

func TestOneWayRelationshipToItselfComesAndGoes(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.cycle(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "next", Related: "products", Type: steps.ManyToOne,
		})
	})
}

func TestLinksOfDocumentsThatAreGoneStayAway(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne, OnDelete: steps.SetNull,
		})
		b.link("products", "maker", map[string]any{"p0": "m0", "p1": "m1"})
		made := b.do(steps.DeleteRelationship{Database: b.database, Collection: "products", Key: "maker"})
		if err := b.client.DeleteDocument(b.t.Context(), b.database, "makers", "m0", appwrite.Guard{}); err != nil {
			b.t.Fatal(err)
		}
		b.undo(made)
		if got := b.value("products", "p1", "maker"); got != "m1" {
			b.t.Errorf("p1 is linked to %v, want m1", got)
		}
		if got := b.value("products", "p0", "maker"); got != nil {
			b.t.Errorf("p0 is linked to %v, want nothing", got)
		}
	})
}

func TestRelationshipThatWouldClashIsRefusedBeforeItHarms(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateAttribute{Database: b.database, Collection: "makers", Key: "made", Type: "boolean"})
		create := steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "maker", Related: "makers",
			Type: steps.ManyToMany, TwoWay: true, TwoWayKey: "Made",
		}
		b.wantErr(create, steps.ErrExists, "two_way_key")
		create.TwoWayKey = "back"
		b.do(create)
		second := create
		second.Key, second.TwoWayKey = "other", "back2"
		b.wantErr(second, steps.ErrExists, "manyToMany")
		second.Type, second.TwoWayKey = steps.OneToOne, "BACK"
		b.wantErr(second, steps.ErrExists)
		second.Related = "nowhere"
		b.wantErr(second, steps.ErrMissing)
	})
}

func TestRelationshipIsRenamedAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne, TwoWay: true, TwoWayKey: "made",
		})
		b.link("products", "maker", map[string]any{"p0": "m0"})
		b.cycle(
			steps.RenameAttribute{Database: b.database, Collection: "products", Key: "maker", NewKey: "producer"},
			steps.RenameAttribute{Database: b.database, Collection: "makers", Key: "made", NewKey: "products"},
		)
	})
}

func TestLinksMadeAfterTheArchiveStopTheDrop(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne,
		})
		step, site := b.bound(steps.DeleteRelationship{Database: b.database, Collection: "products", Key: "maker"}), b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.link("products", "maker", map[string]any{"p0": "m0"})
		if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, steps.ErrLateWrite) {
			b.t.Fatalf("apply: %v, want ErrLateWrite", err)
		}
		b.wantState(step, site, memento, engine.StateBefore)
	})
}

func TestPlainAttributesAndRelationshipsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.related()
		b.do(steps.CreateRelationship{
			Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne,
		})
		at := func(key string) steps.DropAttribute {
			return steps.DropAttribute{Database: b.database, Collection: "products", Key: key}
		}
		b.wantErr(at("maker"), steps.ErrRefused, "delete_relationship")
		b.wantErr(steps.UpdateAttribute{Database: b.database, Collection: "products", Key: "maker", Required: new(true)}, steps.ErrRefused)
		b.wantErr(steps.DeleteRelationship{Database: b.database, Collection: "products", Key: "title"}, steps.ErrRefused)
	})
}

// A one-way relationship of a collection with itself can be declared and not
// used: no version takes its key in a query, so nothing is asked about it.
func TestDocumentsComeAndGoBesideARelationshipThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{steps.OneToOne, steps.OneToMany, steps.ManyToOne, steps.ManyToMany} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			onEveryVersion(t, func(b *bench) {
				b.do(
					steps.CreateCollection{Database: b.database, ID: "wares", Name: "Wares"},
					steps.CreateAttribute{Database: b.database, Collection: "wares", Key: "title", Type: "string", Size: 20},
					steps.CreateRelationship{Database: b.database, Collection: "wares", Key: "like", Related: "wares", Type: kind, TwoWayKey: "liked"},
					b.create("lamp", map[string]any{"title": "Lamp"}),
				)
				b.cycle(b.remove("lamp"))
				b.cycle(b.create("chair", map[string]any{"title": "Chair"}))
			})
		})
	}
}
