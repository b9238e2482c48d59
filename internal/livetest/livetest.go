// Package livetest gives tests a server to run against: the embedded one, or a
// real one that the environment names. Suites that take their server from here
// run against both.
package livetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest"
)

// The variables that name a real server. All three are set, or none.
const (
	EnvEndpoint = "BACKSTEP_LIVE_ENDPOINT"
	EnvProject  = "BACKSTEP_LIVE_PROJECT"
	EnvKey      = "BACKSTEP_LIVE_KEY"
)

// Versions are the releases that suites run on.
func Versions() []string { return []string{"1.7.4", "1.8.1", "1.9.6"} }

// Live says whether a real server is named.
func Live() bool { return os.Getenv(EnvEndpoint) != "" }

// Target gives a server of the version: an embedded one of its own for this
// test, or the real one. A test for another version than the real server's is
// skipped; version "" is any.
func Target(tb testing.TB, version string) (endpoint, project, key string) {
	tb.Helper()
	if !Live() {
		srv := Embedded(tb, version)
		return srv.Endpoint(), srv.Project(), srv.Key()
	}
	endpoint, project, key = os.Getenv(EnvEndpoint), os.Getenv(EnvProject), os.Getenv(EnvKey)
	if project == "" || key == "" {
		tb.Fatalf("%s is set, so %s and %s have to be", EnvEndpoint, EnvProject, EnvKey)
	}
	running, err := liveVersion()
	if err != nil {
		tb.Fatalf("ask %s for its version: %v", endpoint, err)
	}
	if version != "" && version != running {
		tb.Skipf("the live server runs %s, this test is for %s", running, version)
	}
	return strings.TrimRight(endpoint, "/"), project, key
}

// Embedded gives an embedded server of the version, "" for the latest. Tests
// that control the server's worker or inject faults need it; they are skipped
// where a real server is named.
func Embedded(tb testing.TB, version string, opts ...appwritetest.Option) *appwritetest.Server {
	tb.Helper()
	if Live() {
		tb.Skip("this test controls the embedded server")
	}
	if version != "" {
		opts = append([]appwritetest.Option{appwritetest.Version(version)}, opts...)
	}
	return appwritetest.New(tb, opts...)
}

// DatabaseID makes up the id of a database for this test. On a real server, a
// database of that id is removed when the test ends.
func DatabaseID(tb testing.TB) string {
	tb.Helper()
	id := "bs-" + strings.ToLower(rand.Text()[:16])
	if Live() {
		tb.Cleanup(func() {
			if err := removeDatabase(id); err != nil {
				tb.Errorf("remove database %s: %v", id, err)
			}
		})
	}
	return id
}

// liveVersion asks the real server once for all tests.
var liveVersion = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // one answer for the process
	body, err := call(http.MethodGet, "/health/version", "")
	if err != nil {
		return "", err
	}
	return body.Version, nil
})

func removeDatabase(id string) error {
	_, err := call(http.MethodDelete, "/databases/"+id, os.Getenv(EnvKey))
	return err
}

type answer struct {
	Version string `json:"version"`
	Type    string `json:"type"`
}

// call sends a request without parameters. What is absent already is no error.
func call(method, path, key string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(os.Getenv(EnvEndpoint), "/")+path, nil) //nolint:gosec // the operator names the server
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("X-Appwrite-Project", os.Getenv(EnvProject))
	if key != "" {
		req.Header.Set("X-Appwrite-Key", key)
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // the operator names the server
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var body answer
	if resp.StatusCode == http.StatusNoContent {
		return body, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return answer{}, fmt.Errorf("%s %s: %d: %w", method, path, resp.StatusCode, err)
	}
	if resp.StatusCode >= http.StatusBadRequest && body.Type != "database_not_found" {
		return answer{}, fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body.Type)
	}
	return body, nil
}
