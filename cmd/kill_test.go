package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
)

// TestKilledRunsEndInTheRightState kills the real binary with SIGKILL at random
// moments, a hundred times (a thousand with BACKSTEP_SOAK, twenty on a real
// server), and has the next command finish or undo what was begun. The server lives on. What it holds in
// the end is compared with what an undisturbed run leaves.
func TestKilledRunsEndInTheRightState(t *testing.T) {
	t.Parallel()
	times := 100
	if os.Getenv("BACKSTEP_SOAK") != "" {
		times = 1000
	} else if livetest.Live() {
		times = 20
	}
	if testing.Short() {
		times = 10
	}
	seed := competingNow().seed
	t.Logf("BACKSTEP_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	binary := buildBinary(t)
	migrations := killMigrations()

	// What the project should hold after each number of migrations.
	var want []oracle.Snapshot
	reference := newVictim(t, binary, migrations)
	want = append(want, reference.snapshot(t))
	for i := range migrations {
		reference.must(t, "up", "--to", fmt.Sprintf("2026010100000%d", i+1))
		want = append(want, reference.snapshot(t))
	}
	whole := usualRun(t, binary, migrations)

	counts := map[string]int{}
	for i := range times {
		v := newVictim(t, binary, migrations)
		after := time.Duration(random.Int64N(int64(whole) * 11 / 10))
		killed := v.upAndKill(t, after)
		if !killed {
			counts["had finished"]++
		}
		if i%2 == 0 {
			v.must(t, "up") // resumes by default
			counts["resumed"]++
		} else {
			applied := v.rollBack(t)
			if diff := cmp.Diff(want[applied], v.snapshot(t)); diff != "" {
				t.Fatalf("kill %d after %s, rolled back to %d migrations (-want +server):\n%s", i, after, applied, diff)
			}
			v.must(t, "up")
			counts["rolled back"]++
		}
		if diff := cmp.Diff(want[len(migrations)], v.snapshot(t)); diff != "" {
			t.Fatalf("kill %d after %s (-want +server):\n%s", i, after, diff)
		}
	}
	t.Logf("%d kills within %s: %v; no effect was lost or doubled", times, whole.Round(time.Millisecond), counts)
}

// usualRun is how long an undisturbed `up` takes: the middle one of three, as
// most blows would come too late if the machine paused in the only one.
func usualRun(t *testing.T, binary string, migrations []string) time.Duration {
	t.Helper()
	took := make([]time.Duration, 3)
	for i := range took {
		v := newVictim(t, binary, migrations)
		started := time.Now()
		v.must(t, "up")
		took[i] = time.Since(started)
	}
	slices.Sort(took)
	return took[1]
}

// buildBinary builds the command under test as people run it.
func buildBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "backstep")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./backstep").CombinedOutput()
	if err != nil {
		t.Fatalf("build the binary: %v\n%s", err, out)
	}
	return binary
}

// killMigrations are a few migrations of every sort of step. Increments are
// among them: a doubled one shows. SHOP stands for the id of the database.
func killMigrations() []string {
	var attributes, documents strings.Builder
	for i := range 6 {
		fmt.Fprintf(&attributes, "  - create_attribute: { collection: orders, key: field%d, type: string, size: 40 }\n", i)
	}
	for i := range 8 {
		fmt.Fprintf(&documents, "  - create_document: { collection: products, id: p%d, data: { title: Product %d, stock: %d } }\n", i, i, i)
	}
	return []string{
		`database: SHOP
steps:
  - create_database: { id: SHOP, name: Shop }
  - create_collection: { id: products, name: Products }
  - create_attribute: { collection: products, key: title, type: string, size: 100, required: true }
  - create_attribute: { collection: products, key: stock, type: integer }
  - create_index: { collection: products, key: by_title, type: key, attributes: [title] }
` + documents.String(),
		`database: SHOP
steps:
  - create_collection: { id: orders, name: Orders }
` + attributes.String() + `  - increment: { collection: products, id: p1, attribute: stock, by: 10, allow_race: true }
  - update_document: { collection: products, id: p2, data: { title: Renamed } }
  - delete_document: { collection: products, id: p3 }
`,
		`database: SHOP
steps:
  - rename_attribute: { collection: products, key: title, new_key: name }
  - delete_attribute: { collection: products, key: stock }
  - delete_collection: { id: orders }
  - create_attribute: { collection: products, key: price, type: float, default: 1.5 }
`,
	}
}

