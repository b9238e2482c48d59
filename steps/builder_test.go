package steps_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/appwrite/sdk-for-go/client"
	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// everything chains one step of every kind that people write.
func everything(s *steps.Builder) {
	one := int64(1)
	d := s.Database("shop")
	d.Create("Shop", steps.Enabled(true))
	d.Update(steps.Named("Store"))
	d.Assert(steps.Assert{Exists: true})
	c := d.Collection("products")
	c.Create("Products", steps.Permissions(`read("any")`), steps.DocumentSecurity(true))
	c.Update(steps.Enabled(false))
	c.String("title", 255).Required()
	c.Integer("stock").Min("0").Max("10").Default(3)
	c.Enum("state", "new", "old").Array()
	c.UpdateAttribute("title").Required(false).Size(300).Default("none")
	c.RenameAttribute("title", "name")
	c.FillAttribute("name", "", "none")
	c.CopyAttribute("name", "state")
	c.DeleteAttribute("stock")
	c.ManyToOne("maker", "makers").TwoWay("products").OnDelete("cascade")
	c.UpdateRelationship("maker", "setNull")
	c.DeleteRelationship("maker")
	c.Index("by_title", steps.Key, "title").Orders("DESC").Lengths(10)
	c.UpdateIndex("by_title", steps.Key, []string{"title", "stock"})
	c.DeleteIndex("by_title")
	c.Assert(steps.Assert{AtLeast: &one})
	c.Document("lamp").Create(map[string]any{"title": "Lamp", "stock": 1}, steps.Times("2020-01-01", ""))
	c.Document("lamp").Update(map[string]any{"title": nil}, steps.Retrying(steps.Retry{Attempts: 2}))
	c.Document("lamp").Upsert(map[string]any{"title": "X"}, steps.Permissions())
	c.Document("lamp").Increment("stock", "-1").AllowRace()
	c.Document("lamp").Delete()
	c.Delete()
	d.Delete()
	s.Func(steps.Func{
		Name: "nothing", Version: "1",
		Do: func(context.Context, client.Client) error { return nil },
	})
}

func TestBuilderReachesEveryKind(t *testing.T) {
	t.Parallel()
	b := steps.NewBuilder()
	everything(b)
	list, err := b.Steps()
	if err != nil {
		t.Fatal(err)
	}
	c := codec(t, b.Funcs()...)
	var built []string
	for _, step := range list {
		built = append(built, step.Kind())
		data, err := c.Encode(step)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if twice, err := c.Encode(again); err != nil || string(twice) != string(data) {
			t.Errorf("%s becomes %s (%v)", data, twice, err)
		}
	}
	for _, kind := range append(steps.Kinds(), "func") {
		prefix, _, _ := strings.Cut(kind, "_")
		if slices.Contains([]string{"retire", "revive", "drop", "restore"}, prefix) {
			continue // these undo others
		}
		if slices.Contains([]string{"create_documents", "delete_documents"}, kind) {
			continue // these are what the planner makes of others
		}
		if !slices.Contains(built, kind) {
			t.Errorf("no chain makes a %s", kind)
		}
	}
}

func TestBuilderMakesTheStepsThatAreMeant(t *testing.T) {
	t.Parallel()
	b := steps.NewBuilder()
	b.Database("shop").Create("Shop", steps.Through("legacy"))
	products := b.Database("shop").Collection("products")
	products.Create("Products", steps.Permissions(`read("any")`))
	products.String("title", 255).Required()
	products.Index("by_title", steps.Key, "title")
	products.Document("lamp").Create(map[string]any{"title": "Lamp"})
	list, err := b.Steps()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, step := range list {
		data, err := codec(t).Encode(step)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(data))
	}
	want := []string{
		`{"id":"shop","kind":"create_database","name":"Shop","type":"legacy"}`,
		`{"database":"shop","id":"products","kind":"create_collection","name":"Products","permissions":["read(\"any\")"]}`,
		`{"collection":"products","database":"shop","key":"title","kind":"create_attribute","required":true,"size":255,"type":"string"}`,
		`{"attributes":["title"],"collection":"products","database":"shop","key":"by_title","kind":"create_index","type":"key"}`,
		`{"collection":"products","data":{"title":"Lamp"},"database":"shop","id":"lamp","kind":"create_document"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBuilderReportsMistakesByTheirLine(t *testing.T) {
	t.Parallel()
	b := steps.NewBuilder()
	c := b.Database("shop").Collection("_bad")
	c.Create("Products")
	c.String("title", 0)
	b.Database("shop").Delete(steps.Permissions(`read("any")`))
	b.Database("shop").Collection("c").Document("d").Create(map[string]any{"f": func() {}})
	b.Func(steps.Func{Name: "f"})
	b.Add(nil)
	_, err := b.Steps()
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	if len(all) != 6 {
		t.Fatalf("%d mistakes are reported: %v", len(all), err)
	}
	for _, one := range all {
		mistake, ok := errors.AsType[*steps.BuildError](one)
		if !ok || !strings.HasPrefix(mistake.Place, "builder_test.go:") {
			t.Errorf("no line of this file: %v", one)
		}
	}
	if wrong, ok := errors.AsType[*steps.FieldError](err); !ok || wrong.Kind != "create_collection" {
		t.Errorf("the fields' errors are lost: %v", err)
	}
}

func TestFuncWithoutUndoSaysSoWhenPlanned(t *testing.T) {
	t.Parallel()
	step, err := steps.NewFunc(steps.Func{
		Name: "once", Version: "1",
		Do: func(context.Context, client.Client) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := engine.NewPlan([]engine.Step{step}, engine.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Operations[0].Irreversible == "" {
		t.Error("the plan does not tell")
	}
	if _, err := step.Inverse(nil, nil); !errors.Is(err, engine.ErrIrreversible) {
		t.Errorf("the inverse: %v", err)
	}
}
