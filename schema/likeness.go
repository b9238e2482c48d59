package schema

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Candidate is a rename that is likely by the look of the two attributes.
type Candidate struct {
	Rename
	Score   float64  // from 0 to 1; none below 0.5 is given
	Reasons []string // what is alike
}

// leastLikeness is the score from which a pair is worth asking about.
const leastLikeness = 0.5

// candidates compares what goes with what comes, collection by collection.
func (d *differ) candidates() []Candidate {
	var found []Candidate
	matched(d.from.Databases, d.to.Databases, func(db Database) string { return db.ID }, func(id string, x, y *Database) {
		if x == nil || y == nil {
			return
		}
		matched(x.Collections, y.Collections, func(c Collection) string { return c.ID }, func(key string, p, q *Collection) {
			if p != nil && q != nil {
				found = append(found, d.candidatesIn(id, *p, *q)...)
			}
		})
	})
	slices.SortStableFunc(found, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return found
}

func (d *differ) candidatesIn(database string, from, to Collection) []Candidate {
	told := func(key string, end func(Rename) string) bool {
		return slices.ContainsFunc(d.renames, func(r Rename) bool {
			return r.Database == database && r.Collection == to.ID && end(r) == key
		})
	}
	var gone, come []Attribute
	for _, a := range from.Attributes {
		if to.attribute(a.Key) == nil && !told(a.Key, func(r Rename) string { return r.From }) {
			gone = append(gone, a)
		}
	}
	for _, a := range to.Attributes {
		if from.attribute(a.Key) == nil && !told(a.Key, func(r Rename) string { return r.To }) {
			come = append(come, a)
		}
	}
	var found []Candidate
	for _, was := range gone {
		for _, now := range come {
			score, reasons := likeness(was, now)
			if len(gone) == 1 && len(come) == 1 && score > 0 {
				score, reasons = score+0.1, append(reasons, "nothing else goes or comes")
			}
			score = math.Round(min(score, 1)*100) / 100
			if score >= leastLikeness {
				found = append(found, Candidate{
					Rename: Rename{Database: database, Collection: to.ID, From: was.Key, To: now.Key}, Score: score, Reasons: reasons,
				})
			}
		}
	}
	return found
}

// likeness says how much two attributes look like one, from 0 to 1, and by what.
// Attributes of different types are never alike: a rename is told, or it is none.
func likeness(was, now Attribute) (score float64, reasons []string) {
	if was.Type != now.Type || was.Array != now.Array || was.Encrypt != now.Encrypt {
		return 0, nil
	}
	if was.Relationship != nil && was.Relationship.Related != now.Relationship.Related {
		return 0, nil
	}
	score, reasons = 0.35, []string{"type " + shape(now)}
	if len(compareAttribute(renamedTo(was, now.Key), now)) == 0 {
		score, reasons = score+0.15, append(reasons, "the same definition")
	}
	if alike := namesAlike(was.Key, now.Key); alike > 0.3 {
		score, reasons = score+0.4*alike, append(reasons, "similar keys")
	}
	return score, reasons
}

// namesAlike compares two keys by the pairs of letters that they share, letter
// case and separators aside.
func namesAlike(a, b string) float64 {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '_' || r == '-' || r == '.' {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	a, b = plain(a), plain(b)
	if a == b {
		return 1
	}
	if a != "" && b != "" && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return 0.8
	}
	pairs := func(s string) map[string]int {
		all := map[string]int{}
		for i := range max(len(s)-1, 0) {
			all[s[i:i+2]]++
		}
		return all
	}
	x, y := pairs(a), pairs(b)
	shared := 0
	for pair, n := range x {
		shared += min(n, y[pair])
	}
	total := max(len(a)-1, 0) + max(len(b)-1, 0)
	if total == 0 {
		return 0
	}
	return 2 * float64(shared) / float64(total)
}
