package cmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// outputVariable names a file that the backstep command of a script also
// writes its streams to, so that they can be searched for the marker.
const outputVariable = "BACKSTEP_TEST_OUTPUT"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"backstep": func() { os.Exit(backstep()) }, //nolint:forbidigo // it is a main
	})
}

// backstep is the real command line of this process, its streams copied.
func backstep() int {
	streams := cmd.SystemStreams()
	if path := os.Getenv(outputVariable); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		streams.Out = io.MultiWriter(streams.Out, f)
		streams.Err = io.MultiWriter(streams.Err, f)
	}
	return cmd.MainWith(streams)
}

// TestScripts runs every txtar script of testdata/script. `server [VERSION]`
// gives it an embedded server of its own, or the real one, and sets the
// variables. The condition [live] holds on a real server.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("..", "testdata", "script"),
		Setup: setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":   startServer,
			"fault":    injectFault,
			"edit":     editFile,
			"exits":    exitsWith,
			"lease":    holdLease,
			"worker":   commandWorker,
			"keep":     keepMatch,
			"request":  sendRequest,
			"readonly": readOnly,
		},
		Condition: func(name string) (bool, error) {
			if name != "live" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return livetest.Live(), nil
		},
		RequireExplicitExec: true,
	})
}

// scriptDatabases are the variables that scripts and their files name databases
// by, and what their ids are on an embedded server. On a real one they are made
// up and the databases removed.
func scriptDatabases() map[string]string {
	return map[string]string{"SHOP": "shop", "LATE": "late", "MAIN": "main", "PUBLIC": "Public", "MIGRATIONS_DATABASE_ID": "backstep"}
}

// setupScript gives a script its variables. In its files $SHOP and the like are
// replaced, as they are in its commands.
func setupScript(env *testscript.Env) error {
	tb := scriptTest(env.T())
	space := livetest.NewSpace(tb)
	ids := map[string]string{}
	for variable, name := range scriptDatabases() {
		ids[variable] = space.ID(name)
		env.Setenv(variable, ids[variable])
	}
	env.Setenv(outputVariable, filepath.Join(env.WorkDir, ".output"))
	env.Setenv("NO_COLOR", "1")
	env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
	repository, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	env.Setenv("REPOSITORY", repository)
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} { // HOME is elsewhere
		env.Setenv(name, goEnv(name))
	}
	s := &stage{tb: tb}
	env.Values[stageKey{}] = s
	env.Defer(func() {
		livetest.SearchFiles(tb, env.WorkDir)
		if s.server != nil { // the journal, locks and receipts are there
			livetest.SearchServer(tb, s.server, space)
		}
	})
	return expandFiles(env.WorkDir, ids)
}

// expandFiles replaces the variables given, and no others, in all files.
func expandFiles(dir string, variables map[string]string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := os.Expand(string(data), func(name string) string {
			if value, known := variables[name]; known {
				return value
			}
			return "$" + name
		})
		return os.WriteFile(path, []byte(text), 0o600)
	})
}

// stageKey is where a script keeps its stage.
type stageKey struct{}

// stage is the test that a script runs as, and the server that it started last.
type stage struct {
	tb     testing.TB
	server *livetest.Server
}

func stageOf(ts *testscript.TestScript) *stage {
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok {
		ts.Fatalf("the script has not been set up")
	}
	return s
}

// scriptTest is the test that a script runs as.
func scriptTest(t testscript.T) testing.TB {
	tb, ok := t.(testing.TB)
	if !ok {
		t.Fatal("the script is run by no test")
	}
	return tb
}

func startServer(ts *testscript.TestScript, _ bool, args []string) {
	version := "" // the latest, or what the real server runs
	if len(args) > 0 {
		version = args[0]
	}
	s := stageOf(ts)
	s.server = livetest.Start(s.tb, version, appwritetest.Project("shop"))
	ts.Setenv("APPWRITE_ENDPOINT", s.server.Endpoint)
	ts.Setenv("APPWRITE_PROJECT_ID", s.server.Project)
	ts.Setenv("APPWRITE_API_KEY", s.server.Key)
}

// editFile replaces text in a file: edit FILE OLD NEW. OLD must be there.
func editFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[1])) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(args[1]), []byte(args[2])), 0o600))
}

// exitsWith runs a program and wants an exit code: exits CODE PROGRAM ARGS….
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s exited with %d, not %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// keepMatch sets a variable to what a pattern's group matches in the last
// standard output: keep VARIABLE PATTERN.
func keepMatch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: keep VARIABLE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	match := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) != 2 {
		ts.Fatalf("no match for %s with one group", args[1])
	}
	ts.Setenv(args[0], match[1])
}

// goEnv asks the toolchain for a setting. An empty one is a setting too.
func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return os.Getenv(name)
	}
	return strings.TrimSpace(string(out))
}
