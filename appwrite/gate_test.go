package appwrite_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// A right that is lost between the guard's answer and the first byte on the
// wire, as by a process that is paused there: nothing is sent, on a new
// connection or on one that is in use already.
func TestNothingIsWrittenOnceTheGuardFailsAfterItHasPassed(t *testing.T) {
	t.Parallel()
	lost := errors.New("the right is lost")
	for name, make := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		for _, warm := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var writes atomic.Int64
				srv := make(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodGet {
						writes.Add(1)
					}
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(`{"version":"1.9.6"}`))
				}))
				t.Cleanup(srv.Close)
				var asked, pass atomic.Int64
				pass.Store(1 << 40)
				c, err := appwrite.FromSDK(client.Client{
					Endpoint: srv.URL + "/v1", SelfSigned: true,
					Headers: map[string]string{"X-Appwrite-Project": "p", "X-Appwrite-Key": livetest.Marker},
				},
					appwrite.WithGuard(func(context.Context) error {
						if asked.Add(1) > pass.Load() {
							return lost
						}
						return nil
					}))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Close)
				if _, err := c.Detect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if warm {
					_, _ = c.CreateDatabase(t.Context(), appwrite.Database{ID: "d", Name: "D"})
					writes.Store(0)
				} else {
					c.Close()
				}
				asked.Store(0)
				pass.Store(1)
				_, err = c.CreateDatabase(t.Context(), appwrite.Database{ID: "d", Name: "D"})
				if !errors.Is(err, lost) || !errors.Is(err, appwrite.ErrGuard) || appwrite.Classify(err) != appwrite.Permanent {
					t.Errorf("%v (%s), want the guard's error", err, appwrite.Classify(err))
				}
				if asked.Load() < 2 || writes.Load() != 0 {
					t.Errorf("asked %d times, %d requests arrived", asked.Load(), writes.Load())
				}
			})
		}
	}
}
