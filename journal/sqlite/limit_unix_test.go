//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// The variables by which a test tells a process of its own what to be like.
const (
	envPath  = "BACKSTEP_TEST_JOURNAL"
	envUmask = "BACKSTEP_TEST_UMASK"
	envLimit = "BACKSTEP_TEST_FSIZE"
)

// TestWorkInAProcessOfItsOwn does the workload in a process with another umask
// or a limit to the size of its files. The tests below start it.
func TestWorkInAProcessOfItsOwn(t *testing.T) { //nolint:paralleltest // it changes the process
	path := os.Getenv(envPath)
	if path == "" {
		t.Skip("started by other tests")
	}
	if mask := os.Getenv(envUmask); mask != "" {
		n, err := strconv.ParseInt(mask, 8, 32)
		must(t, err)
		syscall.Umask(int(n))
	}
	if limit := os.Getenv(envLimit); limit != "" {
		n, err := strconv.ParseUint(limit, 10, 64)
		must(t, err)
		signal.Ignore(syscall.SIGXFSZ)
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}))
	}
	p := work(t.Context(), path, journaltest.Chain(t, "run", 7), func(p progress) {
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			if got := mode(t, name); got != 0o600 {
				t.Errorf("mode of %s is %o", filepath.Base(name), got)
			}
		}
	})
	if p.err != nil && !typed(p.err) {
		t.Errorf("an error without a type: %v", p.err)
	}
	t.Logf("acked=%d. full=%v", p.acked, errors.Is(p.err, journal.ErrIO) || errors.Is(p.err, journal.ErrFull))
}

// process does the workload in a process of its own and gives what it logged.
func process(ctx context.Context, t *testing.T, path, variable, value string) string {
	t.Helper()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWorkInAProcessOfItsOwn$", "-test.v")
	c.Env = append(os.Environ(), envPath+"="+path, variable+"="+value)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s=%s: %v\n%s", variable, value, err, out)
	}
	return string(out)
}

func TestAFileThatMayNotGrowLosesNothingThatWasDurable(t *testing.T) {
	t.Parallel()
	records := journaltest.Chain(t, "run", 7)
	refused := 0
	for limit := 1_000; limit < 100_000; limit += every(12) * 1_111 {
		path := filepath.Join(t.TempDir(), "journal.db")
		out := process(t.Context(), t, path, envLimit, strconv.Itoa(limit))
		acked := 0
		for n := range len(records) + 1 {
			if strings.Contains(out, "acked="+strconv.Itoa(n)+".") {
				acked = n
			}
		}
		if strings.Contains(out, "full=true") {
			refused++
		}
		check(t, path, records, progress{acked: acked, tried: len(records)}, false)
		if t.Failed() {
			t.Fatalf("limit %d: %s", limit, out)
		}
	}
	if refused == 0 {
		t.Error("no write was ever refused")
	}
}

func TestFilesAndFoldersAreTheirOwnersAloneWhateverTheUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "077", "777", "277"} {
		root := t.TempDir()
		path := filepath.Join(root, "a", "b", "journal.db")
		process(t.Context(), t, path, envUmask, umask)
		for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Join(root, "a"): 0o700} {
			if got := mode(t, name); got != want {
				t.Errorf("umask %s: mode of %s is %o, want %o", umask, filepath.Base(name), got, want)
			}
		}
	}
}

func TestWhatLiesBesideAJournalIsClosedToOthers(t *testing.T) {
	t.Parallel()
	files, _ := cutOff(t, journaltest.Chain(t, "run", 7))
	path := filepath.Join(t.TempDir(), "journal.db")
	must(t, os.WriteFile(path, files["journal.db"], 0o600))
	must(t, os.WriteFile(path+"-wal", files["journal.db-wal"], 0o600))
	must(t, os.Chmod(path+"-wal", 0o664))
	open(t, path)
	if got := mode(t, path+"-wal"); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}
