package lint

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/steps"
)

// The methods of queries that assertions are read for.
const (
	isNull    = "isNull"
	isNotNull = "isNotNull"
)

// facts are what a migration has made sure of, where it stands now: queries
// that no document matches, by the path of the attribute that they are about.
// Under the path of a collection there is one when it is empty.
type facts map[string][]steps.Query

// assert notes what an assertion makes sure of.
func (w *walker) assert(s steps.Assert) {
	if none := s.Empty || s.Count != nil && *s.Count == 0 || s.AtMost != nil && *s.AtMost == 0; !none {
		return
	}
	path := s.Database + "/" + s.Collection
	if len(s.Where) == 0 {
		w.facts[path] = []steps.Query{{}}
		return
	}
	for _, all := range alternatives(s.Where) {
		for i, q := range all {
			if others := slices.Delete(slices.Clone(all), i, i+1); proves(q, others) {
				w.facts[path+"/"+q.Attribute] = append(w.facts[path+"/"+q.Attribute], q)
			}
		}
	}
}

// proves says whether it tells something about the attribute of a query that no
// document matches it and the others: that what one attribute holds another one
// holds, too, is as good as that there is nothing to lose, or to miss.
func proves(q steps.Query, others []steps.Query) bool {
	counterpart := map[string]string{isNull: isNotNull, isNotNull: isNull}[q.Method]
	return q.Attribute != "" && !slices.ContainsFunc(others, func(o steps.Query) bool { return counterpart == "" || o.Method != counterpart })
}

// alternatives gives lists of queries, each of which no document matches as a
// whole where none matches the queries given.
func alternatives(where []steps.Query) [][]steps.Query {
	lists := [][]steps.Query{nil}
	for _, q := range where {
		var next [][]steps.Query
		choices := [][]steps.Query{{q}}
		switch q.Method {
		case "and":
			choices = alternatives(inner(q))
		case "or":
			choices = nil
			for _, one := range inner(q) {
				choices = append(choices, alternatives([]steps.Query{one})...)
			}
		}
		for _, list := range lists {
			for _, choice := range choices {
				next = append(next, slices.Concat(list, choice))
			}
		}
		lists = next
	}
	return lists
}

// inner gives the queries inside and and or.
func inner(q steps.Query) []steps.Query {
	var queries []steps.Query
	for _, value := range q.Values {
		data, err := json.Marshal(value)
		var one steps.Query
		if err == nil && (strings.HasPrefix(string(data), "{") || strings.HasPrefix(string(data), `"`)) && one.UnmarshalJSON(data) == nil {
			queries = append(queries, one)
		}
	}
	return queries
}

// none says whether this migration has made sure that no document of a
// collection, or none by the attribute, matches a query that will do.
func (w *walker) none(c *collection, key string, will func(steps.Query) bool) bool {
	return len(w.facts[c.path()]) > 0 || slices.ContainsFunc(w.facts[c.path()+"/"+key], will)
}

// lacking and holding are queries for documents that have no value, and a value.
func lacking(q steps.Query) bool { return q.Method == isNull }
func holding(q steps.Query) bool { return q.Method == isNotNull }

// unfitting are queries for values: that no document matches one is taken as
// care for the values that a change leaves no room for.
func unfitting(q steps.Query) bool { return q.Method != isNull }

// holdingAny are queries for documents that hold one of some values, all of them.
func holdingAny(values []string) func(steps.Query) bool {
	return func(q steps.Query) bool {
		return q.Method == isNotNull || !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(q.Values, any(v)) })
	}
}
