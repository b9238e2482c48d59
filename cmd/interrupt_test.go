package cmd_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
)

// TestInterruptStopsAtASafePoint interrupts the real binary while a request is
// under way: once, by Ctrl-C, by a CI that cancels (SIGTERM) or by a terminal
// that is closed (SIGHUP), it lets the request end and stops; twice, it stops at
// once. Either way it exits with 8 and the run resumes.
func TestInterruptStopsAtASafePoint(t *testing.T) {
	t.Parallel()
	binary := buildBinary(t)
	for _, signals := range [][]os.Signal{{os.Interrupt}, {syscall.SIGTERM}, {syscall.SIGHUP}, {os.Interrupt, os.Interrupt}, {syscall.SIGTERM, os.Interrupt}} {
		if signals[0] == syscall.SIGHUP && signal.Ignored(syscall.SIGHUP) {
			t.Log("the tests run under nohup, which the program respects")
			continue
		}
		v := newVictim(t, binary, killMigrations()[:1])
		held := v.server.Inject(appwritetest.Fault{
			Match:  appwritetest.Match{Method: http.MethodPost, Path: "/*/" + v.space.ID("shop") + "/*/products/*"},
			Times:  1,
			Action: appwritetest.HoldThenAct(),
		})
		c := v.command(t.Context(), "up")
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if err := held.AwaitHits(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for _, signal := range signals {
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
		if len(signals) == 1 {
			held.Release()
		}
		var exit *exec.ExitError
		if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != cmd.ExitInterrupted {
			t.Fatalf("interrupted by %v: %v, want exit code %d\n%s", signals, err, cmd.ExitInterrupted, &stderr)
		}
		if !strings.Contains(stderr.String(), "next: backstep --dir "+v.dir+" resume") {
			t.Errorf("no next command:\n%s", &stderr)
		}
		v.must(t, "resume")
		v.must(t, "up")
	}
}
