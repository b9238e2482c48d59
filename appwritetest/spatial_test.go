package appwritetest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestPolygonMayBeOneRing(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newShop(t, appwritetest.Version(version))
		must(t, srv, "POST", books+"/attributes/polygon", object{"key": "area", "required": false})
		idle(t, srv)
		ring := list{list{0.0, 0.0}, list{1.0, 0.0}, list{1.0, 1.0}, list{0.0, 0.0}}
		create(t, srv, "a", object{"area": ring})
		if d := cmp.Diff(list{ring}, read(t, srv, "a")["area"]); d != "" {
			t.Error(version, d)
		}
		refuse(t, srv, 400, "document_invalid_structure", "POST", books+"/documents", object{"documentId": "b", "data": object{"area": ring[:3]}})
	}
}