// victim is a project folder with a server of its own, or a part of a real one.
type victim struct {
	dir    string
	binary string
	server *livetest.Server
	space  livetest.Space
	env    []string
}

func newVictim(t *testing.T, binary string, migrations []string) *victim {
	t.Helper()
	v := &victim{dir: t.TempDir(), binary: binary, space: livetest.NewSpace(t), server: livetest.Start(t, "")}
	v.env = append(os.Environ(), "NO_COLOR=1", "APPWRITE_ENDPOINT="+v.server.Endpoint,
		"APPWRITE_PROJECT_ID="+v.server.Project, "APPWRITE_API_KEY="+v.server.Key,
		"MIGRATIONS_DATABASE_ID="+v.space.ID("backstep"))
	t.Cleanup(func() { livetest.SearchFiles(t, v.dir) })
	v.fill(t, migrations)
	return v
}

// fill writes the project into the folder.
func (v *victim) fill(t *testing.T, migrations []string) {
	t.Helper()
	folder := filepath.Join(v.dir, "migrations")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for i, text := range migrations {
		path := filepath.Join(folder, fmt.Sprintf("2026010100000%d_m%d.yaml", i+1, i+1))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "SHOP", v.space.ID("shop"))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	timeouts := "timeouts: { attempt: 30s, quarantine: 250ms }\n" // what is read before a run is asked once only
	if livetest.Live() {
		timeouts = "timeouts: { attempt: 10s, quarantine: 2s }\n"
	}
	v.configure(t, timeouts)
}

func (v *victim) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, v.binary, append(args, "--no-input", "--verbose", "-C", v.dir)...)
	c.Env = v.env
	return c
}

func (v *victim) must(t *testing.T, args ...string) []byte {
	t.Helper()
	c := v.command(t.Context(), args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	searchStreams(t, &stdout, &stderr)
	if err != nil {
		t.Fatalf("backstep %s: %v\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.Bytes()
}

// upAndKill starts `up` and kills it after a while. It reports whether the
// command was still running.
func (v *victim) upAndKill(t *testing.T, after time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after) // kills with SIGKILL
	defer cancel()
	c := v.command(ctx, "up")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	searchStreams(t, &stdout, &stderr)
	if err == nil {
		return false
	}
	if ctx.Err() == nil {
		t.Fatalf("up failed by itself: %v\n%s", err, &stderr)
	}
	return true
}

// rollBack undoes an unfinished run, if there is one, and counts the
// migrations that are applied then.
func (v *victim) rollBack(t *testing.T) int {
	t.Helper()
	c := v.command(t.Context(), "rollback")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	searchStreams(t, &stdout, &stderr)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !strings.Contains(stderr.String(), "nothing to roll back")) {
		t.Fatalf("rollback: %v\n%s", err, &stderr)
	}
	var status struct {
		Result struct {
			Applied int `json:"applied"`
		} `json:"result"`
	}
	if err := json.Unmarshal(v.must(t, "status", "--format", "json"), &status); err != nil {
		t.Fatal(err)
	}
	return status.Result.Applied
}

// searchStreams looks for the API key in what a command that logs everything
// has written.
func searchStreams(t *testing.T, stdout, stderr *bytes.Buffer) {
	t.Helper()
	livetest.SearchBytes(t, "the output", stdout.Bytes())
	livetest.SearchBytes(t, "the log", stderr.Bytes())
}

// snapshot is what the project holds besides the history, with the databases
// called what they are on an embedded server.
func (v *victim) snapshot(t *testing.T) oracle.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	read, err := v.server.Read(ctx, v.space)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := oracle.Snapshot{}
	id := v.space.ID("shop")
	for path, object := range read {
		if !strings.HasPrefix(path, v.space.ID("backstep")) {
			snapshot[strings.Replace(path, id, "shop", 1)] = strings.ReplaceAll(object, id, "shop")
		}
	}
	return snapshot
}
