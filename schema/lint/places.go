package lint

import (
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// place is a step, by its number among all, that brings something into being or
// takes it away.
type place struct {
	n    int
	gone bool
	at   migrations.Position
	id   string
}

// placesOf gives the places of all migrations that are simulated, by path.
func placesOf(in Input) (map[string][]place, error) {
	places, n := map[string][]place{}, 0
	for _, m := range in.Set.All() {
		if in.Live != nil && in.Live.Applied[m.Version] {
			continue
		}
		for _, step := range m.Up {
			n++
			change, err := plain(step.Change)
			if err != nil {
				return nil, stepError(m, step, err)
			}
			comes, goes := moves(change)
			if goes != "" {
				places[goes] = append(places[goes], place{n: n, gone: true, at: step.At, id: m.ID()})
			}
			if comes != "" {
				places[comes] = append(places[comes], place{n: n, at: step.At, id: m.ID()})
			}
		}
	}
	return places, nil
}

// moves gives the path of what a step brings into being and of what it takes
// away, "" for nothing that other steps of a schema use.
func moves(change engine.Step) (comes, goes string) {
	switch s := change.(type) {
	case steps.CreateDatabase:
		return s.ID, ""
	case steps.DeleteDatabase:
		return "", s.ID
	case steps.CreateCollection:
		return s.Database + "/" + s.ID, ""
	case steps.DeleteCollection:
		return "", s.Database + "/" + s.ID
	case steps.CreateAttribute:
		return s.Database + "/" + s.Collection + "/" + s.Key, ""
	case steps.DeleteAttribute:
		return "", s.Database + "/" + s.Collection + "/" + s.Key
	case steps.CreateRelationship:
		return s.Database + "/" + s.Collection + "/" + relationshipKey(s), ""
	case steps.DeleteRelationship:
		return "", s.Database + "/" + s.Collection + "/" + s.Key
	case steps.RenameAttribute:
		in := s.Database + "/" + s.Collection + "/"
		return in + s.NewKey, in + s.Key
	default:
		return "", ""
	}
}

// later says where something that is not there yet is going to be made. What is
// taken away before that, or what it is in, was there.
func (w *walker) later(path string) (place, bool) {
	made := slices.IndexFunc(w.places[path], func(p place) bool { return p.n > w.at && !p.gone })
	if made < 0 {
		return place{}, false
	}
	comes := w.places[path][made]
	for whole := path; whole != ""; whole = whole[:max(strings.LastIndexByte(whole, '/'), 0)] {
		if slices.ContainsFunc(w.places[whole], func(p place) bool { return p.gone && p.n >= w.at && p.n < comes.n }) {
			return place{}, false
		}
	}
	return comes, true
}

// went says that something was there and has been taken away.
func (w *walker) went(path string) bool {
	last := false
	for _, p := range w.places[path] {
		if p.n < w.at {
			last = p.gone
		}
	}
	return last
}
