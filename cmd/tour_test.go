package cmd_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/backstep-dev/backstep/internal/livetest"
)

// TestTour runs the page docs/tour.txtar, which goes once through everything.
func TestTour(t *testing.T) {
	t.Parallel()
	if livetest.Live() {
		t.Skip("the tour reads the whole project")
	}
	testscript.Run(t, testscript.Params{
		Files: []string{filepath.Join("..", "docs", "tour.txtar")},
		Setup: setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": startServer, "exits": exitsWith, "request": sendRequest,
		},
		RequireExplicitExec: true,
	})
}
