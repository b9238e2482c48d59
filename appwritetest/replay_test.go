package appwritetest_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/appwritetest/internal/replay"
)

// TestReplay holds the server against recorded exchanges with real ones, in the
// folder that BACKSTEP_RECORDINGS names, from the module's root if it is relative,
// or else in testdata/recordings. One recording: go test ./appwritetest -run 'TestReplay/1.9.6/legacy/doc_put$' -v
func TestReplay(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BACKSTEP_RECORDINGS")
	foreign := dir != ""
	if !foreign {
		dir = filepath.Join("testdata", "recordings")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir)
	}
	recordings, err := replay.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	known := knownDifferences(t)
	if !foreign {
		requireRecorded(t, known, recordings)
	}
	tally := tally{lines: make(map[string]*tallyLine)}
	t.Cleanup(func() { t.Log(tally.String()) })
	for _, rec := range recordings {
		t.Run(rec.Name(), func(t *testing.T) {
			t.Parallel()
			mismatches := playOnNewServer(t, rec)
			tally.add(rec, len(mismatches), known[rec.Name()])
			switch {
			case known[rec.Name()] && len(mismatches) == 0:
				t.Error("answers as recorded: take it off KNOWN_DIFFERENCES.md")
			case known[rec.Name()]:
				t.Logf("known difference, %d exchanges", len(mismatches))
			default:
				reportMismatches(t, rec, mismatches)
			}
		})
	}
}

// TestReplayOnDataFile does the same with a server that keeps its data in a file,
// for the newest recordings.
func TestReplayOnDataFile(t *testing.T) {
	t.Parallel()
	recordings, err := replay.Load(filepath.Join("..", "testdata", "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	known := knownDifferences(t)
	for _, rec := range recordings {
		if rec.Version != "1.9.6" || rec.Dialect != "legacy" || known[rec.Name()] {
			continue
		}
		t.Run(rec.Scenario, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "data.db")
			reportMismatches(t, rec, playOnNewServer(t, rec, appwritetest.Data(file)))
		})
	}
}

func playOnNewServer(t *testing.T, rec replay.Recording, opts ...appwritetest.Option) []replay.Mismatch {
	t.Helper()
	clock := replay.NewClock()
	opts = append(opts, appwritetest.Version(rec.Version), appwritetest.Clock(clock.Now))
	server := appwritetest.New(t, opts...)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	player := &replay.Player{
		Server: server, Worker: server.Worker(), Clock: clock,
		HTTP: &http.Client{Transport: transport},
	}
	mismatches, err := player.Play(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	return mismatches
}

// reportMismatches shows the first few: later ones often follow from them.
func reportMismatches(t *testing.T, rec replay.Recording, mismatches []replay.Mismatch) {
	t.Helper()
	const most = 8
	for i, mismatch := range mismatches {
		if i == most {
			t.Errorf("… and %d more", len(mismatches)-most)
			break
		}
		t.Errorf("%s %s", rec.Name(), mismatch)
	}
}

var knownLine = regexp.MustCompile("(?m)^- `([^`]+)`")

// knownDifferences reads the names of the recordings listed in KNOWN_DIFFERENCES.md.
func knownDifferences(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("KNOWN_DIFFERENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, match := range knownLine.FindAllStringSubmatch(string(text), -1) {
		names[match[1]] = true
	}
	return names
}

func requireRecorded(t *testing.T, known map[string]bool, recordings []replay.Recording) {
	t.Helper()
	for name := range known {
		if !slices.ContainsFunc(recordings, func(rec replay.Recording) bool { return rec.Name() == name }) {
			t.Errorf("KNOWN_DIFFERENCES.md lists %s, which is no recording", name)
		}
	}
}

// tally counts by version and dialect what was answered as recorded.
type tally struct {
	mu    sync.Mutex
	lines map[string]*tallyLine
}

type tallyLine struct {
	filesPassed, filesKnown, filesFailed int
	passed, failed                       int
}

func (t *tally) add(rec replay.Recording, mismatches int, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lines[rec.Version+" "+rec.Dialect]
	if line == nil {
		line = &tallyLine{}
		t.lines[rec.Version+" "+rec.Dialect] = line
	}
	switch {
	case mismatches == 0:
		line.filesPassed++
	case known:
		line.filesKnown++
	default:
		line.filesFailed++
	}
	line.failed += mismatches
	line.passed += len(rec.Exchanges) - mismatches
}

// String has one line for each version and dialect.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text strings.Builder
	text.WriteString("replayed recordings:\n")
	for _, name := range slices.Sorted(maps.Keys(t.lines)) {
		line := t.lines[name]
		fmt.Fprintf(&text, "%-15s files: %d passed, %d known to differ, %d failed; exchanges: %d passed, %d failed\n",
			name, line.filesPassed, line.filesKnown, line.filesFailed, line.passed, line.failed)
	}
	return text.String()
}
