package appwritetest_test

import (
	"path/filepath"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestStagedTransactionOutlivesTheServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data.db")
	start := func() *appwritetest.Server { return open(t, file) }

	srv := start()
	must(t, srv, "POST", "/databases", object{"databaseId": "shop", "name": "Shop"})
	must(t, srv, "POST", "/databases/shop/collections", object{"collectionId": "books", "name": "Books"})
	addTitle(t, srv)
	idle(t, srv)
	staged := transaction(t, srv, object{"action": "create", "documentId": "a", "data": object{"title": "x"}})
	deleted := transaction(t, srv, object{"action": "create", "documentId": "b", "data": object{"title": "y"}})
	must(t, srv, "DELETE", deleted, nil)
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}

	srv = start()
	refuse(t, srv, 404, "transaction_not_found", "GET", deleted, nil)
	must(t, srv, "PATCH", staged, object{"commit": true})
	if got := read(t, srv, "a")["title"]; got != "x" {
		t.Errorf("the staged document has the title %v", got)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}

	srv = start()
	if got := status(t, srv, staged); got != "committed" {
		t.Errorf("the committed transaction came back %v", got)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
}
