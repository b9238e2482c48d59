package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/journal"
)

func TestWhatMayBeRemoved(t *testing.T) {
	t.Parallel()
	now := at.Add(100 * 24 * time.Hour)
	run := func(name, version, direction string, status journal.Status, days int, needs ...string) journal.PruneRun {
		return journal.PruneRun{Summary: journal.Summary{
			Run: name, Version: version, Direction: direction, Status: status, UpdatedAt: now.AddDate(0, 0, -days),
		}, Needs: needs}
	}
	broken := run("broken", "1", "up", journal.StatusApplied, 99)
	broken.Err = journal.ErrDamaged
	unread := run("unread", "1", "up", journal.StatusRolledBack, 99)
	unread.Unread = true
	elsewhere := run("elsewhere", "1", "down", journal.StatusApplied, 98)
	elsewhere.Environment = "other"
	undone := func(days int) journal.PruneRun { return run("undone", "1", "up", journal.StatusRolledBack, days) }

	for name, c := range map[string]struct {
		runs   []journal.PruneRun
		policy journal.PrunePolicy
		want   string
	}{
		"a rolled back run goes":                        {[]journal.PruneRun{undone(31)}, journal.PrunePolicy{Keep: 30 * 24 * time.Hour}, "undone:ended"},
		"unless it is recent":                           {[]journal.PruneRun{undone(29)}, journal.PrunePolicy{Keep: 30 * 24 * time.Hour}, "undone=recent"},
		"a clock that is behind removes nothing":        {[]journal.PruneRun{undone(-1)}, journal.PrunePolicy{Keep: time.Hour}, "undone=recent"},
		"an open run stays":                             {[]journal.PruneRun{run("a", "1", "up", journal.StatusOpen, 99)}, journal.PrunePolicy{}, "a=unfinished"},
		"a halted run stays":                            {[]journal.PruneRun{run("a", "1", "up", journal.StatusHalted, 99)}, journal.PrunePolicy{}, "a=unfinished"},
		"a status not known stays":                      {[]journal.PruneRun{run("a", "1", "up", "odd", 99)}, journal.PrunePolicy{}, "a=unfinished"},
		"what is in effect stays":                       {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99)}, journal.PrunePolicy{}, "a=reversible"},
		"without a direction, too":                      {[]journal.PruneRun{run("a", "1", "", journal.StatusApplied, 99)}, journal.PrunePolicy{}, "a=reversible"},
		"a down and what it took back go":               {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusApplied, 98)}, journal.PrunePolicy{}, "a:ended b:ended"},
		"a down of another version takes nothing back":  {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "2", "down", journal.StatusApplied, 98)}, journal.PrunePolicy{}, "a=reversible b:ended"},
		"a down elsewhere takes nothing back":           {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), elsewhere}, journal.PrunePolicy{}, "a=reversible elsewhere:ended"},
		"a down that was undone takes nothing back":     {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusRolledBack, 98)}, journal.PrunePolicy{}, "a=reversible b:ended"},
		"a halted down keeps both":                      {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusHalted, 98, "a")}, journal.PrunePolicy{}, "a=reversible b=unfinished"},
		"applied again stays":                           {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusApplied, 98), run("c", "1", "up", journal.StatusApplied, 97)}, journal.PrunePolicy{}, "a:ended b:ended c=reversible"},
		"the history keeps what the journal would not":  {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusApplied, 98)}, journal.PrunePolicy{InEffect: []string{"a"}}, "a=reversible b:ended"},
		"a recent down keeps the archives it points at": {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99), run("b", "1", "down", journal.StatusApplied, 1, "a")}, journal.PrunePolicy{Keep: 48 * time.Hour}, "a=needed b=recent"},
		"and those that those point at":                 {[]journal.PruneRun{undone(99), run("b", "2", "up", journal.StatusRolledBack, 98, "undone"), run("c", "3", "up", journal.StatusOpen, 97, "b")}, journal.PrunePolicy{}, "undone=needed b=needed c=unfinished"},
		"a damaged run stays, and what it may need":     {[]journal.PruneRun{undone(99), broken}, journal.PrunePolicy{}, "undone=needed broken=damaged"},
		"an unread run stays, and what it may need":     {[]journal.PruneRun{undone(99), unread}, journal.PrunePolicy{}, "undone=needed unread=damaged"},
		"a damaged run goes when it is told to":         {[]journal.PruneRun{undone(99), broken}, journal.PrunePolicy{Runs: []string{"broken"}, Force: true}, "undone=not asked broken:forced"},
		"only what is asked for":                        {[]journal.PruneRun{undone(99), run("b", "1", "down", journal.StatusApplied, 98)}, journal.PrunePolicy{Runs: []string{"b"}}, "undone=not asked b:ended"},
		"what is asked for and needed stays":            {[]journal.PruneRun{run("a", "1", "up", journal.StatusApplied, 99)}, journal.PrunePolicy{Runs: []string{"a"}}, "a=reversible"},
		"until it is forced":                            {[]journal.PruneRun{run("a", "1", "up", journal.StatusOpen, 0)}, journal.PrunePolicy{Runs: []string{"a"}, Force: true, Keep: time.Hour}, "a:forced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decisions, err := journal.PlanPrune(c.runs, now, c.policy)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range decisions {
				sign := "="
				if d.Prune {
					sign = ":"
				}
				got = append(got, d.Run.Run+sign+string(d.Reason))
				if d.Detail == "" {
					t.Errorf("%s: nothing says why", d.Run.Run)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

func TestAPolicyThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy journal.PrunePolicy
		want   error
	}{
		"force without names": {journal.PrunePolicy{Force: true}, journal.ErrInvalid},
		"a negative time":     {journal.PrunePolicy{Keep: -1}, journal.ErrInvalid},
		"an unknown run":      {journal.PrunePolicy{Runs: []string{"none"}}, journal.ErrNoRun},
	} {
		if _, err := journal.PlanPrune(nil, at, c.policy); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

// TestNothingNeededIsEverRemovedUnforced draws journals and policies.
func TestNothingNeededIsEverRemovedUnforced(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var runs []journal.PruneRun
		for i := range rapid.IntRange(1, 12).Draw(t, "runs") {
			r := journal.PruneRun{Summary: journal.Summary{
				Run: fmt.Sprint(i), Version: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version"),
				Direction: rapid.SampledFrom([]string{"up", "down"}).Draw(t, "direction"),
				Status: rapid.SampledFrom([]journal.Status{
					journal.StatusApplied, journal.StatusRolledBack, journal.StatusHalted, journal.StatusOpen,
				}).Draw(t, "status"),
				UpdatedAt: at.Add(time.Duration(i) * time.Hour),
			}}
			if i > 0 && rapid.Bool().Draw(t, "needs") {
				r.Needs = []string{fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "needed"))}
			}
			runs = append(runs, r)
		}
		policy := journal.PrunePolicy{Keep: time.Duration(rapid.IntRange(0, 12).Draw(t, "keep")) * time.Hour}
		decisions, err := journal.PlanPrune(runs, at.Add(12*time.Hour), policy)
		if err != nil {
			t.Fatal(err)
		}
		goes := map[string]bool{}
		for _, d := range decisions {
			goes[d.Run.Run] = d.Prune
		}
		effect := map[string]string{} // version to the run that put it into effect last
		for _, r := range runs {
			switch {
			case r.Status != journal.StatusApplied:
			case r.Direction == "down":
				effect[r.Version] = ""
			default:
				effect[r.Version] = r.Run
			}
		}
		for _, r := range runs {
			if !goes[r.Run] {
				for _, needed := range r.Needs {
					if goes[needed] {
						t.Fatalf("run %s stays and needs %s, which goes", r.Run, needed)
					}
				}
				continue
			}
			if !r.Status.Final() || effect[r.Version] == r.Run || at.Add(12*time.Hour).Sub(r.UpdatedAt) < policy.Keep {
				t.Fatalf("run %+v goes", r.Summary)
			}
		}
	})
}
