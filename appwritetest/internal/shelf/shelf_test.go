package shelf_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the driver

	"github.com/backstep-dev/backstep/appwritetest/internal/shelf"
)

func TestValuesOutliveTheirShelf(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "shelf.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, changes := range []map[string][]byte{
		{"a/1": []byte("one"), "a/2": []byte("two"), "b/1": []byte("other"), "A/1": []byte("case")},
		{"a/1": []byte("uno"), "a/2": nil, "a/3": nil, "a%": []byte("no pattern")},
	} {
		s, err := shelf.New(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Save(changes); err != nil {
			t.Fatal(err)
		}
	}
	s, err := shelf.New(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), "a/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"a/1": []byte("uno")}, got); diff != "" {
		t.Error(diff)
	}
}
