package docs_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/cmd"
)

// project is a migrations project in a folder of its own, on a server of its own.
type project struct {
	srv *appwritetest.Server
	dir string
}

func newProject(t *testing.T, opts ...appwritetest.Option) project {
	t.Helper()
	p := project{srv: appwritetest.New(t, opts...), dir: t.TempDir()}
	if err := os.CopyFS(filepath.Join(p.dir, "migrations"), os.DirFS("testdata/migrations")); err != nil {
		t.Fatal(err)
	}
	return p
}

// backstep runs the command line in this process and returns its exit code.
func (p project) backstep(t *testing.T, args ...string) int {
	t.Helper()
	env := map[string]string{
		"APPWRITE_ENDPOINT":   p.srv.Endpoint(),
		"APPWRITE_PROJECT_ID": p.srv.Project(),
		"APPWRITE_API_KEY":    p.srv.Key(),
	}
	var output bytes.Buffer
	code := cmd.Execute(t.Context(), append([]string{"--no-input", "--dir", p.dir}, args...),
		cmd.Streams{In: strings.NewReader(""), Out: &output, Err: &output},
		cmd.WithGetenv(func(name string) string { return env[name] }))
	t.Logf("backstep %s: exit code %d\n%s", strings.Join(args, " "), code, output.String())
	return code
}

// has says whether the server answers 200 to a read.
func (p project) has(t *testing.T, path string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.srv.Endpoint()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Appwrite-Project", p.srv.Project())
	request.Header.Set("X-Appwrite-Key", p.srv.Key())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

const lamp = "/databases/shop/collections/products/documents/lamp"

func TestMigrationsApplyAndUndo(t *testing.T) {
	t.Parallel()
	p := newProject(t, appwritetest.Version("1.8.1"))
	if code := p.backstep(t, "up"); code != cmd.ExitDone || !p.has(t, lamp) {
		t.Errorf("up: exit code %d", code)
	}
	if code := p.backstep(t, "down"); code != cmd.ExitDone || p.has(t, "/databases/shop") {
		t.Errorf("down: exit code %d", code)
	}
}

func TestLostAnswerIsNoSecondEffect(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.srv.Inject(appwritetest.Fault{
		Match:  appwritetest.Match{Method: "POST", Path: "/**/indexes"},
		Times:  1,
		Action: appwritetest.DropAfter(), // the index is made, the answer lost
	})
	if code := p.backstep(t, "up"); code != cmd.ExitDone || !p.has(t, lamp) {
		t.Errorf("up: exit code %d", code)
	}
}

func TestFailedAttributeUndoesTheMigration(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.srv.Worker().Inject(appwritetest.JobFault{
		Match:   appwritetest.JobMatch{Kind: appwritetest.CreateIndex, Key: "by_title"},
		Outcome: appwritetest.Fail,
	})
	if code := p.backstep(t, "up"); code != cmd.ExitRolledBack || p.has(t, "/databases/shop") {
		t.Errorf("up: exit code %d", code)
	}
}

// The guide shows code that runs: every Go function in it is one of this file.
func TestGuideShowsTheseTests(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("testing-migrations.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("testing_migrations_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for block := range strings.SplitSeq(string(guide), "```go\n") {
		block, _, _ = strings.Cut(block, "```")
		if strings.HasPrefix(block, "func ") {
			shown++
			if !bytes.Contains(code, []byte(block)) {
				t.Errorf("not in this file:\n%s", block)
			}
		}
	}
	if shown < 5 {
		t.Errorf("found %d functions in the guide", shown)
	}
}
