package catalog_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

func TestTakenTwoWayKeyOrphansTheParent(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.collection("other")
	p.ok(p.CreateAttribute("d", "other", catalog.Definition{Key: "back", Type: catalog.TypeBoolean}))
	p.run()
	relation := catalog.Relation{Collection: "other", Type: "oneToOne", TwoWay: true, TwoWayKey: "Back", OnDelete: "restrict"}
	_, err := p.CreateRelationship("d", "c", "to", relation)
	wantType(t, err, "attribute_already_exists")
	p.run()
	if got := p.status("c", "to"); got != catalog.Processing {
		t.Errorf("the parent is %q, want processing for good", got)
	}
	if p.get("other").Schema.Attribute("back") == nil {
		t.Error("the plain attribute is gone from storage")
	}

	old := newProject(t, "1.7.4")
	old.collection("other")
	old.ok(old.CreateAttribute("d", "other", catalog.Definition{Key: "back", Type: catalog.TypeBoolean}))
	_, err = old.CreateRelationship("d", "c", "to", relation)
	wantType(t, err, "document_already_exists")
	if got := old.status("c", "to"); got != "" {
		t.Errorf("1.7.4 leaves an orphan: %q", got)
	}
}

func TestRelationshipGoesWithEitherSide(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.collection("other")
	relation := catalog.Relation{Collection: "other", Type: "oneToMany", TwoWay: true, TwoWayKey: "back", OnDelete: "setNull"}
	p.ok(p.CreateRelationship("d", "c", "to", relation))
	p.run()
	if p.status("c", "to") != catalog.Available || p.status("other", "back") != catalog.Available {
		t.Fatalf("sides are %q and %q", p.status("c", "to"), p.status("other", "back"))
	}
	p.ok(nil, p.DeleteAttribute("d", "other", "back"))
	p.run()
	if p.status("c", "to") != "" || p.status("other", "back") != "" {
		t.Errorf("sides are %q and %q, want both gone", p.status("c", "to"), p.status("other", "back"))
	}
	p.ok(p.CreateRelationship("d", "c", "to", relation))
	p.run()
	p.ok(nil, p.DeleteCollection("d", "other"))
	if p.status("c", "to") != catalog.Available {
		t.Error("the relationship went before the purge")
	}
	p.run()
	if p.status("c", "to") != "" {
		t.Error("the relationship outlived the purge")
	}
}

func TestPurgeTakesARelationshipWithTheNewCollectionOfTheSameID(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.collection("other")
	p.ok(nil, p.DeleteCollection("d", "other"))
	purge := p.jobs
	p.jobs = nil
	p.collection("other")
	p.ok(p.CreateRelationship("d", "c", "to", catalog.Relation{Collection: "other", Type: "manyToOne", TwoWayKey: "back"}))
	p.run()
	p.Run(purge[0], worker.Succeed)
	if got := p.status("c", "to"); got != "" || p.get("c").Schema.Attribute("to") == nil {
		t.Errorf("clients see %q, want nothing, and storage knows nothing of it", got)
	}
}

func TestHiddenChildWantsItsKeyOnlyForAColumn(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]catalog.Status{"manyToOne": catalog.Available, "oneToMany": catalog.Failed} {
		p := newProject(t, "1.8.1")
		p.collection("other")
		p.ok(p.CreateAttribute("d", "other", catalog.Definition{Key: "c", Type: catalog.TypeBoolean}))
		p.ok(p.CreateRelationship("d", "c", "to", catalog.Relation{Collection: "other", Type: kind, TwoWayKey: "c"}))
		p.run()
		if got := p.status("c", "to"); got != want {
			t.Errorf("%s: status %q, want %q", kind, got, want)
		}
	}
}

func TestRelationshipRenameBreaksOnATakenKey(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("plain", 9)
	p.collection("other")
	p.ok(p.CreateRelationship("d", "c", "to", catalog.Relation{
		Collection: "other", Type: "manyToOne", TwoWay: true, TwoWayKey: "back", OnDelete: "cascade",
	}))
	p.run()
	for _, key := range []string{"plain", "PLAIN", "to"} {
		_, err := p.UpdateRelationship("d", "c", "to", "", key)
		wantType(t, err, "general_unknown")
	}
	p.ok(p.UpdateRelationship("d", "c", "to", "", "there"))
	_, back, err := p.Attribute("d", "other", "back")
	if err != nil || back.Relation.TwoWayKey != "there" || back.Relation.OnDelete != "restrict" {
		t.Errorf("the other side is %+v, %v", back, err)
	}
	if held := p.get("c").Schema.Attribute("there"); held == nil || held.Relation.OnDelete != "cascade" {
		t.Errorf("storage has %+v, want it to cascade still", held)
	}
}
