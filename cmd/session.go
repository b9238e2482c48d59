package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// session is everything a command needs to work on one environment.
type session struct {
	app      *app
	cfg      config
	target   target
	set      migrations.Set
	client   *appwrite.Client
	place    journalPlace
	store    journal.Store
	engine   *engine.Engine
	runner   *migrations.Runner
	progress *progress
	command  string          // as it is typed, such as "journal prune"
	right    *right          // nil for reading
	stopAt   time.Time       // when --deadline has the run stop; zero for never
	abort    <-chan struct{} // closed when a run must stop at once
	ended    []func()        // what close does besides
}

// access says what a session may do to the project.
type access int

const (
	reading  access = iota // every write fails before it is sent
	changing               // for commands that change the project
)

// client makes the client of the chosen environment.
func (a *app) client(opts ...appwrite.Option) (target, *appwrite.Client, error) {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return target{}, nil, usageError(err, "")
	}
	t, err := cfg.target(a.flags.env, a.getenv)
	if err != nil {
		return target{}, nil, usageError(err, "")
	}
	client, err := newClient(&cfg, t, a, opts...)
	return t, client, err
}

func newClient(cfg *config, t target, a *app, opts ...appwrite.Option) (*appwrite.Client, error) {
	opts = append([]appwrite.Option{appwrite.WithTimeout(cfg.Timeouts.Attempt), appwrite.WithLogger(a.logger)}, opts...)
	if a.redact.Active() {
		opts = append(opts, appwrite.WithWrappedTransport(a.redact.Transport))
	}
	client, err := appwrite.New(appwrite.Config{Endpoint: t.Endpoint, Project: t.Project, Key: t.Key}, opts...)
	if err != nil {
		return nil, usageError(fmt.Errorf("environment %q: %w", t.Name, err), "")
	}
	return client, nil
}

// wishes are what a command wants of its session beyond the project file.
type wishes struct {
	onConflict string // "" takes the project file's
	outOfOrder bool
	limits     limits
	serial     bool // no planner pass
	// confirm, when set, is asked before anything is changed, the lease included.
	confirm func(context.Context, *session) error
}

// open prepares a session. It reads the migrations before anything else, so
// that a mistake in a file is told before the server is asked.
func (a *app) open(c *cobra.Command, may access, want wishes) (*session, error) {
	s := &session{app: a, command: strings.TrimPrefix(c.CommandPath(), c.Root().DisplayName()+" "), abort: a.abort}
	var err error
	if s.cfg, err = loadConfig(a.flags.dir, a.getenv); err != nil {
		return nil, usageError(err, "")
	}
	if s.set, err = a.loadSet(&s.cfg); err != nil {
		return nil, err
	}
	if s.target, err = s.cfg.target(a.flags.env, a.getenv); err != nil {
		return nil, usageError(err, "")
	}
	var clientOptions []appwrite.Option
	if may == reading {
		clientOptions = append(clientOptions, appwrite.WithReadOnly())
	}
	if s.client, err = newClient(&s.cfg, s.target, a, clientOptions...); err != nil {
		return nil, err
	}
	server, err := s.client.Detect(c.Context())
	if err != nil {
		return nil, s.explain(err)
	}
	if s.place, err = a.place(&s.cfg, s.target.Name); err != nil {
		return nil, err
	}
	how := opening{client: s.client, may: may}
	if may == changing {
		if err := s.admit(c, want); err != nil {
			s.close()
			return nil, err
		}
		how.guard = s.right.guard
	}
	if s.store, err = a.openStore(c.Context(), &s.cfg, s.place, how); err == nil {
		err = s.assemble(server, want)
	}
	if err != nil {
		s.close()
		return nil, s.explain(err)
	}
	return s, nil
}

// admit asks whoever has to be asked and gets the lease, before anything is
// changed. From then on every request that changes something asks the lease.
func (s *session) admit(c *cobra.Command, want wishes) error {
	if s.app.running != nil {
		s.app.running.Store(true)
	}
	if want.confirm != nil {
		if err := want.confirm(c.Context(), s); err != nil {
			return err
		}
	}
	if want.limits.deadline != 0 {
		if err := s.limit(c, want.limits.deadline); err != nil {
			return err
		}
	}
	if err := s.acquire(c.Context(), max(want.limits.wait, s.cfg.Lease.Wait)); err != nil {
		return err
	}
	var err error
	s.client, err = s.client.With(appwrite.WithGuard(s.right.guard))
	return err
}

// loadSet reads the migrations folder. A folder that is not there is an empty
// one where the program brings its own migrations.
func (a *app) loadSet(cfg *config) (migrations.Set, error) {
	folder := cfg.Migrations
	root := a.flags.dir
	if filepath.IsAbs(folder) {
		root, folder = filepath.Dir(folder), filepath.Base(folder)
	}
	if _, err := os.Stat(filepath.Join(root, folder)); errors.Is(err, fs.ErrNotExist) {
		if a.ownMain {
			return migrations.NewSet(a.goSet...)
		}
		return migrations.Set{}, &ExitError{
			Code: ExitFailed, Err: a.noFolder(cfg.Migrations), Next: "go to the project's folder, or start one: " + a.name + " init",
		}
	}
	if _, err := os.Stat(filepath.Join(root, folder, "main.go")); err == nil && !a.ownMain {
		return migrations.Set{}, usageError(fmt.Errorf("the migrations in %s are Go: their own program runs them", cfg.Migrations),
			"the same command with go run ./"+filepath.ToSlash(cfg.Migrations)+" in place of "+a.name)
	}
	set, err := migrations.LoadSet(os.DirFS(root), filepath.ToSlash(filepath.Clean(folder)), a.goSet...)
	if err != nil {
		return migrations.Set{}, fmt.Errorf("nothing was run: %w", err)
	}
	a.learnSet(set)
	return set, nil
}

