package appwritetest_test

import (
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestInlineAttributesAreCheckedAsTheServerDoes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 128) // 256 bytes
	many := list{}
	for i := range 150 {
		many = append(many, strings.Repeat("e", i+1))
	}
	srv := appwritetest.New(t)
	must(t, srv, "POST", "/databases", object{"databaseId": "shop", "name": "Shop"})
	for name, test := range map[string]struct {
		attribute object
		status    int
	}{
		"a number with its own format":  {object{"type": "integer", "format": "intRange"}, 400},
		"an integer between fractions":  {object{"type": "integer", "min": 0.5, "max": 9.5}, 201},
		"a default below a fraction":    {object{"type": "integer", "min": 1.5, "default": 1}, 400},
		"an element that is zero":       {object{"type": "string", "size": 9, "format": "enum", "elements": list{"0"}}, 400},
		"an element of too many bytes":  {object{"type": "string", "size": 9, "format": "enum", "elements": list{long}}, 400},
		"more than a hundred elements":  {object{"type": "string", "size": 9, "format": "enum", "elements": many}, 201},
		"elements without their format": {object{"type": "string", "size": 9, "elements": 5}, 201},
		"a sign of text":                {object{"type": "string", "size": 9, "signed": true}, 400},
		"a sign that is no boolean":     {object{"type": "double", "signed": 1}, 400},
		"an item as JSON text":          {nil, 400},
		"a format that is empty":        {object{"type": "boolean", "format": ""}, 201},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items := list{`{"key":"a","type":"boolean"}`}
			if test.attribute != nil {
				test.attribute["key"] = "a"
				items = list{test.attribute}
			}
			got, answer := call(t, srv, "POST", "/databases/shop/collections",
				object{"collectionId": "unique()", "name": "C", "attributes": items})
			if got != test.status || (got == 400 && answer["type"] != "general_argument_invalid") {
				t.Errorf("want %d, got %d %v", test.status, got, answer)
			}
		})
	}
}

func TestUnsignedInlineNumbersTakeNothingNegative(t *testing.T) {
	t.Parallel()
	srv := appwritetest.New(t)
	must(t, srv, "POST", "/databases", object{"databaseId": "shop", "name": "Shop"})
	must(t, srv, "POST", "/databases/shop/collections", object{"collectionId": "books", "name": "C", "attributes": list{
		object{"key": "i", "type": "integer", "signed": false},
		object{"key": "b", "type": "bigint", "signed": false},
		object{"key": "d", "type": "double", "signed": false},
	}})
	for _, key := range []string{"i", "b", "d"} {
		refuse(t, srv, 400, "document_invalid_structure", "POST", books+"/documents", object{"documentId": "x", "data": object{key: -1}})
		must(t, srv, "POST", books+"/documents", object{"documentId": key, "data": object{key: 0}})
	}
}
