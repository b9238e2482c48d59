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

// leastLikeness is the score from which a pair is worth asking about: more than
// a type and a definition in common, which many attributes have. leastAlike is
// how alike keys are that count as similar. mostCandidates is how many are given
// for an attribute that goes.
const (
	leastLikeness  = 0.55
	leastAlike     = 0.3
	mostCandidates = 3
)

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
	alone := len(gone) == 1 && len(come) == 1
	names := make([]spelling, len(come))
	for i, now := range come {
		names[i] = spell(now.Key)
	}
	var found []Candidate
	for _, was := range gone {
		var of []Candidate
		name := spell(was.Key)
		for i, now := range come {
			alike := name.likeness(names[i])
			if alike <= leastAlike && !alone {
				continue // type and definition are not enough
			}
			score, reasons := likeness(was, now, alike)
			if alone && score > 0 {
				score, reasons = score+0.1, append(reasons, "nothing else goes or comes")
			}
			score = math.Round(min(score, 1)*100) / 100
			if score >= leastLikeness {
				of = append(of, Candidate{
					Rename: Rename{Database: database, Collection: to.ID, From: was.Key, To: now.Key}, Score: score, Reasons: reasons,
				})
			}
		}
		slices.SortStableFunc(of, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
		found = append(found, of[:min(len(of), mostCandidates)]...)
	}
	return found
}

// likeness says how much two attributes look like one, from 0 to 1, and by what.
// Attributes of different types are never alike: a rename is told, or it is none.
func likeness(was, now Attribute, names float64) (score float64, reasons []string) {
	if was.Type != now.Type || was.Array != now.Array || was.Encrypt != now.Encrypt {
		return 0, nil
	}
	if was.Relationship != nil && was.Relationship.Related != now.Relationship.Related {
		return 0, nil
	}
	score, reasons = 0.35, []string{"type " + shape(now)}
	if len(compareAttribute(was, now)) == 0 {
		score, reasons = score+0.15, append(reasons, "the same definition")
	}
	if names > leastAlike {
		score, reasons = score+0.4*names, append(reasons, "similar keys")
	}
	return score, reasons
}

// spelling is a key without letter case and separators, and its pairs of
// neighbouring letters, sorted.
type spelling struct {
	plain string
	pairs []string
}

func spell(key string) spelling {
	s := spelling{plain: strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(key))}
	for i := range max(len(s.plain)-1, 0) {
		s.pairs = append(s.pairs, s.plain[i:i+2])
	}
	slices.Sort(s.pairs)
	return s
}

// likeness compares two keys by the pairs of letters that they share, from 0 to 1.
func (s spelling) likeness(other spelling) float64 {
	switch {
	case s.plain == other.plain:
		return 1
	case s.plain == "" || other.plain == "":
		return 0
	case strings.Contains(s.plain, other.plain), strings.Contains(other.plain, s.plain):
		return 0.8
	}
	shared := 0
	for i, j := 0, 0; i < len(s.pairs) && j < len(other.pairs); {
		switch c := strings.Compare(s.pairs[i], other.pairs[j]); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			shared++
			i++
			j++
		}
	}
	return 2 * float64(shared) / float64(max(len(s.pairs)+len(other.pairs), 1))
}
