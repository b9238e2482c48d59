package livetest_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/backstep-dev/backstep/appwrite"
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
			write(t, dir, "archive", string(compressed(t, strings.Repeat("key-that-", 9)+livetest.Marker)))
		},
		"export of a journal": func(t *testing.T, dir string) {
			t.Helper()
			write(t, dir, "export", `{"blob":"x","data":"`+base64.StdEncoding.EncodeToString(compressed(t, livetest.Marker))+`"}`)
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

func TestTheKeyIsFoundInAnythingThatAServerHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		found bool
	}{
		"harmless": {text: "key-that-nobody"},
		"text":     {text: `{"actor":"` + livetest.Marker + `"}`, found: true},
		"archive":  {text: base64.StdEncoding.EncodeToString(compressed(t, strings.Repeat("key-that-", 9)+livetest.Marker)), found: true},
		"base64":   {text: base64.StdEncoding.EncodeToString([]byte("  " + livetest.Marker)), found: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, "")
			space := livetest.NewSpace(t)
			client, err := appwrite.New(appwrite.Config{Endpoint: srv.Endpoint, Project: srv.Project, Key: srv.Key})
			must(t, err)
			journals := space.ID("journals")
			_, err = client.CreateDatabase(t.Context(), appwrite.Database{ID: journals, Name: "Journals", Enabled: true})
			must(t, err)
			_, err = client.CreateCollection(t.Context(), journals, appwrite.Collection{ID: "records", Name: c.text, Enabled: true})
			must(t, err)
			l := &listener{TB: t}
			if n := livetest.SearchServer(l, srv, space); n < 2 {
				t.Errorf("%d objects were searched", n)
			}
			if (len(l.told) > 0) != c.found {
				t.Errorf("it was told %q", l.told)
			}
		})
	}
}

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	must(t, err)
	defer encoder.Close()
	return encoder.EncodeAll([]byte(text), nil)
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
