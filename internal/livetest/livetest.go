// Package livetest gives tests a server to run against: the embedded one, or a
// real one that the environment names. Suites that take their server from here
// run against both. It also searches what tests leave for the server's API key.
package livetest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/oracle"
)

// The variables that name a real server. All three are set, or none.
const (
	EnvEndpoint = "BACKSTEP_LIVE_ENDPOINT"
	EnvProject  = "BACKSTEP_LIVE_PROJECT"
	EnvKey      = "BACKSTEP_LIVE_KEY"
)

// TB is what this package needs of a test; *testing.T, *testing.B and *rapid.T
// are some.
type TB interface {
	appwritetest.TB
	Errorf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Versions are the releases that suites run on.
func Versions() []string { return []string{"1.7.4", "1.8.1", "1.9.6"} }

// Live says whether a real server is named.
func Live() bool { return os.Getenv(EnvEndpoint) != "" }

// Target gives a server of the version: an embedded one of its own for this
// test, with the options, or the real one. A test for another version than the
// real server's is skipped; version "" is any.
func Target(tb testing.TB, version string, opts ...appwritetest.Option) (endpoint, project, key string) {
	tb.Helper()
	if !Live() {
		srv := Embedded(tb, version, opts...)
		return srv.Endpoint(), srv.Project(), srv.Key()
	}
	return named(tb, version)
}

// named gives the real server.
func named(tb TB, version string) (endpoint, project, key string) {
	tb.Helper()
	endpoint, project, key = os.Getenv(EnvEndpoint), os.Getenv(EnvProject), os.Getenv(EnvKey)
	if project == "" || key == "" {
		tb.Fatalf("%s is set, so %s and %s have to be", EnvEndpoint, EnvProject, EnvKey)
	}
	running := RealVersion(tb)
	if version != "" && version != running {
		tb.Skipf("the live server runs %s, this test is for %s", running, version)
	}
	return strings.TrimRight(endpoint, "/"), project, key
}

// Embedded gives an embedded server of the version, "" for the latest, with
// the marked key. Tests that control the server's worker, its clock or what it
// holds stale need it; they are skipped where a real server is named.
func Embedded(tb TB, version string, opts ...appwritetest.Option) *appwritetest.Server {
	tb.Helper()
	if Live() {
		tb.Skipf("this test controls the embedded server")
	}
	opts = append([]appwritetest.Option{appwritetest.Key(Marker), appwritetest.Clock(clock())}, opts...)
	if version != "" {
		opts = append(opts, appwritetest.Version(version))
	}
	return appwritetest.New(tb, opts...)
}

// Server is a server that requests to can be made to fail.
type Server struct {
	Endpoint, Project, Key string
	// Embedded is the server itself, nil when it is a real one.
	Embedded *appwritetest.Server

	faults interface {
		Inject(fault appwritetest.Fault) *appwritetest.Injection
	}
}

// Start gives a server like Target, with faults: the embedded server's own, or
// those of a proxy before the real one. It ends with the test.
func Start(tb TB, version string, opts ...appwritetest.Option) *Server {
	tb.Helper()
	if !Live() {
		srv := Embedded(tb, version, opts...)
		return &Server{Endpoint: srv.Endpoint(), Project: srv.Project(), Key: srv.Key(), Embedded: srv, faults: srv}
	}
	endpoint, project, key := named(tb, version)
	proxy := appwritetest.NewProxy(tb, endpoint)
	return &Server{Endpoint: proxy.Endpoint(), Project: project, Key: key, faults: proxy}
}

// Inject makes requests fail from now on, as the fault says.
func (s *Server) Inject(fault appwritetest.Fault) *appwritetest.Injection {
	return s.faults.Inject(fault)
}

// Read gives what a space holds when the server's worker has nothing more to
// do in it.
func (s *Server) Read(ctx context.Context, space Space) (oracle.Snapshot, error) {
	if s.Embedded != nil {
		if err := s.Embedded.Worker().Idle(ctx); err != nil {
			return nil, err
		}
	}
	reader := oracle.Reader{Endpoint: s.Endpoint, Project: s.Project, Key: s.Key}
	for {
		snapshot, err := reader.Read(ctx, space.Holds)
		if err != nil || s.Embedded != nil || !unsettled(snapshot) {
			return snapshot, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// unsettled says whether the worker still has to do with an attribute or index.
func unsettled(snapshot oracle.Snapshot) bool {
	for path, object := range snapshot {
		if strings.Contains(path, "/documents/") {
			continue
		}
		if strings.Contains(object, `"status":"processing"`) || strings.Contains(object, `"status":"deleting"`) {
			return true
		}
	}
	return false
}
