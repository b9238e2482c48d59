package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

func TestCanonicalHasOneFormAndKeepsNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{ "b" : 1, "a" : { "d":2, "c":[ 1 , 2 ] } }`: `{"a":{"c":[1,2],"d":2},"b":1}`,
		`"<a href='x'>&"`:                   `"<a href='x'>&"`,
		`9223372036854775807`:               `9223372036854775807`,
		`1.10e+300`:                         `1.10e+300`,
		`0.1000000000000000055511151231257`: `0.1000000000000000055511151231257`,
		`"\u00e9"`:                          `"é"`,
		``:                                  `null`,
	} {
		got, err := journal.Canonical(json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s became %s, error %v, want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{`{`, `1 2`, `nul`, `{"a":}`} {
		if _, err := journal.Canonical(json.RawMessage(bad)); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", bad, err)
		}
	}
	if _, err := journal.Canonical(func() {}); !errors.Is(err, journal.ErrInvalid) {
		t.Errorf("a function: error %v, want ErrInvalid", err)
	}
}

func TestArchiveRefsAreFoundWhereverTheyAre(t *testing.T) {
	t.Parallel()
	sum := string(bytes.Repeat([]byte("0"), 64))
	value := `{"before":{"z":[{"name":"r/1/b","items":1,"bytes":2,"sha256":"` + sum + `"}],"a":{"name":"r/1/a","items":0,"bytes":0,"sha256":"` + sum + `"},` +
		`"no":{"name":"x","items":1,"bytes":1,"sha256":"` + sum + `","more":1},"zero":{"name":"","items":0,"bytes":0,"sha256":""}},"t":"name"}`
	refs := journal.ArchiveRefs(json.RawMessage(value))
	if len(refs) != 2 || refs[0].Name != "r/1/a" || refs[1].Name != "r/1/b" {
		t.Errorf("references %v", refs)
	}
}

func TestVerifyNamesTheRecordOfALostArchive(t *testing.T) {
	t.Parallel()
	store := journaltest.NewMemory()
	writer, err := store.Archives().Create(t.Context(), "run", "1", "documents")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(t.Context(), json.RawMessage(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	ref, err := writer.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, err := journal.Canonical(map[string]any{"archive": ref})
	if err != nil {
		t.Fatal(err)
	}
	records := chain(t, []entry{{journal.Intent, "1", journal.Intended{Before: before}}})
	if err := store.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	verification, err := journal.Verify(t.Context(), store, "run")
	if err != nil || verification.Records != 2 || len(verification.Archives) != 1 {
		t.Errorf("verification %+v, error %v", verification, err)
	}
	store.DamageBlobs(func(_ string, data []byte) []byte { return data[1:] })
	_, err = journal.Verify(t.Context(), store, "run")
	if named, ok := errors.AsType[*journal.RecordError](err); !ok || named.Seq != 2 || !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged of record 2", err)
	}
}

// garbling stores something else than it is given.
type garbling struct{ *journaltest.Memory }

func (g garbling) Put(ctx context.Context, name string, data []byte) error {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	return g.Memory.Put(ctx, name, data)
}

func TestAnArchiveThatWasNotKeptIsNoticedBeforeAnythingRefersToIt(t *testing.T) {
	t.Parallel()
	writer, err := journal.NewArchives(garbling{journaltest.NewMemory()}, 0).Create(t.Context(), "run", "1", "documents")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(t.Context(), json.RawMessage(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if ref, err := writer.Close(t.Context()); !errors.Is(err, journal.ErrDamaged) || ref != (journal.ArchiveRef{}) {
		t.Errorf("reference %+v, error %v, want ErrDamaged", ref, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range journaltest.Chain(f, "run", 5) {
		data, err := r.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`{"v":1,"body":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := journal.Decode(data)
		if err != nil {
			if !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, journal.ErrVersion) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%s decodes to a record that encodes to %s, error %v", data, again, err)
		}
	})
}

// FuzzFold folds sequences of well-made records drawn from bytes: whatever is
// accepted keeps the rules that recovery builds on.
func FuzzFold(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 20})
	f.Add([]byte{0, 4, 8, 5, 9, 21})
	f.Fuzz(func(t *testing.T, data []byte) {
		entries := []entry{
			intent("1"), applied("1"), intent("2"), applied("2"), undoIntent("1/undo/1", 2), undoIntent("1/undo/2", 0),
			undoIntent("2/undo/1", 1), undone("1"), undone("1/undo/1"), undone("1/undo/2"), undone("2"), undone("2/undo/1"),
			finished("applied"), finished("rolled_back"), finished("halted"), finished("open"),
		}
		state, err := journal.Fold(chain(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range data[:min(len(data), 40)] {
			e := entries[int(b)%len(entries)]
			r, err := journal.NewRecord(state.Tail, "run", at, e.typ, e.operation, e.body)
			if err != nil {
				t.Fatal(err)
			}
			final, tail := state.Status.Final(), state.Tail
			if err := state.Add(r); err != nil {
				if !errors.Is(err, journal.ErrSequence) || state.Tail != tail {
					t.Fatalf("error %v, tail %v", err, state.Tail)
				}
				continue
			}
			if final {
				t.Fatalf("%s %s after the end", e.typ, e.operation)
			}
			checkRules(t, state)
		}
	})
}

// checkRules checks a state of the plan of two operations.
func checkRules(t *testing.T, s journal.State) {
	t.Helper()
	one, two := s.Operations[0].Phase, s.Operations[1].Phase
	if two != journal.PhasePlanned && two != journal.PhaseUndone && one != journal.PhaseApplied {
		t.Fatalf("operation 2 is %s while 1 is %s", two, one)
	}
	if s.Status == journal.StatusRolledBack && (one == journal.PhaseApplied || two == journal.PhaseApplied || one == journal.PhaseIntended || two == journal.PhaseIntended) {
		t.Fatalf("rolled back with %s, %s", one, two)
	}
	if s.Status == journal.StatusApplied && (one != journal.PhaseApplied || two != journal.PhaseApplied) {
		t.Fatalf("applied with %s, %s", one, two)
	}
	if (one == journal.PhaseUndoing || one == journal.PhaseUndone || two == journal.PhaseUndone) && !s.Undoing {
		t.Fatal("undone without undoing")
	}
}
