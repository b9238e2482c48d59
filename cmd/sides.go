package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/schema"
)

// side is one of the two schemas of a comparison.
type side struct {
	Label   string // as people call it: "environment dev", "the migrations"
	env     string // its name, where the side is an environment
	model   schema.Model
	limits  schema.Limits // of the server, where the side is one
	profile *replica.Profile
	notices []string
}

// The words for sides that are not files.
const (
	sideLive       = "live"
	sideMigrations = "migrations"
	sideEnv        = "env:"
)

// cliFiles are the names of Appwrite CLI files, the usual one first.
func cliFiles() []string { return []string{"appwrite.config.json", "appwrite.json"} }

// cliFile finds the project's CLI file; the name of a new one where there is none.
func (a *app) cliFile() (name string, found bool) {
	for _, name := range cliFiles() {
		if _, err := os.Stat(filepath.Join(a.flags.dir, name)); err == nil {
			return name, true
		}
	}
	return cliFiles()[0], false
}

// sideReader reads sides.
type sideReader struct {
	app    *app
	cfg    config
	server string   // version that migrations are replayed for, "" where a server of the comparison tells
	ignore []string // databases that are left out of every side
	help   string   // what tells of sides
}

// newSideReader makes one. The reserved database is never compared.
func (a *app) newSideReader(server string, ignore []string) (*sideReader, error) {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return nil, usageError(err, "")
	}
	if _, err := replica.ProfileFor(firstOf(server, defaultServer)); err != nil {
		return nil, usageError(fmt.Errorf("--server: %w", err), "")
	}
	return &sideReader{app: a, cfg: cfg, server: server, ignore: append(slices.Clone(ignore), cfg.History.Database), help: a.name + " diff --help"}, nil
}

// defaultServer is the version that a schema is meant for when no server tells.
const defaultServer = "1.9.6"

// both reads two sides; servers first, since what the migrations add up to is
// found out on an embedded server like them.
func (r *sideReader) both(ctx context.Context, from, to string) (a, b side, err error) {
	if isServer(to) && !isServer(from) {
		b, a, err = r.both(ctx, to, from)
		return a, b, err
	}
	if a, err = r.one(ctx, from, nil); err != nil {
		return a, b, err
	}
	b, err = r.one(ctx, to, a.profile)
	return a, b, err
}

func isServer(word string) bool { return word == sideLive || strings.HasPrefix(word, sideEnv) }

// one reads a side.
func (r *sideReader) one(ctx context.Context, word string, profile *replica.Profile) (side, error) {
	var s side
	var err error
	switch {
	case word == sideLive:
		s, err = r.live(ctx, r.app.flags.env)
	case strings.HasPrefix(word, sideEnv):
		s, err = r.named(ctx, strings.TrimPrefix(word, sideEnv))
	case word == sideMigrations:
		s, err = r.migrations(ctx, profile)
	default:
		s, err = r.file(word)
	}
	s.model.Databases = slices.DeleteFunc(slices.Clone(s.model.Databases), func(d schema.Database) bool { return slices.Contains(r.ignore, d.ID) })
	return s, err
}

// named reads an environment by its name, which has to be in the project file:
// without it every name would be the same project, and two of them never differ.
func (r *sideReader) named(ctx context.Context, name string) (side, error) {
	if _, known := r.cfg.Environments[name]; !known && (name == "" || len(r.cfg.Environments) == 0) {
		return side{}, usageError(fmt.Errorf("%s%s is no environment: environments are named in %s", sideEnv, name, configFile), r.help)
	}
	return r.live(ctx, name)
}

// live reads the schema of an environment, with a client that fails on any write.
func (r *sideReader) live(ctx context.Context, name string) (side, error) {
	t, err := r.cfg.target(name, r.app.getenv)
	if err != nil {
		return side{}, usageError(err, "")
	}
	client, err := newClient(&r.cfg, t, r.app, appwrite.WithReadOnly())
	if err != nil {
		return side{}, err
	}
	defer client.Close()
	s := side{Label: "environment " + t.Name, env: t.Name}
	explain := func(err error) error {
		if errors.Is(err, context.Canceled) {
			return err
		}
		return &ExitError{Code: ExitFailed, Err: fmt.Errorf("environment %q: %w", t.Name, err), Next: firstOf(hint(r.app.name, err, t), r.app.program+" doctor --env "+t.Name)}
	}
	profile, err := replica.ProfileOf(ctx, client)
	if err != nil {
		return side{}, explain(err)
	}
	server, err := client.Detect(ctx)
	if err != nil {
		return side{}, explain(err)
	}
	s.profile, s.limits = &profile, schema.LimitsOf(server)
	if s.model, err = schema.Live(ctx, client, r.ignore...); err != nil {
		return side{}, explain(err)
	}
	return s, nil
}

// migrations finds out what all migrations at hand add up to.
func (r *sideReader) migrations(ctx context.Context, profile *replica.Profile) (side, error) {
	set, err := r.app.loadSet(&r.cfg)
	if err != nil {
		return side{}, err
	}
	if r.server != "" || profile == nil {
		p, err := replica.ProfileFor(firstOf(r.server, defaultServer))
		if err != nil {
			return side{}, usageError(err, "")
		}
		profile = &p
	}
	state, err := replica.Replay(ctx, set.All(), *profile)
	if err != nil {
		return side{}, &ExitError{Code: ExitFailed, Err: err, Next: r.app.name + " lint"}
	}
	return side{Label: "the migrations", model: state.Model, notices: state.Notices}, nil
}

// file reads an Appwrite CLI file.
func (r *sideReader) file(path string) (side, error) {
	a := r.app
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(a.flags.dir, path)
	}
	file, err := schema.Read(os.DirFS(filepath.Dir(full)), filepath.Base(full))
	if errors.Is(err, fs.ErrNotExist) {
		return side{}, r.noSide(path)
	}
	if err != nil {
		return side{}, err
	}
	s := side{Label: path, model: file.Model}
	for _, n := range file.Notices {
		s.notices = append(s.notices, n.String())
	}
	return s, nil
}

// noSide says that there is no such file, and what might have been meant.
func (r *sideReader) noSide(word string) error {
	a := r.app
	if _, known := r.cfg.Environments[word]; known {
		return usageError(fmt.Errorf("there is no file %q; the environment is called %s%s", word, sideEnv, word), "")
	}
	if slices.Contains(cliFiles(), word) {
		return &ExitError{Code: ExitFailed, Err: fmt.Errorf("there is no %s here", word), Next: a.name + " pull, which writes it"}
	}
	return usageError(fmt.Errorf("there is no file %q; a side is a file, live, env:NAME or migrations", word), r.help)
}

// tellNotices says on stderr what is not as a side puts it.
func (a *app) tellNotices(sides ...side) {
	for _, s := range sides {
		for _, n := range s.notices {
			fmt.Fprintf(a.streams.Err, "note: %s\n", n)
		}
	}
}
