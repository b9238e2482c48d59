package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// competing says how much TestKilledRunnersThatCompeteLoseAndDoubleNothing does.
type competing struct {
	kills, lanes int
	seed         uint64
}

func competingNow() competing {
	c := competing{kills: 24, lanes: 2, seed: 20261122}
	switch {
	case os.Getenv("BACKSTEP_SOAK") != "":
		c = competing{kills: 1000, lanes: 4, seed: uint64(time.Now().UnixNano())}
	case livetest.Live(), testing.Short():
		c.kills = 8
	}
	if text := os.Getenv("BACKSTEP_SEED"); text != "" {
		c.seed, _ = strconv.ParseUint(text, 10, 64)
	}
	return c
}

// TestKilledRunnersThatCompeteLoseAndDoubleNothing has two runners apply the
// same migrations at the same time, kills them with SIGKILL at random moments
// and stops them with SIGSTOP for longer than their lease, in turns, until each
// has once ended by itself. The server lives on. What it holds then is what one
// undisturbed run leaves; increments among the migrations, without allow_race,
// show an effect that is lost or doubled. With BACKSTEP_SOAK it is a thousand
// kills; BACKSTEP_SEED repeats one.
func TestKilledRunnersThatCompeteLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	c := competingNow()
	t.Logf("BACKSTEP_SEED=%d", c.seed)
	binary, migrations := buildBinary(t), competingMigrations()
	reference := newVictim(t, binary, migrations)
	reference.must(t, "up")
	want, whole := reference.snapshot(t), usualRun(t, binary, migrations)

	total, lanes := &tally{counts: map[string]int{}}, sync.WaitGroup{}
	for lane := range c.lanes {
		random := rand.New(rand.NewPCG(c.seed, uint64(lane)))
		lanes.Go(func() {
			for !t.Failed() && total.get("killed") < c.kills {
				contest := newContest(t, binary, migrations, random, whole, total)
				contest.run(t)
				if diff := cmp.Diff(want, contest.runners[0].snapshot(t)); diff != "" {
					t.Errorf("lane %d, after %s (-want +server):\n%s", lane, contest.story(), diff)
				}
				total.add("projects")
			}
		})
	}
	lanes.Wait()
	t.Logf("runs of about %s: %v; no effect was lost or doubled: %t", whole.Round(time.Millisecond), total.counts, !t.Failed())
}

// TestALeaseLostWhileTheJournalIsReadIsAnInterruption: whatever the server does
// not answer meanwhile is not to blame.
func TestALeaseLostWhileTheJournalIsReadIsAnInterruption(t *testing.T) {
	t.Parallel()
	if livetest.Live() {
		t.Skip("no fault here may hold up a real server")
	}
	v := newVictim(t, buildBinary(t), competingMigrations())
	v.must(t, "up", "--to", "20260101000001")
	v.configure(t, "lease: { ttl: 3s }\n")
	v.server.Inject(appwritetest.Fault{Match: appwritetest.Match{Method: "PATCH", Path: "/**/locks/**"}, Action: appwritetest.RefuseBefore()})
	v.server.Inject(appwritetest.Fault{Match: appwritetest.Match{Method: "GET", Path: "/**/migrations/**"}, Times: 1, Action: appwritetest.DelayBefore(6 * time.Second)})
	var stderr bytes.Buffer
	c := v.command(t.Context(), "up")
	c.Stderr = &stderr
	var exit *exec.ExitError
	if err := c.Run(); !errors.As(err, &exit) || exit.ExitCode() != cmd.ExitInterrupted || !strings.Contains(stderr.String(), "lease is lost") {
		t.Errorf("up ends with %v, not with exit code %d\n%s", err, cmd.ExitInterrupted, &stderr)
	}
}

// competingMigrations are those of the other kill test and some that count.
func competingMigrations() []string {
	list := killMigrations()
	list[1] = strings.ReplaceAll(list[1], ", allow_race: true", "")
	counting := func(create string, from, to int) string {
		var text strings.Builder
		text.WriteString("database: SHOP\nsteps:\n" + create)
		for i := from; i < to; i++ {
			fmt.Fprintf(&text, "  - increment: { collection: counters, id: all, attribute: n, by: %d }\n", 1<<i)
		}
		return text.String()
	}
	return slices.Insert(list, 2, counting(`  - create_collection: { id: counters, name: Counters }
  - create_attribute: { collection: counters, key: n, type: integer }
  - create_document: { collection: counters, id: all, data: { n: 0 } }
`, 0, 5), counting("", 5, 10))
}

