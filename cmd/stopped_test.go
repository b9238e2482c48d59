package cmd_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/cmd"
)

// TestACommandThatWasStoppedBlamesNobody stops commands that only look before
// their first request is answered.
func TestACommandThatWasStoppedBlamesNobody(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"pull", "diff live migrations", "schema", "drift", "status", "verify", "plan --shadow"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{"migrations/20260101000001_shop.yaml": beforeRename})
			var out, told bytes.Buffer
			streams := cmd.Streams{In: strings.NewReader(""), Out: &out, Err: &told}
			getenv := func(name string) string {
				return map[string]string{
					"APPWRITE_ENDPOINT": "http://127.0.0.1:1/v1", "APPWRITE_PROJECT_ID": "shop", "APPWRITE_API_KEY": "key",
				}[name]
			}
			if command == "verify" {
				args := []string{"verify", "--write", "-C", dir}
				if code := cmd.Execute(t.Context(), args, streams, cmd.WithGetenv(getenv)); code != cmd.ExitDone {
					t.Fatalf("exit code %d: %s", code, &told)
				}
			}
			ctx, stop := context.WithCancel(t.Context())
			stop()
			code := cmd.Execute(ctx, append(strings.Fields(command), "-C", dir), streams, cmd.WithGetenv(getenv))
			if code != cmd.ExitInterrupted || !strings.Contains(told.String(), "stopped; no run was begun") {
				t.Errorf("exit code %d, and it says: %s", code, &told)
			}
		})
	}
}
