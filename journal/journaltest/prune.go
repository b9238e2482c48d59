package journaltest

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/journal"
)

// Account appends a whole run that set data aside: started, intent with an
// archive, applied, finished as status. It gives the archive and the records.
func Account(tb testing.TB, store journal.Store, run string, status journal.Status, started journal.Started) (journal.ArchiveRef, []journal.Record) {
	tb.Helper()
	writer, err := store.Archives().Create(tb.Context(), run, "1", "documents")
	if err != nil {
		tb.Fatal(err)
	}
	for _, value := range []string{`{"$id":"a","run":"` + run + `"}`, `{"$id":"b"}`} {
		if err := writer.Write(tb.Context(), json.RawMessage(value)); err != nil {
			tb.Fatal(err)
		}
	}
	ref, err := writer.Close(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	before, err := journal.Canonical(map[string]any{"archive": ref})
	if err != nil {
		tb.Fatal(err)
	}
	if len(started.Operations) == 0 {
		started.Operations = []journal.Planned{{ID: "1", Step: json.RawMessage(`{"kind":"drop"}`)}}
	}
	at := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	var records []journal.Record
	var tail journal.Tail
	add := func(typ journal.Type, operation string, body any) {
		r, err := journal.NewRecord(tail, run, at.Add(time.Duration(tail.Seq)*time.Second), typ, operation, body)
		if err != nil {
			tb.Fatal(err)
		}
		records, tail = append(records, r), r.Next()
	}
	add(journal.RunStarted, "", started)
	add(journal.Intent, "1", journal.Intended{Before: before})
	add(journal.Applied, "1", journal.Observed{After: json.RawMessage(`{}`)})
	if status == journal.StatusRolledBack {
		add(journal.UndoIntent, journal.UndoID("1", 1), journal.UndoIntended{Steps: []json.RawMessage{json.RawMessage(`{"kind":"put"}`)}, Before: json.RawMessage("null")})
		add(journal.Undone, journal.UndoID("1", 1), journal.UndoObserved{})
	}
	if status != journal.StatusOpen {
		add(journal.RunFinished, "", journal.Finished{Status: status})
	}
	for _, r := range records {
		if err := store.Append(tb.Context(), r); err != nil {
			tb.Fatal(err)
		}
	}
	return ref, records
}

func testPrune(t *testing.T, o Opened) {
	t.Helper()
	pruner, ok := o.Store.(journal.Pruner)
	if !ok {
		t.Skip("this backend cannot remove runs")
	}
	gone, _ := Account(t, o.Store, "run", journal.StatusApplied, journal.Started{})
	kept, _ := Account(t, o.Store, "run2", journal.StatusApplied, journal.Started{})
	if err := pruner.Prune(t.Context(), "none"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("an unknown run: error %v, want ErrNoRun", err)
	}
	if err := pruner.Prune(t.Context(), "run"); err != nil {
		t.Fatal(err)
	}
	stores := []journal.Store{o.Store}
	if o.Reopen != nil {
		stores = append(stores, o.Reopen(t))
	}
	for _, store := range stores {
		if _, err := store.Records(t.Context(), "run"); !errors.Is(err, journal.ErrNoRun) {
			t.Errorf("records: error %v, want ErrNoRun", err)
		}
		wantDamaged(t, store, gone)
		if runs, err := store.Runs(t.Context()); err != nil || len(runs) != 1 || runs[0].Run != "run2" {
			t.Errorf("runs %v, error %v, want run2 only", runs, err)
		}
		if _, err := journal.Verify(t.Context(), store, "run2"); err != nil {
			t.Error(err)
		}
		if values := readAll(t, store, kept); len(values) != 2 {
			t.Errorf("%d values in the archive of the other run, want 2", len(values))
		}
		if begun, err := store.(journal.Pruner).Pruning(t.Context()); err != nil || len(begun) > 0 {
			t.Errorf("being removed: %v, error %v, want none", begun, err)
		}
	}
	if err := pruner.Prune(t.Context(), "run"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("a second time: error %v, want ErrNoRun", err)
	}
}

func testPlanAndPrune(t *testing.T, o Opened) {
	t.Helper()
	if _, ok := o.Store.(journal.Pruner); !ok {
		t.Skip("this backend cannot remove runs")
	}
	up := journal.Started{Version: "20260101000000", Direction: "up"}
	ref, _ := Account(t, o.Store, "taken-back", journal.StatusApplied, up)
	archive, err := journal.Canonical(map[string]any{"kind": "restore", "archive": ref})
	if err != nil {
		t.Fatal(err)
	}
	Account(t, o.Store, "down", journal.StatusApplied, journal.Started{
		Version: "20260101000000", Direction: "down", Operations: []journal.Planned{{ID: "1", Step: archive}},
	})
	Account(t, o.Store, "in-effect", journal.StatusApplied, up)
	Account(t, o.Store, "halted", journal.StatusHalted, journal.Started{Version: "20260102000000", Direction: "up"})
	Account(t, o.Store, "undone", journal.StatusRolledBack, journal.Started{Version: "20260102000000", Direction: "up"})
	runs, err := journal.PruneRuns(t.Context(), o.Store)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(runs, func(r journal.PruneRun) bool { return r.Run == "down" }); !slices.Equal(runs[i].Needs, []string{"taken-back"}) {
		t.Errorf("the down needs %v, want the run that it took back", runs[i].Needs)
	}
	now := runs[len(runs)-1].UpdatedAt.Add(time.Hour) // the machine's clock may be behind the accounts
	decisions, err := journal.PlanPrune(runs, now, journal.PrunePolicy{})
	if err != nil {
		t.Fatal(err)
	}
	removed, err := journal.Prune(t.Context(), o.Store, decisions)
	if want := []string{"undone", "down", "taken-back"}; err != nil || !slices.Equal(removed, want) {
		t.Errorf("removed %v, error %v, want %v", removed, err, want)
	}
	left, err := o.Store.Runs(t.Context())
	if err != nil || len(left) != 2 || left[0].Run != "in-effect" || left[1].Run != "halted" {
		t.Errorf("left %v, error %v", left, err)
	}
	for _, run := range left {
		if _, err := journal.Verify(t.Context(), o.Store, run.Run); err != nil {
			t.Error(err)
		}
	}
}
