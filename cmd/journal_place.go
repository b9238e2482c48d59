package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/remote"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// The words for where a journal is kept.
const (
	journalRemote = "remote"
	journalFile   = "file"
	defaultFolder = ".backstep" // of journals that are files
)

// journalPlace is where the journal of an environment is kept: in the project
// itself, where every machine finds it, or in a file of this one.
type journalPlace struct {
	database string // of the project, for a remote journal
	path     string // of the file, "" for a remote journal
}

func (p journalPlace) remote() bool { return p.path == "" }

// String says where the journal is, as --journal takes it.
func (p journalPlace) String() string {
	if p.remote() {
		return journalRemote + ":" + p.database
	}
	return journalFile + ":" + p.path
}

// place gives where the journal of an environment is: as --journal says, else
// as the project file does, else in the project.
func (a *app) place(cfg *config, environment string) (journalPlace, error) {
	if a.flags.journal != "" {
		word, _, _ := strings.Cut(a.flags.journal, ":")
		if word != journalRemote && word != journalFile {
			return journalPlace{}, usageError(fmt.Errorf("--journal is %q; it may be remote, file, or file:PATH", a.flags.journal), "")
		}
		return a.placeOf(cfg, a.flags.journal, environment), nil
	}
	return a.placeOf(cfg, cfg.Journal, environment), nil
}

// placeOf reads "remote", "file", "file:PATH" or "PATH". A path that ends in .db
// is the file itself, any other the folder with one file an environment.
func (a *app) placeOf(cfg *config, spec, environment string) journalPlace {
	word, path, found := strings.Cut(spec, ":")
	switch {
	case word == journalRemote, spec == "":
		return journalPlace{database: cfg.History.Database}
	case spec == journalFile:
		path = defaultFolder
	case word != journalFile || !found:
		path = spec
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.flags.dir, path)
	}
	if filepath.Ext(path) != ".db" {
		path = filepath.Join(path, environment+".journal.db")
	}
	return journalPlace{path: path}
}

// opening is what opening a journal takes.
type opening struct {
	client *appwrite.Client            // for a remote journal
	guard  func(context.Context) error // of the lease, for changing
	may    access
}

// openStore opens the journal at a place. For reading it writes nothing: a
// journal that is not there is an empty one, and stays not there.
func (a *app) openStore(ctx context.Context, cfg *config, place journalPlace, how opening) (journal.Store, error) {
	store, err := openPlain(ctx, cfg, place, how)
	if how.may == reading && errors.Is(err, fs.ErrNotExist) {
		return noJournal{}, nil
	}
	if err != nil && how.may == changing && !place.remote() {
		return nil, &ExitError{Code: ExitFailed, Err: err, Next: "see to " + filepath.Dir(place.path) + ": nothing is changed without a journal"}
	}
	if err != nil {
		return nil, err
	}
	return a.withSecrets(cfg, store)
}

func openPlain(ctx context.Context, cfg *config, place journalPlace, how opening) (journal.Store, error) {
	if !place.remote() {
		var opts []sqlite.Option
		if how.may == reading {
			opts = append(opts, sqlite.ReadOnly())
		}
		return sqlite.Open(ctx, place.path, opts...)
	}
	opts := []remote.Option{remote.WithPatience(min(remote.DefaultPatience, cfg.Timeouts.Budget))}
	if how.may == reading {
		opts = append(opts, remote.ReadOnly())
	}
	store, err := remote.Open(ctx, how.client, place.database, opts...)
	if err != nil || how.guard == nil {
		return store, err
	}
	return store.Guarded(how.guard)
}

// receiptsOf gives the receipts that a journal keeps, nil where it keeps none.
func receiptsOf(store journal.Store) journal.Receipts {
	if keeper, ok := store.(journal.ReceiptKeeper); ok {
		return keeper.Receipts()
	}
	return nil
}
