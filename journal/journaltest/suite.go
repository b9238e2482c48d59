package journaltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/journal"
)

// Backend is one kind of journal under test.
type Backend struct {
	// New opens a fresh, empty journal, closed when the test ends.
	New func(t *testing.T) Opened
}

// Opened is one journal under test.
type Opened struct {
	Store journal.Store
	// Reopen closes nothing; it opens the same journal again, as another
	// process would. nil when the backend forgets everything on Close.
	Reopen func(t *testing.T) journal.Store
	// Damage changes the stored bytes of one record behind the store's back.
	Damage func(t *testing.T, run string, seq int64, change func([]byte) []byte)
	// DamageBlobs changes the stored bytes of archives behind the store's back.
	DamageBlobs func(t *testing.T, change func(name string, data []byte) []byte)
}

// Run holds a backend to everything that the engine relies on.
func Run(t *testing.T, backend Backend) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Opened){
		"records come back as they were appended":            testRoundTrip,
		"an unknown run is ErrNoRun":                         testNoRun,
		"runs are listed in the order they began":            testRuns,
		"a stale tail is refused and stores nothing":         testStaleTail,
		"a run that exists cannot begin again":               testBeginAgain,
		"several records are stored all or none":             testAllOrNone,
		"a record that is not whole is refused":              testNotWhole,
		"of concurrent appenders one wins each place":        testConcurrent,
		"every damaged record is named":                      testDamage,
		"a record of another run is noticed":                 testSwapped,
		"a newer record version is refused":                  testNewerVersion,
		"another opener sees what was appended":              testReopen,
		"a cancelled context appends nothing":                testCancelled,
		"a closed journal says so":                           testClosed,
		"an archive gives back its values in order":          testArchive,
		"an archive of many chunks survives reopening":       testBigArchive,
		"an archive that was not closed is not there":        testAbandoned,
		"damage to an archive ends the walk before its data": testArchiveDamage,
		"a reference to another archive is refused":          testArchiveRef,
		"a run that is removed is gone with its archives":    testPrune,
		"what is still needed is kept":                       testPlanAndPrune,
		"an export carries runs and archives both ways":      testTransfer,
		"an import continues an earlier part of a run":       testImport,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, backend.New(t))
		})
	}
}

// Chain makes a run's first n records: run_started, then intent and applied in turn.
func Chain(tb testing.TB, run string, n int) []journal.Record {
	tb.Helper()
	at := time.Date(2026, 11, 21, 9, 30, 0, 123456789, time.UTC)
	started := journal.Started{Migration: "create_products", Version: "20261121093000", Direction: "up", Environment: "test"}
	for i := range (n + 1) / 2 {
		started.Operations = append(started.Operations, journal.Planned{
			ID: fmt.Sprint(i + 1), Step: json.RawMessage(`{"kind":"put","text":"<&>é 日本","n":12345678901234567890.10}`),
		})
	}
	records := []journal.Record{}
	tail := journal.Tail{}
	for i := range n {
		typ, operation, body := journal.RunStarted, "", any(started)
		switch {
		case i > 0 && i%2 == 1:
			typ, operation, body = journal.Intent, fmt.Sprint((i+1)/2), journal.Intended{Before: json.RawMessage(`{"was":1.0}`)}
		case i > 0:
			typ, operation, body = journal.Applied, fmt.Sprint(i/2), journal.Observed{After: json.RawMessage(`{"is":2}`)}
		}
		r, err := journal.NewRecord(tail, run, at.Add(time.Duration(i)*time.Second), typ, operation, body)
		if err != nil {
			tb.Fatal(err)
		}
		records, tail = append(records, r), r.Next()
	}
	return records
}

func testRoundTrip(t *testing.T, o Opened) {
	t.Helper()
	records := Chain(t, "run", 9)
	for _, r := range records {
		mustAppend(t, o.Store, r)
	}
	got, err := o.Store.Records(t.Context(), "run")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Errorf("records (-appended +read):\n%s", diff)
	}
	if _, err := journal.Fold(got); err != nil {
		t.Error(err)
	}
}

func testNoRun(t *testing.T, o Opened) {
	t.Helper()
	if _, err := o.Store.Records(t.Context(), "none"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("error %v, want ErrNoRun", err)
	}
	if runs, err := o.Store.Runs(t.Context()); err != nil || len(runs) != 0 {
		t.Errorf("runs %v, error %v, want none", runs, err)
	}
}

