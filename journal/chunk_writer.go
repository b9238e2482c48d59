package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// errArchiveClosed: the writer has been closed or has failed.
var errArchiveClosed = errors.New("the archive takes no more values")

type archiveWriter struct {
	archives *archives
	encoder  *zstd.Encoder
	manifest manifest
	content  hash.Hash    // of every line written, for the comparison in Close
	pending  bytes.Buffer // lines of the chunk being filled
	items    int64        // in pending
	done     bool
}

// Write adds one value, in canonical form.
func (w *archiveWriter) Write(ctx context.Context, value json.RawMessage) error {
	if w.done {
		return errArchiveClosed
	}
	line, err := Canonical(value)
	if err != nil {
		return err
	}
	if w.items > 0 && w.pending.Len()+len(line) >= w.archives.limit {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	w.pending.Write(line)
	w.pending.WriteByte('\n')
	w.items++
	w.content.Write(line)
	w.content.Write([]byte{'\n'})
	return nil
}

// flush stores the pending lines as a chunk. After an error the writer is of
// no more use: what was stored is not known.
func (w *archiveWriter) flush(ctx context.Context) error {
	if w.items == 0 {
		return nil
	}
	data := w.encoder.EncodeAll(w.pending.Bytes(), nil)
	if w.manifest.Sealed {
		var err error
		if data, err = w.archives.sealer.Seal(data); err != nil {
			w.done = true
			return fmt.Errorf("archive %s: %w", w.manifest.Name, err)
		}
	}
	c := chunk{
		Name:  w.manifest.Name + "/" + strconv.Itoa(len(w.manifest.Chunks)+1),
		Items: w.items, Bytes: int64(w.pending.Len()), SHA256: hexSum(data),
	}
	if err := w.archives.blobs.Put(ctx, c.Name, data); err != nil {
		w.done = true
		return fmt.Errorf("archive %s: %w", w.manifest.Name, err)
	}
	w.manifest.Chunks = append(w.manifest.Chunks, c)
	w.manifest.Items += c.Items
	w.manifest.Bytes += c.Bytes
	w.items = 0
	w.pending.Reset()
	return nil
}

// Close ends the archive and proves that it can be read.
func (w *archiveWriter) Close(ctx context.Context) (ArchiveRef, error) {
	if w.done {
		return ArchiveRef{}, errArchiveClosed
	}
	if err := w.flush(ctx); err != nil {
		return ArchiveRef{}, err
	}
	w.done = true
	data, err := Canonical(w.manifest)
	if err != nil {
		return ArchiveRef{}, err
	}
	if err := w.archives.blobs.Put(ctx, w.manifest.Name+"/manifest", data); err != nil {
		return ArchiveRef{}, fmt.Errorf("archive %s: %w", w.manifest.Name, err)
	}
	ref := ArchiveRef{Name: w.manifest.Name, Items: w.manifest.Items, Bytes: w.manifest.Bytes, SHA256: hexSum(data)}
	if err := w.verify(ctx, ref); err != nil {
		return ArchiveRef{}, err
	}
	return ref, nil
}

// verify reads everything back and compares it with what was written.
func (w *archiveWriter) verify(ctx context.Context, ref ArchiveRef) error {
	read := sha256.New()
	for value, err := range w.archives.Read(ctx, ref) {
		if err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		read.Write(value)
		read.Write([]byte{'\n'})
	}
	if !bytes.Equal(read.Sum(nil), w.content.Sum(nil)) {
		return fmt.Errorf("archive %s: %w: it reads back differently", ref.Name, ErrDamaged)
	}
	return nil
}
