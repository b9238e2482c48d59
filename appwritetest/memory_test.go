package appwritetest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// memoryServerFile names the data file in a process that only serves.
const memoryServerFile = "BACKSTEP_MEMORY_SERVER_FILE"

// TestMemoryServer is the other process of TestFileBackedServerBoundsItsMemory:
// it serves until its standard input ends.
func TestMemoryServer(t *testing.T) {
	t.Parallel()
	file := os.Getenv(memoryServerFile)
	if file == "" {
		t.Skip("only as a child process")
	}
	srv := appwritetest.New(t, appwritetest.Data(file), appwritetest.Project("memory"), appwritetest.Key("memory"))
	if _, err := fmt.Fprintln(os.Stdout, srv.Endpoint()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}

// A million documents with BACKSTEP_SOAK=1, else fewer within a bound that
// keeping them in memory would break.
func TestFileBackedServerBoundsItsMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads the resident size from /proc")
	}
	if raced {
		t.Skip("the race detector takes more memory than the server")
	}
	documents, boundMiB := 100_000, 60
	if os.Getenv("BACKSTEP_SOAK") != "" {
		documents, boundMiB = 1_000_000, 300
	}
	server := startMemoryServer(t)
	server.must(t, "POST", "/databases", `{"databaseId":"shop","name":"Shop"}`)
	server.must(t, "POST", "/databases/shop/collections", `{"collectionId":"books","name":"Books",
		"attributes":[{"key":"title","type":"string","size":200,"required":true}]}`)
	title := strings.Repeat("x", 200)
	for first := 0; first < documents; first += 100 {
		items := make([]string, 100)
		for i := range items {
			items[i] = fmt.Sprintf(`{"$id":"d%d","title":"%s"}`, first+i, title)
		}
		server.must(t, "POST", books+"/documents", `{"documents":[`+strings.Join(items, ",")+`]}`)
	}
	last := fmt.Sprintf("d%d", documents-1)
	if got := server.must(t, "GET", books+"/documents/"+last, "")["title"]; got != title {
		t.Errorf("the last document holds %v", got)
	}
	page := server.must(t, "GET", books+`/documents?queries[]={"method":"cursorBefore","values":["`+last+`"]}`, "")
	if got := len(page["documents"].(list)); got != 25 {
		t.Errorf("the last page has %d documents", got)
	}
	if peak := server.peakMiB(t); peak >= boundMiB {
		t.Errorf("%d documents took %d MiB resident, want less than %d", documents, peak, boundMiB)
	} else {
		t.Logf("%d documents took %d MiB resident", documents, peak)
	}
}

// memoryClient talks to a server in a process of its own.
type memoryClient struct {
	client
	pid int
}

func startMemoryServer(t *testing.T) memoryClient {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemoryServer$")
	child.Env = append(os.Environ(), memoryServerFile+"="+filepath.Join(t.TempDir(), "data.db"))
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	endpoint, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = child.Wait()
	})
	return memoryClient{
		client: client{endpoint: strings.TrimSpace(endpoint), project: "memory", key: "memory", http: http.DefaultClient},
		pid:    child.Process.Pid,
	}
}

func (c memoryClient) must(t *testing.T, method, path, body string) object {
	t.Helper()
	status, text, err := c.send(t.Context(), method, path, body)
	if err != nil || status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %.300s %v", method, path, status, text, err)
	}
	var decoded object
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// peakMiB is the largest resident size the server has had.
func (c memoryClient) peakMiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib >> 10
		}
	}
	t.Fatal("no VmHWM in /proc")
	return 0
}