// tally counts what has happened.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (y *tally) add(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.counts[what]++
}

func (y *tally) get(what string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.counts[what]
}

// contest is two runners for one project: on one machine, where the next knows
// at once that the one before was killed, or on two, where it has to see that.
type contest struct {
	runners [2]*victim
	blows   [2][]blow
	total   *tally
}

// blow is what a runner gets after a while.
type blow struct {
	after time.Duration
	stop  time.Duration // 0: it is killed; else stopped for so long
}

func newContest(t *testing.T, binary string, migrations []string, random *rand.Rand, whole time.Duration, total *tally) *contest {
	t.Helper()
	first := newVictim(t, binary, migrations)
	c := &contest{runners: [2]*victim{first, first.twin(t, migrations)}, total: total}
	apart := random.IntN(3) > 0
	for i, v := range c.runners {
		v.configure(t, "timeouts: { attempt: 30s, quarantine: 1s }\nlease: { ttl: 1s }\n")
		if apart {
			v.env = append(v.env, "TMPDIR="+t.TempDir())
		}
		for range 1 + random.IntN(4) {
			b := blow{after: time.Duration(random.Int64N(int64(whole)))}
			if random.IntN(4) == 0 {
				b.stop = time.Duration(500+random.IntN(1500)) * time.Millisecond
			}
			c.blows[i] = append(c.blows[i], b)
		}
	}
	return c
}

func (c *contest) story() string { return fmt.Sprintf("%+v", c.blows) }

// run lets both go on until each has ended by itself with nothing left to do.
func (c *contest) run(t *testing.T) {
	t.Helper()
	var both sync.WaitGroup
	for i, v := range c.runners {
		both.Go(func() {
			for _, b := range c.blows[i] {
				c.once(t, v, &b)
			}
			for tries := 0; !c.once(t, v, nil); tries++ {
				if tries == 100 || t.Failed() {
					t.Errorf("a runner does not come to an end after %s", c.story())
					return
				}
			}
		})
	}
	both.Wait()
}

// once starts `up` and gives it a blow. It reports whether all is applied.
func (c *contest) once(t *testing.T, v *victim, b *blow) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context()) // kills with SIGKILL
	defer cancel()
	command := v.command(ctx, "up", "--wait", "2s")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		t.Error(err)
		return false
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	killed := false
	running, err := c.strike(command, b, ended)
	if running && b.stop == 0 {
		killed = true
		cancel()
		running, err = false, <-ended
	}
	if running {
		err = <-ended
	}
	livetest.SearchBytes(t, "the output", stdout.Bytes())
	livetest.SearchBytes(t, "the log", stderr.Bytes())
	var exit *exec.ExitError
	switch {
	case killed:
		c.total.add("killed")
		return false
	case err == nil:
		c.total.add("ended by itself")
		return true
	case errors.As(err, &exit) && slices.Contains([]int{cmd.ExitLeaseHeld, cmd.ExitInterrupted}, exit.ExitCode()):
		c.total.add(fmt.Sprintf("exit %d", exit.ExitCode()))
		return false
	default:
		t.Errorf("up failed by itself: %v after %s\n%s", err, c.story(), &stderr)
		return false
	}
}

// strike waits for the moment of the blow and reports whether the command still
// runs. A command that is to be stopped goes on afterwards.
func (c *contest) strike(command *exec.Cmd, b *blow, ended <-chan error) (running bool, err error) {
	if b == nil {
		return false, <-ended
	}
	timer := time.NewTimer(b.after)
	defer timer.Stop()
	select {
	case err := <-ended:
		c.total.add("ended before")
		return false, err
	case <-timer.C:
	}
	if b.stop == 0 || command.Process.Signal(syscall.SIGSTOP) != nil {
		return true, nil
	}
	c.total.add("stopped")
	timer.Reset(b.stop)
	<-timer.C
	_ = command.Process.Signal(syscall.SIGCONT)
	return true, nil
}

// twin is the same project in another folder.
func (v *victim) twin(t *testing.T, migrations []string) *victim {
	t.Helper()
	other := &victim{dir: t.TempDir(), binary: v.binary, server: v.server, space: v.space, env: slices.Clone(v.env)}
	t.Cleanup(func() { livetest.SearchFiles(t, other.dir) })
	other.fill(t, migrations)
	return other
}

// configure writes the project file.
func (v *victim) configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, "backstep.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
