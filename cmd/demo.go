package cmd

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwritetest"
)

// demoFiles are the demo's migrations. The third fails in its fifth step.
//
//go:embed demo/*.yaml
var demoFiles embed.FS

const demoProject = `# a project made by backstep demo
timeouts: { quarantine: 200ms }
lease: { ttl: 10s }
`

func newDemo(a *app) *cobra.Command {
	var keep string
	c := &cobra.Command{
		Use:     "demo",
		Short:   "See a migration fail, undo itself, be killed and resume",
		GroupID: "start",
		Long: `Starts an embedded Appwrite and works on it with this very program: migrations
that apply, one that fails in its fifth step and is undone, one that is killed in
mid-run and resumed. Nothing is needed and nothing is left behind.`,
		Example: "  backstep demo\n  backstep demo --keep ./demo    # keep the project folder to look at",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), a, keep) },
	}
	c.Flags().StringVar(&keep, "keep", "", "write the demo's project here and keep it")
	return c
}

// demo is one performance.
type demo struct {
	app     *app
	server  *appwritetest.Server
	dir     string
	style   paint
	acts    []demoAct
	changes *requestCount
}

// demoAct is one line of the table at the end.
type demoAct struct{ act, what, outcome, requests string }

func runDemo(ctx context.Context, a *app, keep string) (err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "backstep-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	server, err := appwritetest.Start(ctx, appwritetest.Project("demo"),
		appwritetest.WorkerDelay(appwritetest.Realistic(1)), appwritetest.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("start the embedded server: %w", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	d := &demo{app: a, server: server, dir: dir, style: a.paint()}
	d.changes = countRequests(server)
	if err := d.write(configFile, []byte(demoProject)); err != nil {
		return err
	}
	for _, act := range []func(context.Context) error{d.applies, d.fails, d.isKilled, d.goesBack} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	d.table()
	return nil
}

func (d *demo) say(sentence string) {
	fmt.Fprintf(d.app.streams.Out, "\n%s\n", d.style.bold(sentence))
}

func (d *demo) write(path string, data []byte) error {
	full := filepath.Join(d.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
		return fmt.Errorf("write the demo's project: %w", err)
	}
	if err := os.WriteFile(full, data, 0o600); err != nil {
		return fmt.Errorf("write the demo's project: %w", err)
	}
	return nil
}

// add puts one of the demo's migrations into the project.
func (d *demo) add(name string) error {
	data, err := demoFiles.ReadFile("demo/" + name)
	if err != nil {
		return fmt.Errorf("read the demo's migrations: %w", err)
	}
	return d.write("migrations/"+name, data)
}

// remove takes a migration out of the project again.
func (d *demo) remove(name string) error {
	if err := os.Remove(filepath.Join(d.dir, "migrations", name)); err != nil {
		return fmt.Errorf("change the demo's project: %w", err)
	}
	return nil
}

// backstep runs one command of this program on the demo's project and wants
// the exit code that the demo promises.
func (d *demo) backstep(ctx context.Context, want int, args ...string) error {
	fmt.Fprintf(d.app.streams.Out, "%s\n", d.style.dim("$ "+d.app.name+" "+strings.Join(args, " ")))
	streams := d.app.streams
	streams.Err = streams.Out // one story, in order
	streams.Terminal = false
	got := Execute(ctx, append(args, "--no-input"), streams, WithGetenv(d.getenv), WithName(d.app.program), inFolder(d.dir))
	if err := ctx.Err(); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the demo went wrong: backstep %s ended with exit code %d, not %d", strings.Join(args, " "), got, want)
	}
	return nil
}

func (d *demo) getenv(name string) string {
	switch name {
	case "APPWRITE_ENDPOINT":
		return d.server.Endpoint()
	case "APPWRITE_PROJECT_ID":
		return d.server.Project()
	case "APPWRITE_API_KEY":
		return d.server.Key()
	case "NO_COLOR":
		return d.app.getenv(name)
	default:
		return ""
	}
}

func (d *demo) applies(ctx context.Context) error {
	d.say("1. Two migrations, with documents")
	for _, name := range []string{"20260101000001_create_products.yaml", "20260101000002_add_stock.yaml"} {
		if err := d.add(name); err != nil {
			return err
		}
	}
	if err := d.backstep(ctx, ExitDone, "up"); err != nil {
		return err
	}
	d.ended("two migrations", "12 steps, 4 documents", "applied")
	return nil
}

