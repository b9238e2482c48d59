package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// setter writes one attribute of many documents, and nothing else of them where
// the server can: a bulk write touches only what it names and checks only that.
// Next to relationships, and on 1.7, documents are written one by one, and the
// server puts the defaults of their other attributes where they are null.
type setter struct {
	client    *appwrite.Client
	ref       engine.Ref
	attribute appwrite.Attribute
	server    appwrite.Capabilities
	bulk      bool
	// spare leaves documents alone that hold neither what they held nor what
	// they are to hold, instead of failing.
	spare bool
}

// newSetter reads the attribute, which must be available.
func newSetter(ctx context.Context, client *appwrite.Client, ref engine.Ref) (*setter, error) {
	server, err := client.Detect(ctx)
	if err != nil {
		return nil, err
	}
	all, err := client.ListAttributes(ctx, ref.Database, ref.Collection)
	if err != nil {
		if absent := unlessAbsent(err, ref); absent != nil {
			return nil, absent
		}
		return nil, stopped(ref, ErrMissing, "nothing to fill")
	}
	own := keyed(all, ref.Key)
	switch {
	case own == nil:
		return nil, stopped(ref, ErrMissing, "nothing to fill")
	case own.Status != appwrite.StatusAvailable:
		return nil, stopped(ref, ErrMissing, "the attribute is %s %s", own.Status, own.Error)
	}
	w := &setter{client: client, ref: ref, attribute: *own, server: server.Capabilities}
	w.bulk = w.server.Bulk && !w.server.BulkDefaults &&
		!slices.ContainsFunc(all, func(a appwrite.Attribute) bool { return a.Relationship != nil })
	if w.bulk {
		// A bulk write that breaks a unique index is answered like a server that is down.
		indexes, err := indexesOn(ctx, client, ref)
		if err != nil {
			return nil, err
		}
		w.bulk = !slices.ContainsFunc(indexes, func(i IndexImage) bool { return i.Type == Unique })
	}
	return w, nil
}

// defaulted reports whether the server puts a default where null is written
// to a single document.
func (w *setter) defaulted() bool {
	return len(w.attribute.Default) > 0 && string(w.attribute.Default) != "null"
}

// misfit says why the attribute does not take a value; "" when it does. What
// only the server can tell, such as the form of an address, it tells.
func (w *setter) misfit(value any) string {
	if w.attribute.Relationship != nil {
		return linkFault(w.attribute.Relationship, value)
	}
	image := imageOfAttribute(w.attribute)
	image.Required = false
	return image.misfit(value)
}

// selecting gives what to ask for so that documents show the attribute, and
// another one where there is one.
func (w *setter) selecting(other *appwrite.Attribute) []string {
	plain, related := []string{}, []string{}
	for _, a := range []*appwrite.Attribute{&w.attribute, other} {
		switch {
		case a == nil:
		case a.Relationship != nil:
			related = append(related, a.Key)
		default:
			plain = append(plain, a.Key)
		}
	}
	if len(related) > 0 {
		return selection(related, w.server)
	}
	return plain
}

