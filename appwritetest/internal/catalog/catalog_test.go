package catalog_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// project is a catalog whose jobs wait for the test to run them.
type project struct {
	*catalog.Catalog
	t    *testing.T
	jobs []worker.Job
}

func newProject(t *testing.T, version string) *project {
	t.Helper()
	p, err := profile.For(version, profile.MariaDB)
	if err != nil {
		t.Fatal(err)
	}
	pr := &project{t: t}
	records := store.NewMemory(p.Fold)
	pr.Catalog = catalog.New(catalog.Config{
		Profile: p, Now: time.Now, Store: records, Logger: slog.New(slog.DiscardHandler),
		Enqueue: func(job worker.Job) { pr.jobs = append(pr.jobs, job) },
	})
	pr.ok(pr.CreateDatabase("d", "D", true, "legacy"))
	pr.collection("c")
	return pr
}

func (p *project) ok(_ any, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// run lets the worker work off its queue.
func (p *project) run() {
	for len(p.jobs) > 0 {
		job := p.jobs[0]
		p.jobs = p.jobs[1:]
		p.Run(job, worker.Succeed)
	}
}

func (p *project) collection(id string) {
	p.t.Helper()
	none := func() ([]catalog.Definition, []catalog.IndexDefinition, error) { return nil, nil, nil }
	p.ok(p.CreateCollection("d", catalog.NewCollection{ID: id, Name: id, Inline: none}))
}

func (p *project) text(key string, size int) {
	p.t.Helper()
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: key, Type: catalog.TypeString, Size: size}))
	p.run()
}

func (p *project) index(kind, key string, attributes ...string) {
	p.t.Helper()
	p.ok(p.CreateIndex("d", "c", catalog.IndexDefinition{Key: key, Type: kind, Attributes: attributes}))
	p.run()
}

func (p *project) insert(id string, values map[string]any) {
	p.t.Helper()
	col := p.get("c")
	record := &store.Record{ID: id}
	for key, value := range values {
		record.Set(col.Schema.Attribute(key).Column, value)
	}
	if err := p.Store.Update(func(w store.Writer) error { return w.Insert(col.Sequence, record) }); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) get(id string) *catalog.Collection {
	p.t.Helper()
	col, err := p.Collection("d", id)
	if err != nil {
		p.t.Fatal(err)
	}
	return col
}

// status is the state of an attribute, or "" when it is gone.
func (p *project) status(collection, key string) catalog.Status {
	p.t.Helper()
	_, a, err := p.Attribute("d", collection, key)
	if err != nil {
		return ""
	}
	return a.Status
}

func wantType(t *testing.T, err error, kind string) {
	t.Helper()
	if !errors.Is(err, &apierr.Error{Type: kind}) {
		t.Errorf("got %v, want %s", err, kind)
	}
}

func TestNullDoesNotClearADefault(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9, Default: "old"}))
	p.run()
	effective := func() any { return p.get("c").Schema.Attribute("s").Default }

	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{}))
	if _, a, _ := p.Attribute("d", "c", "s"); a.Default != nil || effective() != "old" {
		t.Errorf("shown %v, in effect %v: want null and old", a.Default, effective())
	}
	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{Required: true}))
	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{}))
	if effective() != nil {
		t.Errorf("by way of required the default is still %v", effective())
	}
}

func TestWholeFloatDefaultCannotBeCleared(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{
		Key: "f", Type: catalog.TypeDouble, Format: catalog.FormatFloat, Min: -9.0, Max: 9.0, Default: int64(1),
	}))
	p.run()
	_, err := p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{})
	wantType(t, err, "general_unknown")
	p.ok(p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{Default: 1.5}))
	p.ok(p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{}))
}

func TestIntegerKeepsTheWidthItWasMadeWith(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{
		Key: "n", Type: catalog.TypeInteger, Format: catalog.FormatInt, Size: 4, Min: int64(0), Max: int64(9),
	}))
	p.run()
	p.ok(p.UpdateAttribute("d", "c", "n", catalog.AttributeChange{Max: int64(1) << 40}))
	if size := p.get("c").Schema.Attribute("n").Size; size != 4 {
		t.Errorf("the column is %d bytes wide, want 4", size)
	}
}

