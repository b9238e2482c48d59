package schema_test

import (
	"fmt"

	"github.com/backstep-dev/backstep/schema"
)

func ExampleDiff() {
	products := func(attributes ...schema.Attribute) schema.Model {
		return schema.Model{Databases: []schema.Database{{ID: "shop", Name: "Shop", Enabled: true, Collections: []schema.Collection{
			{ID: "products", Name: "Products", Enabled: true, Attributes: attributes},
		}}}}
	}
	from := products(
		schema.Attribute{Key: "title", Type: "string", Size: 40},
		schema.Attribute{Key: "price", Type: "string", Size: 10},
		schema.Attribute{Key: "colour", Type: "string", Size: 20})
	to := products(
		schema.Attribute{Key: "name", Type: "string", Size: 80},
		schema.Attribute{Key: "price", Type: "float"},
		schema.Attribute{Key: "hue", Type: "string", Size: 20})

	delta, err := schema.Diff(from, to, schema.WithRenames(schema.Rename{Database: "shop", Collection: "products", From: "title", To: "name"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, change := range delta.Changes {
		fmt.Println(change)
	}
	fmt.Println(delta.Allowed(false))
	// Output:
	// attribute shop/products/colour: removed (delete); loses data: drop-attribute: the values of the documents are not carried over
	// attribute shop/products/hue: added (create)
	// attribute shop/products/name: renamed from title, size 40 → 80 (in place)
	// attribute shop/products/price: changed, type string → float; size 10 → 0 (copy)
	// stored data would be lost by 1 change
	//   attribute shop/products/colour: drop-attribute: the values of the documents are not carried over
	//   perhaps a rename: shop.products.colour=hue
}
