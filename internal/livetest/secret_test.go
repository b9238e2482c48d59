package livetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// listener is a test that remembers what it was told instead of failing.
type listener struct {
	testing.TB
	told []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

func TestTheKeyIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	drawn := "standard_" + strings.Repeat("0123456789abcdef", 4)
	for name, leave := range map[string]func(t *testing.T, dir string){
		"text":      leaving("log", "key="+livetest.Marker),
		"drawn key": leaving("log", "key="+drawn),
		"file name": leaving(livetest.Marker+".txt", ""),
		"compressed": func(t *testing.T, dir string) {
			t.Helper()
			encoder, err := zstd.NewWriter(nil)
			must(t, err)
			write(t, dir, "archive", string(encoder.EncodeAll([]byte(strings.Repeat("key-that-", 9)+livetest.Marker), nil)))
			must(t, encoder.Close())
		},
		"archive of a journal": func(t *testing.T, dir string) {
			t.Helper()
			store, err := sqlite.Open(t.Context(), filepath.Join(dir, "journal.db"))
			must(t, err)
			w, err := store.Archives().Create(t.Context(), "run", "1", "documents")
			must(t, err)
			must(t, w.Write(t.Context(), []byte(`"`+strings.Repeat("key-that-", 9)+livetest.Marker+`"`)))
			_, err = w.Close(t.Context())
			must(t, err)
			must(t, store.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "harmless", "key-that-nobody")
			l := &listener{TB: t}
			if n := livetest.SearchFiles(l, dir); n != 1 || len(l.told) > 0 {
				t.Errorf("%d files searched, found %q", n, l.told)
			}
			leave(t, dir)
			if livetest.SearchFiles(l, dir); len(l.told) == 0 {
				t.Error("the key was not found")
			}
		})
	}
	l := &listener{TB: t}
	livetest.Logger(l).Debug("request", "status", 200)
	if len(l.told) > 0 {
		t.Errorf("found in a harmless log: %q", l.told)
	}
	if livetest.Logger(l).Debug("request", "key", livetest.Marker); len(l.told) != 1 {
		t.Error("a log of the key was not found")
	}
}

func leaving(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		write(t, dir, name, text)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
