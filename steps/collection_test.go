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

func TestCollectionIsCreatedAndDropped(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.cycle(steps.CreateCollection{
			Database: b.database, ID: "c", Name: "C", DocumentSecurity: true, Enabled: new(false),
			Permissions: []string{`read("users")`, `write("team:staff/owner")`},
		})
		b.products()
		b.wantErr(steps.CreateCollection{Database: b.database, ID: "PRODUCTS", Name: "X"}, steps.ErrExists)
		b.wantErr(steps.CreateCollection{Database: "nowhere", ID: "c", Name: "X"}, steps.ErrMissing)
	})
}

func TestCollectionIsUpdatedAndBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.do(steps.CreateCollection{
			Database: b.database, ID: "c", Name: "C", DocumentSecurity: true, Permissions: []string{`read("any")`},
		})
		update := steps.UpdateCollection{Database: b.database, ID: "c"}
		name, permissions, flags := update, update, update
		name.Name = "Renamed"
		permissions.Permissions = &[]string{`write("users")`, `read("users")`}
		flags.Enabled, flags.DocumentSecurity = new(false), new(false)
		b.cycle(name, permissions, flags)
	})
}

func TestUndoOfACollectionUpdateMergesByField(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		made := b.do(steps.UpdateCollection{Database: b.database, ID: "products", Name: "Ours", Enabled: new(false)})
		_, err := b.client.UpdateCollection(b.t.Context(), b.database, appwrite.Collection{
			ID: "products", Name: "Theirs", Enabled: false, Permissions: []string{`read("any")`},
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
		site.OnConflict = engine.ConflictMerge
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		live, err := b.client.FindCollection(b.t.Context(), b.database, "products")
		if err != nil || live.Name != "Theirs" || !live.Enabled {
			b.t.Errorf("merge gave name %q, enabled %v (%v), want Theirs and true", live.Name, live.Enabled, err)
		}
	})
}

// catalogue makes a collection with everything that one can hold, and others
// that are related to it.
func (b *bench) catalogue(documents int) {
	b.t.Helper()
	b.products()
	for _, step := range everyType(b) {
		b.do(step)
	}
	relate := func(collection, key, related, kind string, twoWay bool) engine.Step {
		return steps.CreateRelationship{
			Database: b.database, Collection: collection, Key: key, Related: related,
			Type: kind, TwoWay: twoWay, TwoWayKey: key + "_back", OnDelete: steps.SetNull,
		}
	}
	b.do(
		steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"},
		steps.CreateAttribute{Database: b.database, Collection: "makers", Key: "name", Type: "string", Size: 20},
		steps.CreateIndex{Database: b.database, Collection: "products", Key: "by_title", Type: steps.Unique, Attributes: []string{"title"}},
		steps.CreateIndex{Database: b.database, Collection: "products", Key: "search", Type: steps.Fulltext, Attributes: []string{"title"}},
		steps.CreateIndex{Database: b.database, Collection: "products", Key: "mixed", Type: steps.Key, Attributes: []string{"integer", "title"}, Orders: []string{"DESC", "ASC"}, Lengths: []int{0, 20}},
		relate("products", "maker", "makers", steps.ManyToOne, true),
		relate("products", "sellers", "makers", steps.ManyToMany, true),
		relate("makers", "best", "products", steps.OneToOne, false),
		relate("makers", "stock", "products", steps.OneToMany, true),
	)
	for i := range 3 {
		b.document("makers", fmt.Sprintf("m%d", i), map[string]any{"name": fmt.Sprint(i)})
	}
	for i := range documents {
		data := map[string]any{
			"title": fmt.Sprintf("Product %d", i), "email": "a@example.com", "strings": []any{"a", fmt.Sprint(i)},
			"integer": json.Number(fmt.Sprint(i % 10)), "secret": "s",
		}
		if i%3 == 0 {
			data["maker"], data["sellers"] = "m1", []any{"m0", "m2"}
		}
		b.document("products", fmt.Sprintf("p%03d", i), data)
	}
	patch := appwrite.DocumentPatch{Data: map[string]any{"best": "p001", "stock": []any{"p001", "p002"}}}
	if _, err := b.client.UpdateDocument(b.t.Context(), b.database, "makers", "m0", patch, appwrite.Guard{}); err != nil {
		b.t.Fatalf("link maker: %v", err)
	}
}