func testRuns(t *testing.T, o Opened) {
	t.Helper()
	b, a := Chain(t, "b", 3), Chain(t, "a", 1)
	mustAppend(t, o.Store, b[0])
	mustAppend(t, o.Store, a[0])
	mustAppend(t, o.Store, b[1:]...)
	runs, err := o.Store.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []journal.Summary{
		{
			Run: "b", Migration: "create_products", Version: "20261121093000", Direction: "up", Environment: "test",
			StartedAt: b[0].Time, UpdatedAt: b[2].Time, Records: 3, Status: journal.StatusOpen,
		},
		{
			Run: "a", Migration: "create_products", Version: "20261121093000", Direction: "up", Environment: "test",
			StartedAt: a[0].Time, UpdatedAt: a[0].Time, Records: 1, Status: journal.StatusOpen,
		},
	}
	if diff := cmp.Diff(want, runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func testStaleTail(t *testing.T, o Opened) {
	t.Helper()
	records := Chain(t, "run", 3)
	mustAppend(t, o.Store, records...)
	rival, err := journal.NewRecord(records[1].Next(), "run", time.Now(), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Append(t.Context(), rival); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail", err)
	}
	gap, err := journal.NewRecord(journal.Tail{Seq: 7, Hash: rival.Hash}, "run", time.Now(), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Append(t.Context(), gap); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail", err)
	}
	wantRecords(t, o.Store, 3)
}

func testBeginAgain(t *testing.T, o Opened) {
	t.Helper()
	first := Chain(t, "run", 1)
	mustAppend(t, o.Store, first...)
	if err := o.Store.Append(t.Context(), first...); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail", err)
	}
	wantRecords(t, o.Store, 1)
}

func testAllOrNone(t *testing.T, o Opened) {
	t.Helper()
	records := Chain(t, "run", 5)
	mustAppend(t, o.Store, records[0])
	if err := o.Store.Append(t.Context(), records[1], records[2], records[4]); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail", err)
	}
	wantRecords(t, o.Store, 1)
	mustAppend(t, o.Store, records[1:]...)
	wantRecords(t, o.Store, 5)
}

