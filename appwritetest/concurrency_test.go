package appwritetest_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// Clients that write and read at the same time get whole records, and every
// increment counts. Worth most under the race detector.
func TestConcurrentClientsSeeWholeRecords(t *testing.T) {
	t.Parallel()
	const clients, rounds = 6, 15
	for _, opts := range [][]appwritetest.Option{nil, {appwritetest.Data(filepath.Join(t.TempDir(), "data.db"))}} {
		srv := newBooks(t, "1.9.6", opts...)
		create(t, srv, "shared", object{"title": "t", "pages": 0})
		var wait sync.WaitGroup
		for client := range clients {
			wait.Go(func() {
				for round := range rounds {
					id := fmt.Sprintf("c%d-%d", client, round)
					requests := []struct {
						method, path string
						body         any
					}{
						{"POST", booksDocuments, object{"documentId": id, "data": object{"title": id, "pages": round}}},
						{"PATCH", booksDocuments + "/shared/pages/increment", object{}},
						{"PATCH", booksDocuments + "/" + id, object{"data": object{"title": "changed"}}},
						{"GET", booksDocuments + "?queries[]=%7B%22method%22:%22orderDesc%22,%22attribute%22:%22pages%22%7D", nil},
						{"PATCH", booksDocuments, object{"data": object{"state": id}, "queries": list{`{"method":"equal","attribute":"$id","values":["` + id + `"]}`}}},
						{"GET", booksDocuments + "/" + id, nil},
					}
					for _, r := range requests {
						if got, answer := call(t, srv, r.method, r.path, r.body); got >= http.StatusMultipleChoices {
							t.Errorf("%s %s: %d %v", r.method, r.path, got, answer)
						}
					}
				}
			})
		}
		wait.Wait()
		expect(t, float64(clients*rounds), read(t, srv, "shared")["pages"])
		expect(t, float64(clients*rounds+1), must(t, srv, "GET", booksDocuments, nil)["total"])
	}
}
