package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// MigrationState says where a migration stands in a project.
type MigrationState string

// The states of a migration.
const (
	Pending    MigrationState = "pending"      // at hand, not applied
	OutOfOrder MigrationState = "out_of_order" // pending, and a newer one is applied
	Applied    MigrationState = "applied"
	Edited     MigrationState = "edited"     // applied, but with other steps than those at hand
	Missing    MigrationState = "missing"    // applied, and not at hand
	Unfinished MigrationState = "unfinished" // a run of it was cut off or halted
	Held       MigrationState = "held"       // pending, and applied only when its version is asked for
	Squashed   MigrationState = "squashed"   // applied, and one of those that a squashed migration at hand stands for
	Partly     MigrationState = "partly"     // a squashed migration, and only some of those that it stands for are applied
)

// MigrationStatus is one line of Status.
type MigrationStatus struct {
	Version   string
	Name      string
	State     MigrationState
	Migration *Migration // nil when it is not at hand
	Entry     *Entry     // nil when the history has none
	// Err says what the state stands in the way of: *EditedError,
	// *UnfinishedError, *PartlyError, or one that wraps ErrMissing or
	// ErrOutOfOrder.
	Err error
}

// Status is where a project stands: every migration at hand or in the history,
// the oldest first.
type Status struct {
	Migrations []MigrationStatus
	// Unfinished are the runs that have to be ended first: those that the
	// history knows and those that only the journal does.
	Unfinished []*UnfinishedError
}

// EditedError tells how an applied migration differs from what was applied.
type EditedError struct {
	Version  string
	Name     string
	Recorded string // checksum in the history
	Current  string // checksum of what is at hand
	// Changes are the operations that differ, as far as this machine's journal
	// knows what was applied.
	Changes []string
}

// Error names the migration and what changed.
func (e *EditedError) Error() string {
	head := fmt.Sprintf("%v: %s_%s: checksum %.12s… is now %.12s…", ErrEdited, e.Version, e.Name, e.Recorded, e.Current)
	return strings.Join(append([]string{head}, e.Changes...), "\n  ")
}

// Unwrap gives ErrEdited.
func (e *EditedError) Unwrap() error { return ErrEdited }

// UnfinishedError tells of a run that has to be ended first.
type UnfinishedError struct {
	Run       string
	Version   string
	Name      string
	Direction string
	// Status is journal.StatusOpen for a run that was cut off, or
	// journal.StatusHalted; "" when the journal is not on this machine.
	Status journal.Status
	// Journal is where the journal is, as the history has it.
	Journal string
	// Settled says that the run has ended and only the history was not told:
	// Runner.Settle does that.
	Settled bool
}

// Error says what is unfinished and where.
func (e *UnfinishedError) Error() string {
	what := fmt.Sprintf("run %s (%s %s_%s)", e.Run, e.Direction, e.Version, e.Name)
	switch {
	case e.Status == "":
		return fmt.Sprintf("%v: %s: %v: go on where it is (%s), or close the run there", ErrUnfinished, what, ErrElsewhere, e.Journal)
	case e.Settled:
		return fmt.Sprintf("%v: %s has ended as %s, which the history does not know yet", ErrUnfinished, what, e.Status)
	case e.Status == journal.StatusHalted:
		return fmt.Sprintf("%v: %s is halted: mend what it names, then resume, roll back or resolve it", ErrUnfinished, what)
	default:
		return fmt.Sprintf("%v: %s was interrupted: resume it or roll it back", ErrUnfinished, what)
	}
}

// Unwrap gives ErrUnfinished, and ErrElsewhere where that is the trouble.
func (e *UnfinishedError) Unwrap() []error {
	if e.Status == "" {
		return []error{ErrUnfinished, ErrElsewhere}
	}
	return []error{ErrUnfinished}
}

// Status reads where the project stands. It changes nothing.
func (r *Runner) Status(ctx context.Context) (Status, error) {
	entries, err := r.history.Entries(ctx, r.client)
	if err != nil {
		return Status{}, err
	}
	runs, err := r.store.Runs(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("list the journal's runs: %w", err)
	}
	for _, run := range runs {
		if run.Err != nil && !run.Status.Final() { // it may be unfinished, and nothing tells of what
			return Status{}, fmt.Errorf("run %s in the journal: %w", run.Run, run.Err)
		}
	}
	var status Status
	status.Unfinished = r.unfinished(entries, runs)
	newest := ""
	for _, entry := range entries {
		if entry.Applied {
			newest = entry.Version
		}
	}
	known := byVersion(entries)
	at, migrations := 0, r.set.ordered
	for _, m := range migrations {
		for ; at < len(entries) && entries[at].Version < m.Version; at++ {
			status.Migrations = append(status.Migrations, r.absent(&entries[at], status.Unfinished))
		}
		var entry *Entry
		if at < len(entries) && entries[at].Version == m.Version {
			entry = &entries[at]
			at++
		}
		item, err := r.present(ctx, m, entry, newest, status.Unfinished)
		if err == nil {
			m.squashedState(&item, known)
		}
		if err != nil {
			return Status{}, err
		}
		status.Migrations = append(status.Migrations, item)
	}
	for ; at < len(entries); at++ {
		status.Migrations = append(status.Migrations, r.absent(&entries[at], status.Unfinished))
	}
	return status, nil
}

