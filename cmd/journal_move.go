package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// movedRun is what export and import tell of one run.
type movedRun struct {
	Run      string `json:"run"`
	Records  int    `json:"records"`
	Archives int    `json:"archives"`
	Bytes    int64  `json:"archive_bytes"`
	Added    *int   `json:"added,omitempty"` // records that were not there yet
}

func newJournalExport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE [RUN]",
		Short: "Write the runs, with their archives, to a file that import reads",
		Long: `Writes the journal's runs and the archives that they point at to one file,
everything verified on the way: a backup, or the way to another journal. "-" is
stdout. What is sealed stays sealed. The file holds users' data: its mode is 0600.`,
		Example: "  backstep journal export journal.ndjson\n  backstep journal export - 0197e1c2 | zstd > run.zst",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError(errors.New("export needs a file, and takes the id of a run"), c.CommandPath()+" --help")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runJournalExport(c, a, args) },
	}
}

func runJournalExport(c *cobra.Command, a *app, args []string) error {
	store, err := a.openJournal(c)
	if err != nil {
		return err
	}
	defer store.Close()
	if _, none := store.(noJournal); none {
		return &ExitError{Code: ExitFailed, Err: errors.New("there is no journal yet; nothing was written"), Next: a.name + " journal show"}
	}
	var runs []string
	if len(args) == 2 {
		run, err := a.findRun(c, store, args[1])
		if err != nil {
			return err
		}
		runs = []string{run}
	}
	meter := a.newMeter("exported")
	defer meter.close()
	export := func(out io.Writer) ([]journal.Transferred, error) {
		return journal.Export(c.Context(), storedForm(store), runs, io.MultiWriter(out, meter))
	}
	if args[0] == "-" {
		_, err := export(a.streams.Out)
		return err
	}
	done, err := writeWhole(args[0], export)
	if err != nil {
		return fmt.Errorf("export the journal to %s: %w", args[0], err)
	}
	meter.close()
	return a.moved("journal-export", done, false, "in "+args[0])
}

// writeWhole writes a file under its name once it is whole, and not at all
// before.
func writeWhole(path string, write func(io.Writer) ([]journal.Transferred, error)) (done []journal.Transferred, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if done, err = write(f); err != nil {
		return nil, err
	}
	if err = f.Sync(); err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return done, err
}

// syncFolder makes a new name in a folder outlive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func newJournalImport(a *app) *cobra.Command {
	var wait limits
	c := &cobra.Command{
		Use:   "import FILE | file:PATH",
		Short: "Bring runs from an export, or from another journal, into this one",
		Long: `Reads what export wrote, or another journal on this machine, and adds its runs and
archives to the journal in use. Everything is verified before it counts. Runs
that are there already stay as they are, so it can be repeated. This is how a
project whose journal was a file moves it into the project: import file:.backstep`,
		Example: "  backstep journal import file:.backstep\n  backstep journal import journal.ndjson\n  backstep journal import journal.ndjson --journal file",
		Args:    oneArg("a file that export wrote, or file:PATH for a journal"),
		RunE:    func(c *cobra.Command, args []string) error { return runJournalImport(c, a, args[0], wait) },
	}
	addWait(c.Flags(), &wait.wait)
	return c
}

func runJournalImport(c *cobra.Command, a *app, from string, wait limits) error {
	s, err := a.open(c, changing, wishes{limits: wait})
	if err != nil {
		return err
	}
	defer s.close()
	source, err := s.source(c.Context(), from)
	if err != nil {
		return err
	}
	meter := a.newMeter("imported")
	defer meter.close()
	done, err := journal.Import(c.Context(), storedForm(s.store), io.TeeReader(source, meter))
	err = errors.Join(err, source.Close())
	meter.close()
	if err != nil {
		return &ExitError{
			Code: ExitFailed, Err: fmt.Errorf("%w (%s brought in before)", err, plural(len(done), "run")),
			Next: "see to what is named above; to import again is safe: runs that are there stay as they are",
		}
	}
	return a.moved("journal-import", done, true, "from "+from)
}

// source opens what is to be imported: a file, or a journal that is exported as
// it is read.
func (s *session) source(ctx context.Context, from string) (io.ReadCloser, error) {
	if !strings.HasPrefix(from, journalFile+":") {
		f, err := os.Open(from)
		if err != nil {
			return nil, usageError(fmt.Errorf("open the export: %w", err), "")
		}
		return f, nil
	}
	place := s.app.placeOf(&s.cfg, from, s.target.Name)
	if place == s.place {
		return nil, usageError(fmt.Errorf("%s is the journal in use", from), "")
	}
	store, err := sqlite.Open(ctx, place.path, sqlite.ReadOnly())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError(fmt.Errorf("there is no journal %s", place.path), "")
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal to import: %w", err)
	}
	return exported(ctx, store), nil
}

// exporting is the export of a journal, read while it is written.
type exporting struct {
	*io.PipeReader
	done chan struct{}
}

func exported(ctx context.Context, store journal.Store) io.ReadCloser {
	r, w := io.Pipe()
	e := exporting{PipeReader: r, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		_, err := journal.Export(ctx, store, nil, w)
		_ = w.CloseWithError(errors.Join(err, store.Close()))
	}()
	return e
}

// Close ends the export and waits for it.
func (e exporting) Close() error {
	err := e.PipeReader.Close()
	<-e.done
	return err
}

// moved tells what was exported or imported.
func (a *app) moved(command string, done []journal.Transferred, adding bool, where string) error {
	results := make([]movedRun, 0, len(done))
	records, archives, added := 0, 0, 0
	for _, t := range done {
		r := movedRun{Run: t.Run, Records: t.Records, Archives: t.Archives, Bytes: t.Bytes}
		if adding {
			r.Added = &t.Added
		}
		if t.Added > 0 {
			added++
		}
		records, archives = records+t.Records, archives+t.Archives
		results = append(results, r)
	}
	return a.result(command, results, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s: %s, %s, verified", plural(len(done), "run"), where, plural(records, "record"), plural(archives, "archive"))
		if adding {
			fmt.Fprintf(w, "; %d new here", added)
		}
		fmt.Fprintln(w)
	})
}
