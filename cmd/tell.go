package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// failure names the operation that failed and why.
func failure(err error) string {
	var failed *engine.OperationError
	if errors.As(err, &failed) {
		return fmt.Sprintf("%s: %v", failed.Kind, failed.Err)
	}
	return strings.TrimSuffix(err.Error(), ": "+context.Canceled.Error()) // a signal: the person knows
}

// tell explains on stderr how a run ended that did not end as asked: what
// failed, what was undone, what is left.
func (s *session) tell(r engine.Report) {
	w := s.app.streams.Err
	if r.Err != nil {
		fmt.Fprintf(w, "error: %s\n", failure(r.Err))
	}
	switch {
	case r.UndoErr != nil && r.Err != nil:
		fmt.Fprintf(w, "the undo failed as well: %s\n", failure(r.UndoErr))
	case r.UndoErr != nil:
		fmt.Fprintf(w, "error: the undo failed: %s\n", failure(r.UndoErr))
	}
	fmt.Fprintf(w, "run %s: %s\n", r.Run, phasesInWords(r.Operations))
	if r.Proof != nil {
		tellProof(w, r.Proof)
	}
	s.tellLeft(r)
}

// phasesInWords counts where the steps of a run stand: "2 undone, 1 not begun".
func phasesInWords(operations []engine.OperationReport) string {
	const refused = journal.Phase("refused") // failed before it could change anything
	counts := map[journal.Phase]int{}
	for _, op := range operations {
		switch {
		case historyKind(op.Kind):
		case op.Phase == journal.PhasePlanned && op.Err != nil:
			counts[refused]++
		default:
			counts[op.Phase]++
		}
	}
	var parts []string
	for _, phase := range []struct {
		phase journal.Phase
		words string
	}{
		{journal.PhaseApplied, "in effect"},
		{journal.PhaseUndone, "undone"},
		{journal.PhaseUndoing, "being undone"},
		{journal.PhaseIntended, "begun, outcome unknown"},
		{refused, "failed without changing anything"},
		{journal.PhasePlanned, "not begun"},
	} {
		if n := counts[phase.phase]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, phase.words))
		}
	}
	return strings.Join(parts, ", ")
}

// leftWorthTelling is how many leftovers are named; the journal has them all.
const leftWorthTelling = 10

// tellLeft names what a run leaves behind: what is unknown or half-done first,
// and of what is simply in effect no more than a person reads, or nothing where
// the run will go on.
func (s *session) tellLeft(r engine.Report) {
	left := slices.DeleteFunc(slices.Clone(r.Left), func(l journal.Leftover) bool {
		return historyKind(l.Kind) || r.Outcome == engine.OutcomeInterrupted && settled(l) == 1
	})
	slices.SortStableFunc(left, func(a, b journal.Leftover) int { return cmp.Compare(settled(a), settled(b)) })
	for i, l := range left {
		if i == leftWorthTelling {
			fmt.Fprintf(s.app.streams.Err, "  left: %d more (%s journal show %s)\n", len(left)-i, s.app.name, r.Run)
			return
		}
		detail := ""
		if l.Detail != "" {
			detail = ": " + l.Detail
		}
		fmt.Fprintf(s.app.streams.Err, "  left: %s %s, %s%s\n", l.Kind, l.Target, phaseWord(l.Phase), detail)
	}
}

// settled sorts what is known to be in effect behind everything else.
func settled(l journal.Leftover) int {
	if l.Phase == journal.PhaseApplied && l.Detail == "" {
		return 1
	}
	return 0
}

// phaseWord is where one operation stands, as people read it.
func phaseWord(phase journal.Phase) string {
	switch phase {
	case journal.PhaseApplied:
		return "in effect"
	case journal.PhaseIntended:
		return "begun, outcome unknown"
	case journal.PhaseUndoing:
		return "its undo begun"
	default:
		return string(phase)
	}
}

func tellProof(w io.Writer, proof *journal.Proof) {
	if proof.Verified {
		fmt.Fprintf(w, "verified: %s as before the run\n", plural(proof.Checked, "object"))
	}
	for _, d := range proof.Differences {
		fmt.Fprintf(w, "  differs: %s: %s %s\n", d.Target, d.Found, d.Detail)
	}
	for _, d := range proof.Conflicts {
		fmt.Fprintf(w, "  left as somebody else made it: %s: %s\n", d.Target, d.Detail)
	}
}
