package journaltest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/journal"
)

// testTransfer carries a journal into one in memory and back into the backend.
func testTransfer(t *testing.T, o Opened) {
	t.Helper()
	Account(t, o.Store, "run", journal.StatusApplied, journal.Started{Version: "1"})
	Account(t, o.Store, "open", journal.StatusOpen, journal.Started{Version: "2"})
	var out bytes.Buffer
	if done, err := journal.Export(t.Context(), o.Store, nil, &out); err != nil || len(done) != 2 {
		t.Fatalf("exported %v, error %v", done, err)
	}
	away := NewMemory()
	done, err := journal.Import(t.Context(), away, bytes.NewReader(out.Bytes()))
	if err != nil || len(done) != 2 || done[0].Added != 4 || done[1].Added != 3 || done[0].Archives != 1 {
		t.Fatalf("imported %+v, error %v", done, err)
	}
	same(t, o.Store, away, "run")
	same(t, o.Store, away, "open")

	again, err := journal.Import(t.Context(), o.Store, bytes.NewReader(out.Bytes()))
	if err != nil || again[0].Added+again[1].Added != 0 {
		t.Errorf("import of what is there: %+v, error %v, want nothing added", again, err)
	}
	foreign := NewMemory()
	Account(t, foreign, "run", journal.StatusApplied, journal.Started{Version: "other"})
	out.Reset()
	if _, err := journal.Export(t.Context(), foreign, []string{"run"}, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Import(t.Context(), o.Store, &out); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("import of another run of that name: error %v, want ErrConflict", err)
	}
	same(t, o.Store, away, "run")
}

// testImport brings a run that was made elsewhere into the backend.
func testImport(t *testing.T, o Opened) {
	t.Helper()
	elsewhere := NewMemory()
	_, records := Account(t, elsewhere, "run", journal.StatusRolledBack, journal.Started{Version: "1"})
	var out bytes.Buffer
	if _, err := journal.Export(t.Context(), elsewhere, nil, &out); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, o.Store, records[:2]...) // an earlier part of the same run
	done, err := journal.Import(t.Context(), o.Store, bytes.NewReader(out.Bytes()))
	if err != nil || len(done) != 1 || done[0].Added != len(records)-2 {
		t.Fatalf("imported %+v, error %v", done, err)
	}
	same(t, elsewhere, o.Store, "run")
	if runs, err := o.Store.Runs(t.Context()); err != nil || len(runs) != 1 || runs[0].Status != journal.StatusRolledBack {
		t.Errorf("runs %v, error %v", runs, err)
	}
}

// same verifies a run in two journals and compares its records.
func same(t *testing.T, a, b journal.Store, run string) {
	t.Helper()
	for _, store := range []journal.Store{a, b} {
		if found, err := journal.Verify(t.Context(), store, run); err != nil || len(found.Archives) != 1 {
			t.Errorf("run %s: %+v, error %v", run, found, err)
		}
	}
	one, err := a.Records(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Records(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("run %s differs:\n%s", run, diff)
	}
}
