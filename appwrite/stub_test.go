package appwrite_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// marker is an API key that must turn up nowhere but in the requests' header.
const marker = livetest.Marker

// sent is a request as a stub has received it.
type sent struct {
	method, path string
	query        []string // the values of queries[]
	header       http.Header
	body         string
}

// stub is a server whose answers a test writes itself. It tells its version as
// Appwrite does; everything else goes to answer.
type stub struct {
	*httptest.Server
	network  *memoryNetwork // nil where it is a real one
	mu       sync.Mutex
	requests []sent
}

func newStub(tb testing.TB, version string, answer http.HandlerFunc) *stub {
	tb.Helper()
	s := &stub{}
	s.Server = httptest.NewServer(s.answering(version, answer))
	tb.Cleanup(s.Close)
	return s
}

// answering keeps requests and has them answered.
func (s *stub) answering(version string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/health/version" && version != "" {
			reply(w, http.StatusOK, `{"version":"`+version+`"}`)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has hung up
		}
		s.mu.Lock()
		s.requests = append(s.requests, sent{r.Method, strings.TrimPrefix(r.URL.Path, "/v1"), r.URL.Query()["queries[]"], r.Header, string(body)})
		s.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer(w, r)
	}
}

func (s *stub) config() appwrite.Config {
	return appwrite.Config{Endpoint: s.URL + "/v1", Project: "test", Key: marker}
}

func (s *stub) client(tb testing.TB, opts ...appwrite.Option) *appwrite.Client {
	tb.Helper()
	if s.network != nil {
		opts = append([]appwrite.Option{s.network.carry()}, opts...)
	}
	return newClient(tb, s.config(), opts...)
}

// received gives the requests so far.
func (s *stub) received() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.requests...)
}

// last gives the latest request.
func (s *stub) last(tb testing.TB) sent {
	tb.Helper()
	all := s.received()
	if len(all) == 0 {
		tb.Fatal("nothing was sent")
	}
	return all[len(all)-1]
}

// data reads the request's JSON body.
func (r sent) data(tb testing.TB) map[string]any {
	tb.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		tb.Fatalf("body %q: %v", r.body, err)
	}
	return body
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// always answers every request in the same way.
func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) }
}
