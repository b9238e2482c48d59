package appwrite_test

import (
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/appwrite/sdk-for-go/appwrite"
	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
)

func TestServerIsDetectedOnceWithoutTheKey(t *testing.T) {
	t.Parallel()
	var asked, withKey atomic.Int64
	s := newStub(t, "", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/health/version" {
			asked.Add(1)
			if r.Header.Get("X-Appwrite-Key") != "" {
				withKey.Add(1)
			}
			reply(w, http.StatusOK, `{"version":"1.9.6"}`)
			return
		}
		reply(w, http.StatusOK, emptyList)
	})
	c := s.client(t)
	derived, err := c.With(appwrite.WithReadOnly())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := []*appwrite.Client{c, derived}[i%2].ListDatabases(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 1 || withKey.Load() != 0 {
		t.Errorf("asked %d times, %d of them with the key", asked.Load(), withKey.Load())
	}
}

func TestDetectionThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := newStub(t, "", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			reply(w, http.StatusServiceUnavailable, `{"message":"m","code":503,"type":"x"}`)
			return
		}
		reply(w, http.StatusOK, `{"version":"1.8.1"}`)
	})
	c := s.client(t)
	_, err := c.Detect(t.Context())
	if got := appwrite.Classify(err); err == nil || got != appwrite.Transient {
		t.Fatalf("%v is %v, want transient", err, got)
	}
	if server, err := c.Detect(t.Context()); err != nil || server.Version != "1.8.1" {
		t.Errorf("got %+v, %v", server, err)
	}
}

func TestVersionIsFoundWhereHealthDoesNotTellIt(t *testing.T) {
	t.Parallel()
	refused := func(version string) string {
		return `{"message":"m","code":401,"type":"general_unauthorized_scope"` + version + `}`
	}
	for name, test := range map[string]struct {
		health, databases string
		tables            int
		version           string
		transactions      bool
	}{
		"error of health":    {refused(`,"version":"1.9.6"`), emptyList, 200, "1.9.6", true},
		"error of databases": {refused(""), `{"message":"m","code":400,"type":"general_argument_invalid","version":"1.7.4"}`, 404, "1.7.4", false},
		"hidden, 1.8 routes": {refused(""), emptyList, 200, "", true},
		"hidden, 1.7 routes": {refused(""), emptyList, 404, "", false},
	} {
		s := newStub(t, "", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v1/health/version":
				reply(w, http.StatusUnauthorized, test.health)
			case r.URL.Path == "/v1/databases" && test.databases != emptyList:
				reply(w, http.StatusBadRequest, test.databases)
			case r.URL.Path == "/v1/tablesdb" && test.tables != http.StatusOK:
				w.WriteHeader(test.tables)
			default:
				reply(w, http.StatusOK, emptyList)
			}
		})
		server, err := s.client(t).Detect(t.Context())
		if err != nil || server.Version != test.version || server.Capabilities.Transactions != test.transactions {
			t.Errorf("%s: got %+v, %v", name, server, err)
		}
	}
}

func TestServersThatAreNoneOfOursAreRefused(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.6.2", "0.15.3", "latest", "1.2.3.4"} {
		_, err := newStub(t, version, always(http.StatusOK, emptyList)).client(t).Detect(t.Context())
		wantIs(t, err, appwrite.ErrUnsupported)
	}
	_, err := newStub(t, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }).client(t).Detect(t.Context())
	wantIs(t, err, appwrite.ErrRouteNotFound)
	_, err = newStub(t, "", always(http.StatusNotFound, `{"message":"m","code":404,"type":"project_not_found","version":"1.9.6"}`)).client(t).Detect(t.Context())
	wantIs(t, err, appwrite.ErrProjectNotFound)
}

func TestCapabilitiesFollowTheVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]struct {
		dialect                                  appwrite.Dialect
		cas                                      appwrite.CAS
		operators, texts, bigint, arrays, unique bool
	}{
		"1.7.0":     {appwrite.DialectDatabases, appwrite.CASNone, false, false, false, true, false},
		"1.8.0":     {appwrite.DialectTablesDB, appwrite.CASNarrow, false, false, false, true, false},
		"1.8.1":     {appwrite.DialectTablesDB, appwrite.CASNarrow, true, false, false, true, false},
		"1.9.0":     {appwrite.DialectTablesDB, appwrite.CASNarrow, true, true, false, false, true},
		"1.9.5":     {appwrite.DialectTablesDB, appwrite.CASNarrow, true, true, true, false, true},
		"1.9.6-RC1": {appwrite.DialectTablesDB, appwrite.CASLocked, true, true, true, false, true},
		"1.10":      {appwrite.DialectTablesDB, appwrite.CASLocked, true, true, true, false, true},
		"2.0.0":     {appwrite.DialectTablesDB, appwrite.CASLocked, true, true, true, false, true},
	} {
		server, err := newStub(t, version, always(http.StatusOK, emptyList)).client(t).Detect(t.Context())
		can := server.Capabilities
		if err != nil || server.Dialect != want.dialect || can.CAS != want.cas || can.Operators != want.operators ||
			can.TextTypes != want.texts || can.BigInt != want.bigint || can.ArrayIndexes != want.arrays || can.FalseUnique != want.unique {
			t.Errorf("%s: got %+v, %v", version, server, err)
		}
	}
}

func TestAnswersAreAskedForInTheServersOwnFormat(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	c := s.client(t)
	if _, err := c.ListDatabases(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.last(t).header.Get("X-Appwrite-Response-Format"); got != "1.9.6" {
		t.Errorf("format %q", got)
	}
	older, err := c.With(appwrite.WithResponseFormat("1.8.0"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := older.ListDatabases(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.last(t).header.Get("X-Appwrite-Response-Format"); got != "1.8.0" {
		t.Errorf("format %q", got)
	}
}

func TestClientOfTheSDKIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	var carried atomic.Int64
	inner := sdk.NewClient(sdk.WithEndpoint(s.URL+"/v1/"), sdk.WithProject("theirs"), sdk.WithKey(marker))
	inner.AddHeader("X-Custom", "kept")
	inner.Client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		carried.Add(1)
		return http.DefaultTransport.RoundTrip(r)
	})
	c, err := appwrite.FromSDK(inner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ListDocuments(t.Context(), "d", "c", query.Limit(1)); err != nil {
		t.Fatal(err)
	}
	got := s.last(t)
	if got.header.Get("X-Custom") != "kept" || got.header.Get("X-Appwrite-Project") != "theirs" || got.header.Get("X-Appwrite-Key") != marker {
		t.Errorf("headers %v", got.header)
	}
	if carried.Load() == 0 {
		t.Error("the SDK client's transport was left aside")
	}
	if inner.Headers["X-Appwrite-Response-Format"] != "1.8.0" {
		t.Error("the user's client was changed")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	good := appwrite.Config{Endpoint: "https://example.com/v1", Project: "p", Key: "k"}
	for name, change := range map[string]func(*appwrite.Config){
		"no endpoint":  func(c *appwrite.Config) { c.Endpoint = "" },
		"no scheme":    func(c *appwrite.Config) { c.Endpoint = "example.com/v1" },
		"other scheme": func(c *appwrite.Config) { c.Endpoint = "ftp://example.com/v1" },
		"password": func(c *appwrite.Config) {
			c.Endpoint = (&url.URL{Scheme: "https", User: url.UserPassword("a", "b"), Host: "h"}).String()
		},
		"query":          func(c *appwrite.Config) { c.Endpoint += "?x=1" },
		"no project":     func(c *appwrite.Config) { c.Project = "" },
		"no key":         func(c *appwrite.Config) { c.Key = "" },
		"key of 2 lines": func(c *appwrite.Config) { c.Key = "a\nb" },
	} {
		cfg := good
		change(&cfg)
		if _, err := appwrite.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, opt := range map[string]appwrite.Option{
		"timeout": appwrite.WithTimeout(0), "wait": appwrite.WithWait(-1), "transport": appwrite.WithTransport(nil),
		"format": appwrite.WithResponseFormat("new"), "dialect": appwrite.WithDialect("sql"), "logger": appwrite.WithLogger(nil),
		"clock": appwrite.WithClock(nil), "guard": appwrite.WithGuard(nil), "observer": appwrite.WithObserver(nil), "limit": appwrite.WithResponseLimit(0),
	} {
		if _, err := appwrite.New(good, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := appwrite.New(good); err != nil {
		t.Error(err)
	}
}
