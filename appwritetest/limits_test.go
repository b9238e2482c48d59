package appwritetest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestConnectionIsResetByRequestsTooLargeForARealServer(t *testing.T) {
	t.Parallel()
	srv := appwritetest.New(t)
	for name, c := range map[string]struct {
		path, body string
		answered   bool
	}{
		"url that fits":    {"/databases?search=" + strings.Repeat("x", 60<<10), "", true},
		"url too long":     {"/databases?search=" + strings.Repeat("x", 64<<10), "", false},
		"body that fits":   {"/databases", strings.Repeat(" ", 12<<20-1), true},
		"body of 12 MiB":   {"/databases", strings.Repeat(" ", 12<<20), false},
		"body of 12.5 MiB": {"/databases", strings.Repeat(" ", 25<<19), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, err := send(t.Context(), t, srv.Endpoint()+c.path, c.body)
			if answered := err == nil && status == http.StatusUnauthorized; answered != c.answered {
				t.Errorf("want answered %t, got %d, %v", c.answered, status, err)
			}
		})
	}
}
