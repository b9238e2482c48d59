package cmd_test

import (
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
// once, with the request unanswered. Either way it exits with 8 and the run
// resumes.
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
		said := &spoken{}
		c.Stderr = said
		noticed := []<-chan struct{}{said.hears("stopping at the next safe point"), said.hears("stopping at once")}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var ending error
		ended := make(chan struct{})
		go func() { defer close(ended); ending = c.Wait() }()
		if err := held.AwaitHits(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for i, signal := range signals {
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			await(t, noticed[i], ended, said) // the system makes one of two equal signals that wait
		}
		if len(signals) == 1 {
			held.Release()
		}
		<-ended
		var exit *exec.ExitError
		if !errors.As(ending, &exit) || exit.ExitCode() != cmd.ExitInterrupted {
			t.Fatalf("interrupted by %v: %v, want exit code %d\n%s", signals, ending, cmd.ExitInterrupted, said)
		}
		if !strings.Contains(said.String(), "next: backstep --dir "+v.dir+" resume") {
			t.Errorf("no next command:\n%s", said)
		}
		v.must(t, "resume")
		v.must(t, "up")
	}
}
