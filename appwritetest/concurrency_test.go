package appwritetest_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestConcurrentWritersLoseNothingAndOneWinsEachId(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]appwritetest.Option{
		"in memory": nil,
		"in a file": {appwritetest.Data(filepath.Join(t.TempDir(), "data.db"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const writers, rounds = 8, 25
			srv := newBooks(t, "1.9.6", opts...)
			create(t, srv, "counter", object{"pages": 0})
			var won atomic.Int64
			var running sync.WaitGroup
			for writer := range writers {
				running.Go(func() {
					for round := range rounds {
						own := fmt.Sprintf(`{"documentId":"w%d-%d","data":{"title":"x"}}`, writer, round)
						contested := fmt.Sprintf(`{"documentId":"all-%d","data":{"title":"x"}}`, round)
						send := func(method, path, body string) int {
							status, _, err := trySend(t, srv, method, path, body)
							if err != nil {
								t.Error(err)
							}
							return status
						}
						if status := send("POST", books+"/documents", own); status != 201 {
							t.Errorf("a document of one's own: %d", status)
						}
						if send("POST", books+"/documents", contested) == 201 {
							won.Add(1)
						}
						if status := send("PATCH", books+"/documents/counter/pages/increment", `{"value":1}`); status != 200 {
							t.Errorf("an increment: %d", status)
						}
						send("GET", books+"/documents", "")
						send("POST", books+"/attributes/boolean", fmt.Sprintf(`{"key":"k%d","required":false}`, round))
					}
				})
			}
			running.Wait()
			if won.Load() != rounds {
				t.Errorf("want one winner for each of %d ids, got %d", rounds, won.Load())
			}
			if got := read(t, srv, "counter")["pages"]; got != float64(writers*rounds) {
				t.Errorf("want %d increments, got %v", writers*rounds, got)
			}
			if total := must(t, srv, "GET", books+"/documents", nil)["total"]; total != float64(writers*rounds+rounds+1) {
				t.Errorf("got %v documents", total)
			}
		})
	}
}
