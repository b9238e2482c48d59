package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// spoken collects what a command says, and tells when it has said something.
type spoken struct {
	mu    sync.Mutex
	text  bytes.Buffer
	heard map[*regexp.Regexp]chan struct{}
}

// Write implements io.Writer.
func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	for pattern, heard := range s.heard {
		if pattern.Match(s.text.Bytes()) {
			close(heard)
			delete(s.heard, pattern)
		}
	}
	return len(p), nil
}

// String gives everything said so far.
func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// hears gives a channel that closes once the command has said it.
func (s *spoken) hears(pattern string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := make(chan struct{})
	if s.heard == nil {
		s.heard = map[*regexp.Regexp]chan struct{}{}
	}
	s.heard[regexp.MustCompile(pattern)] = heard
	return heard
}

// await waits until the command has said it, or has ended.
func await(t *testing.T, heard <-chan struct{}, ended <-chan struct{}, said *spoken) {
	t.Helper()
	select {
	case <-heard:
	case <-ended:
		select {
		case <-heard:
		default:
			t.Fatalf("the command ended without saying it:\n%s", said)
		}
	case <-t.Context().Done():
		t.Fatal("out of time")
	}
}

// start runs one command line in this process.
func (v *victim) start(t *testing.T, said *spoken, args ...string) (code *atomic.Int64, ended <-chan struct{}) {
	t.Helper()
	variables := map[string]string{}
	for _, pair := range v.env {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	code = &atomic.Int64{}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		streams := cmd.Streams{In: strings.NewReader(""), Out: said, Err: said}
		code.Store(int64(cmd.Execute(ctx, append(args, "--no-input", "-C", v.dir), streams,
			cmd.WithGetenv(func(name string) string { return variables[name] }))))
	}()
	t.Cleanup(func() { cancel(); <-done })
	return code, done
}

// impatient has a lease that is short, and still longer than a busy machine
// pauses.
const impatient = "lease: { ttl: 10s }\ntimeouts: { attempt: 30s, quarantine: 500ms }\n"

// A network that is gone for longer than the lease holds, with the journal in
// the project or in a file: the run stops, gets the lease again once the server
// is back, and goes on by itself.
func TestARunOutlivesANetworkThatIsGoneForLongerThanTheLease(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"remote", "file"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, "", killMigrations()[:1])
			v.configure(t, impatient)
			said := &spoken{}
			var begun atomic.Bool // from then on nothing gets through
			gone := v.server.Inject(appwritetest.Fault{
				Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool {
					if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/"+v.space.ID("shop")+"/") && strings.Contains(r.URL.Path, "/products/") {
						begun.Store(true)
					}
					return begun.Load()
				}},
				Action: appwritetest.RefuseBefore(),
			})
			cut := said.hears(`going on once the server can be reached`)
			code, ended := v.start(t, said, "up", "--journal", journal)
			await(t, cut, ended, said)
			gone.Remove()
			<-ended
			if code.Load() != cmd.ExitDone {
				t.Fatalf("exit code %d\n%s", code.Load(), said)
			}
			v.same(t, 1)
		})
	}
}

// same compares the project with one that nothing has disturbed.
func (v *victim) same(t *testing.T, migrations int) {
	t.Helper()
	undisturbed := newVictim(t, v.binary, killMigrations()[:migrations])
	said := &spoken{}
	code, ended := undisturbed.start(t, said, "up")
	<-ended
	if code.Load() != cmd.ExitDone {
		t.Fatalf("the undisturbed run exits with %d\n%s", code.Load(), said)
	}
	if diff := cmp.Diff(undisturbed.snapshot(t), v.snapshot(t)); diff != "" {
		t.Errorf("the project is not as it should be (-want +server):\n%s", diff)
	}
}

