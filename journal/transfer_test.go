package journal_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// exported gives an export of two runs with archives, one of which points at
// the other's.
func exported(tb testing.TB) []byte {
	tb.Helper()
	store := journaltest.NewMemory()
	ref, _ := journaltest.Account(tb, store, "up", journal.StatusApplied, journal.Started{Version: "1", Direction: "up"})
	step, err := journal.Canonical(map[string]any{"kind": "restore", "archive": ref})
	if err != nil {
		tb.Fatal(err)
	}
	journaltest.Account(tb, store, "down", journal.StatusRolledBack, journal.Started{
		Version: "1", Direction: "down", Operations: []journal.Planned{{ID: "1", Step: step}},
	})
	var out bytes.Buffer
	if _, err := journal.Export(tb.Context(), store, nil, &out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// checkWhole verifies everything that a journal lists.
func checkWhole(tb testing.TB, store journal.Store) int {
	tb.Helper()
	runs, err := store.Runs(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, run := range runs {
		if _, err := journal.Verify(tb.Context(), store, run.Run); err != nil {
			tb.Errorf("run %s: %v", run.Run, err)
		}
	}
	return len(runs)
}

// stride is how many places a test passes over, none where everything is asked for.
func stride(n int) int {
	if os.Getenv("BACKSTEP_CRASH") != "" {
		return 1
	}
	return n
}

func typedError(err error) bool {
	for _, kind := range []error{journal.ErrDamaged, journal.ErrVersion, journal.ErrConflict, journal.ErrSequence} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func TestAnExportIsReadFromAnySource(t *testing.T) {
	t.Parallel()
	data := exported(t)
	for name, in := range map[string]io.Reader{
		"whole": bytes.NewReader(data), "byte by byte": iotest.OneByteReader(bytes.NewReader(data)), "with its end": iotest.DataErrReader(bytes.NewReader(data)),
	} {
		store := journaltest.NewMemory()
		if done, err := journal.Import(t.Context(), store, in); err != nil || len(done) != 2 || done[1].Archives != 2 {
			t.Errorf("%s: %+v, error %v", name, done, err)
		}
		if n := checkWhole(t, store); n != 2 {
			t.Errorf("%s: %d runs", name, n)
		}
	}
	broken := errors.New("broken")
	if _, err := journal.Import(t.Context(), journaltest.NewMemory(), iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(data)))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("error %v, want the source's", err)
	}
	if _, err := journal.Import(t.Context(), journaltest.NewMemory(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v, want the source's", err)
	}
}

func TestAnExportThatIsCutOffImportsWholeRunsOnly(t *testing.T) {
	t.Parallel()
	data := exported(t)
	runs := map[int]bool{}
	for end := 0; end < len(data); end += stride(11) {
		store := journaltest.NewMemory()
		done, err := journal.Import(t.Context(), store, bytes.NewReader(data[:end]))
		if !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("cut off after %d bytes: error %v, want ErrDamaged", end, err)
		}
		n := checkWhole(t, store)
		if n != len(done) {
			t.Fatalf("cut off after %d bytes: %d runs are there, %d are told", end, n, len(done))
		}
		runs[n] = true
	}
	if !runs[0] || !runs[1] {
		t.Error("no cut was between the runs")
	}
}

func TestAnyByteOfAnExportChangedIsNoticed(t *testing.T) {
	t.Parallel()
	data := exported(t)
	flips := []byte{1, 0x20, 0x80}
	for i := 0; i < len(data); i += stride(4) {
		changed := bytes.Clone(data)
		changed[i] ^= flips[i%len(flips)]
		store := journaltest.NewMemory()
		done, err := journal.Import(t.Context(), store, bytes.NewReader(changed))
		if !typedError(err) {
			t.Fatalf("byte %d of %q changed: error %v", i, data[max(0, i-20):min(len(data), i+20)], err)
		}
		if runs, err := store.Runs(t.Context()); err != nil || len(runs) != len(done) {
			t.Fatalf("byte %d changed: %d runs are there, %d are told", i, len(runs), len(done))
		}
	}
}

func TestLinesOfAnExportTakenAwayOrMovedAreNoticed(t *testing.T) {
	t.Parallel()
	lines := bytes.SplitAfter(exported(t), []byte("\n"))
	lines = lines[:len(lines)-1]
	try := func(what string, changed ...[]byte) {
		store := journaltest.NewMemory()
		if _, err := journal.Import(t.Context(), store, bytes.NewReader(bytes.Join(changed, nil))); !typedError(err) {
			t.Errorf("%s: error %v", what, err)
		}
		checkWhole(t, store)
	}
	for i := range lines {
		try("a line less", append(append([][]byte{}, lines[:i]...), lines[i+1:]...)...)
		try("a line twice", append(append([][]byte{}, lines[:i+1]...), lines[i:]...)...)
		if i > 0 {
			swapped := append([][]byte{}, lines...)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			try("two lines swapped", swapped...)
		}
	}
	foot := lines[len(lines)-1]
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte(`{"run"`)) {
			try("runs less", append(append([][]byte{}, lines[:i]...), foot)...)
		}
	}
	if _, err := journal.Import(t.Context(), journaltest.NewMemory(), strings.NewReader(`{"export":"backstep-journal","v":2}`+"\n")); !errors.Is(err, journal.ErrVersion) {
		t.Errorf("a newer form: error %v, want ErrVersion", err)
	}
}

func TestADamagedRunIsNotExported(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*journaltest.Memory){
		"record":  func(m *journaltest.Memory) { m.Damage("run", 2, func(b []byte) []byte { return b[1:] }) },
		"archive": func(m *journaltest.Memory) { m.DamageBlobs(func(_ string, b []byte) []byte { return b[1:] }) },
	} {
		store := journaltest.NewMemory()
		journaltest.Account(t, store, "run", journal.StatusApplied, journal.Started{})
		damage(store)
		if _, err := journal.Export(t.Context(), store, nil, io.Discard); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: error %v, want ErrDamaged", name, err)
		}
	}
	if _, err := journal.Export(t.Context(), journaltest.NewMemory(), []string{"none"}, io.Discard); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("an unknown run: error %v, want ErrNoRun", err)
	}
}

func TestAnImportMendsArchivesThatWereLost(t *testing.T) {
	t.Parallel()
	data := exported(t)
	full, bare := journaltest.NewMemory(), journaltest.NewMemory()
	if _, err := journal.Import(t.Context(), full, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"up", "down"} {
		records, err := full.Records(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		if err := bare.Append(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := journal.Verify(t.Context(), bare, "up"); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
	if done, err := journal.Import(t.Context(), bare, bytes.NewReader(data)); err != nil || done[0].Added != 0 {
		t.Errorf("%+v, error %v", done, err)
	}
	checkWhole(t, bare)
}

// FuzzImport imports whatever comes: what is taken verifies, and what is not is
// a typed error.
func FuzzImport(f *testing.F) {
	data := exported(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(`{"export":"backstep-journal","v":1}` + "\n" + `{"runs":0}` + "\n"))
	f.Add([]byte(`{"export":"backstep-journal","v":1}` + "\n" + `{"run":"x","records":1,"archives":0}` + "\n" + `{"record":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		store := journaltest.NewMemory()
		done, err := journal.Import(t.Context(), store, bytes.NewReader(data))
		if err != nil && !typedError(err) {
			t.Fatalf("untyped error %v", err)
		}
		if n := checkWhole(t, store); n != len(done) {
			t.Fatalf("%d runs are there, %d are told", n, len(done))
		}
	})
}
