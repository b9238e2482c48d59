// Package cmd is the command line as a library. The backstep binary is a main
// that calls Main; a project with Go migrations has a main of its own that
// calls Main with its migrations and gets the whole command line.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/internal/redact"
	"github.com/backstep-dev/backstep/migrations"
)

// app is what the commands share: where they read and write, and what the
// program's author gave to Main.
type app struct {
	name    string // of the program, with the flags that what it suggests must have, too
	program string // of the program alone
	streams Streams
	getenv  func(string) string
	goSet   []*migrations.Migration
	ownMain bool // the program is a project's own, with its migrations in Go
	logger  *slog.Logger
	flags   globalFlags
	abort   <-chan struct{} // closed when a run must stop at once
	running *atomic.Bool    // whether there is a run that a signal would stop
	redact  *redact.Redactor
}

// globalFlags are the flags that every command takes.
type globalFlags struct {
	dir     string
	env     string
	journal string
	format  string
	noInput bool
	verbose bool
}

// Option changes what Main and Execute run.
type Option func(*app)

// WithMigrations adds migrations written in Go to those in the project's
// folder. Two with the same version are an error when the command runs.
func WithMigrations(ms ...*migrations.Migration) Option {
	return func(a *app) { a.goSet, a.ownMain = append(a.goSet, ms...), true }
}

// WithName sets what the program is called by in help and hints, such as
// "go run ./migrations"; default "backstep".
func WithName(name string) Option {
	return func(a *app) { a.name = name }
}

// inFolder sets the project folder where --dir does not.
func inFolder(dir string) Option {
	return func(a *app) { a.flags.dir = dir }
}

// WithGetenv replaces os.Getenv, for tests.
func WithGetenv(getenv func(string) string) Option {
	return func(a *app) { a.getenv = getenv }
}

// Main runs the command line of this process and returns its exit code, for a
// main function to hand to os.Exit. The first interrupt stops at the next safe
// point, the second at once; both leave a run that can be resumed.
func Main(opts ...Option) int { return MainWith(SystemStreams(), opts...) }

// MainWith is Main with other streams.
func MainWith(streams Streams, opts ...Option) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2) // neither of two that come at once is lost
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does; else a closed terminal stops like Ctrl-C
		signal.Notify(signals, syscall.SIGHUP)
	}
	abort, ended := make(chan struct{}), make(chan struct{})
	var running atomic.Bool
	var listener sync.WaitGroup
	listener.Go(func() { listen(signals, ended, &running, streams, cancel, abort) })
	defer listener.Wait()
	defer close(ended)
	return Execute(ctx, os.Args[1:], streams, append(opts, func(a *app) { a.abort, a.running = abort, &running })...)
}

// listen turns the first signal into a stop at the next safe point, the second
// into a stop at once, and leaves a third to the system. It says so where there
// is a run to stop.
func listen(signals chan os.Signal, ended <-chan struct{}, running *atomic.Bool, streams Streams, cancel func(), abort chan<- struct{}) {
	defer signal.Stop(signals)
	select {
	case <-signals:
	case <-ended:
		return
	}
	if running.Load() {
		fmt.Fprintln(streams.Err, "\nstopping at the next safe point; once more to stop at once")
	}
	cancel()
	select {
	case <-signals:
	case <-ended:
		return
	}
	if running.Load() {
		fmt.Fprintln(streams.Err, "\nstopping at once")
	}
	close(abort)
}

