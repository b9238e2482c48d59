package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// guardTries is how often a guarded write that lost a race is looked at anew
// before the step gives up.
const guardTries = 5

// documentImage is a document as mementos keep it. Empty values are left out: the server
// shows null and the empty list alike.
type documentImage struct {
	Collection  string         `json:"collection"`
	ID          string         `json:"id"`
	CreatedAt   string         `json:"created_at,omitempty"`
	UpdatedAt   string         `json:"updated_at,omitempty"`
	Permissions []string       `json:"permissions,omitempty"`
	Data        map[string]any `json:"data,omitempty"`
}

// newDocumentImage takes over a document as it was read; links are its relationship keys.
// Related ids are sorted, because they come in no order of their own.
func newDocumentImage(collection string, document appwrite.Document, links []string) documentImage {
	data := make(map[string]any, len(document.Data))
	for key, value := range document.Data {
		if isEmpty(value) {
			continue
		}
		if ids, many := value.([]any); many && slices.Contains(links, key) {
			value = sortedIDs(ids)
		}
		data[key] = value
	}
	return documentImage{
		Collection:  collection,
		ID:          document.ID,
		CreatedAt:   document.CreatedAt,
		UpdatedAt:   document.UpdatedAt,
		Permissions: slices.Clone(document.Permissions),
		Data:        data,
	}
}

// fingerprint is equal for documents with the same data and permissions,
// whatever their times are.
func (i documentImage) fingerprint() (string, error) {
	raw, err := encode(documentImage{Permissions: slices.Sorted(slices.Values(i.Permissions)), Data: i.Data})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// differs names the fields in which two images differ, sorted.
func (i documentImage) differs(other documentImage) []string {
	keys := maps.Clone(i.Data)
	maps.Copy(keys, other.Data)
	var different []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !sameValue(i.Data[key], other.Data[key]) {
			different = append(different, key)
		}
	}
	if !samePermissions(i.Permissions, other.Permissions) {
		different = append(different, "$permissions")
	}
	return different
}

// samePermissions compares permissions as the sets that they are.
func samePermissions(a, b []string) bool {
	return slices.Equal(
		slices.Compact(slices.Sorted(slices.Values(a))),
		slices.Compact(slices.Sorted(slices.Values(b))),
	)
}

// place addresses one document through one client.
type place struct {
	client     *appwrite.Client
	database   string
	collection string
	id         string
}

func (p place) ref() engine.Ref {
	return engine.Ref{Type: "document", Database: p.database, Collection: p.collection, Key: p.id}
}

// read reads the document by a list query, with its relationships as ids. It
// reports false when there is none.
func (p place) read(ctx context.Context, links []string) (documentImage, bool, error) {
	server, err := p.client.Detect(ctx)
	if err != nil {
		return documentImage{}, false, err
	}
	document, err := p.client.FindDocument(ctx, p.database, p.collection, p.id, selection(links, server.Capabilities)...)
	if err != nil {
		return documentImage{}, false, unlessAbsent(err, p.ref())
	}
	return newDocumentImage(p.collection, document, links), true, nil
}

// foreign is the error of a step that found what somebody else left.
func (p place) foreign(format string, args ...any) error {
	return stopped(p.ref(), engine.ErrForeign, format, args...)
}

// setAside archives an image before it is overwritten and refers to the archive.
func (p place) setAside(ctx context.Context, site engine.Site, live documentImage) (*journal.ArchiveRef, error) {
	raw, err := encode(live)
	if err != nil {
		return nil, err
	}
	writer, err := site.Archives.Create(ctx, site.Run, site.Operation, "overwritten")
	if err != nil {
		return nil, fmt.Errorf("%s: archive: %w", p.ref(), err)
	}
	if err := writer.Write(ctx, raw); err != nil {
		return nil, fmt.Errorf("%s: archive: %w", p.ref(), err)
	}
	ref, err := writer.Close(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: archive: %w", p.ref(), err)
	}
	return &ref, nil
}
