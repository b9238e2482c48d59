package steps_test

import (
	"context"
	"strings"
	"testing"

	"github.com/appwrite/sdk-for-go/client"
	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// chain builds steps, as a migration in Go does.
func chain(build func(s *steps.Builder)) []engine.Step {
	b := steps.NewBuilder()
	build(b)
	list, err := b.Steps()
	if err != nil {
		panic(err)
	}
	return list
}

// shop makes a collection with two products.
func shop(database string) []engine.Step {
	return chain(func(s *steps.Builder) {
		d := s.Database(database)
		d.Create("Shop")
		products := d.Collection("products")
		products.Create("Products")
		products.String("title", 255)
		products.Integer("stock").Min("-1000").Max("1000")
		products.Float("price")
		products.Datetime("sold")
		products.String("state", 20).Default("new")
		products.String("tags", 20).Array()
		products.Document("lamp").Create(map[string]any{
			"title": "Lamp", "stock": 10, "price": 9.5, "sold": "2026-01-02T03:04:05.678+00:00", "tags": []string{"a", "b"},
		}, steps.Permissions(`read("any")`))
		products.Document("chair").Create(map[string]any{"title": "Chair"})
	})
}

// onProducts makes steps on the products of a shop.
func onProducts(build func(p *steps.CollectionBuilder)) func(string) []engine.Step {
	return func(database string) []engine.Step {
		return chain(func(s *steps.Builder) { build(s.Database(database).Collection("products")) })
	}
}

// wantAll fails unless a document's JSON holds all the parts.
func wantAll(tb testing.TB, document string, parts ...string) {
	tb.Helper()
	for _, part := range parts {
		if !strings.Contains(document, part) {
			tb.Errorf("%s is not in %s", part, document)
		}
	}
}

// patch is somebody else's change of a product.
func patch(id string, data map[string]any) func(context.Context, *appwrite.Client, string) error {
	return func(ctx context.Context, client *appwrite.Client, database string) error {
		_, err := client.UpdateDocument(ctx, database, "products", id, appwrite.DocumentPatch{Data: data}, appwrite.Guard{})
		return err
	}
}

func documentCases() []steptest.Case {
	return []steptest.Case{
		{
			Name: "create_document", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("desk").Create(map[string]any{"title": "Desk", "stock": 3}, steps.Permissions(`read("users")`))
			}),
			Foreign: patch("desk", map[string]any{"title": "Bench"}),
		},
		{
			Name: "create_document without data", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Document("bare").Create(nil) }),
		},
		{
			Name: "create_documents", Setup: shop,
			Steps: func(database string) []engine.Step {
				return []engine.Step{steps.CreateDocuments{Database: database, Collection: "products", Documents: []steps.NewDocument{
					{ID: "desk", Data: map[string]any{"title": "Desk", "stock": 3}, Permissions: []string{`read("users")`}},
					{ID: "bare"},
					{ID: "bench", Data: map[string]any{"title": "Bench", "tags": []any{"a", "b"}}},
				}}}
			}, // what others change is spared one by one: TestEachPolicyActsOnEachDocumentThatWasCreatedTogether
		},
		{
			Name: "update_document", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Update(map[string]any{"title": "Torch", "stock": 4, "tags": []string{}},
					steps.Permissions(`read("users")`))
			}),
			Foreign: patch("lamp", map[string]any{"title": "Candle"}),
			Merged: func(tb testing.TB, state steptest.State) {
				tb.Helper()
				for path, document := range state {
					if strings.HasSuffix(path, "documents/lamp") {
						wantAll(tb, document, `"title":"Candle"`, `"stock":10`, `"tags":["a","b"]`, `read(\"any\")`)
					}
				}
			},
		},
		{
			Name: "update_document to null under a default", Setup: shop,
			Only: func(c appwrite.Capabilities) bool { return !c.BulkDefaults },
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Update(map[string]any{"state": nil})
			}),
			Foreign: patch("lamp", map[string]any{"state": "old"}),
		},
		{
			Name: "delete_document", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Document("lamp").Delete() }),
			Foreign: func(ctx context.Context, client *appwrite.Client, database string) error {
				_, err := client.CreateDocument(ctx, database, "products", appwrite.Document{
					ID: "lamp", Data: map[string]any{"title": "Another lamp"},
				})
				return err
			},
		},
		{
			Name: "delete_document that is archived", Setup: func(database string) []engine.Step {
				return append(shop(database), onProducts(func(p *steps.CollectionBuilder) {
					p.String("manual", 100000)
					p.Document("engine").Create(map[string]any{"title": "Engine", "manual": strings.Repeat("turn. ", 4000)})
				})(database)...)
			},
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Document("engine").Delete() }),
		},
		{
			Name: "upsert_document that creates", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("desk").Upsert(map[string]any{"title": "Desk"})
			}),
			Foreign: patch("desk", map[string]any{"title": "Bench"}),
		},
		{
			Name: "upsert_document that updates", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Upsert(map[string]any{"title": "Torch"})
			}),
			Foreign: patch("lamp", map[string]any{"title": "Candle"}),
		},
		{
			Name: "increment", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Increment("stock", "5").AllowRace()
			}),
		},
		{
			Name: "increment by less than nothing", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Increment("price", "-0.25").AllowRace()
			}),
		},
	}
}

func otherCases() []steptest.Case {
	return []steptest.Case{
		{
			Name: "assert", Setup: shop,
			Steps: func(database string) []engine.Step {
				count := int64(2)
				return chain(func(s *steps.Builder) {
					s.Database(database).Collection("products").Assert(steps.Assert{Count: &count})
				})
			},
		},
		{
			Name: "func", Setup: shop,
			Steps: func(database string) []engine.Step {
				return chain(func(s *steps.Builder) { s.Func(retitle(database, true)) })
			},
			Funcs: func(database string) []steps.Func { return []steps.Func{retitle(database, true)} },
		},
		{
			Name: "func without a probe", Setup: shop, Unproven: true,
			Steps: func(database string) []engine.Step {
				return chain(func(s *steps.Builder) { s.Func(retitle(database, false)) })
			},
			Funcs: func(database string) []steps.Func { return []steps.Func{retitle(database, false)} },
		},
		{
			Name: "update_document with a retry policy of its own", Setup: shop,
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Update(map[string]any{"title": "Torch"}, steps.Retrying(steps.Retry{Attempts: 3}))
			}),
		},
	}
}

// retitle is a function that gives a product another title.
func retitle(database string, probed bool) steps.Func {
	path := "/databases/" + database + "/collections/products/documents"
	headers := map[string]any{"content-type": "application/json"}
	write := func(title string) func(context.Context, client.Client) error {
		return func(_ context.Context, sdk client.Client) error {
			_, err := sdk.Call("PATCH", path+"/chair", headers, map[string]any{"data": map[string]any{"title": title}})
			return err
		}
	}
	f := steps.Func{Name: "retitle", Version: "1", Do: write("Armchair"), Undo: write("Chair")}
	if probed {
		f.Probe = func(_ context.Context, sdk client.Client) (engine.State, error) {
			answer, err := sdk.Call("GET", path, headers, map[string]any{
				"queries": []string{query.Equal("$id", "chair"), query.Equal("title", "Chair")},
			})
			if err != nil {
				return 0, err
			}
			if text, ok := answer.Result.(string); ok && strings.Contains(text, `"total":1`) {
				return engine.StateBefore, nil
			}
			return engine.StateAfter, nil
		}
	}
	return f
}
