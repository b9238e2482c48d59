package appwritetest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// 1.9 indexes no arrays.
func TestOrdersOfAnIndexOverAnArrayMayHaveGaps(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.7.4", "1.8.1"} {
		srv := newBooks(t, version)
		must(t, srv, "POST", books+"/attributes/string", object{"key": "tags", "size": 20, "required": false, "array": true})
		idle(t, srv)
		for key, test := range map[string]struct {
			attributes, orders list
			want               any
		}{
			"first":  {list{"tags", "title"}, list{}, list{nil}},
			"last":   {list{"title", "tags"}, list{}, object{"1": nil}},
			"middle": {list{"title", "pages", "tags"}, list{"ASC"}, object{"0": "ASC", "2": nil}},
			"full":   {list{"title", "tags"}, list{"ASC", "DESC"}, list{"ASC", nil}},
		} {
			body := object{"key": key, "type": "key", "attributes": test.attributes, "orders": test.orders}
			must(t, srv, "POST", books+"/indexes", body)
			idle(t, srv)
			if d := cmp.Diff(test.want, must(t, srv, "GET", books+"/indexes/"+key, nil)["orders"]); d != "" {
				t.Error(version, key, d)
			}
		}
	}
}
