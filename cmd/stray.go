package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/sqlite"
	"github.com/backstep-dev/backstep/migrations"
)

// stray gives the journal file on this machine that has a run which the journal
// in use lacks: that of an environment from before its journal was kept in the
// project. "" when there is none.
func (s *session) stray(ctx context.Context, run string) string {
	if !s.place.remote() {
		return ""
	}
	place := s.app.placeOf(&s.cfg, journalFile, s.target.Name)
	store, err := sqlite.Open(ctx, place.path, sqlite.ReadOnly())
	if err != nil {
		return ""
	}
	defer store.Close()
	runs, err := store.Runs(ctx)
	if err != nil {
		return ""
	}
	for _, r := range runs {
		if run != "" && strings.HasPrefix(r.Run, run) {
			return place.String()
		}
	}
	return ""
}

// bring is the command that brings a stray journal into the project.
func (s *session) bring(place string) string {
	return fmt.Sprintf("%s journal import %s", s.app.name, place)
}

// elsewhere says how to get at an unfinished run that the journal in use lacks.
func (s *session) elsewhere(ctx context.Context, u *migrations.UnfinishedError) error {
	if place := s.stray(ctx, u.Run); u.Status == "" && place != "" {
		return &ExitError{Code: ExitHalted, Err: fmt.Errorf("%w: it is in %s", u, place), Next: s.bring(place)}
	}
	return s.refused(u)
}

// chosen is the run that an argument names the beginning of.
func (s *session) chosen(c *cobra.Command, prefix string) (string, error) {
	run, err := s.app.findRun(c, s.store, prefix)
	if err == nil {
		return run, nil
	}
	if place := s.stray(c.Context(), prefix); place != "" {
		return "", &ExitError{Code: ExitUsage, Err: fmt.Errorf("%w, but in %s", err, place), Next: s.bring(place)}
	}
	return "", err
}

// unremembered tells a way back that is missing only because the journal that
// remembers it is another one on this machine.
func (s *session) unremembered(ctx context.Context, cause error) error {
	if !errors.Is(cause, journal.ErrNoRun) {
		return s.refused(cause)
	}
	status, err := s.status(ctx)
	if err != nil {
		return errors.Join(cause, err)
	}
	for _, m := range slices.Backward(status.Migrations) {
		if m.Entry == nil {
			continue
		}
		if _, err := s.store.Records(ctx, m.Entry.Run); !errors.Is(err, journal.ErrNoRun) {
			continue
		}
		if place := s.stray(ctx, m.Entry.Run); place != "" {
			return s.notHere(m.Version, m.Name, place)
		}
	}
	return s.refused(cause)
}

func (s *session) notHere(version, name, place string) error {
	return &ExitError{
		Code: ExitFailed, Next: s.bring(place),
		Err: fmt.Errorf("what is remembered of %s_%s is not in the project's journal but in %s; nothing was changed", version, name, place),
	}
}

// remembered sees to it that a migration is not taken back without what the
// journal remembers of it while that is at hand, in another journal. Where it is
// not, it says so.
func (s *session) remembered(ctx context.Context, tasks []migrations.Task) error {
	var blind []migrations.Task
	for _, task := range tasks {
		if task.Direction == migrations.Down && task.Source != migrations.FromJournal {
			blind = append(blind, task)
		}
	}
	if len(blind) == 0 {
		return nil
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	for _, task := range blind {
		for _, m := range status.Migrations {
			if m.Version != task.Version || m.Entry == nil {
				continue
			}
			if _, err := s.store.Records(ctx, m.Entry.Run); !errors.Is(err, journal.ErrNoRun) {
				continue // the journal has it, and it has no undo
			}
			if place := s.stray(ctx, m.Entry.Run); place != "" {
				return s.notHere(task.Version, task.Name, place)
			}
			fmt.Fprintf(s.app.streams.Err, "the journal does not know run %s, which applied %s_%s (it is in %s): taking it down by its %s, without the values that it replaced\n",
				m.Entry.Run, task.Version, task.Name, m.Entry.Journal, task.Source)
		}
	}
	return nil
}
