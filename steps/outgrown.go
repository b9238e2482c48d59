package steps

import (
	"context"
	"fmt"

	"github.com/backstep-dev/backstep/engine"
)

// outgrown gives what the deletion would destroy now and has not set aside:
// documents that go along and have changed since, or have come to depend on the
// target since, and links made since.
func (d deleting) outgrown(ctx context.Context, m deleteMemento) ([]asideItem, error) {
	kept, err := m.load(ctx, d.site)
	if err != nil {
		return nil, err
	}
	documents, links := map[member]documentImage{}, map[lostLink]bool{}
	for _, item := range kept {
		if item.Document != nil {
			documents[member{item.Document.Collection, item.Document.ID}] = *item.Document
		}
		if item.Link != nil {
			links[*item.Link] = true
		}
	}
	targets := map[member]bool{}
	for _, target := range d.targets {
		targets[target] = true
	}
	now, err := d.affected(ctx, d.targets)
	if err != nil {
		return nil, err
	}
	var strange []asideItem
	for _, item := range now {
		if item.Link != nil {
			if !links[*item.Link] {
				strange = append(strange, item)
			}
			continue
		}
		at := member{item.Document.Collection, item.Document.ID}
		was, known := documents[at]
		if !targets[at] && (!known || d.changed(was, *item.Document)) {
			strange = append(strange, item)
		}
	}
	return strange, nil
}

// changed reports whether a document is not as it was set aside.
func (d deleting) changed(was, live documentImage) bool {
	f := d.shape(live.Collection)
	return len(d.differs(f, was, live, false))+len(d.differs(f, was, live, true)) > 0
}

// outgrownBy says so for people.
func outgrownBy(strange []asideItem) string {
	if link := strange[0].Link; link != nil {
		return fmt.Sprintf("%s %s has come to lead to it since it was set aside", link.Collection, link.ID)
	}
	document := strange[0].Document
	return fmt.Sprintf("%s %s, which would go with it, is not as it was set aside", document.Collection, document.ID)
}

// spared reports whether the policy leaves a document alone that others depend
// on now. A policy that goes over them sets them aside first.
func (d deleting) spared(ctx context.Context, m deleteMemento) (bool, error) {
	strange, err := d.outgrown(ctx, m)
	if err != nil || len(strange) == 0 {
		return false, err
	}
	p := d.place(d.step.Collection, d.step.ID)
	switch d.site.OnConflict {
	case engine.ConflictMerge, engine.ConflictSkip:
		return true, nil
	case engine.ConflictOverwrite:
	default:
		return false, p.foreign("%s", outgrownBy(strange))
	}
	for _, item := range strange {
		var err error
		if item.Document != nil {
			_, err = p.setAside(ctx, d.site, *item.Document)
		} else {
			_, err = p.setAside(ctx, d.site, documentImage{
				Collection: item.Link.Collection, ID: item.Link.ID, Data: map[string]any{item.Link.Key: item.Link.To},
			})
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
