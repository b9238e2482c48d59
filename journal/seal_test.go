package journal_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// TestAChunkIsHeldAgainstItsSum puts one archive's chunk, whole and of the same
// size, in another's place: nothing but its sum tells.
func TestAChunkIsHeldAgainstItsSum(t *testing.T) {
	t.Parallel()
	memory := journaltest.NewMemory()
	first, second := archiveOf(t, memory.Archives(), `{"n":1}`), archiveOf(t, memory.Archives(), `{"n":2}`)
	stored := memory.Stored()
	memory.DamageBlobs(func(name string, data []byte) []byte {
		if strings.HasPrefix(name, first.Name) && !strings.HasSuffix(name, "/manifest") {
			return stored[strings.Replace(name, first.Name, second.Name, 1)]
		}
		return data
	})
	for value, err := range memory.Archives().Read(t.Context(), first) {
		if !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("value %s, error %v, want ErrDamaged", value, err)
		}
	}
	if err := journal.CheckArchive(t.Context(), memory.Archives(), first); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
	if err := journal.CheckArchive(t.Context(), memory.Archives(), second); err != nil {
		t.Error(err)
	}
}

// lid is a sealer that keeps nothing secret.
type lid struct{ key byte }

func (x lid) Seal(plain []byte) ([]byte, error) {
	return append([]byte{x.key}, plain...), nil
}

func (x lid) Open(sealed []byte) ([]byte, error) {
	if sealed[0] != x.key {
		return nil, journal.ErrSealed
	}
	return sealed[1:], nil
}

// TestASealedArchiveIsCheckedWithoutBeingOpened damages an archive that nobody
// at hand can open.
func TestASealedArchiveIsCheckedWithoutBeingOpened(t *testing.T) {
	t.Parallel()
	memory := journaltest.NewMemory()
	sealing, err := journal.SealArchives(memory.Archives(), lid{'k'}, true)
	if err != nil {
		t.Fatal(err)
	}
	ref := archiveOf(t, sealing, `{"n":1}`)
	for _, archives := range []journal.Archives{memory.Archives(), sealing} {
		if err := journal.CheckArchive(t.Context(), archives, ref); err != nil {
			t.Error(err)
		}
	}
	for _, err := range memory.Archives().Read(t.Context(), ref) {
		if !errors.Is(err, journal.ErrSealed) {
			t.Errorf("error %v, want ErrSealed", err)
		}
	}
	memory.DamageBlobs(func(name string, data []byte) []byte {
		if !strings.HasSuffix(name, "/manifest") {
			data[len(data)-1] ^= 1
		}
		return data
	})
	for _, archives := range []journal.Archives{memory.Archives(), sealing} {
		if err := journal.CheckArchive(t.Context(), archives, ref); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("error %v, want ErrDamaged", err)
		}
	}
	if _, err := journal.SealArchives(nil, lid{'k'}, true); !errors.Is(err, journal.ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
}

func archiveOf(t *testing.T, archives journal.Archives, value string) journal.ArchiveRef {
	t.Helper()
	w, err := archives.Create(t.Context(), "run", "1", "documents")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), json.RawMessage(value)); err != nil {
		t.Fatal(err)
	}
	ref, err := w.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