func testNotWhole(t *testing.T, o Opened) {
	t.Helper()
	record := Chain(t, "run", 1)[0]
	record.Body = json.RawMessage(`{"operations":[]}`)
	if err := o.Store.Append(t.Context(), record); !errors.Is(err, journal.ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
	if _, err := o.Store.Records(t.Context(), "run"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("error %v, want ErrNoRun", err)
	}
}

func testConcurrent(t *testing.T, o Opened) {
	t.Helper()
	const appenders, places = 8, 10
	mustAppend(t, o.Store, Chain(t, "run", 1)...)
	var group sync.WaitGroup
	wins := make([]int, appenders)
	for i := range appenders {
		group.Go(func() {
			for {
				records, err := o.Store.Records(t.Context(), "run")
				if err != nil || len(records) > places {
					return
				}
				r, err := journal.NewRecord(records[len(records)-1].Next(), "run", time.Now(), journal.RunFinished, "",
					journal.Finished{Status: journal.StatusHalted, Reason: fmt.Sprint(i)})
				if err != nil {
					t.Error(err)
					return
				}
				switch err := o.Store.Append(t.Context(), r); {
				case err == nil:
					wins[i]++
				case !errors.Is(err, journal.ErrTail):
					t.Errorf("error %v, want ErrTail", err)
					return
				}
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range wins {
		total += n
	}
	if records := wantRecords(t, o.Store, places+1); total != places || len(records) != places+1 {
		t.Errorf("%d appends succeeded for %d places", total, places)
	}
}

func testDamage(t *testing.T, o Opened) {
	t.Helper()
	records := Chain(t, "run", 5)
	mustAppend(t, o.Store, records...)
	for name, change := range map[string]func([]byte) []byte{
		"cut":    func(b []byte) []byte { return b[:len(b)/2] },
		"empty":  func([]byte) []byte { return []byte{} },
		"space":  func(b []byte) []byte { return append(b, ' ') },
		"edited": func(b []byte) []byte { return bytes.Replace(b, []byte(`"time":"2026`), []byte(`"time":"2025`), 1) },
		"field":  func(b []byte) []byte { return append([]byte(`{"a":1,`), b[1:]...) },
	} {
		for seq := int64(1); seq <= 5; seq++ {
			var original []byte
			o.Damage(t, "run", seq, func(b []byte) []byte { original = bytes.Clone(b); return change(b) })
			_, err := o.Store.Records(t.Context(), "run")
			named, ok := errors.AsType[*journal.RecordError](err)
			if !errors.Is(err, journal.ErrDamaged) || !ok || named.Run != "run" || named.Seq != seq {
				t.Errorf("%s record %d: error %v", name, seq, err)
			}
			if seq == 5 {
				next := Chain(t, "run", 6)[5]
				store := o.Store // which may know the end that it has written itself
				if o.Reopen != nil {
					store = o.Reopen(t)
				}
				if err := store.Append(t.Context(), next); !errors.Is(err, journal.ErrDamaged) {
					t.Errorf("append behind a %s record: error %v, want ErrDamaged", name, err)
				}
			}
			if runs, err := o.Store.Runs(t.Context()); err != nil || len(runs) != 1 || runs[0].Err == nil && (seq == 1 || seq == 5) {
				t.Errorf("%s record %d: runs %v, error %v", name, seq, runs, err)
			}
			o.Damage(t, "run", seq, func([]byte) []byte { return original })
		}
	}
	wantRecords(t, o.Store, 5)
}

func testSwapped(t *testing.T, o Opened) {
	t.Helper()
	mustAppend(t, o.Store, Chain(t, "one", 3)...)
	mustAppend(t, o.Store, Chain(t, "two", 3)...)
	other, err := Chain(t, "two", 2)[1].Encode()
	if err != nil {
		t.Fatal(err)
	}
	o.Damage(t, "one", 2, func([]byte) []byte { return other })
	_, err = o.Store.Records(t.Context(), "one")
	if named, ok := errors.AsType[*journal.RecordError](err); !errors.Is(err, journal.ErrDamaged) || !ok || named.Seq != 2 {
		t.Errorf("error %v, want ErrDamaged of record 2", err)
	}
}

func testNewerVersion(t *testing.T, o Opened) {
	t.Helper()
	mustAppend(t, o.Store, Chain(t, "run", 3)...)
	o.Damage(t, "run", 2, func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"v":1`), []byte(`"v":2,"x":0`), 1)
	})
	_, err := o.Store.Records(t.Context(), "run")
	if named, ok := errors.AsType[*journal.RecordError](err); !errors.Is(err, journal.ErrVersion) || !ok || named.Seq != 2 {
		t.Errorf("error %v, want ErrVersion of record 2", err)
	}
}

func testReopen(t *testing.T, o Opened) {
	t.Helper()
	if o.Reopen == nil {
		return
	}
	records := Chain(t, "run", 4)
	mustAppend(t, o.Store, records[:3]...)
	other := o.Reopen(t)
	wantRecords(t, other, 3)
	mustAppend(t, other, records[3])
	if err := o.Store.Append(t.Context(), records[3]); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail: the other opener has appended", err)
	}
	wantRecords(t, o.Store, 4)
}

func testCancelled(t *testing.T, o Opened) {
	t.Helper()
	ctx, cancel := contextOf(t)
	cancel()
	if err := o.Store.Append(ctx, Chain(t, "run", 1)...); err == nil {
		t.Error("no error")
	}
	if _, err := o.Store.Records(t.Context(), "run"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("error %v, want ErrNoRun", err)
	}
}

func testClosed(t *testing.T, o Opened) {
	t.Helper()
	if err := o.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.Store.Append(t.Context(), Chain(t, "run", 1)...); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("append: error %v, want ErrClosed", err)
	}
	if _, err := o.Store.Records(t.Context(), "run"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("records: error %v, want ErrClosed", err)
	}
	if _, err := o.Store.Runs(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("runs: error %v, want ErrClosed", err)
	}
}

func mustAppend(t *testing.T, store journal.Store, records ...journal.Record) {
	t.Helper()
	if err := store.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

// wantRecords gives the records of the run "run", which must be n.
func wantRecords(t *testing.T, store journal.Store, n int) []journal.Record {
	t.Helper()
	records, err := store.Records(t.Context(), "run")
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != n {
		t.Errorf("%d records, want %d", len(records), n)
	}
	return records
}

func garble(b []byte) []byte {
	b[len(b)/2] ^= 0x40
	return b
}
