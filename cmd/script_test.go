package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
)

// keyMarker is part of every API key in the scripts. It must turn up nowhere.
const keyMarker = "key-that-nobody-may-see"

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

// TestScripts runs every txtar script of testdata/script against an embedded
// server of its own. `server [VERSION]` starts one and sets the variables.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("..", "testdata", "script"),
		Setup: setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer,
			"fault":  injectFault,
			"edit":   editFile,
			"exits":  exitsWith,
		},
		RequireExplicitExec: true,
	})
}

func setupScript(env *testscript.Env) error {
	output := filepath.Join(env.WorkDir, ".output")
	env.Setenv(outputVariable, output)
	env.Setenv("NO_COLOR", "1")
	env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
	servers := &scriptServers{}
	env.Values[serversKey{}] = servers
	env.Defer(func() {
		servers.close()
		assertNoKey(env, env.WorkDir)
	})
	return nil
}

type serversKey struct{}

// scriptServers are the embedded servers of one script.
type scriptServers struct {
	mu      sync.Mutex
	servers []*appwritetest.Server
}

func (s *scriptServers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, server := range s.servers {
		_ = server.Close()
	}
}

func startServer(ts *testscript.TestScript, _ bool, args []string) {
	version := "1.9.6"
	if len(args) > 0 {
		version = args[0]
	}
	server, err := appwritetest.Start(context.Background(),
		appwritetest.Version(version), appwritetest.Project("shop"), appwritetest.Key(keyMarker))
	ts.Check(err)
	servers, ok := ts.Value(serversKey{}).(*scriptServers)
	if !ok {
		ts.Fatalf("the script has no servers")
	}
	servers.mu.Lock()
	servers.servers = append(servers.servers, server)
	servers.mu.Unlock()
	ts.Setenv("APPWRITE_ENDPOINT", server.Endpoint())
	ts.Setenv("APPWRITE_PROJECT_ID", server.Project())
	ts.Setenv("APPWRITE_API_KEY", server.Key())
}

// assertNoKey fails the script when the API key is in any file below dir.
func assertNoKey(env *testscript.Env, dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // what a script made unreadable on purpose cannot be searched
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(keyMarker)) {
			env.T().Fatal("the API key is in " + strings.TrimPrefix(path, dir))
		}
		return nil
	})
	if err != nil {
		env.T().Fatal(err)
	}
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
