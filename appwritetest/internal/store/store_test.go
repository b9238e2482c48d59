package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

const table = 7

func openSQLite(tb testing.TB, file string) (*store.SQLite, func()) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := store.NewSQLite(db, collation.General)
	if err != nil {
		tb.Fatal(err)
	}
	return s, func() { _ = db.Close() }
}

// eachBackend runs a test on both backends.
func eachBackend(t *testing.T, test func(*testing.T, store.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, store.NewMemory(collation.General))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s, closeFile := openSQLite(t, filepath.Join(t.TempDir(), "records.db"))
		t.Cleanup(closeFile)
		test(t, s)
	})
}

func insert(t *testing.T, s store.Store, id string, cells ...store.Cell) *store.Record {
	t.Helper()
	record := &store.Record{ID: id, Cells: cells}
	if err := s.Update(func(w store.Writer) error { return w.Insert(table, record) }); err != nil {
		t.Fatal(err)
	}
	return record
}

func TestRecordKeepsEveryKindOfValue(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, s store.Store) {
		t.Helper()
		want := insert(t, s, "a",
			store.Cell{Column: 1, Value: "text"}, store.Cell{Column: 2, Value: int64(-1 << 63)},
			store.Cell{Column: 3, Value: 5.0}, store.Cell{Column: 4, Value: true},
			store.Cell{Column: 5, Value: []any{"x", nil, []any{1.5, 2.0}, []any{}}})
		got, err := s.Get(table, "A")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUniqueIndexNamesTheHolderAndIgnoresNull(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, s store.Store) {
		t.Helper()
		holder := insert(t, s, "a", store.Cell{Column: 1, Value: "Caf\u00e9"})
		insert(t, s, "b")
		if err := s.AddIndex(table, store.Index{Number: 3, Columns: []int64{1}, Unique: true}); err != nil {
			t.Fatal(err)
		}
		insert(t, s, "c")
		err := s.Update(func(w store.Writer) error {
			return w.Insert(table, &store.Record{ID: "d", Cells: []store.Cell{{Column: 1, Value: "CAFE "}}})
		})
		var duplicate *store.DuplicateError
		if !errors.As(err, &duplicate) || duplicate.Index != 3 || duplicate.Holder != holder.Sequence {
			t.Fatalf("got %v", err)
		}
		err = s.AddIndex(table, store.Index{Number: 4, Columns: []int64{1}, Lengths: []int{1}, Unique: true})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(func(w store.Writer) error {
			return w.Insert(table, &store.Record{ID: "d", Cells: []store.Cell{{Column: 1, Value: "cheese"}}})
		})
		if !errors.As(err, &duplicate) || duplicate.Index != 4 {
			t.Fatalf("the first character is unique: got %v", err)
		}
	})
}

func TestPanicUndoesTheUpdate(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, s store.Store) {
		t.Helper()
		insert(t, s, "a")
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(func(w store.Writer) error {
				if err := w.Insert(table, &store.Record{ID: "b"}); err != nil {
					return err
				}
				panic("broken")
			})
		}()
		if got, err := s.Get(table, "b"); got != nil || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if record := insert(t, s, "c"); record.Sequence != 2 {
			t.Errorf("the sequence went on to %d", record.Sequence)
		}
	})
}

func TestAddIndexRefusesDuplicatesThatAreThere(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, s store.Store) {
		t.Helper()
		insert(t, s, "a", store.Cell{Column: 1, Value: int64(5)})
		insert(t, s, "b", store.Cell{Column: 1, Value: int64(5)})
		if err := s.AddIndex(table, store.Index{Number: 1, Columns: []int64{1}, Unique: true}); !errors.Is(err, store.ErrDuplicate) {
			t.Fatalf("got %v", err)
		}
		insert(t, s, "c", store.Cell{Column: 1, Value: int64(5)})
		if err := s.AddIndex(table, store.Index{Number: 2, Columns: []int64{1}}); err != nil {
			t.Fatal(err)
		}
		found, err := s.Find(table, 2, int64(5))
		if err != nil || len(found) != 3 {
			t.Fatalf("found %d, %v", len(found), err)
		}
	})
}

