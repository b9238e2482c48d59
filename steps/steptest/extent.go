package steptest

// Extent says how much of a case is tried. The zero value tries nothing but
// that the steps go there and back.
type Extent struct {
	// Kinds tries every boundary at least once with every kind of step that the
	// case's runs carry out, in going forward and in the undo. After a crash
	// that is resuming or rolling back, in turn.
	Kinds bool
	// Every tries every so manyth of all points; 1 is all of them, 0 none.
	Every int
	// Mails, where it is not 0, counts for Every only every so manyth boundary of
	// the requests that a journal sends.
	Mails int
	// Twice stops the process that takes over as well, after every so manyth
	// crash; 1 is after all of them, 0 after none.
	Twice int
}

// sampler picks points. What it picks depends on nothing but their order.
type sampler struct {
	extent                 Extent
	points, mails, crashes int
	seen                   map[first]bool
}

// first is what a case meets at least once.
type first struct {
	undoing bool
	kind    string
	what    boundary
}

// due reports whether a point is to be tried.
func (s *sampler) due(undoing bool, kind string, what boundary) bool {
	s.points++
	point := first{undoing, kind, what}
	if s.extent.Kinds && !s.seen[point] {
		s.seen[point] = true
		return true
	}
	if s.extent.Mails > 0 && what.ofMail() {
		if s.mails++; s.mails%s.extent.Mails > 0 {
			return false
		}
	}
	return s.extent.Every > 0 && s.points%s.extent.Every == 0
}

// dueWays reports in which of the two ways that lead on from a crash a point is
// to be tried.
func (s *sampler) dueWays(kind string, what boundary) (resume, rollBack bool) {
	if !s.extent.Kinds || s.seen[first{false, kind, what}] {
		return s.due(false, kind, what), s.due(false, kind, what)
	}
	chosen := s.due(false, kind, what)
	other := s.extent.Every > 0 && s.points%s.extent.Every == 0
	if len(s.seen)%2 == 0 {
		return chosen, other
	}
	return other, chosen
}

// again gives what happens to the process that takes over after a crash, the
// zero value for nothing: one boundary after the other, near the beginning.
func (s *sampler) again() mishap {
	s.crashes++
	if s.extent.Twice == 0 || s.crashes%s.extent.Twice > 0 {
		return mishap{}
	}
	const deep = 4 // journal writes and requests from the start of the process
	boundaries := append(requestCrashes(), noteCrashes()...)
	n := s.crashes / s.extent.Twice
	return mishap{what: boundaries[n%len(boundaries)], at: 1 + n/len(boundaries)%deep}
}
