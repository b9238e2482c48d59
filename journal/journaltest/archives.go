package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/journal"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func testArchive(t *testing.T, o Opened) {
	t.Helper()
	values := []json.RawMessage{
		json.RawMessage(`{"b":1,"a":"<x>"}`), json.RawMessage(`9007199254740993`), json.RawMessage(`null`),
		json.RawMessage(`"line\nbreak\u2028"`), json.RawMessage(`1.10`), json.RawMessage(`[{"z":{}}, []]`),
	}
	ref := archive(t, o.Store, values)
	if ref.Items != int64(len(values)) || !strings.HasPrefix(ref.Name, "run/3/documents-") {
		t.Errorf("reference %+v", ref)
	}
	got := readAll(t, o.Store, ref)
	if len(got) != len(values) {
		t.Fatalf("%d values, want %d", len(got), len(values))
	}
	for i := range values {
		want, err := journal.Canonical(values[i])
		if err != nil {
			t.Fatal(err)
		}
		if string(got[i]) != string(want) {
			t.Errorf("value %d is %s, want %s", i, got[i], want)
		}
	}
	if other := archive(t, o.Store, values); other.Name == ref.Name {
		t.Errorf("two archives are both called %s", ref.Name)
	}
	for _, err := range o.Store.Archives().Read(t.Context(), journal.ArchiveRef{}) {
		t.Errorf("the zero reference gave a value or error %v", err)
	}
}

// BigArchive is how many bytes the big archive of the suite has.
const BigArchive = 6 << 20

func testBigArchive(t *testing.T, o Opened) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // test content, seeded to be the same each time
	writer, err := o.Store.Archives().Create(t.Context(), "run", "1", "documents")
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{}
	for total := 0; total < BigArchive; {
		size := random.IntN(40_000)
		if len(sizes) == 3 {
			size = 3 << 20 // larger than a chunk
		}
		if err := writer.Write(t.Context(), json.RawMessage(fmt.Sprintf(`{"n":%d,"text":%q}`, len(sizes), noise(random, size)))); err != nil {
			t.Fatal(err)
		}
		sizes, total = append(sizes, size), total+size
	}
	ref, err := writer.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store := o.Store
	if o.Reopen != nil {
		store = o.Reopen(t)
	}
	n := 0
	for value, err := range store.Archives().Read(t.Context(), ref) {
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			N    int
			Text string
		}
		if err := json.Unmarshal(value, &got); err != nil {
			t.Fatal(err)
		}
		if got.N != n || len(got.Text) != sizes[n] {
			t.Fatalf("value %d is number %d with %d bytes, want %d", n, got.N, len(got.Text), sizes[n])
		}
		n++
	}
	if n != len(sizes) || ref.Items != int64(n) {
		t.Errorf("%d values read, %d in the reference, %d written", n, ref.Items, len(sizes))
	}
}

func noise(random *rand.Rand, size int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, size)
	for i := range b {
		b[i] = letters[random.IntN(len(letters))]
	}
	return string(b)
}

func testAbandoned(t *testing.T, o Opened) {
	t.Helper()
	writer, err := o.Store.Archives().Create(t.Context(), "run", "1", "documents")
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(t.Context(), json.RawMessage(`{"a":`)); !errors.Is(err, journal.ErrInvalid) {
		t.Errorf("half a value: error %v, want ErrInvalid", err)
	}
	if err := writer.Write(t.Context(), json.RawMessage(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	ref, err := writer.Close(t.Context())
	if err != nil || ref.Items != 1 {
		t.Errorf("reference %+v, error %v, want the one whole value", ref, err)
	}
	if err := writer.Write(t.Context(), json.RawMessage(`1`)); err == nil {
		t.Error("a closed archive took a value")
	}
	if _, err := writer.Close(t.Context()); err == nil {
		t.Error("an archive was closed twice")
	}
	ghost := journal.ArchiveRef{Name: "run/1/ghost", Items: 1, Bytes: 2, SHA256: strings.Repeat("0", 64)}
	wantDamaged(t, o.Store, ghost)
}

func testArchiveDamage(t *testing.T, o Opened) {
	t.Helper()
	ref := archive(t, o.Store, []json.RawMessage{json.RawMessage(`{"a":1}`), json.RawMessage(`{"a":2}`)})
	for name, change := range map[string]func([]byte) []byte{
		"garbled": garble,
		"cut":     func(b []byte) []byte { return b[:len(b)-1] },
		"longer":  func(b []byte) []byte { return append(b, '\n') },
		"empty":   func([]byte) []byte { return []byte{} },
	} {
		for _, part := range []string{"/1", "/manifest"} {
			var original []byte
			o.DamageBlobs(t, func(blob string, data []byte) []byte {
				if blob != ref.Name+part {
					return data
				}
				original = append([]byte(nil), data...)
				return change(data)
			})
			if original == nil {
				t.Fatalf("no blob called %s%s", ref.Name, part)
			}
			t.Logf("%s %s", name, part)
			wantDamaged(t, o.Store, ref)
			o.DamageBlobs(t, func(blob string, data []byte) []byte {
				if blob != ref.Name+part {
					return data
				}
				return original
			})
		}
	}
	if got := readAll(t, o.Store, ref); len(got) != 2 {
		t.Errorf("%d values, want 2", len(got))
	}
}

func testArchiveRef(t *testing.T, o Opened) {
	t.Helper()
	one := archive(t, o.Store, []json.RawMessage{json.RawMessage(`1`)})
	two := archive(t, o.Store, []json.RawMessage{json.RawMessage(`2`)})
	mixed := one
	mixed.SHA256 = two.SHA256
	wantDamaged(t, o.Store, mixed)
	counted := one
	counted.Items++
	wantDamaged(t, o.Store, counted)
}

func archive(t *testing.T, store journal.Store, values []json.RawMessage) journal.ArchiveRef {
	t.Helper()
	writer, err := store.Archives().Create(t.Context(), "run", "3", "documents")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		if err := writer.Write(t.Context(), value); err != nil {
			t.Fatal(err)
		}
	}
	ref, err := writer.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func readAll(t *testing.T, store journal.Store, ref journal.ArchiveRef) []json.RawMessage {
	t.Helper()
	var values []json.RawMessage
	for value, err := range store.Archives().Read(t.Context(), ref) {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

// wantDamaged checks that reading gives no value and one ErrDamaged.
func wantDamaged(t *testing.T, store journal.Store, ref journal.ArchiveRef) {
	t.Helper()
	n := 0
	for value, err := range store.Archives().Read(t.Context(), ref) {
		n++
		if !errors.Is(err, journal.ErrDamaged) || value != nil {
			t.Errorf("value %s, error %v, want ErrDamaged", value, err)
		}
	}
	if n != 1 {
		t.Errorf("%d answers, want one error", n)
	}
}
