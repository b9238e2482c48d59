package appwritetest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

// counter is a server that only counts the requests that had an effect.
type counter struct {
	*httptest.Server
	effects atomic.Int64
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.effects.Add(1)
		_, _ = w.Write(append([]byte(r.Method+" "+r.RequestURI+" "), body...))
	}))
	t.Cleanup(c.Close)
	return c
}

// send returns status and body; the error is that of a client whose attempt may
// take as long as ctx allows.
func send(ctx context.Context, t *testing.T, url, body string) (int, string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func TestProxyWithoutFaultsChangesNothing(t *testing.T) {
	t.Parallel()
	proxy := appwritetest.NewProxy(t, newCounter(t).URL+"/v1")
	status, body, err := send(t.Context(), t, proxy.Endpoint()+"/a%2Fb?q=%20", "x")
	if status != http.StatusOK || body != "POST /v1/a%2Fb?q=%20 x" || err != nil {
		t.Errorf("got %d %q %v", status, body, err)
	}
}

func TestFaultsActBeforeOrAfterTheEffect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  appwritetest.Action
		status  int // 0: the connection broke
		effects int64
	}{
		"refuse before":           {appwritetest.RefuseBefore(), 0, 0},
		"drop after":              {appwritetest.DropAfter(), 0, 1},
		"delay before":            {appwritetest.DelayBefore(time.Millisecond), 200, 1},
		"delay after":             {appwritetest.DelayAfter(time.Millisecond), 200, 1},
		"status before":           {appwritetest.Status{Code: 503, Type: "general_unknown"}, 503, 0},
		"status after":            {appwritetest.Status{Code: 500, AfterEffect: true}, 500, 1},
		"stale reads leave POSTs": {appwritetest.StaleReads(), 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newCounter(t)
			proxy := appwritetest.NewProxy(t, server.URL+"/v1")
			injection := proxy.Inject(appwritetest.Fault{Action: c.action})
			status, _, err := send(t.Context(), t, proxy.Endpoint()+"/a", "x")
			if status != c.status || (err != nil) != (c.status == 0) {
				t.Errorf("want status %d, got %d, %v", c.status, status, err)
			}
			if err := injection.AwaitDone(t.Context()); err != nil {
				t.Error(err)
			}
			if server.effects.Load() != c.effects || injection.Hits() != 1 {
				t.Errorf("want %d effects of 1 hit, got %d of %d", c.effects, server.effects.Load(), injection.Hits())
			}
		})
	}
}

func TestStatusCarriesTypeAndRetryAfter(t *testing.T) {
	t.Parallel()
	proxy := appwritetest.NewProxy(t, newCounter(t).URL+"/v1")
	proxy.Inject(appwritetest.Fault{Times: 1, Action: appwritetest.Status{
		Code: 429, Type: "general_rate_limit_exceeded", RetryAfter: 3 * time.Second,
	}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy.Endpoint()+"/a", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{response.Header.Get("Retry-After"), strings.TrimSpace(string(body))}
	want := []string{"3", `{"code":429,"message":"Too Many Requests","type":"general_rate_limit_exceeded"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFaultHitsOnlyWhatMatches(t *testing.T) {
	t.Parallel()
	refused := func(match appwritetest.Match, path, body string) bool {
		proxy := appwritetest.NewProxy(t, newCounter(t).URL+"/v1")
		proxy.Inject(appwritetest.Fault{Match: match, Action: appwritetest.Status{Code: 503}})
		status, _, err := send(t.Context(), t, proxy.Endpoint()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		return status == http.StatusServiceUnavailable
	}
	for _, c := range []struct {
		match      appwritetest.Match
		path, body string
		want       bool
	}{
		{appwritetest.Match{}, "/a", "", true},
		{appwritetest.Match{Method: "POST"}, "/a", "", true},
		{appwritetest.Match{Method: "GET"}, "/a", "", false},
		{appwritetest.Match{Path: "/a/*/c"}, "/a/b/c?q=1", "", true},
		{appwritetest.Match{Path: "/a/*"}, "/a/b/c", "", false},
		{appwritetest.Match{Path: "/a/**"}, "/a/b/c", "", true},
		{appwritetest.Match{Path: "/a.c"}, "/abc", "", false},
		{appwritetest.Match{Where: func(_ *http.Request, body []byte) bool { return string(body) == "x" }}, "/a", "x", true},
		{appwritetest.Match{Where: func(_ *http.Request, body []byte) bool { return string(body) == "x" }}, "/a", "y", false},
	} {
		if got := refused(c.match, c.path, c.body); got != c.want {
			t.Errorf("%+v on %s %q: want %t, got %t", c.match, c.path, c.body, c.want, got)
		}
	}
}

func TestFaultSkipsAndThenCounts(t *testing.T) {
	t.Parallel()
	proxy := appwritetest.NewProxy(t, newCounter(t).URL+"/v1")
	injection := proxy.Inject(appwritetest.Fault{Skip: 1, Times: 2, Action: appwritetest.Status{Code: 503}})
	statuses := func(n int) (got []int) {
		for range n {
			status, _, err := send(t.Context(), t, proxy.Endpoint()+"/a", "")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, status)
		}
		return got
	}
	if d := cmp.Diff([]int{200, 503, 503, 200}, statuses(4)); d != "" {
		t.Error(d)
	}
	proxy.Inject(appwritetest.Fault{Action: appwritetest.Status{Code: 500}}).Remove()
	if d := cmp.Diff([]int{200}, statuses(1)); d != "" || injection.Hits() != 2 {
		t.Errorf("after Remove: %s, %d hits", d, injection.Hits())
	}
}

func TestHeldRequestActsAfterItsClientGaveUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action  appwritetest.Action
		release bool
	}{
		"by itself":  {appwritetest.HoldThenAct(), false},
		"on release": {appwritetest.HoldUntilRelease(), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newCounter(t)
			proxy := appwritetest.NewProxy(t, server.URL+"/v1")
			injection := proxy.Inject(appwritetest.Fault{Action: c.action})
			attempt, giveUp := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, _, err := send(attempt, t, proxy.Endpoint()+"/a", "x")
				failed <- err
			}()
			if err := injection.AwaitHits(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if server.effects.Load() != 0 {
				t.Error("acted while held")
			}
			giveUp()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("want a client that gave up, got %v", err)
			}
			if c.release {
				injection.Release()
			}
			if err := injection.AwaitDone(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := server.effects.Load(); got != 1 {
				t.Errorf("want the late effect, got %d", got)
			}
		})
	}
}

func TestReleasedRequestIsAnswered(t *testing.T) {
	t.Parallel()
	proxy := appwritetest.NewProxy(t, newCounter(t).URL+"/v1")
	proxy.Inject(appwritetest.Fault{Action: appwritetest.HoldThenAct()}).Release()
	status, body, err := send(t.Context(), t, proxy.Endpoint()+"/a", "x")
	if status != http.StatusOK || body != "POST /v1/a x" || err != nil {
		t.Errorf("got %d %q %v", status, body, err)
	}
}
