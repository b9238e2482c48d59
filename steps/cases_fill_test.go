package steps_test

import (
	"context"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// with makes steps on the products after those of a setup.
func with(setup func(string) []engine.Step, build func(p *steps.CollectionBuilder)) func(string) []engine.Step {
	return func(database string) []engine.Step {
		return slices.Concat(setup(database), onProducts(build)(database))
	}
}

func fillCases() []steptest.Case {
	chairIsWritten := func(data map[string]any) func(context.Context, *appwrite.Client, string) error {
		return func(ctx context.Context, client *appwrite.Client, database string) error {
			_, err := client.UpdateDocument(ctx, database, "products", "chair", appwrite.DocumentPatch{Data: data}, appwrite.Guard{})
			return err
		}
	}
	makers := func(p *steps.CollectionBuilder) { p.ManyToMany("makers", "makers") }
	lamp := map[string]any{"title": "Lamp", "makers": []string{"ada", "bob"}}
	return []steptest.Case{
		{
			Name: "fill_attribute with one value", Setup: shop,
			Steps:   onProducts(func(p *steps.CollectionBuilder) { p.FillAttribute("stock", "", 7) }),
			Foreign: chairIsWritten(map[string]any{"stock": 8}),
		},
		{
			Name:  "fill_attribute from another one",
			Setup: with(shop, func(p *steps.CollectionBuilder) { p.String("label", 40) }),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.FillAttribute("label", "stock", "none") }),
		},
		{
			Name: "fill_attribute over what is there", Setup: shop,
			Steps:   onProducts(func(p *steps.CollectionBuilder) { p.CopyAttribute("state", "title") }),
			Foreign: chairIsWritten(map[string]any{"state": "sold"}),
		},
		{
			Name: "fill_attribute that links by ids",
			Setup: with(library(makers, lamp), func(p *steps.CollectionBuilder) {
				p.String("ids", 36).Array()
				p.CopyAttribute("ids", "makers")
				p.DeleteRelationship("makers")
				p.ManyToMany("madeBy", "makers").TwoWay("made")
			}),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.CopyAttribute("madeBy", "ids") }),
		},
	}
}