func (d *demo) fails(ctx context.Context) error {
	d.say("2. A third one, whose fifth step cannot be done: two products are called Chair")
	const name = "20260101000003_unique_titles.yaml"
	if err := d.add(name); err != nil {
		return err
	}
	if err := d.backstep(ctx, ExitRolledBack, "up"); err != nil {
		return err
	}
	if err := d.remove(name); err != nil {
		return err
	}
	d.ended("fails in step 5", "4 steps done before it", "undone, verified")
	return nil
}

// isKilled has another process of this program run a migration and kills it
// with SIGKILL while one of its requests is under way.
func (d *demo) isKilled(ctx context.Context) error {
	d.say("3. A fourth one, killed in mid-run (SIGKILL) while a request is on its way")
	if err := d.add("20260101000004_orders.yaml"); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	injection := d.server.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Method: http.MethodPost, Path: "/tablesdb/shop/tables/orders/indexes"},
		Times: 1, Action: appwritetest.HoldThenAct(),
	})
	defer injection.Remove()
	fmt.Fprintf(d.app.streams.Out, "%s\n", d.style.dim("$ "+d.app.name+" up &"))
	child := exec.CommandContext(ctx, self, "up", "--no-input", "-C", d.dir) //nolint:gosec // this program itself
	child.Stdout, child.Stderr = d.app.streams.Out, d.app.streams.Out
	child.Env = append(os.Environ(), "APPWRITE_ENDPOINT="+d.server.Endpoint(),
		"APPWRITE_PROJECT_ID="+d.server.Project(), "APPWRITE_API_KEY="+d.server.Key())
	if err := child.Start(); err != nil {
		return fmt.Errorf("start a second backstep: %w", err)
	}
	held, ended := context.WithCancelCause(ctx)
	var waiter sync.WaitGroup
	waiter.Go(func() {
		ended(fmt.Errorf("the second backstep ended by itself: %w", errors.Join(child.Wait(), errors.New("no request was held"))))
	})
	defer waiter.Wait()
	if err := injection.AwaitHits(held, 1); err != nil {
		_ = child.Process.Kill()
		return context.Cause(held)
	}
	fmt.Fprintf(d.app.streams.Out, "%s\n", d.style.dim("$ kill -9 $!"))
	if err := child.Process.Kill(); err != nil {
		return fmt.Errorf("kill the second backstep: %w", err)
	}
	waiter.Wait()
	if err := d.backstep(ctx, ExitDone, "resume"); err != nil {
		return err
	}
	d.ended("killed in mid-run", "one request unanswered", "resumed, applied")
	return nil
}

func (d *demo) goesBack(ctx context.Context) error {
	d.say("4. And back: the deleted price column returns with its values")
	if err := d.backstep(ctx, ExitDone, "down"); err != nil {
		return err
	}
	d.ended("taken down", "dropped values come back", "as before")
	return d.backstep(ctx, ExitDone, "journal", "verify")
}

// ended notes one act for the table.
func (d *demo) ended(act, what, outcome string) {
	d.acts = append(d.acts, demoAct{act, what, outcome, fmt.Sprint(d.changes.take())})
}

func (d *demo) table() {
	w := d.app.streams.Out
	fmt.Fprintln(w)
	rows := make([][]string, 0, len(d.acts))
	for _, a := range d.acts {
		rows = append(rows, []string{a.act, a.what, d.style.good(a.outcome), a.requests})
	}
	d.app.framed(w, []string{"WHAT HAPPENED", "TO WHAT", "HOW IT ENDED", "REQUESTS"}, rows)
	fmt.Fprintf(w, "\nNothing half-done, nothing lost. Start a project of your own: %s init\n", d.app.name)
}

// requestCount counts what reaches a server.
type requestCount struct {
	seen atomic.Int64
	last int64
}

func countRequests(server *appwritetest.Server) *requestCount {
	c := &requestCount{}
	// A fault that looks at every request and hits none.
	server.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Where: func(*http.Request, []byte) bool {
			c.seen.Add(1)
			return false
		}},
		Action: appwritetest.RefuseBefore(),
	})
	return c
}

// take gives the requests since the last take.
func (c *requestCount) take() int64 {
	now := c.seen.Load()
	n := now - c.last
	c.last = now
	return n
}