// noFolder says which folder is not there.
func (a *app) noFolder(migrations string) error {
	if _, err := os.Stat(a.flags.dir); err != nil {
		return fmt.Errorf("there is no folder %q", a.flags.dir)
	}
	return fmt.Errorf("there is no folder %q here", migrations)
}

func (s *session) assemble(server appwrite.Server, want wishes) error {
	a := s.app
	codec, err := migrations.NewCodec(s.client, s.set.Funcs(), nil)
	if err != nil {
		return err
	}
	s.progress = a.newProgress()
	base := []engine.Option{
		engine.WithObserver(engine.ObserverFunc(s.observe)),
		engine.WithReceipts(receiptsOf(s.store)),
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithRetry(engine.RetryPolicy{Budget: s.cfg.Timeouts.Budget}),
		engine.WithQuarantine(s.cfg.Timeouts.Quarantine),
		engine.WithConflict(engine.ConflictPolicy(firstOf(want.onConflict, s.cfg.OnConflict))),
		engine.WithInterrupt(engine.Interrupt(s.cfg.OnInterrupt)),
		engine.WithCapabilities(migrations.Capabilities(server)),
		engine.WithLogger(a.logger),
	}
	if s.abort != nil {
		base = append(base, engine.WithAbort(s.abort))
	}
	if s.right != nil {
		base = append(base, engine.WithGuard(s.right.guard))
	}
	if s.engine, err = engine.New(s.store, codec, base...); err != nil {
		return usageError(err, "")
	}
	options := []migrations.RunnerOption{
		migrations.WithHistory(migrations.History{
			Database: s.cfg.History.Database, Collection: s.cfg.History.Collection,
			Name: a.getenv("MIGRATIONS_COLLECTION_NAME"),
		}),
		migrations.WithOrigin(s.origin()),
	}
	if want.outOfOrder || s.cfg.OutOfOrder != "refuse" {
		options = append(options, migrations.WithOutOfOrder())
	}
	if want.serial {
		options = append(options, migrations.WithSerial())
	}
	s.runner, err = migrations.NewRunner(s.set, s.engine, s.store, s.client, codec, options...)
	return err
}

// observe shows what a run does, and tells the lease which run it is.
func (s *session) observe(event engine.Event) {
	if s.right != nil && (event.Kind == engine.EventRunStarted || event.Kind == engine.EventRunResumed) {
		s.right.held().Working(event.Run)
	}
	s.progress.Observe(event)
}

// origin is who runs this where. What cannot be found out stays empty.
func (s *session) origin() migrations.Origin {
	host, _ := os.Hostname()
	actor := firstOf(s.app.getenv("BACKSTEP_ACTOR"), s.app.getenv("GITHUB_ACTOR"), s.app.getenv("GITLAB_USER_LOGIN"))
	if u, err := user.Current(); err == nil && actor == "" {
		actor = u.Username
	}
	where := s.place.String()
	if !s.place.remote() {
		path := s.place.path
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		where = host + ":" + path
	}
	return migrations.Origin{
		Environment: s.target.Name, Actor: actor, Host: host, Tool: toolVersion(), Journal: where,
	}
}

// close ends the session: the journal first, since the lease covers it.
func (s *session) close() {
	if s.progress != nil {
		s.progress.close()
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.app.logger.Warn("close the journal", "error", err)
		}
	}
	if s.right != nil {
		if err := s.right.end(context.Background()); err != nil {
			fmt.Fprintf(s.app.streams.Err, "the lease could not be given back, so the next runner waits %s for it: %v\n", s.cfg.Lease.TTL, err)
		}
	}
	for _, end := range s.ended {
		end()
	}
}

// explain adds what to do about an error that the server or the way to it gave.
func (s *session) explain(err error) error {
	var exit *ExitError
	if errors.As(err, &exit) {
		return err
	}
	if lost := s.lost(err); lost != nil { // not a fault of what was asked meanwhile
		return &ExitError{Code: ExitInterrupted, Err: fmt.Errorf("%w; %w", lost, err), Next: s.app.name + " " + s.command}
	}
	next := hint(s.app.name, err, s.target)
	if next == "" {
		return err
	}
	return &ExitError{Code: ExitFailed, Err: fmt.Errorf("environment %q: %w", s.target.Name, err), Next: next}
}

// lost is how the lease was lost, when that is what an error comes from.
func (s *session) lost(err error) error {
	if s.right == nil || !errors.Is(err, lease.ErrLost) && !errors.Is(err, context.Canceled) {
		return nil
	}
	return s.right.held().Err()
}

// status reads where the project stands, with advice on what stands in the way
// of reading it.
func (s *session) status(ctx context.Context) (migrations.Status, error) {
	status, err := s.runner.Status(ctx)
	if err != nil {
		return status, s.explain(err)
	}
	return status, nil
}
