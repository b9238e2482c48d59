package steps

import (
	"context"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// workList collects what a FillAttribute is to write.
type workList struct {
	site   engine.Site
	setter *setter
	writer journal.ArchiveWriter // nil while there is nothing to write
	memo   filling
	unfit  misfits
	// taken are the related documents met so far, where each can be linked once.
	taken  map[string]bool
	shared misfits
}

// add puts a document on the list.
func (l *workList) add(ctx context.Context, line filledValue) error {
	caps := l.setter.server
	if caps.Operators && appwrite.LooksLikeOperator(line.After) {
		l.unfit.add(line.ID, "reads like an operator, which an update would carry out")
		return nil
	}
	if caps.Operators && appwrite.LooksLikeOperator(line.Before) && len(l.memo.Operators) < shownDocuments {
		l.memo.Operators = append(l.memo.Operators, line.ID)
	}
	if isEmpty(line.Before) && l.setter.defaulted() && !l.setter.bulk {
		l.memo.Irreversible = "the attribute was null in documents, and the server puts its default in the place of null"
	}
	if l.writer == nil {
		var err error
		if l.writer, err = l.site.Archives.Create(ctx, l.site.Run, l.site.Operation, "values"); err != nil {
			return err
		}
	}
	if l.memo.Count++; l.memo.Count%1000 == 0 {
		progress(l.site, "values converted", l.memo.Count, 0)
	}
	raw, err := encode(line)
	if err != nil {
		return err
	}
	return l.writer.Write(ctx, raw)
}

// close gives the memento, or fails for values that cannot be written.
func (l *workList) close(ctx context.Context) (engine.Memento, error) {
	ref := l.setter.ref
	switch {
	case l.unfit.Count > 0:
		return nil, &StepError{
			Target: ref, Err: ErrUnfit, Documents: l.unfit.First,
			Reason: "the value of the first " + l.unfit.Reason,
		}
	case l.shared.Count > 0:
		return nil, &StepError{
			Target: ref, Err: ErrDuplicates, Documents: l.shared.First,
			Reason: "they would share a related document, which " + l.setter.attribute.Relationship.Type + " does not allow",
		}
	}
	if l.writer != nil {
		var err error
		if l.memo.Changes, err = l.writer.Close(ctx); err != nil {
			return nil, err
		}
	}
	return encode(l.memo)
}

// list walks the documents and puts those on the list that are to change.
func (s FillAttribute) list(ctx context.Context, l *workList) error {
	source, value, err := s.origin(ctx, l.setter)
	if err != nil {
		return err
	}
	options := appwrite.WalkOptions{Select: l.setter.selecting(source)}
	for page, err := range s.client.Walk(ctx, s.Database, s.Collection, options) {
		if err != nil {
			return err
		}
		lines, err := s.wanted(ctx, l, source, value, page)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if err := l.add(ctx, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// origin reads where values come from: nil for a constant.
func (s FillAttribute) origin(ctx context.Context, w *setter) (source *appwrite.Attribute, value any, err error) {
	if canonicalValue(s.Value) != nil {
		if err := decodeStrict(s.Value, &value); err != nil {
			return nil, nil, &FieldError{Kind: s.Kind(), Field: "value", Reason: err.Error()}
		}
		if reason := constantFault(w.attribute, value); reason != "" {
			return nil, nil, &FieldError{Kind: s.Kind(), Field: "value", Reason: reason}
		}
	}
	if s.From == "" {
		return nil, value, nil
	}
	all, err := s.client.ListAttributes(ctx, s.Database, s.Collection)
	if err != nil {
		return nil, nil, err
	}
	ref := attributeRef(s.Database, s.Collection, s.From)
	switch source = keyed(all, s.From); {
	case source == nil:
		return nil, nil, stopped(ref, ErrMissing, "%s is to be filled from it", s.Key)
	case source.Status != appwrite.StatusAvailable:
		return nil, nil, stopped(ref, ErrMissing, "%s is to be filled from it, and it is %s %s", s.Key, source.Status, source.Error)
	case !Converts(source.Type, w.attribute.Type):
		return nil, nil, stopped(s.Target(), ErrRefused, "values of type %s do not convert to %s", source.Type, w.attribute.Type)
	}
	return source, value, nil
}

// constantFault says why one value for all documents cannot be in an attribute,
// or "". What the server would store as something else is none, since an undo
// could not tell it from what others have written.
func constantFault(attribute appwrite.Attribute, value any) string {
	if attribute.Relationship != nil {
		return ""
	}
	list, isList := value.([]any)
	isList = isList && attribute.Array
	if !isList {
		list = []any{value}
	}
	for _, element := range list {
		if element != nil && !typed(attribute.Type, element) {
			return brief(element) + " is no value of type " + attribute.Type
		}
		if reason := elementFault(attribute, element, isList); reason != "" {
			return reason
		}
	}
	return ""
}

// wanted gives the lines of a page of documents.
func (s FillAttribute) wanted(ctx context.Context, l *workList, source *appwrite.Attribute, value any, page []appwrite.Document) ([]filledValue, error) {
	w := l.setter
	var lines []filledValue
	for _, document := range page {
		live := document.Data[s.Key]
		if !isEmpty(live) && !s.Overwrite {
			continue
		}
		after := value
		if source != nil && !isEmpty(document.Data[s.From]) {
			var misfit string
			if after, misfit = convert(*source, w.attribute, document.Data[s.From]); misfit != "" {
				l.unfit.add(document.ID, misfit)
				continue
			}
		}
		if reason := w.misfit(after); reason != "" {
			l.unfit.add(document.ID, reason)
			continue
		}
		lines = append(lines, filledValue{ID: document.ID, Before: live, After: after})
	}
	if w.attribute.Relationship != nil {
		if err := l.related(ctx, lines, source != nil && source.Relationship != nil); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(lines, func(line filledValue) bool { return holds(w.attribute, line.After, line.Before) }), nil
}

// related notes ids that lead to no document, which only links may do, and
// documents that would be linked twice where that cannot be. The server drops
// the former from lists, so they are taken out here.
func (l *workList) related(ctx context.Context, lines []filledValue, linked bool) error {
	relationship := l.setter.attribute.Relationship
	var ids []string
	for _, line := range lines {
		ids = append(ids, relatedIDs(line.After)...)
	}
	slices.Sort(ids)
	found, err := l.setter.client.FindDocuments(ctx, l.setter.ref.Database, relationship.Related, slices.Compact(ids), "$id")
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, document := range found {
		there[document.ID] = true
	}
	once := relationship.Type == OneToOne || relationship.Type == OneToMany
	if l.taken == nil {
		l.taken = map[string]bool{}
	}
	for i, line := range lines {
		kept := slices.DeleteFunc(slices.Clone(relatedIDs(line.After)), func(id string) bool { return !there[id] })
		if len(kept) < len(relatedIDs(line.After)) && !linked {
			l.unfit.add(line.ID, "names a document of "+relationship.Related+" that is not there")
		}
		for _, id := range kept {
			if once && l.taken[id] {
				l.shared.add(line.ID, "")
			}
			l.taken[id] = once
		}
		lines[i].After = linkValue(kept, many(relationship))
	}
	return nil
}

// linkValue gives ids as a relationship takes them.
func linkValue(ids []string, many bool) any {
	if !many {
		if len(ids) == 0 {
			return nil
		}
		return ids[0]
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// listBack puts what another filling has written on the list, the other way round.
func (s FillAttribute) listBack(ctx context.Context, l *workList) error {
	skipped := map[string]bool{}
	for _, id := range s.Restore.Skipped {
		skipped[id] = true
	}
	return inBatches(decoded[filledValue](l.site.Archives.Read(ctx, s.Restore.Changes)), func(page []filledValue) error {
		page = slices.DeleteFunc(page, func(line filledValue) bool { return skipped[line.ID] })
		live, err := l.setter.read(ctx, page)
		if err != nil {
			return err
		}
		for _, line := range page {
			back := filledValue{ID: line.ID, Before: line.After, After: line.Before}
			switch l.setter.position(live, line) {
			case nowhere:
				continue
			case elsewhere:
				back.Before, back.Foreign = live[line.ID].Data[s.Key], true
				if len(l.memo.Foreign) < shownDocuments {
					l.memo.Foreign = append(l.memo.Foreign, line.ID)
				}
			case atBefore, atAfter:
			}
			if err := l.add(ctx, back); err != nil {
				return err
			}
		}
		return nil
	})
}

// unfitting gives the reason of a server's refusal without the request.
func unfitting(err error) string {
	_, reason, found := strings.Cut(err.Error(), "Invalid document structure: ")
	if !found {
		return err.Error()
	}
	return reason
}
