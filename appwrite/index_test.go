package appwrite_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
)

// The list route goes by the collection's id, so it can show what belonged to
// the collection before.
func TestIndexesOfACollectionThatIsNoMoreAreLeftOut(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/indexes") {
			reply(w, http.StatusOK, `{"indexes":[
				{"key":"ghost","$createdAt":"2026-11-22T10:00:00.000+00:00"},
				{"key":"imported","$createdAt":"2026-11-22T10:00:00.000+00:00"},
				{"key":"fresh","$createdAt":"2026-11-22T10:00:02.000+00:00"}]}`)
			return
		}
		reply(w, http.StatusOK, `{"tables":[{"$id":"c","$createdAt":"2026-11-22T10:00:01.000+00:00","indexes":[{"key":"imported"}]}]}`)
	})
	got, err := s.client(t).ListIndexes(t.Context(), "d", "c")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, index := range got {
		keys = append(keys, index.Key)
	}
	if strings.Join(keys, " ") != "imported fresh" {
		t.Errorf("got %v", keys)
	}
	gone := newStub(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/indexes") {
			reply(w, http.StatusOK, `{"indexes":[{"key":"ghost"}]}`)
			return
		}
		reply(w, http.StatusOK, `{"tables":[]}`)
	})
	_, err = gone.client(t).ListIndexes(t.Context(), "d", "c")
	wantIs(t, err, appwrite.ErrContainerNotFound)
}
