package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// Values is what an undo believes an attribute to be and to hold.
type Values struct {
	Attribute AttributeImage `json:"attribute"`
	// Digest is of the values; "" means none but the default.
	Digest string `json:"digest,omitempty"`
}

// restored gives what the undo of a restoration may expect. Of one that was not
// finished nothing is known, so whatever is there may go: it is archived again.
func restored[T any](after engine.Observation) (*T, error) {
	if len(after) == 0 {
		return nil, nil //nolint:nilnil // nil is "whatever is there"
	}
	expect, err := recall[T](after)
	return &expect, err
}

// archivedValue is one line of an attribute's archive.
type archivedValue struct {
	ID    string `json:"id"`
	Value any    `json:"value"`

	since string // when the document was last written, as read before it is filled
}

// digest sums up lines whatever their order is: a document that a run deletes
// and puts back comes last in a walk, and nobody else has changed anything.
type digest struct{ sum *[sha256.Size]byte }

func newDigest() digest { return digest{sum: new([sha256.Size]byte)} }

// add adds a line's hash to the sum, as numbers of 256 bits are added.
func (d digest) add(line json.RawMessage) {
	carry := 0
	for i, b := range sha256.Sum256(line) {
		carry += int(d.sum[i]) + int(b)
		d.sum[i] = byte(carry & 0xff)
		carry >>= 8
	}
}

func (d digest) String() string { return hex.EncodeToString(d.sum[:]) }

// walkValues yields every value that an attribute holds, with its line in an archive.
func walkValues(ctx context.Context, client *appwrite.Client, ref engine.Ref, each func(archivedValue, json.RawMessage) error) error {
	for page, err := range client.Walk(ctx, ref.Database, ref.Collection, appwrite.WalkOptions{Select: []string{ref.Key}}) {
		if err != nil {
			return err
		}
		for _, document := range page {
			value := document.Data[ref.Key]
			if isEmpty(value) {
				continue
			}
			item := archivedValue{ID: document.ID, Value: value}
			line, err := encode(item)
			if err != nil {
				return err
			}
			if err := each(item, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// valuesFound is what a walk over an attribute's values has found.
type valuesFound struct {
	Count     int64    // values other than the default
	First     []string // documents that hold one of them
	Digest    string   // of all values, "" when there is none
	Operators []string // documents whose value an update would take for an operator
}

// tally walks an attribute's values and hands each line to keep.
func tally(ctx context.Context, client *appwrite.Client, ref engine.Ref, image AttributeImage, keep func(json.RawMessage) error) (valuesFound, error) {
	var found valuesFound
	sum, some := newDigest(), false
	err := walkValues(ctx, client, ref, func(item archivedValue, line json.RawMessage) error {
		some = true
		sum.add(line)
		if appwrite.LooksLikeOperator(item.Value) && len(found.Operators) < shownDocuments {
			found.Operators = append(found.Operators, item.ID)
		}
		if image.Default == nil || !sameDefault(item.Value, image.Default) {
			if found.Count++; len(found.First) < shownDocuments {
				found.First = append(found.First, item.ID)
			}
		}
		return keep(line)
	})
	if some {
		found.Digest = sum.String()
	}
	return found, err
}

// sameDefault reports whether a stored value is the default, in canonical form.
func sameDefault(value any, def json.RawMessage) bool {
	raw, err := encode(value)
	return err == nil && same(canonicalValue(raw), def)
}

// forget is a keep for walks that only look.
func forget(json.RawMessage) error { return nil }

// archiveValues sets an attribute's values aside; no archive is made for none.
func archiveValues(ctx context.Context, client *appwrite.Client, site engine.Site, ref engine.Ref, image AttributeImage) (journal.ArchiveRef, valuesFound, error) {
	var writer journal.ArchiveWriter
	var done int64
	found, err := tally(ctx, client, ref, image, func(line json.RawMessage) error {
		if writer == nil {
			var err error
			if writer, err = site.Archives.Create(ctx, site.Run, site.Operation, "values"); err != nil {
				return err
			}
		}
		if done++; done%1000 == 0 {
			progress(site, "values archived", done, 0)
		}
		return writer.Write(ctx, line)
	})
	if err != nil || writer == nil {
		return journal.ArchiveRef{}, found, err
	}
	if image.Encrypt {
		progress(site, fmt.Sprintf("encrypted values of %s archived in clear", ref), done, done)
	}
	archive, err := writer.Close(ctx)
	return archive, found, err
}

// progress reports when somebody listens.
func progress(site engine.Site, what string, done, total int64) {
	if site.Progress != nil {
		site.Progress(engine.Progress{What: what, Done: done, Total: total})
	}
}
