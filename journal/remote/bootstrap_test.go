package remote_test

import (
	"context"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal/remote"
)

// fast is a clock on which every wait is over at once.
type fast struct{}

func (fast) Now() time.Time { return time.Now() }

func (fast) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(min(d, time.Millisecond))
	return t.C, func() { t.Stop() }
}

func client(tb testing.TB, srv *livetest.Server, opts ...appwrite.Option) *appwrite.Client {
	tb.Helper()
	opts = append([]appwrite.Option{appwrite.WithClock(fast{}), appwrite.WithTimeout(10 * time.Second)}, opts...)
	c, err := appwrite.New(appwrite.Config{Endpoint: srv.Endpoint, Project: srv.Project, Key: srv.Key}, opts...)
	must(tb, err)
	tb.Cleanup(c.Close)
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func TestTheCollectionsAreMadeOnceAndOneRequestSeesThem(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			requests := 0
			c := client(t, srv, appwrite.WithObserver(func(appwrite.Exchange) { requests++ }))
			must(t, remote.Ensure(t.Context(), c, "backstep", fast{}))
			t.Logf("%d requests to make them", requests)
			requests = 0
			must(t, remote.Ensure(context.WithoutCancel(t.Context()), c, "backstep", fast{}))
			if requests != 1 {
				t.Errorf("%d requests to see that all is there, want 1", requests)
			}
		})
	}
}
