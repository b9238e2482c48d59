package steps

import "github.com/backstep-dev/backstep/engine"

// spared reports whether an undo leaves alone what it would have deleted: when
// it merges, and why says what others have put into it.
func spared(site engine.Site, why string) bool {
	return why != "" && site.OnConflict == engine.ConflictMerge
}

// destructible fails for what others have put something into, as why says,
// unless the policy goes over it: the memento has it by then.
func destructible(site engine.Site, target engine.Ref, why string) error {
	if why == "" || site.OnConflict == engine.ConflictOverwrite {
		return nil
	}
	return stopped(target, engine.ErrForeign, "%s", why)
}
