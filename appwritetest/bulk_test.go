package appwritetest_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// fill puts so many books into a shop.
func fill(t *testing.T, srv *appwritetest.Server, books int) {
	t.Helper()
	for first := 0; first < books; first += 100 {
		items := list{}
		for i := first; i < min(first+100, books); i++ {
			items = append(items, object{"$id": fmt.Sprintf("b%04d", i), "pages": i})
		}
		must(t, srv, "POST", booksDocuments, object{"documents": items})
	}
}

const booksDocuments = books + "/documents"

func TestBulkCallsReachBeyondOneBatch(t *testing.T) {
	t.Parallel()
	const all, skipped = 2150, 30
	for _, inFile := range []bool{false, true} {
		for _, order := range []list{{}, {`{"method":"orderDesc","attribute":"pages"}`}} {
			t.Run(fmt.Sprint("in a file: ", inFile, ", ordered by ", len(order)), func(t *testing.T) {
				t.Parallel()
				var opts []appwritetest.Option
				if inFile {
					opts = append(opts, appwritetest.Data(filepath.Join(t.TempDir(), "data.db")))
				}
				srv := newBooks(t, "1.9.6", opts...)
				fill(t, srv, all)
				queries := append(list{fmt.Sprintf(`{"method":"offset","values":[%d]}`, skipped)}, order...)
				updated := must(t, srv, "PATCH", booksDocuments, object{"data": object{"title": "new"}, "queries": queries})
				expect(t, float64(all-skipped), updated["total"])
				expect(t, 100, len(updated["documents"].(list)))
				limited := append(list{`{"method":"limit","values":[1200]}`}, order...)
				deleted := must(t, srv, "DELETE", booksDocuments, object{"queries": limited})
				expect(t, 1200.0, deleted["total"])
				expect(t, float64(all-1200), must(t, srv, "GET", booksDocuments, nil)["total"])
			})
		}
	}
}

func TestBulkPayloadsCheckTheirPermissions(t *testing.T) {
	t.Parallel()
	srv := newBooks(t, "1.9.6")
	fill(t, srv, 1)
	for _, permissions := range []any{"x", list{"junk"}} {
		refuse(t, srv, 400, "general_bad_request", "POST", booksDocuments,
			object{"documents": list{object{"title": "x", "$permissions": permissions}}})
		refuse(t, srv, 400, "general_bad_request", "PATCH", booksDocuments,
			object{"data": object{"$permissions": permissions}})
	}
	create(t, srv, "single", object{"title": "x", "$permissions": "overwritten anyhow"})
}