// Execute runs one command line and returns its exit code. Errors go to
// streams.Err, with the next command to type.
func Execute(ctx context.Context, args []string, streams Streams, opts ...Option) int {
	a := &app{name: "backstep", streams: streams, getenv: os.Getenv, redact: &redact.Redactor{}}
	for _, opt := range opts {
		opt(a)
	}
	a.program = a.name
	root := newRoot(a) //nolint:contextcheck // commands take the context that cobra hands them
	root.SetArgs(args)
	err := a.hintSealed(root.ExecuteContext(ctx))
	a.printError(err)
	return exitCode(err)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   path.Base(a.name),
		Short: "Migrations for Appwrite databases that behave like transactions",
		Long: `Backstep applies migrations to the databases of an Appwrite project. Each step
is written to a journal before it acts, retried when it may be, and undone in
reverse order when the migration cannot finish. A run that was cut off resumes.`,
		Example: `  ` + a.name + ` demo              # see it work, with nothing to set up
  ` + a.name + ` init              # start a project in this folder
  ` + a.name + ` new add_products  # write a migration
  ` + a.name + ` plan              # see what it would do
  ` + a.name + ` up                # do it`,
		Annotations:                map[string]string{cobra.CommandDisplayNameAnnotation: a.name},
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       noArgs,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(err, cmd.CommandPath()+" --help")
	})
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.dir, "dir", "C", firstOf(a.flags.dir, "."), "project folder")
	f.StringVarP(&a.flags.env, "env", "e", "", "environment of backstep.yaml (default: its default)")
	f.StringVar(&a.flags.journal, "journal", "", "where the journal is: remote, file, or file:PATH (default: journal of backstep.yaml, else remote: in the project itself)")
	f.StringVar(&a.flags.format, "format", "table", "output: table or json")
	f.BoolVar(&a.flags.noInput, "no-input", false, "never ask; fail where an answer would be needed")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "log every attempt and wait to stderr")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		a.name += placeTyped(c)
		return a.prepare()
	}
	root.AddGroup(
		&cobra.Group{ID: "start", Title: "Start:"},
		&cobra.Group{ID: "change", Title: "Change a project:"},
		&cobra.Group{ID: "look", Title: "Look:"},
		&cobra.Group{ID: "mend", Title: "Mend:"},
	)
	a.addCommands(root)
	a.nameExamples(root)
	return root
}

// nameExamples puts the program's own name into the examples of all commands.
func (a *app) nameExamples(c *cobra.Command) {
	c.Example = strings.ReplaceAll(c.Example, "  backstep ", "  "+a.name+" ")
	for _, child := range c.Commands() {
		a.nameExamples(child)
	}
}

// placeTyped gives the flags of the command line that say where to work. A
// command that is suggested without them would work elsewhere: on another
// environment, say.
func placeTyped(c *cobra.Command) string {
	var typed strings.Builder
	for _, name := range []string{"dir", "env", "journal"} {
		if f := c.Flag(name); f != nil && f.Value.String() != "" && f.Changed {
			value := f.Value.String()
			if strings.ContainsFunc(value, func(r rune) bool { return !strings.ContainsRune(unquoted, r) }) {
				value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
			}
			fmt.Fprintf(&typed, " --%s %s", name, value)
		}
	}
	return typed.String()
}

// unquoted are the characters that mean nothing to a shell.
const unquoted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+="

func (a *app) prepare() error {
	if a.flags.format != "table" && a.flags.format != "json" {
		return usageError(fmt.Errorf("--format is %q; it may be table or json", a.flags.format), a.name+" --help")
	}
	a.startRedacting()
	level := slog.LevelError
	if a.flags.verbose {
		level = slog.LevelDebug
	}
	a.logger = slog.New(slog.NewTextHandler(a.streams.Err, &slog.HandlerOptions{Level: level}))
	return nil
}

func (a *app) asJSON() bool { return a.flags.format == "json" }

// mayAsk says whether a question can be put to a person.
func (a *app) mayAsk() bool { return a.streams.Terminal && !a.flags.noInput }

func (a *app) printError(err error) {
	if err == nil {
		return
	}
	var exit *ExitError
	if errors.As(err, &exit) {
		if !exit.Reported {
			fmt.Fprintf(a.streams.Err, "error: %v\n", err)
		}
		if exit.Next != "" {
			fmt.Fprintf(a.streams.Err, "next: %s\n", exit.Next)
		}
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.streams.Err, "stopped; no run was begun")
		return
	}
	fmt.Fprintf(a.streams.Err, "error: %v\n", err)
}

// noArgs refuses arguments with a usage error. For the root, an argument is an
// unknown command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		msg := fmt.Sprintf("unknown command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			msg += fmt.Sprintf("; did you mean %q?", near[0])
		}
		return usageError(errors.New(msg), cmd.CommandPath()+" --help")
	}
	return usageError(fmt.Errorf("%s takes no arguments, got %q", cmd.Name(), args), cmd.CommandPath()+" --help")
}

// atMostOne refuses more than one argument with a usage error.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError(fmt.Errorf("%s takes %s and nothing else, got %q", cmd.Name(), what, args), cmd.CommandPath()+" --help")
		}
		return nil
	}
}

// oneArg refuses none and more than one argument with a usage error.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError(fmt.Errorf("%s needs %s", cmd.Name(), what), cmd.CommandPath()+" --help")
		}
		return nil
	}
}
