package catalog

import "slices"

// roll keeps things in the order they were added and finds them by their
// folded id.
type roll[T comparable] struct {
	all  []T
	byID map[string]T
}

func (r *roll[T]) add(folded string, item T) {
	if r.byID == nil {
		r.byID = map[string]T{}
	}
	r.all = append(r.all, item)
	r.byID[folded] = item
}

// find returns the zero value for an id that is not there.
func (r *roll[T]) find(folded string) T { return r.byID[folded] }

func (r *roll[T]) remove(folded string) {
	item, found := r.byID[folded]
	if !found {
		return
	}
	delete(r.byID, folded)
	r.all = slices.DeleteFunc(r.all, func(other T) bool { return other == item })
}
