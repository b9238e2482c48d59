package catalog_test

import (
	"errors"
	"log/slog"
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
