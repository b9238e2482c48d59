package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/migrations"
)

func TestEnsureConvergesWhoeverElseIsAtIt(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	errs := make(chan error)
	for range 4 {
		go func() {
			errs <- migrations.History{Database: p.historyDatabase()}.Ensure(t.Context(), p.client)
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	must(p.client.CreateCollection(t.Context(), p.historyDatabase(), appwrite.Collection{ID: "other", Name: "Other", Enabled: true}))(t)
	must(p.client.CreateAttribute(t.Context(), p.historyDatabase(), "other", appwrite.Attribute{Key: "version", Type: appwrite.TypeInteger}))(t)
	if err := (migrations.History{Database: p.historyDatabase(), Collection: "other"}).Ensure(t.Context(), p.client); !errors.Is(err, migrations.ErrHistory) || !strings.Contains(err.Error(), "version") {
		t.Errorf("another shape: %v", err)
	}
	if _, err := migrations.NewRunner(migrations.Set{}, nil, nil, nil, nil); err == nil {
		t.Error("a runner of nothing")
	}
}

func TestHistoryIsASupersetOfADMTs(t *testing.T) {
	t.Parallel()
	p := newProject(t, "")
	public := p.space.ID("Public")
	history := migrations.History{Database: public, Collection: "Migrations", Name: "Migrations"}
	// As ADMT makes it, with a migration of its own.
	must(p.client.CreateDatabase(t.Context(), appwrite.Database{ID: public, Name: "Public", Enabled: true}))(t)
	must(p.client.CreateCollection(t.Context(), public, appwrite.Collection{ID: "Migrations", Name: "Migrations", Enabled: true}))(t)
	for _, a := range []appwrite.Attribute{
		{Key: "applied", Type: appwrite.TypeBoolean},
		{Key: "name", Type: appwrite.TypeString, Size: 256, Required: true},
		{Key: "timestamp", Type: appwrite.TypeInteger, Required: true, Min: "0", Max: "9007199254740991"},
	} {
		must(p.client.CreateAttribute(t.Context(), public, "Migrations", a))(t)
		if err := p.client.WaitAvailable(t.Context(), public, []appwrite.Awaited{{Collection: "Migrations", Attribute: a.Key}}); err != nil {
			t.Fatal(err)
		}
	}
	must(p.client.CreateDocument(t.Context(), public, "Migrations", appwrite.Document{
		ID: "theirs", Data: map[string]any{"applied": true, "name": "Migration1703980788287Initial", "timestamp": 1703980788287},
	}))(t)
	r := p.runner(map[string]string{fileA: upA}, migrations.WithHistory(history))
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	doc, err := p.client.FindDocument(t.Context(), public, "Migrations", "20260101000000")
	if err != nil {
		t.Fatal(err)
	}
	if doc.Data["applied"] != true || doc.Data["name"] != "a" || sprint(doc.Data["timestamp"]) != "1767225600000" || doc.Data["tool"] != "v1" {
		t.Errorf("entry is %v", doc.Data)
	}
	if got := p.states(r); got != "a applied" {
		t.Error(got)
	}
	if _, err := r.Down(t.Context(), migrations.Back{}); err != nil {
		t.Fatal(err)
	}
	must(p.client.FindDocument(t.Context(), public, "Migrations", "theirs"))(t)
}

// must fails the test on the error of a call.
func must[T any](_ T, err error) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}