func TestDeletedCollectionComesBackWhole(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.catalogue(5)
		b.cycle(split(steps.DeleteCollection{Database: b.database, ID: "products"})...)
		b.cycle(split(steps.DeleteCollection{Database: b.database, ID: "makers"})...)
	})
}

func TestDeletedCollectionComesBackWithItsDocumentsTimes(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.catalogue(4)
		times := func() (all []string) {
			for page, err := range b.client.Walk(b.t.Context(), b.database, "products", appwrite.WalkOptions{}) {
				if err != nil {
					b.t.Fatal(err)
				}
				for _, d := range page {
					all = append(all, d.ID+" "+d.CreatedAt+" "+d.UpdatedAt)
				}
			}
			return all
		}
		before := times()
		b.undo(b.do(steps.DropCollection{Database: b.database, ID: "products"}))
		same := fmt.Sprint(before) == fmt.Sprint(times())
		if same != b.can.Timestamps {
			b.t.Errorf("times before %v\nafter %v", before, times())
		}
	})
}

func TestManyDocumentsComeBackPageByPage(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		var page []appwrite.Document
		for i := range 350 {
			page = append(page, appwrite.Document{ID: fmt.Sprintf("d%04d", i), Data: map[string]any{"title": fmt.Sprint(i % 7)}})
			if len(page) == 100 || i == 349 {
				if _, err := b.client.CreateDocuments(b.t.Context(), b.database, "products", page); err != nil {
					b.t.Fatal(err)
				}
				page = nil
			}
		}
		b.cycle(split(steps.DeleteCollection{Database: b.database, ID: "products"})...)
		b.cycle(split(steps.DeleteAttribute{Database: b.database, Collection: "products", Key: "title"})...)
	})
}

func TestUndoDoesNotDropACollectionThatOthersUse(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		made := b.do(steps.CreateCollection{Database: b.database, ID: "products", Name: "Products"})
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "title", Type: "string", Size: 10})
		b.document("products", "theirs", map[string]any{"title": "x"})
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantForeign(inverse[0])
	})
}

func TestDocumentsWrittenAfterTheArchiveStopTheDrop(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		for _, drop := range []engine.Step{
			steps.DropCollection{Database: b.database, ID: "products"}, steps.DropDatabase{ID: b.database},
		} {
			step, site := b.bound(drop), b.site()
			memento, err := step.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatal(err)
			}
			b.document("products", step.Kind(), map[string]any{"title": "late"})
			if _, err := step.Apply(b.t.Context(), site, memento); !errors.Is(err, steps.ErrLateWrite) {
				b.t.Fatalf("%s: %v, want ErrLateWrite", step.Kind(), err)
			}
		}
	})
}

func TestInterruptedRestorationGoesOn(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.catalogue(5)
		before := b.state()
		made := b.do(steps.DropCollection{Database: b.database, ID: "products"})
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		// Cut the restoration off after each number of writes until it gets through.
		step, site := b.bound(inverse[0]), b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		for allowed := 1; ; allowed += 3 {
			_, err := b.cut(step, allowed).Apply(b.t.Context(), site, memento)
			if err == nil {
				break
			}
			if !errors.Is(err, errCut) {
				b.t.Fatalf("after %d writes: %v", allowed, err)
			}
			finding, err := step.Probe(b.t.Context(), site, memento)
			if err != nil || finding.State == engine.StateForeign || finding.State == engine.StateAfter {
				b.t.Fatalf("after %d writes: probe says %s (%s), %v", allowed, finding.State, finding.Detail, err)
			}
		}
		b.wantState(step, site, memento, engine.StateAfter)
		b.wantSame("after the restoration", before, b.state())
	})
}
