package steps_test

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// onDatabase makes steps on the database itself.
func onDatabase(build func(d *steps.DatabaseBuilder)) func(string) []engine.Step {
	return func(database string) []engine.Step {
		return chain(func(s *steps.Builder) { build(s.Database(database)) })
	}
}

// library makes a shop whose products belong to makers.
func library(related func(p *steps.CollectionBuilder), product map[string]any) func(string) []engine.Step {
	return func(database string) []engine.Step {
		return chain(func(s *steps.Builder) {
			d := s.Database(database)
			d.Create("Library")
			makers := d.Collection("makers")
			makers.Create("Makers")
			makers.String("name", 40)
			makers.Document("ada").Create(map[string]any{"name": "Ada"})
			makers.Document("bob").Create(map[string]any{"name": "Bob"})
			products := d.Collection("products")
			products.Create("Products")
			products.String("title", 40)
			if related != nil {
				related(products)
				products.Document("lamp").Create(product)
				products.Document("chair").Create(map[string]any{"title": "Chair"})
			}
		})
	}
}

// kiosk is a small shop, for steps of which every part is many requests.
func kiosk(database string) []engine.Step {
	return chain(func(s *steps.Builder) {
		d := s.Database(database)
		d.Create("Kiosk")
		products := d.Collection("products")
		products.Create("Products", steps.Permissions(`read("any")`))
		products.String("title", 40).Required()
		products.String("state", 20).Default("new")
		products.Index("by_title", steps.Unique, "title")
		products.Document("lamp").Create(map[string]any{"title": "Lamp"})
	})
}

func databaseCases() []steptest.Case {
	return []steptest.Case{
		{
			Name:  "create_database",
			Steps: onDatabase(func(d *steps.DatabaseBuilder) { d.Create("Shop") }),
		},
		{
			Name: "update_database", Setup: shop,
			Steps: onDatabase(func(d *steps.DatabaseBuilder) { d.Update(steps.Named("Store"), steps.Enabled(false)) }),
			Foreign: func(ctx context.Context, client *appwrite.Client, database string) error {
				_, err := client.UpdateDatabase(ctx, appwrite.Database{ID: database, Name: "Mall"})
				return err
			},
		},
		{
			Name: "delete_database", Setup: kiosk,
			Steps: onDatabase(func(d *steps.DatabaseBuilder) { d.Delete() }),
		},
	}
}

func collectionCases() []steptest.Case {
	return []steptest.Case{
		{
			Name: "create_collection", Setup: shop,
			Steps: onDatabase(func(d *steps.DatabaseBuilder) {
				d.Collection("orders").Create("Orders", steps.Permissions(`read("any")`), steps.DocumentSecurity(true))
			}),
		},
		{
			Name: "update_collection", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Update(steps.Named("Goods"), steps.Permissions(`read("any")`), steps.Enabled(false))
			}),
			Foreign: func(ctx context.Context, client *appwrite.Client, database string) error {
				_, err := client.UpdateCollection(ctx, database, appwrite.Collection{ID: "products", Name: "Wares", Enabled: true})
				return err
			},
		},
		{
			Name: "delete_collection", Setup: kiosk,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Delete() }),
		},
	}
}

func attributeCases() []steptest.Case {
	return []steptest.Case{
		{
			Name: "create_attribute", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.String("colour", 30).Default("white") }),
		},
		{
			Name: "create_attribute that is required", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Integer("weight").Required().Min("0").Max("5000") }),
		},
		{
			Name: "update_attribute", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.UpdateAttribute("stock").Max("2000") }),
		},
		{
			Name: "update_attribute that takes the default away", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.UpdateAttribute("state").Default(nil) }),
		},
		{
			Name: "rename_attribute", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.RenameAttribute("title", "name") }),
		},
		{
			Name: "delete_attribute", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.DeleteAttribute("title") }),
		},
		{
			Name: "delete_attribute with an index on it", Setup: indexed,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.DeleteAttribute("title") }),
		},
	}
}

// indexed is a shop with an index.
func indexed(database string) []engine.Step {
	return append(shop(database), onProducts(func(p *steps.CollectionBuilder) {
		p.Index("by_title", steps.Key, "title")
	})(database)...)
}

func indexCases() []steptest.Case {
	return []steptest.Case{
		{
			Name: "create_index", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Index("by_stock", steps.Key, "stock", "title").Orders("DESC", "ASC")
			}),
		},
		{
			Name: "create_index that is unique", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Index("one_title", steps.Unique, "title") }),
		},
		{
			Name: "update_index", Setup: indexed,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.UpdateIndex("by_title", steps.Key, []string{"stock", "title"}) }),
		},
		{
			Name: "delete_index", Setup: indexed,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.DeleteIndex("by_title") }),
		},
	}
}

func relationshipCases() []steptest.Case {
	manyToOne := func(p *steps.CollectionBuilder) { p.ManyToOne("maker", "makers").OnDelete("setNull") }
	return []steptest.Case{
		{
			Name: "create_relationship", Setup: library(nil, nil),
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.ManyToOne("maker", "makers").TwoWay("products").OnDelete("cascade")
			}),
		},
		{
			Name: "update_relationship", Setup: library(manyToOne, map[string]any{"maker": "ada"}),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.UpdateRelationship("maker", "cascade") }),
		},
		{
			Name: "delete_relationship", Setup: library(manyToOne, map[string]any{"title": "Lamp", "maker": "ada"}),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.DeleteRelationship("maker") }),
		},
	}
}