func TestDeletionDuringProcessingRunsAfterTheCreation(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9}))
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	if got := p.status("c", "s"); got != catalog.Processing {
		t.Errorf("status %q, want processing", got)
	}
	p.run()
	if got := p.status("c", "s"); got != "" || len(p.get("c").Schema.Attributes) != 0 {
		t.Errorf("the attribute is left as %q", got)
	}
}

func TestFailedJobsLeaveFailedAndStuckUntilRepeated(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9}))
	p.Run(p.jobs[0], worker.Fail)
	p.jobs = nil
	if got := p.status("c", "s"); got != catalog.Failed {
		t.Fatalf("status %q, want failed", got)
	}
	_, err := p.CreateAttribute("d", "c", catalog.Definition{Key: "S", Type: catalog.TypeString, Size: 9})
	wantType(t, err, "attribute_already_exists")
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	p.Run(p.jobs[0], worker.Fail)
	p.jobs = nil
	if got := p.status("c", "s"); got != catalog.Stuck {
		t.Fatalf("status %q, want stuck", got)
	}
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	p.run()
	if got := p.status("c", "s"); got != "" {
		t.Errorf("status %q, want gone", got)
	}
}

func TestDroppingAnAttributeRewritesItsIndexes(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.text("b", 9)
	p.index("key", "alone", "a")
	p.index("key", "both", "a", "b")
	p.index("key", "twin", "b")
	p.index("unique", "other", "b", "a")
	p.ok(nil, p.DeleteAttribute("d", "c", "a"))
	p.run()
	var left []string
	for _, x := range p.get("c").Indexes {
		left = append(left, x.Key+"("+strings.Join(x.Attributes, ",")+")")
	}
	if len(left) != 1 || !slices.Equal(p.get("c").Indexes[0].Attributes, []string{"b"}) {
		t.Errorf("left %v, want one index on b: the rest is empty or the same", left)
	}
}

func TestAttributeOfACompositeUniqueIndexSticksWhenTheRestRepeats(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.text("b", 9)
	p.index("unique", "u", "a", "b")
	p.insert("1", map[string]any{"a": "x", "b": "same"})
	p.insert("2", map[string]any{"a": "y", "b": "same"})
	p.ok(nil, p.DeleteAttribute("d", "c", "a"))
	p.run()
	if got := p.status("c", "a"); got != catalog.Stuck {
		t.Errorf("status %q, want stuck", got)
	}
	if unique := p.get("c").Schema.Unique(); len(unique) != 1 || len(unique[0].Attributes) != 2 {
		t.Errorf("in effect are %v, want the old index", unique)
	}
}

func TestUniqueIndexOverDuplicatesByVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]catalog.Status{"1.7.4": catalog.Failed, "1.8.1": catalog.Failed, "1.9.6": catalog.Available} {
		p := newProject(t, version)
		p.text("a", 9)
		p.insert("1", map[string]any{"a": "e"})
		p.insert("2", map[string]any{"a": "É "})
		p.index("unique", "u", "a")
		_, x, err := p.Index("d", "c", "u")
		if err != nil || x.Status != want || (x.Error == "") != (want == catalog.Available) {
			t.Errorf("%s: got %v %q, want %s", version, x.Status, x.Error, want)
		}
		if n := len(p.get("c").Schema.Unique()); n != 0 {
			t.Errorf("%s: %d unique indexes are enforced", version, n)
		}
	}
}

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
		p := newProject(t, "1.9.6")
		p.collection("other")
		p.ok(p.CreateAttribute("d", "other", catalog.Definition{Key: "c", Type: catalog.TypeBoolean}))
		p.ok(p.CreateRelationship("d", "c", "to", catalog.Relation{Collection: "other", Type: kind, TwoWayKey: "c"}))
		p.run()
		if got := p.status("c", "to"); got != want {
			t.Errorf("%s: status %q, want %q", kind, got, want)
		}
	}
}

