package schema

import (
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// inlineIndex reads one index. Its members are named in the legacy words in
// both dialects.
func inlineIndex(item any) (catalog.IndexDefinition, error) {
	o, ok := item.(*phpjson.Object)
	if !ok {
		return catalog.IndexDefinition{}, errors.New("each index must be an object")
	}
	in := inlineItem{object: o}
	d := catalog.IndexDefinition{
		Key:  in.text("key", api.ID),
		Type: in.text("type", api.OneOf("key", "fulltext", "unique", "spatial")),
	}
	for _, key := range in.list("attributes", indexable) {
		d.Attributes = append(d.Attributes, key.(string))
	}
	orders, lengths := in.list("orders", inlineOrder), in.list("lengths", inlineLength)
	for _, order := range orders {
		d.Orders = append(d.Orders, order.(string))
	}
	for _, length := range lengths {
		d.Lengths = append(d.Lengths, int(length.(int64)))
	}
	n := len(d.Attributes)
	if n == 0 || (orders != nil && len(orders) != n) || (lengths != nil && len(lengths) != n) {
		in.complain("attributes, orders and lengths differ in number")
	}
	if in.why != "" {
		return catalog.IndexDefinition{}, fmt.Errorf("index %q: %s", d.Key, in.why)
	}
	return d, nil
}

// inlineOrder takes no other letter case, but no order at all.
func inlineOrder(value any) (any, string) {
	if value == nil {
		return "", ""
	}
	return api.OneOf("", "ASC", "DESC")(value)
}

func inlineLength(value any) (any, string) {
	if n, ok := value.(int64); ok && n < 0 {
		return nil, "must not be negative"
	}
	return indexLength(value)
}