// absent is the line of a migration that only the history has.
func (r *Runner) absent(entry *Entry, unfinished []*UnfinishedError) MigrationStatus {
	item := MigrationStatus{Version: entry.Version, Name: entry.Name, Entry: entry, State: Missing}
	if !entry.Applied {
		item.State = Unfinished
		if cut := find(unfinished, entry.Version); cut != nil {
			item.Err = cut
		}
		return item
	}
	if r.set.standsFor(*entry) != nil {
		item.State = Squashed
		return item
	}
	item.Err = fmt.Errorf("%w: %s_%s is applied, but there is no such file: bring it back, or take the migration down where its journal is", ErrMissing, entry.Version, entry.Name)
	return item
}

// present is the line of a migration at hand.
func (r *Runner) present(ctx context.Context, m *Migration, entry *Entry, newest string, unfinished []*UnfinishedError) (MigrationStatus, error) {
	item := MigrationStatus{Version: m.Version, Name: m.Name, Migration: m, Entry: entry, State: Pending}
	current, err := m.Checksum()
	cut := find(unfinished, m.Version)
	switch {
	case err != nil:
		return item, err
	case cut != nil:
		item.State, item.Err = Unfinished, cut
	case entry != nil && current == entry.Checksum:
		item.State = Applied
	case entry != nil:
		item.State = Edited
		item.Err = &EditedError{Version: m.Version, Name: m.Name, Recorded: entry.Checksum, Current: current, Changes: r.changes(ctx, m, entry.Run)}
	case m.Hold != "":
		item.State = Held
	case m.Version < newest:
		item.State = OutOfOrder
		item.Err = fmt.Errorf("%w: %s is older than %s, which is applied: give it a new version, or allow it", ErrOutOfOrder, m.ID(), newest)
	}
	return item, nil
}

// find gives the unfinished run of a version, nil when there is none.
func find(list []*UnfinishedError, version string) *UnfinishedError {
	for _, u := range list {
		if u.Version == version {
			return u
		}
	}
	return nil
}

// unfinished finds the runs that have to be ended first.
func (r *Runner) unfinished(entries []Entry, runs []journal.Summary) []*UnfinishedError {
	var found []*UnfinishedError
	known := map[string]journal.Summary{}
	for _, run := range runs {
		known[run.Run] = run
	}
	told := map[string]bool{}
	for _, entry := range entries {
		if entry.Applied {
			continue
		}
		u := &UnfinishedError{Run: entry.Run, Version: entry.Version, Name: entry.Name, Direction: entry.Direction, Journal: entry.Journal}
		if run, here := known[entry.Run]; here {
			u.Status, u.Settled = run.Status, run.Status.Final()
		}
		told[entry.Run] = true
		found = append(found, u)
	}
	for _, run := range runs {
		if run.Status.Final() || told[run.Run] || run.Environment != r.origin.Environment || run.Version == "" {
			continue
		}
		found = append(found, &UnfinishedError{
			Run: run.Run, Version: run.Version, Name: run.Migration, Direction: run.Direction, Status: run.Status, Journal: r.origin.Journal,
		})
	}
	return found
}

// obstacle gives what keeps migrations up to version to from being applied.
func (s Status) obstacle(inOrder bool, to string) error {
	var found []error
	for _, u := range s.Unfinished {
		found = append(found, u)
	}
	if len(found) > 0 {
		return errors.Join(found...)
	}
	for _, item := range s.Migrations {
		switch item.State {
		case Edited, Missing, Partly:
			found = append(found, item.Err)
		case OutOfOrder:
			if inOrder && (to == "" || item.Version <= to) {
				found = append(found, item.Err)
			}
		default:
		}
	}
	return errors.Join(found...)
}

// changes lists how the operations at hand differ from those that a run
// recorded; nothing when the journal does not know the run.
func (r *Runner) changes(ctx context.Context, m *Migration, run string) []string {
	state, err := r.engine.State(ctx, run)
	if err != nil {
		return nil
	}
	plan, err := engine.NewPlan(Changes(m.Up), engine.PlanOptions{})
	if err != nil {
		return nil
	}
	var recorded, current []string
	for _, operation := range state.Started.Operations {
		if text := string(operation.Step); !isHistory(text) {
			recorded = append(recorded, text)
		}
	}
	for _, operation := range plan.Operations {
		data, err := r.codec.Encode(operation.Effect)
		if err != nil {
			return nil
		}
		current = append(current, string(data))
	}
	return difference(recorded, current)
}

func isHistory(step string) bool {
	for _, kind := range []string{kindOpen, kindRecord, kindReopen, kindClose} {
		if strings.Contains(step, `"kind":"`+kind+`"`) {
			return true
		}
	}
	return false
}

// difference lists what is in only one of two lists, with - and +, after the
// longest common beginning and before the longest common end.
func difference(was, is []string) []string {
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	var lines []string
	for _, step := range was {
		lines = append(lines, "- "+cut(step, 300))
	}
	for _, step := range is {
		lines = append(lines, "+ "+cut(step, 300))
	}
	return lines
}