func TestRecreatedCollectionIsAnotherObject(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.insert("1", map[string]any{"a": "x"})
	before := p.get("c").Sequence
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "late", Type: catalog.TypeBoolean}))
	p.ok(nil, p.DeleteCollection("d", "C"))
	p.collection("c")
	p.run()
	col := p.get("c")
	if col.Sequence == before || len(col.Attributes) != 0 || len(col.Schema.Attributes) != 0 {
		t.Errorf("the new collection has %v and %v", col.Attributes, col.Schema.Attributes)
	}
}

func TestIndexLengthsCountTheRecordsOwnFields(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 512)
	p.index("key", "fits", "a", "$createdAt", "$id")
	_, err := p.CreateIndex("d", "c", catalog.IndexDefinition{
		Key: "wide", Type: "key", Attributes: []string{"a", "$createdAt", "$updatedAt", "$id"},
	})
	wantType(t, err, "index_invalid")
}

func TestIndexLengthRules(t *testing.T) {
	t.Parallel()
	const whole = catalog.WholeValue
	for _, c := range []struct {
		version, kind string
		attributes    []string
		lengths       []int
		want          []int // nil when the index is refused
	}{
		{"1.9.6", "key", []string{"a"}, nil, []int{0}},
		{"1.9.6", "key", []string{"a"}, []int{whole}, []int{0}},
		{"1.9.6", "key", []string{"a"}, []int{512}, []int{512}},
		{"1.9.6", "key", []string{"a"}, []int{513}, nil},
		{"1.9.6", "key", []string{"a"}, []int{-1}, nil},
		{"1.9.6", "key", []string{"a"}, []int{5, 5}, nil},
		{"1.9.6", "key", []string{"n"}, []int{0}, []int{0}},
		{"1.9.6", "key", []string{"n"}, []int{1}, nil},
		{"1.9.6", "key", []string{"a", "b"}, nil, nil},
		{"1.9.6", "key", []string{"a", "b"}, []int{whole, 256}, []int{0, 256}},
		{"1.9.6", "key", []string{"a", "b"}, []int{0, 0}, nil},
		{"1.7.4", "key", []string{"a", "b"}, []int{0, 0}, []int{0, 0}},
		{"1.7.4", "key", []string{"a", "b"}, []int{whole, whole}, nil},
		{"1.9.6", "fulltext", []string{"a", "b"}, nil, []int{0, 0}},
		{"1.9.6", "fulltext", []string{"a"}, []int{999, 5}, []int{999, 5}},
		{"1.9.6", "fulltext", []string{"a", "n"}, nil, nil},
		{"1.9.6", "key", []string{"list"}, nil, nil},
		{"1.8.1", "key", []string{"list"}, []int{5}, []int{255}},
		{"1.8.1", "key", []string{"list", "list2"}, nil, nil},
		{"1.8.1", "unique", []string{"list"}, nil, nil},
	} {
		p := newProject(t, c.version)
		p.text("a", 512)
		p.text("b", 512)
		for _, key := range []string{"list", "list2"} {
			p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: key, Type: catalog.TypeString, Size: 9, Array: true}))
		}
		p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "n", Type: catalog.TypeInteger, Size: 8}))
		p.run()
		x, err := p.CreateIndex("d", "c", catalog.IndexDefinition{Key: "x", Type: c.kind, Attributes: c.attributes, Lengths: c.lengths})
		switch {
		case c.want == nil:
			wantType(t, err, "index_invalid")
		case err != nil || !slices.Equal(x.Lengths, c.want):
			t.Errorf("%s %s%v %v: got %v %v, want %v", c.version, c.kind, c.attributes, c.lengths, x, err, c.want)
		}
	}
}

func TestIndexOfAnUnknownTypeFailsInTheWorker(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 9)
	p.index("KEY", "k", "a")
	if _, x, _ := p.Index("d", "c", "k"); x.Status != catalog.Failed {
		t.Errorf("status %q, want failed", x.Status)
	}
}

func TestWidthIsCheckedBeforeDuplicates(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 16116)
	_, err := p.CreateAttribute("d", "c", catalog.Definition{Key: "a", Type: catalog.TypeString, Size: 255})
	wantType(t, err, "attribute_limit_exceeded")
	_, err = p.CreateAttribute("d", "c", catalog.Definition{Key: "a", Type: catalog.TypeBoolean})
	wantType(t, err, "attribute_already_exists")
}
