package steps

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// shownDocuments bounds how many ids an error names.
const shownDocuments = 20

// misfits are the documents whose value does not fit a definition.
type misfits struct {
	Count  int64
	First  []string // their ids, at most shownDocuments
	Reason string   // of the first one
}

// add counts a document.
func (m *misfits) add(id, reason string) {
	if m.Count++; m.Count == 1 {
		m.Reason = reason
	}
	if len(m.First) < shownDocuments {
		m.First = append(m.First, id)
	}
}

// narrows reports whether a value can fit one definition and not the next.
func narrows(from, to AttributeImage) bool {
	return to.Required && !from.Required ||
		to.Size < from.Size ||
		tighter(from.Min, to.Min, 1) || tighter(from.Max, to.Max, -1) ||
		slices.ContainsFunc(from.Elements, func(e string) bool { return !slices.Contains(to.Elements, e) })
}

// tighter reports whether a bound moves in the given direction or appears.
func tighter(from, to json.Number, direction int) bool {
	if to == "" || from == to {
		return false
	}
	return from == "" || compareNumbers(to, from)*direction > 0
}

// findMisfits walks the documents and holds each value against a definition.
func findMisfits(ctx context.Context, client *appwrite.Client, ref engine.Ref, image AttributeImage) (misfits, error) {
	var found misfits
	for page, err := range client.Walk(ctx, ref.Database, ref.Collection, appwrite.WalkOptions{Select: []string{ref.Key}}) {
		if err != nil {
			return misfits{}, err
		}
		for _, document := range page {
			if reason := image.misfit(document.Data[ref.Key]); reason != "" {
				found.add(document.ID, reason)
			}
		}
	}
	return found, nil
}