// TestBackendsAgree drives both backends with the same random updates, some of
// which fail and roll back, and compares all that can be seen. The SQLite file
// is reopened at the end.
func TestBackendsAgree(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		file := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		memory := store.NewMemory(collation.General)
		sqlite, closeFile := openSQLite(t, file)
		for _, index := range []store.Index{
			{Number: 1, Columns: []int64{1}, Unique: true},
			{Number: 2, Columns: []int64{2, 3}},
		} {
			if err := errors.Join(memory.AddIndex(table, index), sqlite.AddIndex(table, index)); err != nil {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 15).Draw(rt, "updates") {
			change := drawUpdate(rt)
			a, b := memory.Update(change), sqlite.Update(change)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				rt.Fatalf("memory: %v, sqlite: %v", a, b)
			}
			compare(rt, memory, sqlite)
		}
		closeFile()
		sqlite, closeFile = openSQLite(t, file)
		defer closeFile()
		compare(rt, memory, sqlite)
	})
}

var errAbandoned = errors.New("abandoned")

// drawUpdate draws an update that does the same each time it is run.
func drawUpdate(rt *rapid.T) func(store.Writer) error {
	type step struct {
		action   int
		id       string
		sequence int64
		cells    []store.Cell
	}
	var steps []step
	for range rapid.IntRange(1, 6).Draw(rt, "steps") {
		s := step{
			action:   rapid.IntRange(0, 2).Draw(rt, "action"),
			id:       rapid.SampledFrom([]string{"a", "A", "b", "c", "d", "e", "f"}).Draw(rt, "id"),
			sequence: int64(rapid.IntRange(1, 12).Draw(rt, "sequence")),
		}
		for column := range int64(3) {
			if rapid.Bool().Draw(rt, "set") {
				value := int64(rapid.IntRange(0, 9).Draw(rt, "value"))
				s.cells = append(s.cells, store.Cell{Column: column + 1, Value: value})
			}
		}
		steps = append(steps, s)
	}
	abandon := rapid.IntRange(0, 4).Draw(rt, "abandon") == 0
	return func(w store.Writer) error {
		for _, s := range steps {
			var err error
			switch s.action {
			case 0:
				err = w.Insert(table, &store.Record{ID: s.id, Cells: s.cells})
			case 1:
				err = w.Replace(table, &store.Record{Sequence: s.sequence, ID: s.id, Cells: s.cells})
			case 2:
				err = w.Delete(table, s.sequence)
			}
			if err != nil {
				return err
			}
		}
		if abandon {
			return errAbandoned
		}
		return nil
	}
}

func compare(rt *rapid.T, memory, sqlite store.Store) {
	rt.Helper()
	see := func(s store.Store) []any {
		seen := []any{}
		for _, order := range []store.Order{store.Ascending, store.Descending} {
			for _, after := range []int64{0, 3} {
				for record, err := range s.Scan(table, after, order) {
					seen = append(seen, record, err)
				}
			}
		}
		for value := range int64(10) {
			one, err := s.Find(table, 1, value)
			two, err2 := s.Find(table, 2, value, int64(1))
			seen = append(seen, one, two, err, err2)
		}
		return seen
	}
	if diff := cmp.Diff(see(memory), see(sqlite)); diff != "" {
		rt.Fatal(diff)
	}
}

func BenchmarkInsert(b *testing.B) {
	for name, open := range map[string]func() store.Store{
		"memory": func() store.Store { return store.NewMemory(collation.General) },
		"sqlite": func() store.Store {
			s, closeFile := openSQLite(b, filepath.Join(b.TempDir(), "bench.db"))
			b.Cleanup(closeFile)
			return s
		},
	} {
		b.Run(name, func(b *testing.B) {
			s := open()
			for i := range b.N {
				record := &store.Record{ID: fmt.Sprint("id", i), Cells: []store.Cell{{Column: 1, Value: "some text of a record"}}}
				if err := s.Update(func(w store.Writer) error { return w.Insert(table, record) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
