package schema_test

import (
	"fmt"
	"testing/fstest"

	"github.com/backstep-dev/backstep/schema"
)

// What Appwrite does not take is turned into what was meant, with a notice.
func ExampleRead() {
	project := fstest.MapFS{"appwrite.config.json": &fstest.MapFile{Data: []byte(`{
  "tablesDB": [{ "$id": "shop", "name": "Shop" }],
  "tables": [{
    "$id": "products", "databaseId": "shop", "name": "Products",
    "columns": [{ "key": "stock", "type": "integer", "required": true, "default": 0, "max": 9223372036854776000 }]
  }],
  "buckets": [{}]
}`)}}
	file, err := schema.Read(project, "appwrite.config.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, notice := range file.Notices {
		fmt.Println(notice)
	}
	for _, part := range file.Unmanaged {
		fmt.Println("not managed:", part.Name, part.Count)
	}
	for _, step := range schema.Steps(file.Model) {
		fmt.Println(step.Kind(), step.Target())
	}
	// Output:
	// appwrite.config.json:5:93: $.tables[0].columns[0].max: 9223372036854776000 is beyond every integer: no bound
	// appwrite.config.json:5:83: $.tables[0].columns[0].default: attribute stock is required and has a default, which Appwrite refuses: made optional, its default stands in for every value not given
	// not managed: buckets 1
	// create_database database shop
	// create_collection collection shop/products
	// create_attribute attribute shop/products/stock
}
