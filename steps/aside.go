package steps

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// inlineLimit is how much JSON is kept in a memento; more goes to an archive.
const inlineLimit = 16 << 10

// aside holds what a deletion destroys: in the memento itself when it is little,
// in an archive otherwise.
type aside struct {
	Items   []asideItem         `json:"items,omitempty"`
	Archive *journal.ArchiveRef `json:"archive,omitempty"`
}

// asideItem is a document that is deleted, or a link that another one loses.
type asideItem struct {
	Document *documentImage `json:"document,omitempty"`
	Link     *lostLink      `json:"link,omitempty"`
}

// lostLink is a one-way relationship of a document that stays, to one that goes.
type lostLink struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
	Key        string `json:"key"`
	To         string `json:"to"`
	Many       bool   `json:"many,omitempty"`
}

// layAside keeps items, durably before it returns.
func layAside(ctx context.Context, site engine.Site, items []asideItem) (aside, error) {
	var encoded []json.RawMessage
	size := 0
	for _, item := range items {
		raw, err := encode(item)
		if err != nil {
			return aside{}, err
		}
		encoded = append(encoded, raw)
		size += len(raw)
	}
	if size <= inlineLimit {
		return aside{Items: items}, nil
	}
	writer, err := site.Archives.Create(ctx, site.Run, site.Operation, "documents")
	if err != nil {
		return aside{}, fmt.Errorf("archive: %w", err)
	}
	for _, raw := range encoded {
		if err := writer.Write(ctx, raw); err != nil {
			return aside{}, fmt.Errorf("archive: %w", err)
		}
	}
	ref, err := writer.Close(ctx)
	if err != nil {
		return aside{}, fmt.Errorf("archive: %w", err)
	}
	return aside{Archive: &ref}, nil
}

// load gives the items back.
func (a aside) load(ctx context.Context, site engine.Site) ([]asideItem, error) {
	if a.Archive == nil {
		return a.Items, nil
	}
	items := make([]asideItem, 0, a.Archive.Items)
	for raw, err := range site.Archives.Read(ctx, *a.Archive) {
		if err != nil {
			return nil, fmt.Errorf("archive %s: %w", a.Archive.Name, err)
		}
		item, err := recall[asideItem](raw)
		if err != nil {
			return nil, fmt.Errorf("archive %s: %w", a.Archive.Name, err)
		}
		items = append(items, item)
	}
	return items, nil
}