// A server that is stopped in mid-run and started again on what it had stored.
func TestARunOutlivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	if livetest.Live() {
		t.Skip("stops the server")
	}
	stored := filepath.Join(t.TempDir(), "server.db")
	first, err := appwritetest.Start(t.Context(), appwritetest.Data(stored), appwritetest.Key(livetest.Marker))
	if err != nil {
		t.Fatal(err)
	}
	v := newVictim(t, "", killMigrations()[:1])
	v.configure(t, "timeouts: { attempt: 30s, quarantine: 500ms }\n")
	v.env = append(v.env, "APPWRITE_ENDPOINT="+first.Endpoint(), "APPWRITE_PROJECT_ID="+first.Project())
	var stopping atomic.Bool // the run is not to get ahead of the stop
	held := first.Inject(appwritetest.Fault{
		Match: appwritetest.Match{
			Method: http.MethodPost, Path: "/*/" + v.space.ID("shop") + "/*/products/*",
			Where: func(*http.Request, []byte) bool { stopping.Store(true); return true },
		},
		Action: appwritetest.DropAfter(), Times: 1,
	})
	first.Inject(appwritetest.Fault{
		Match:  appwritetest.Match{Where: func(*http.Request, []byte) bool { return stopping.Load() }},
		Action: appwritetest.RefuseBefore(),
	})
	said := &spoken{}
	code, ended := v.start(t, said, "up")
	if err := held.AwaitHits(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(first.Endpoint(), "http://"), "/v1")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := appwritetest.Start(t.Context(), appwritetest.Data(stored), appwritetest.Key(livetest.Marker), appwritetest.Addr(address))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	<-ended
	if code.Load() != cmd.ExitDone {
		t.Fatalf("exit code %d\n%s", code.Load(), said)
	}
	v.server = &livetest.Server{Endpoint: second.Endpoint(), Project: second.Project(), Key: second.Key(), Embedded: second}
	v.same(t, 1)
}

// A runner is stopped (SIGSTOP, as a closed laptop stops it) for longer than its
// lease, with a request on its way. Another one takes over and finishes, and
// outlives that request. Woken, the first sends nothing more.
func TestAPausedRunnerSendsNothingWhenItWakes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "backstep")
	if err := os.Symlink(self, binary); err != nil { // see TestMain
		t.Fatal(err)
	}
	v := newVictim(t, binary, killMigrations()[:1])
	v.configure(t, "lease: { ttl: 6s }\ntimeouts: { attempt: 60s }\n")
	held := v.server.Inject(appwritetest.Fault{
		Match:  appwritetest.Match{Method: http.MethodPost, Path: "/*/" + v.space.ID("shop") + "/*/products/*"},
		Action: appwritetest.HoldThenAct(), Times: 1,
	})
	paused := v.command(t.Context(), "up")
	said := &spoken{}
	paused.Stdout, paused.Stderr = said, said
	if err := paused.Start(); err != nil {
		t.Fatal(err)
	}
	if err := held.AwaitHits(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	signal := func(s os.Signal) {
		t.Helper()
		if err := paused.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	// Only the paused one is to lose its lease, however busy the machine is.
	v.configure(t, "timeouts: { attempt: 60s, quarantine: 8s }\n")
	next := &spoken{}
	looks := next.hears(`quarantine`)
	code, ended := v.start(t, next, "up", "-v")
	await(t, looks, ended, next)
	held.Release() // it acts while the other one waits for it
	<-ended
	if code.Load() != cmd.ExitDone || !strings.Contains(next.String(), "without a sign of life for 6s") {
		t.Fatalf("the second runner: exit code %d\n%s", code.Load(), next)
	}
	var writes spoken
	v.server.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool {
			if r.Method != http.MethodGet {
				_, _ = fmt.Fprintf(&writes, "%s %s\n", r.Method, r.URL.Path)
			}
			return false
		}},
		Action: appwritetest.RefuseBefore(),
	})
	signal(syscall.SIGCONT)
	var exit *exec.ExitError
	if err := paused.Wait(); !errors.As(err, &exit) || exit.ExitCode() != cmd.ExitInterrupted {
		t.Errorf("the paused runner: %v, want exit code %d\n%s", err, cmd.ExitInterrupted, said)
	}
	if writes.String() != "" {
		t.Errorf("after it woke it sent\n%s\n%s", &writes, said)
	}
	if !strings.Contains(said.String(), "the lease is lost") {
		t.Errorf("it does not say why it stopped:\n%s", said)
	}
	v.same(t, 1)
}
