package documents

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// untie does what the relationships of a record say about its deletion.
func (r *Room) untie(w store.Writer, col *catalog.Collection, record *store.Record) error {
	if len(col.Schema.Attributes) == 0 {
		return nil
	}
	for _, s := range r.sides(col) {
		targets, err := s.targets(w, record)
		if err != nil {
			return err
		}
		if r.Profile.TablesDB() || s.Relation.Type != "manyToMany" {
			targets = existing(targets) // 1.7 counts the missing ones of a junction too
		}
		switch s.Relation.OnDelete {
		case "restrict":
			err = r.restrict(w, s, targets)
		case "cascade":
			err = r.cascade(w, col, s, record, targets)
		default:
			err = r.setNull(w, s, record, targets)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func existing(targets []target) []target {
	var found []target
	for _, t := range targets {
		if t.record != nil {
			found = append(found, t)
		}
	}
	return found
}

// restrict refuses to delete an owner that has related records; of a manyToOne
// relationship it is the target that cannot go. The owner of a one-way
// oneToOne loses its link.
func (r *Room) restrict(w store.Writer, s side, targets []target) error {
	if len(targets) == 0 {
		return nil
	}
	parent, manyToOne := s.Relation.Side == "parent", s.Relation.Type == "manyToOne"
	if parent != manyToOne {
		return apierr.New(http.StatusForbidden, "document_delete_restricted", "Document cannot be deleted because it is referenced by another document.")
	}
	if !parent && s.Relation.Type == "oneToOne" && !s.Relation.TwoWay {
		return r.clear(w, s.related, s.other, targets[0].record)
	}
	return nil
}

// cascade deletes what a deleted record owns.
func (r *Room) cascade(w store.Writer, col *catalog.Collection, s side, record *store.Record, targets []target) error {
	parent := s.Relation.Side == "parent"
	switch s.Relation.Type {
	case "oneToMany":
		if !parent {
			return nil
		}
	case "manyToOne":
		if parent {
			return nil
		}
	case "manyToMany":
		if err := r.unpair(w, s, record, ""); err != nil || !parent {
			return err
		}
	}
	if hidden(s.Definition) && s.Relation.Type == "oneToOne" {
		return nil
	}
	// The record goes first, so that a cycle ends.
	if err := w.Delete(col.Sequence, record.Sequence); err != nil {
		return err
	}
	for _, t := range targets {
		if t.record == nil {
			continue
		}
		again, err := w.Get(s.related.Sequence, t.id)
		if err != nil {
			return err
		}
		if again == nil { // gone by another way
			continue
		}
		if err := r.remove(w, s.related, again); err != nil {
			return err
		}
	}
	return nil
}

// setNull clears the links of others to a deleted record.
func (r *Room) setNull(w store.Writer, s side, record *store.Record, targets []target) error {
	if s.Relation.Type == "manyToMany" {
		return r.unpair(w, s, record, "")
	}
	if !s.back() {
		return nil
	}
	for _, t := range targets {
		if t.record == nil {
			continue
		}
		if err := r.clear(w, s.related, s.other, t.record); err != nil {
			return err
		}
	}
	return nil
}
