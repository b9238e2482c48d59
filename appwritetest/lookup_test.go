package appwritetest_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// Filters that can be looked up answer what a walk over all records would.
func TestLookedUpRecordsComeOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]appwritetest.Option{nil, {appwritetest.Data(filepath.Join(t.TempDir(), "data.db"))}} {
		srv := newBooks(t, "1.9.6", opts...)
		must(t, srv, "POST", books+"/indexes", object{"key": "u", "type": "unique", "attributes": list{"title"}})
		idle(t, srv)
		for i, title := range []string{"one", "two", "three"} {
			create(t, srv, fmt.Sprint("b", i), object{"title": title, "pages": i})
		}
		for _, c := range []struct {
			queries []string
			want    []string
		}{
			{[]string{`{"method":"equal","attribute":"$id","values":["b2","B0","b0"]}`}, []string{"b0", "b2"}},
			{[]string{`{"method":"equal","attribute":"title","values":["THREE","one ","none"]}`}, []string{"b0", "b2"}},
			{[]string{`{"method":"equal","attribute":"title","values":["two","one"]}`, `{"method":"orderDesc"}`}, []string{"b1", "b0"}},
			{[]string{`{"method":"equal","attribute":"title","values":["two","one"]}`, `{"method":"equal","attribute":"pages","values":[1]}`}, []string{"b1"}},
			{[]string{`{"method":"equal","attribute":"$id","values":["b0","b1","b2"]}`, `{"method":"cursorAfter","values":["b0"]}`}, []string{"b1", "b2"}},
			{[]string{`{"method":"equal","attribute":"$id","values":["b0","b1","b2"]}`, `{"method":"cursorBefore","values":["b2"]}`}, []string{"b0", "b1"}},
		} {
			values := url.Values{}
			for _, query := range c.queries {
				values.Add("queries[]", query)
			}
			page := must(t, srv, "GET", books+"/documents?"+values.Encode(), nil)
			var got []string
			for _, document := range page["documents"].(list) {
				got = append(got, document.(object)["$id"].(string))
			}
			expect(t, c.want, got)
		}
	}
}
