package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// errBlobs is what faulty blobs fail with.
var errBlobs = errors.New("the blobs fail")

// faultyBlobs fails one of its calls in some way.
type faultyBlobs struct {
	journal.Blobs
	calls, at int
	hit       bool
	put       func(data []byte) (stored []byte, err error) // nil: nothing is stored
	get       func(data []byte) ([]byte, error)
}

func (f *faultyBlobs) Put(ctx context.Context, name string, data []byte) error {
	if f.calls++; f.calls != f.at || f.put == nil {
		return f.Blobs.Put(ctx, name, data)
	}
	f.hit = true
	stored, err := f.put(bytes.Clone(data))
	if stored != nil {
		err = errors.Join(err, f.Blobs.Put(ctx, name, stored))
	}
	return err
}

func (f *faultyBlobs) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := f.Blobs.Get(ctx, name)
	if f.calls++; err != nil || f.calls != f.at || f.get == nil {
		return data, err
	}
	f.hit = true
	return f.get(bytes.Clone(data))
}

// TestWhateverTheBlobsDoAnArchiveIsWholeOrAnError lets every call in turn fail,
// lie, lose or change what it was given.
func TestWhateverTheBlobsDoAnArchiveIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	lost := func([]byte) ([]byte, error) { return nil, nil }
	failed := func(data []byte) ([]byte, error) { return nil, errBlobs }
	keptAndFailed := func(data []byte) ([]byte, error) { return data, errBlobs }
	cut := func(data []byte) ([]byte, error) { return data[:len(data)/2], nil }
	empty := func([]byte) ([]byte, error) { return []byte{}, nil }
	flipped := func(data []byte) ([]byte, error) {
		data[len(data)/3] ^= 4
		return data, nil
	}
	for name, c := range map[string]struct{ put, get func([]byte) ([]byte, error) }{
		"put fails": {put: failed}, "put lies": {put: lost}, "put acts and fails": {put: keptAndFailed},
		"put is short": {put: cut}, "put garbles": {put: flipped}, "put empties": {put: empty},
		"get fails": {get: failed}, "get is short": {get: cut}, "get garbles": {get: flipped}, "get is empty": {get: empty},
	} {
		noticed := 0
		for at := 1; at <= 20; at++ {
			blobs := &faultyBlobs{Blobs: journaltest.NewMemory(), at: at, put: c.put, get: c.get}
			ref, err := writeNumbers(t.Context(), journal.NewArchives(blobs, 64))
			if err == nil {
				err = wantNumbers(t.Context(), journal.NewArchives(blobs, 64), ref)
			}
			switch {
			case err == nil && blobs.hit:
				t.Errorf("%s, call %d: unnoticed", name, at)
			case err != nil && !errors.Is(err, errBlobs) && !errors.Is(err, journal.ErrDamaged):
				t.Errorf("%s, call %d: error %v", name, at, err)
			case err != nil:
				noticed++
			}
		}
		if noticed < 6 {
			t.Errorf("%s: noticed %d times", name, noticed)
		}
	}
}

// every is n, or 1 where there is time for all of them.
func every(n int) int {
	if os.Getenv("BACKSTEP_SOAK") != "" {
		return 1
	}
	return n
}

// TestAnyByteOfAnArchiveChangedOrLostIsNoticed damages every blob at bytes all
// along it.
func TestAnyByteOfAnArchiveChangedOrLostIsNoticed(t *testing.T) {
	t.Parallel()
	memory := journaltest.NewMemory()
	ref, err := writeNumbers(t.Context(), journal.NewArchives(memory, 64))
	if err != nil {
		t.Fatal(err)
	}
	whole := memory.Stored()
	for name, data := range whole {
		for at := 0; at < len(data); at += every(5) {
			for way, change := range map[string]func([]byte) []byte{
				"changed": func(b []byte) []byte { b[at] ^= 0x21; return b },
				"cut off": func(b []byte) []byte { return b[:at] },
			} {
				memory.DamageBlobs(func(other string, b []byte) []byte {
					if other == name {
						return change(b)
					}
					return b
				})
				if err := wantNumbers(t.Context(), memory.Archives(), ref); !errors.Is(err, journal.ErrDamaged) {
					t.Fatalf("%s, byte %d %s: error %v, want ErrDamaged", name, at, way, err)
				}
				memory.DamageBlobs(func(other string, _ []byte) []byte { return bytes.Clone(whole[other]) })
			}
		}
	}
}

func writeNumbers(ctx context.Context, archives journal.Archives) (journal.ArchiveRef, error) {
	w, err := archives.Create(ctx, "run", "1", "numbers")
	if err != nil {
		return journal.ArchiveRef{}, err
	}
	for n := range 30 {
		if err := w.Write(ctx, json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))); err != nil {
			return journal.ArchiveRef{}, err
		}
	}
	return w.Close(ctx)
}

func wantNumbers(ctx context.Context, archives journal.Archives, ref journal.ArchiveRef) error {
	n := 0
	for value, err := range archives.Read(ctx, ref) {
		if err != nil {
			return err
		}
		if string(value) != fmt.Sprintf(`{"n":%d}`, n) {
			return fmt.Errorf("value %d is %s", n, value)
		}
		n++
	}
	if n != 30 {
		return fmt.Errorf("%d values", n)
	}
	return nil
}
