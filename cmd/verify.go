package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/migrations"
)

// verifyResult is what verify tells.
type verifyResult struct {
	Migrations  int             `json:"migrations"`
	Environment string          `json:"environment,omitempty"` // whose history was looked at
	Problems    []verifyProblem `json:"problems"`
}

type verifyProblem struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
}

type verifyOptions struct {
	write   bool
	offline bool
}

func newVerify(a *app) *cobra.Command {
	o := verifyOptions{}
	c := &cobra.Command{
		Use:     "verify",
		Short:   "Hold the migration files against backstep.sum and the history",
		GroupID: "look",
		Long: `Compares three accounts of the migrations: the files, backstep.sum, and the
history of the environment. Any difference is named with its file and line, and
exits with 7. CI without access to an environment takes --offline.

backstep.sum holds the checksum of every migration and of the whole, so that two
branches that both add one cannot be merged unseen. --write writes it, once to
begin with and then after a migration has been written; new, import, diff --name
and squash keep it from then on, and up refuses what it does not agree with.`,
		Example: "  backstep verify\n  backstep verify --offline\n  backstep verify --write",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runVerify(c, a, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.write, "write", false, "write backstep.sum as the files are")
	f.BoolVar(&o.offline, "offline", false, "compare files and backstep.sum only; ask no server")
	return c
}

func runVerify(c *cobra.Command, a *app, o verifyOptions) error {
	if o.write && o.offline {
		return usageError(errors.New("--offline compares, --write does not: it asks no server in any case"), a.name+" verify --help")
	}
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	set, err := a.loadSet(&cfg)
	if err != nil {
		return err
	}
	if o.write {
		return a.writeWholeSum(set)
	}
	result := verifyResult{Migrations: len(set.All()), Problems: []verifyProblem{}}
	problems, err := a.heldAgainstSum(set)
	if err != nil {
		return err
	}
	next := "see to what is named above; if the files are as they should be: " + a.name + " verify --write"
	if len(problems) == 0 { // then it is the history, which is not written anew
		next = "put the files back as they were applied (version control has them), then: " + a.name + " verify"
	}
	if !o.offline {
		more, environment, err := a.heldAgainstHistory(c.Context(), &cfg, set)
		if err != nil {
			return err
		}
		problems = append(problems, more...)
		result.Environment = environment
	}
	for _, p := range problems {
		result.Problems = append(result.Problems, verifyProblem{File: p.At.File, Line: p.At.Line, Reason: p.Reason})
	}
	if err := a.result("verify", result, func(w io.Writer) { writeVerify(w, result, problems) }); err != nil {
		return err
	}
	if len(problems) > 0 {
		return &ExitError{
			Code: ExitRefused, Err: errors.New("the migrations are not what was recorded"), Reported: true, Next: next,
		}
	}
	return nil
}

func writeVerify(w io.Writer, r verifyResult, problems []migrations.SumProblem) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	if len(problems) > 0 {
		return
	}
	against := migrations.SumFile
	if r.Environment != "" {
		against += " and the history of " + r.Environment
	}
	fmt.Fprintf(w, "%s: as in %s\n", plural(r.Migrations, "migration"), against)
}

// heldAgainstSum lists how files and sum differ. A project without a sum has to
// write one first.
func (a *app) heldAgainstSum(set migrations.Set) ([]migrations.SumProblem, error) {
	sum, found, err := a.readSum()
	var broken *migrations.SumError
	switch {
	case errors.As(err, &broken):
		return broken.Problems, nil
	case err != nil:
		return nil, err
	case !found:
		return nil, &ExitError{Code: ExitRefused, Err: fmt.Errorf("there is no %s to verify against", migrations.SumFile), Next: a.name + " verify --write"}
	}
	return sum.Compare(migrations.SumFile, set)
}

// heldAgainstHistory lists how files and history differ. What is pending does
// not count: it has not been recorded.
func (a *app) heldAgainstHistory(ctx context.Context, cfg *config, set migrations.Set) ([]migrations.SumProblem, string, error) {
	t, err := cfg.target(a.flags.env, a.getenv)
	if err != nil {
		return nil, "", usageError(err, "")
	}
	entries, err := a.recorded(ctx, cfg, t)
	if err != nil {
		return nil, "", err
	}
	problems, err := set.HeldAgainst(entries, "the history of "+t.Name)
	return problems, t.Name, err
}

// writeWholeSum writes backstep.sum as the files are, and tells what changed.
func (a *app) writeWholeSum(set migrations.Set) error {
	old, found, err := a.readSum()
	if err != nil && !errors.Is(err, migrations.ErrSum) {
		return err
	}
	sum, err := migrations.SumOf(set)
	if err != nil {
		return err
	}
	if found && err == nil {
		for _, change := range sum.Since(old) {
			fmt.Fprintln(a.streams.Err, change)
		}
	}
	if err := a.writeSum(sum); err != nil {
		return err
	}
	fmt.Fprintf(a.streams.Out, "wrote %s: %s\n", migrations.SumFile, plural(len(sum.Lines), "migration"))
	return nil
}

func (a *app) writeSum(sum migrations.Sum) error {
	return replaceFile(filepath.Join(a.flags.dir, migrations.SumFile), sum.Bytes())
}

// sumReadable refuses a backstep.sum that nothing can be added to, before the
// migration that would be added is written.
func (a *app) sumReadable() error {
	if _, _, err := a.readSum(); err != nil {
		return sumRefused(a.name, fmt.Errorf("nothing was written: %w", err))
	}
	return nil
}

// addToSum adds a new migration to backstep.sum, where the project keeps one.
// One without steps stays open.
func (a *app) addToSum(file string, data []byte) error {
	sum, found, err := a.readSum()
	if err != nil || !found {
		return err
	}
	checksum, base := "", filepath.Base(file)
	if m, err := migrations.Parse(filepath.ToSlash(file), data); err == nil {
		if checksum, err = m.Checksum(); err != nil {
			return err
		}
	}
	return a.writeSum(sum.With(base[:len(base)-len(filepath.Ext(base))], checksum))
}

// checkSum refuses migrations that backstep.sum, where there is one, does not
// agree with. One that is still being written passes where nothing is protected.
func (s *session) checkSum() error {
	return s.app.agreesWithSum(s.set, !s.target.Protected)
}

// agreesWithSum refuses migrations that backstep.sum, where there is one, does
// not agree with. Those that are still being written pass when open is true.
func (a *app) agreesWithSum(set migrations.Set, open bool) error {
	sum, found, err := a.readSum()
	if err == nil && found {
		err = sum.Verify(migrations.SumFile, set, open)
	}
	if err != nil {
		return sumRefused(a.name, err)
	}
	return nil
}
