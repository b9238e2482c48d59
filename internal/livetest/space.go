package livetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// DatabaseID makes up the id of a database for this test. On a real server, a
// database of that id is removed when the test ends.
func DatabaseID(tb testing.TB) string {
	tb.Helper()
	return newSpace(tb, "bs-"+strings.ToLower(rand.Text()[:16])).prefix
}

// Space is the part of a project that belongs to one test: all of an embedded
// server's, or the databases of a real one whose ids begin with what the test
// has made up.
type Space struct{ prefix string }

// NewSpace makes up a space. On a real server its databases are removed when
// the test ends.
func NewSpace(tb TB) Space {
	tb.Helper()
	if !Live() {
		return Space{}
	}
	return newSpace(tb, "bs-"+strings.ToLower(rand.Text()[:10])+"-")
}

func newSpace(tb TB, prefix string) Space {
	tb.Helper()
	s := Space{prefix}
	if Live() {
		tb.Cleanup(func() {
			if err := s.empty(); err != nil {
				tb.Errorf("remove the databases %s*: %v", s.prefix, err)
			}
		})
	}
	return s
}

// ID is what a database that the test calls name is called on the server. On an
// embedded server that is the name.
func (s Space) ID(name string) string {
	if s.prefix == "" {
		return name
	}
	id := s.prefix + name
	return id[:min(len(id), 36)] // what Appwrite allows
}

// Holds says whether a database belongs to the space.
func (s Space) Holds(id string) bool { return strings.HasPrefix(id, s.prefix) }

// empty removes the databases of the space from the real server.
func (s Space) empty() error {
	for {
		ids, err := s.page()
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if _, err := call(http.MethodDelete, "/databases/"+id, os.Getenv(EnvKey)); err != nil {
				return err
			}
		}
	}
}

// page gives some databases of the space, none when it is empty.
func (s Space) page() ([]string, error) {
	const size = 100
	for offset := 0; ; offset += size {
		query := url.Values{
			"queries[0]": {fmt.Sprintf(`{"method":"limit","values":[%d]}`, size)},
			"queries[1]": {fmt.Sprintf(`{"method":"offset","values":[%d]}`, offset)},
		}
		body, err := call(http.MethodGet, "/databases?"+query.Encode(), os.Getenv(EnvKey))
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, database := range body.Databases {
			if s.Holds(database.ID) {
				ids = append(ids, database.ID)
			}
		}
		if len(ids) > 0 || len(body.Databases) < size {
			return ids, nil
		}
	}
}

// RealVersion is the release that the real server says it runs.
func RealVersion(tb TB) string {
	tb.Helper()
	version, err := realVersion()
	if err != nil {
		tb.Fatalf("ask %s for its version: %v", os.Getenv(EnvEndpoint), err)
	}
	return version
}

// realVersion asks the real server once for all tests.
var realVersion = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // one answer for the process
	body, err := call(http.MethodGet, "/health/version", "")
	return body.Version, err
})

type answer struct {
	Version   string `json:"version"`
	Type      string `json:"type"`
	Databases []struct {
		ID string `json:"$id"`
	} `json:"databases"`
}

// call sends a request without a body. What is absent already is no error.
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
