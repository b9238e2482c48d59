package migrations_test

import (
	"fmt"
	"testing/fstest"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// Migrations from files and from Go make one ordered set.
func ExampleLoadSet() {
	folder := fstest.MapFS{"migrations/20261121093000_create_shop.yaml": &fstest.MapFile{Data: []byte(`
steps:
  - create_database: { id: shop, name: Shop }
`)}}
	set, err := migrations.LoadSet(folder, "migrations",
		migrations.New("20261122093000", "create_products", func(s *steps.Builder) {
			products := s.Database("shop").Collection("products")
			products.Create("Products", steps.Permissions(`read("any")`))
			products.String("title", 255).Required()
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range set.All() {
		fmt.Println(m.ID())
		for _, step := range m.Up {
			fmt.Println(" ", step.ID, step.Change.Target())
		}
	}
	// Output:
	// 20261121093000_create_shop
	//   create_database-1 database shop
	// 20261122093000_create_products
	//   create_collection-1 collection shop/products
	//   create_attribute-2 attribute shop/products/title
}

// A mistake is told with its place, its line, and what was probably meant.
func ExampleParse() {
	_, err := migrations.Parse("20261121093000_create_shop.yaml", []byte(`steps:
  - create_databse: { id: shop, name: Shop }
`))
	fmt.Println(err)
	// Output:
	// 20261121093000_create_shop.yaml:2:5: unknown kind of step "create_databse" (did you mean create_database?)
	//     2 |   - create_databse: { id: shop, name: Shop }
	//       |     ^
}