// read finds the documents of some lines, by id.
func (w *setter) read(ctx context.Context, page []filledValue) (map[string]appwrite.Document, error) {
	ids := make([]string, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	found, err := w.client.FindDocuments(ctx, w.ref.Database, w.ref.Collection, ids, w.selecting(nil)...)
	if err != nil {
		return nil, err
	}
	live := make(map[string]appwrite.Document, len(found))
	for _, document := range found {
		live[document.ID] = document
	}
	return live, nil
}

// A position is where a document stands between the two values of a line.
type position int

const (
	nowhere   position = iota // the document is gone
	atBefore                  // it holds the old value
	atAfter                   // it holds the new one
	elsewhere                 // it holds another one
)

func (w *setter) position(live map[string]appwrite.Document, line filledValue) position {
	document, there := live[line.ID]
	value := document.Data[w.ref.Key]
	switch {
	case !there:
		return nowhere
	case holds(w.attribute, line.After, value):
		return atAfter
	case holds(w.attribute, line.Before, value):
		return atBefore
	default:
		return elsewhere
	}
}

// write takes a page of documents to their new values, looking again until all
// of them are there or belong to somebody else. It gives those it has spared.
func (w *setter) write(ctx context.Context, site engine.Site, page []filledValue) ([]string, error) {
	page = slices.DeleteFunc(slices.Clone(page), func(line filledValue) bool {
		return line.Foreign && site.OnConflict != engine.ConflictOverwrite
	})
	for range guardTries {
		live, err := w.read(ctx, page)
		if err != nil {
			return nil, err
		}
		var open []filledValue
		var spared []string
		for _, line := range page {
			switch w.position(live, line) {
			case atBefore:
				open = append(open, line)
			case elsewhere:
				spared = append(spared, line.ID)
			case atAfter, nowhere:
			}
		}
		if len(spared) > 0 && !w.spare {
			return nil, &StepError{
				Target: w.ref, Err: engine.ErrForeign, Documents: spared[:min(len(spared), shownDocuments)],
				Reason: "somebody else has written to documents",
			}
		}
		if len(open) == 0 {
			return spared, nil
		}
		if err := w.put(ctx, live, open); err != nil {
			return nil, err
		}
	}
	return nil, stopped(w.ref, engine.ErrForeign, "documents change faster than they can be written")
}

// put sends the values: equal ones together where the server takes bulk writes.
func (w *setter) put(ctx context.Context, live map[string]appwrite.Document, open []filledValue) error {
	if !w.bulk {
		for _, line := range open {
			if err := w.one(ctx, line, live[line.ID].UpdatedAt); err != nil {
				return err
			}
		}
		return nil
	}
	groups, order := map[string][]filledValue{}, []string{}
	for _, line := range open {
		raw, err := encode(line.After)
		if err != nil {
			return err
		}
		if groups[string(raw)] == nil {
			order = append(order, string(raw))
		}
		groups[string(raw)] = append(groups[string(raw)], line)
	}
	for _, value := range order {
		const room = 90 // ids of 36 characters that fit into one query
		for some := range slices.Chunk(groups[value], room) {
			if err := w.together(ctx, live, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// together writes one value into several documents, as far as nobody has
// written to them since they were read.
func (w *setter) together(ctx context.Context, live map[string]appwrite.Document, some []filledValue) error {
	ids, seen := make([]any, len(some)), make([]any, len(some))
	for i, line := range some {
		ids[i], seen[i] = line.ID, live[line.ID].UpdatedAt
	}
	_, err := w.client.UpdateDocuments(ctx, w.ref.Database, w.ref.Collection, w.patch(some[0]),
		query.Equal("$id", ids), query.Equal("$updatedAt", seen))
	if refused(err) {
		named := make([]string, 0, shownDocuments)
		for _, line := range some[:min(len(some), shownDocuments)] {
			named = append(named, line.ID)
		}
		return &StepError{Target: w.ref, Err: ErrUnfit, Documents: named, Reason: unfitting(err)}
	}
	return err
}

// one writes to a single document that is as it was read. A write that lost a
// race is looked at again by the caller.
func (w *setter) one(ctx context.Context, line filledValue, since string) error {
	_, err := w.client.UpdateDocument(ctx, w.ref.Database, w.ref.Collection, line.ID, w.patch(line), appwrite.Guard{UpdatedAt: since})
	switch {
	case refused(err):
		return &StepError{Target: w.ref, Err: ErrUnfit, Documents: []string{line.ID}, Reason: unfitting(err)}
	case errors.Is(err, appwrite.ErrOverlapped), errors.Is(err, appwrite.ErrConflict):
		return nil
	default:
		return notFoundIsFine(err)
	}
}

func (w *setter) patch(line filledValue) appwrite.DocumentPatch {
	return appwrite.DocumentPatch{Data: map[string]any{w.ref.Key: line.After}}
}
