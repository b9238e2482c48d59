package schema

import "slices"

// gainsDefault reports whether an attribute that stays has a default afterwards
// and had none. What is dropped at the end of a run is put back first when the
// run is taken back, and where documents are written one by one the server would
// put that default where they are null: so nothing is dropped late then.
func (c *collectionDiff) gainsDefault() bool { return slices.ContainsFunc(c.pairs, newlyDefaulted) }

// newlyDefaulted reports whether documents may hold null, from before, where
// there is a default afterwards.
func newlyDefaulted(p attributePair) bool {
	return (p.way == wayAlter || p.way == wayCopy) && p.was.Default == nil && p.now.Default != nil
}

// withoutDefault gives the attribute as it is to be, and puts its new default
// off until documents have been written to for the sake of others, where some
// will be: written one by one, they would get that default where they are null.
func (c *collectionDiff) withoutDefault(p attributePair) Attribute {
	links := func(o attributePair) bool { return o.way == wayRebuild || o.way == wayLink }
	writes := func(o attributePair) bool { return o.now != p.now && c.writes(o) }
	switch {
	case p.now.Default == nil, p.way == wayAlter && p.was.Default != nil:
		return *p.now
	case slices.ContainsFunc(c.pairs, links), newlyDefaulted(p) && slices.ContainsFunc(c.pairs, writes):
		later := *p.now
		later.Default = nil
		c.add(stageDefaults, p.change, c.update(p.now.Key, later, *p.now)...)
		return later
	default:
		return *p.now
	}
}

// writes reports whether documents are written to on the way of a pair.
func (c *collectionDiff) writes(p attributePair) bool {
	switch p.way {
	case wayCopy, wayRebuild, wayUnlink, wayLink:
		return true
	case wayCreate, wayReplace:
		return c.toldFill(p.now.Key) != nil
	case wayAlter:
		return p.now.Required && !p.was.Required && c.fillFor(*p.now, p.was) != nil
	default:
		return false
	}
}
